#!lua
-- commit: compare everything, then write everything. No write below can fail, so all happens or nothing; no
-- arithmetic but sequence + n. Documented in shared/store/README.md, section 2.
--
-- KEYS  once (when once_ttl > 0), job and due (when attempt > 0), of each aggregate: snapshot, history, personal
--       (when it has some), machine (when it changes), then those of the operations, in their order
-- ARGV  commit id, partition, header (once_ttl, strings of the once-record, attempt, aggregates), the once-record,
--       the job's name, of each aggregate: header (expected sequence, entries, strings to set, fields to delete, the
--       same two of the machine hash, has personal), entries (text, body hash, hash, personal or ''), the four
--       lists; then the operations up to the end: a letter and its arguments
--
-- Answers 1 done, 2 done by this very commit before, 3 a version differs or a set is full, 4 the job is not ours, or the once-record.
local KEYS, ARGV, call, unpack = KEYS, ARGV, redis.call, unpack
local byte, format = string.byte, string.format
local id, partition = ARGV[1], ARGV[2]
local k, a = 0, 3

local function broken(why)
	error(redis.error_reply('BROKEN commit: ' .. why .. ' before argument ' .. a .. ', key ' .. k))
end

-- What each key is used as. Asking it so, before anything is written, fails with WRONGTYPE if it is something else.
local used = {}
local function check(key, question)
	local before = used[key]
	if before == nil then
		used[key] = question
		call(question, key)
	elseif before ~= question then
		broken('a key is used as two types')
	end
end

local function whole(n, most)
	return n >= 0 and n <= most and n % 1 == 0
end

-- Lua forgives blanks around a number, Redis does not; neither infinite nor NaN.
local function score(text)
	local n = tonumber(text)
	if not n or not (n < 1e300 and n > -1e300) or byte(text, 1) <= 32 or byte(text, -1) <= 32 then
		broken('a score is no number')
	end
end

if #id == 0 or #ARGV[3] ~= 20 then
	broken('the header is damaged')
end
local once_ttl, once_strings, attempt, aggregates = struct.unpack('<dHdH', ARGV[3])
if not whole(once_ttl, 1e14) or once_strings % 2 ~= 0 or not whole(attempt, 1e14) then
	broken('the header is damaged')
end

-- 1. the once-key
local once, once_at = nil, a
if once_ttl > 0 then
	k = k + 1
	a = a + once_strings
	once = KEYS[k]
	local kept = call('HGETALL', once)
	if #kept > 0 then
		for i = 1, #kept, 2 do
			if kept[i] == 'c' and kept[i + 1] == id then
				return 2
			end
		end
		return kept
	end
	used[once] = 'HLEN'
elseif once_strings > 0 then
	broken('a once-record without a time to live')
end

-- 2. the fence, then every version, type and argument
local job, due, job_name, fenced
if attempt > 0 then
	job, due = KEYS[k + 1], KEYS[k + 2]
	k, a = k + 2, a + 1
	job_name = ARGV[a]
	local held = call('HMGET', job, 'attempt', 'lease')
	fenced = tonumber(held[1]) ~= attempt or (tonumber(held[2]) or 0) <= 0
	check(job, 'HLEN')
	check(due, 'ZCARD')
	if not job_name then
		broken('the job has no name')
	end
end

local parts, mine, conflict = {}, false, false
for i = 1, aggregates do
	a = a + 1
	if not ARGV[a] or #ARGV[a] ~= 20 then
		broken('the header of an aggregate is damaged')
	end
	local expected, entries, sets, dels, machine_sets, machine_dels, has_personal =
		struct.unpack('<dHHHHHH', ARGV[a])
	local snapshot, history, personal, machine = KEYS[k + 1], KEYS[k + 2], nil, nil
	k = k + 2
	if not whole(expected, 1e15) or sets % 2 ~= 0 or machine_sets % 2 ~= 0 or has_personal > 1 then
		broken('the header of an aggregate is damaged')
	end
	if not history or snapshot == history or used[snapshot] or used[history] then
		broken('an aggregate comes twice')
	end
	used[snapshot], used[history] = 'HLEN', 'XLEN'
	local first = format('%d-0', expected + 1)
	if (call('HGET', snapshot, 'seq') or '0') ~= format('%d', expected) or
		call('XREVRANGE', history, '+', first, 'COUNT', 1)[1] then
		conflict = true
		local next_entry = entries > 0 and call('XRANGE', history, first, first)[1]
		if next_entry then
			for f = 1, #next_entry[2], 2 do
				mine = mine or next_entry[2][f] == 'c' and next_entry[2][f + 1] == id
			end
		end
	end
	if has_personal == 1 then
		k = k + 1
		personal = KEYS[k]
		check(personal, 'HLEN')
	end
	local at = a
	for e = 1, entries do
		if not ARGV[a + 4] or #ARGV[a + 1] == 0 or #ARGV[a + 2] ~= 64 or #ARGV[a + 3] ~= 64 then
			broken('an entry is damaged')
		elseif #ARGV[a + 4] > 0 and not personal then
			broken('an entry has personal values and no place for them')
		end
		a = a + 4
	end
	if machine_sets + machine_dels > 0 then
		k = k + 1
		machine = KEYS[k]
		check(machine, 'HLEN')
	end
	a = a + sets + dels + machine_sets + machine_dels
	parts[i] = { snapshot, history, personal, machine, expected, entries, sets, dels, machine_sets, machine_dels,
		at }
end

local operations_k, operations_a, feeds = k, a, false
while a < #ARGV do
	local what, key = ARGV[a + 1], KEYS[k + 1]
	k = k + 1
	if what == 'Z' then
		check(key, 'ZCARD')
		score(ARGV[a + 2])
		a = a + 3
	elseif what == 'z' then
		check(key, 'ZCARD')
		a = a + 2
	elseif what == 'L' then
		check(key, 'ZCARD')
		local limit = tonumber(ARGV[a + 2])
		if not limit or not whole(limit, 1e9) then
			broken('a limit is no number')
		end
		conflict = conflict or call('ZCARD', key) >= limit
		a = a + 2
	elseif what == 'S' or what == 's' then
		check(key, 'SCARD')
		a = a + 2
	elseif what == 'H' then
		check(key, 'HLEN')
		a = a + 3
	elseif what == 'h' then
		check(key, 'HLEN')
		a = a + 2
	elseif what == 'P' then
		check(key, 'STRLEN')
		local ttl = ARGV[a + 3]
		if not ttl or not ttl:find('^%d+$') or #ttl > 14 then
			broken('a time to live is no number')
		end
		a = a + 3
	elseif what == 'D' then
		if not key then
			broken('a key is missing')
		end
		a = a + 1
	elseif what == 'J' or what == 'W' then
		check(key, 'HLEN')
		k = k + 1
		check(KEYS[k], 'ZCARD')
		score(ARGV[a + 3])
		a = a + 8
	elseif what == 'F' then
		check(key, 'XLEN')
		feeds = true
		a = a + 2
	else
		broken('an operation is not known')
	end
end
if a ~= #ARGV or k ~= #KEYS then
	broken('the number of keys or arguments is wrong')
end
if mine then
	return 2
elseif fenced then
	return 4
elseif conflict then
	return 3
end

-- 3. the histories
for i = 1, aggregates do
	local part = parts[i]
	local history, expected, at = part[2], part[5], part[11]
	for e = 1, part[6] do
		call('XADD', history, format('%d-0', expected + e), 'e', ARGV[at + 1], 'b', ARGV[at + 2],
			'h', ARGV[at + 3], 'c', id)
		at = at + 4
	end
end

-- 4. everything else
if once then
	call('HSET', once, 'c', id, unpack(ARGV, once_at + 1, once_at + once_strings))
	call('PEXPIRE', once, once_ttl)
end
if job then
	call('DEL', job)
	call('ZREM', due, job_name)
end
for i = 1, aggregates do
	local snapshot, _, personal, machine, expected, entries, sets, dels, machine_sets, machine_dels, at =
		unpack(parts[i], 1, 11)
	for e = 1, entries do
		if #ARGV[at + 4] > 0 then
			call('HSET', personal, format('%d', expected + e), ARGV[at + 4])
		end
		at = at + 4
	end
	if entries > 0 then
		call('HSET', snapshot, 'seq', format('%d', expected + entries), unpack(ARGV, at + 1, at + sets))
	elseif sets > 0 then
		call('HSET', snapshot, unpack(ARGV, at + 1, at + sets))
	end
	at = at + sets
	if dels > 0 then
		call('HDEL', snapshot, unpack(ARGV, at + 1, at + dels))
	end
	at = at + dels
	if machine_sets > 0 then
		call('HSET', machine, unpack(ARGV, at + 1, at + machine_sets))
	end
	at = at + machine_sets
	if machine_dels > 0 then
		call('HDEL', machine, unpack(ARGV, at + 1, at + machine_dels))
	end
end

k, a = operations_k, operations_a
while a < #ARGV do
	local what, key = ARGV[a + 1], KEYS[k + 1]
	k = k + 1
	if what == 'Z' then
		call('ZADD', key, ARGV[a + 2], ARGV[a + 3])
		a = a + 3
	elseif what == 'z' then
		call('ZREM', key, ARGV[a + 2])
		a = a + 2
	elseif what == 'L' then
		a = a + 2
	elseif what == 'S' then
		call('SADD', key, ARGV[a + 2])
		a = a + 2
	elseif what == 's' then
		call('SREM', key, ARGV[a + 2])
		a = a + 2
	elseif what == 'H' then
		call('HSET', key, ARGV[a + 2], ARGV[a + 3])
		a = a + 3
	elseif what == 'h' then
		call('HDEL', key, ARGV[a + 2])
		a = a + 2
	elseif what == 'P' then
		if tonumber(ARGV[a + 3]) > 0 then
			call('SET', key, ARGV[a + 2], 'PX', ARGV[a + 3])
		else
			call('SET', key, ARGV[a + 2])
		end
		a = a + 3
	elseif what == 'D' then
		call('DEL', key)
		a = a + 1
	elseif what == 'J' or what == 'W' then
		k = k + 1
		local held = call('HMGET', key, 'kind', 'lease', 'died_at')
		if not held[1] then
			call('HSET', key, 'kind', ARGV[a + 4], 'body', ARGV[a + 5], 'attempt', '0',
				'claim_id', ARGV[a + 6], 'request_id', ARGV[a + 7], 'made_at', ARGV[a + 8])
			call('ZADD', KEYS[k], ARGV[a + 3], ARGV[a + 2])
		elseif what == 'W' and (tonumber(held[2]) or 0) <= 0 and not held[3] then
			call('HDEL', key, 'not_before')
			call('ZADD', KEYS[k], 'LT', ARGV[a + 3], ARGV[a + 2])
		end
		a = a + 8
	else
		call('XADD', key, '*', 'r', ARGV[a + 2])
		a = a + 2
	end
end
if feeds then
	call('PUBLISH', 'coopclaims:hint', partition)
end
return 1
