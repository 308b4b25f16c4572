-- Who leases a job works on it until the lease ends, unless it extends it. Its attempt is the fencing token: it only
-- grows.
local n = #KEYS - 2
if n < 1 or n > 64 or #ARGV ~= 4 * n then return fault('lease: wrong number of arguments') end
redis.call('ZCARD', KEYS[1])
redis.call('ZCARD', KEYS[2])
local jobs, seen = {}, {}
for i = 1, n do
	local member, kind = ARGV[4 * i - 3], ARGV[4 * i - 2]
	local lease, attempts = whole(ARGV[4 * i - 1]), whole(ARGV[4 * i])
	if KEYS[i + 2] ~= prefix .. member then return fault('lease: key and member differ') end
	if not lease or lease < 1 or not attempts or attempts < 1 then return fault('lease: a number is none') end
	local h = redis.call('HMGET', KEYS[i + 2], 'kind', 'attempt', 'lease', 'not_before', 'spared', 'died_at',
	    'body', 'claim_id', 'request_id')
	local free = h[1] == kind and not seen[member] and not h[6] and
	    (tonumber(h[3]) or 0) <= now and (tonumber(h[4]) or 0) <= now
	seen[member] = true
	jobs[i] = { free = free, attempt = tonumber(h[2]) or 0, spared = tonumber(h[5]) or 0, attempts = attempts,
	    till = now + lease, body = h[7] or '', claim = h[8] or '', request = h[9] or '' }
end
local answers = { now }
for i = 1, n do
	local job, key, member = jobs[i], KEYS[i + 2], ARGV[4 * i - 3]
	if not job.free then
		answers[i + 1] = false
	elseif job.attempt - job.spared >= job.attempts then
		redis.call('HSET', key, 'died_at', ms(now), 'error',
		    'its lease ran out ' .. job.attempts .. ' times: the workers that had it stopped')
		redis.call('HDEL', key, 'lease', 'not_before')
		redis.call('ZREM', KEYS[1], member)
		redis.call('ZADD', KEYS[2], ms(now), member)
		answers[i + 1] = 0
	else
		redis.call('HSET', key, 'attempt', ms(job.attempt + 1), 'lease', ms(job.till))
		redis.call('HDEL', key, 'not_before')
		redis.call('ZADD', KEYS[1], ms(job.till), member)
		local attempt = job.attempt + 1
		answers[i + 1] = { attempt, job.till, attempt - job.spared, job.body, job.claim, job.request }
	end
end
return answers
