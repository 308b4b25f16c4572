-- Due again later, or dead when that is final or its attempts are used up. What was released does not count.
local due, dead, key, member = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local delay, attempts = whole(ARGV[4]), whole(ARGV[6])
if #KEYS ~= 3 or #ARGV ~= 6 then return fault('fail: wrong number of arguments') end
if key ~= prefix .. member then return fault('fail: key and member differ') end
if not delay or not attempts or (ARGV[5] ~= '0' and ARGV[5] ~= '1') then return fault('fail: a number is none') end
redis.call('ZCARD', due)
redis.call('ZCARD', dead)
if not holds(key, ARGV[2]) then return 0 end
local spared = tonumber(redis.call('HGET', key, 'spared')) or 0
redis.call('HDEL', key, 'lease')
if ARGV[5] == '1' or tonumber(ARGV[2]) - spared >= attempts then
	redis.call('HSET', key, 'error', ARGV[3], 'died_at', ms(now))
	redis.call('ZREM', due, member)
	redis.call('ZADD', dead, ms(now), member)
	return 2
end
redis.call('HSET', key, 'error', ARGV[3], 'not_before', ms(now + delay))
redis.call('ZADD', due, ms(now + delay), member)
return 1
