-- A timer that is due becomes a job, once: while the job is there, the timer only moves on, so that a lost job comes
-- again. The job's own commit writes the next score or removes the timer.
local clock, many, on = whole(ARGV[1]), whole(ARGV[2]), whole(ARGV[3])
if #KEYS ~= 2 or #ARGV ~= 3 or not (clock and many and on) then return fault('timers: wrong arguments') end
redis.call('ZCARD', KEYS[2])
local ids = redis.call('ZRANGE', KEYS[1], '-inf', ms(clock), 'BYSCORE', 'LIMIT', 0, ms(many))
for i = 1, #ids do
	local id, key = ids[i], prefix .. 'timer.' .. ids[i]
	if not string.match(id, '^%l%l%l_[0-9A-Za-z]+$') then	-- nobody could run it
		redis.call('ZREM', KEYS[1], id)
	else
		redis.call('ZADD', KEYS[1], ms(clock + on), id)
		if redis.call('EXISTS', key) == 0 then
			redis.call('HSET', key, 'kind', 'timer', 'body', '{"aggregate_id":"' .. id .. '"}',
			    'attempt', '0', 'claim_id', string.sub(id, 1, 4) == 'clm_' and id or '', 'request_id', '',
			    'made_at', ms(now))
			redis.call('ZADD', KEYS[2], ms(now), 'timer.' .. id)
		end
	end
end
return #ids
