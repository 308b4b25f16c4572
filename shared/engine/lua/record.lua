-- Results of tries. ARGV attempt of the job, slow, then of each: id, status, next try (ms, 0 none), number of the attempt, the
-- attempt's JSON. A number that is recorded already is left as it is. {1 or 0 not ours, failing since or ''}
if #ARGV < 2 or #ARGV % 5 ~= 2 or not whole(ARGV[2]) then return fault('record: wrong arguments') end
for a = 3, #ARGV, 5 do
	if not whole(ARGV[a + 2]) or not whole(ARGV[a + 3]) then return fault('record: a number is none') end
end
if not holds(ARGV[1]) then return { 0, '' } end
local recorded = {}
for a = 3, #ARGV, 5 do recorded[a] = whole(call('HGET', record(ARGV[a]), 'attempts') or nil) end
for a = 3, #ARGV, 5 do
	local id, status, at, number, text = ARGV[a], ARGV[a + 1], ARGV[a + 2], whole(ARGV[a + 3]), ARGV[a + 4]
	local key, attempts = record(id), recorded[a]
	if not attempts then
		call('ZREM', due, id)
	elseif attempts < number then
		call('HSET', key, 'attempts', ms(number), ms(number), text, 'updated', ms(now))
		call('HINCRBY', key, 'tries', 1)
		if number > ATTEMPTS_KEPT then call('HDEL', key, ms(number - ATTEMPTS_KEPT)) end
		if status == 'succeeded' then
			finish(id, status, OK_MS)
			call('ZADD', kept, ms(now), id)
			call('HDEL', state, 'failing')
		else
			call('HSETNX', state, 'failing', ms(now))
			if status == 'retrying' then
				call('HSET', key, 'status', status, 'next', at)
				call('PERSIST', key)
				call('ZADD', due, at, id)
			else
				finish(id, status, FAILED_MS)
			end
		end
	end
end
if ARGV[2] == '0' then call('HDEL', state, 'slow') else call('HSET', state, 'slow', ARGV[2]) end
trim()
return { 1, call('HGET', state, 'failing') or '' }
