-- What the scripts of deliveries share. KEYS[1..5] are the endpoint's: due, log, kept, state, job; then {pPP}:due.
local OK_KEPT, OK_MS, FAILED_MS, LOG_MS = 1000, 7 * 86400000, 30 * 86400000, 34 * 86400000
local ATTEMPTS_KEPT, TRIM = 100, 200
local due, log, kept, state, job, jobs = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
if #KEYS ~= 6 then return fault('wrong number of keys') end
for _, key in ipairs({ due, log, kept, jobs }) do call('ZCARD', key) end
call('HLEN', state)
call('HLEN', job)
local member = string.sub(job, #tag + 5)	-- {pPP}:job:KEY

local function record(id) return tag .. 'dlv:' .. id end

-- Is the job leased with this attempt? It is the fencing token.
local function holds(attempt)
	local h = call('HMGET', job, 'attempt', 'lease')
	return h[1] == attempt and (tonumber(h[2]) or 0) > 0
end

-- The job is made, or due by the time of the endpoint's next try, unless somebody holds it. true: it is due now.
local function wake()
	local head = call('ZRANGE', due, 0, 0, 'WITHSCORES')
	local at = tonumber(head[2])
	if not at then return false end
	local h = call('HMGET', job, 'kind', 'lease', 'died_at')
	if not h[1] then
		call('HSET', job, 'kind', 'hook', 'body', '{}', 'attempt', '0', 'claim_id', '', 'request_id', '', 'made_at', ms(now))
		call('ZADD', jobs, ms(at), member)
		return at <= now
	elseif h[3] or (tonumber(h[2]) or 0) > 0 then
		return false
	end
	call('HDEL', job, 'not_before')
	call('ZADD', jobs, 'LT', ms(at), member)
	return at <= now
end

-- It is over: no more tries; the record stays for a while.
local function finish(id, status, life)
	local key = record(id)
	call('HSET', key, 'status', status, 'updated', ms(now))
	call('HDEL', key, 'next')
	call('PEXPIRE', key, ms(life))
	call('ZREM', due, id)
end

-- What is kept for long enough goes, a few at a time.
local function drop(ids)
	for _, id in ipairs(ids) do
		if not call('ZSCORE', due, id) then
			call('DEL', record(id))
			call('ZREM', log, id)
		end
		call('ZREM', kept, id)
	end
end
local function trim()
	local over = call('ZCARD', kept) - OK_KEPT
	if over > 0 then drop(call('ZRANGE', kept, 0, math.min(over, TRIM) - 1)) end
	drop(call('ZRANGE', kept, '-inf', ms(now - OK_MS), 'BYSCORE', 'LIMIT', 0, TRIM))
	for _, id in ipairs(call('ZRANGE', log, '-inf', ms(now - LOG_MS), 'BYSCORE', 'LIMIT', 0, TRIM)) do
		call('ZREM', log, id)
	end
end
