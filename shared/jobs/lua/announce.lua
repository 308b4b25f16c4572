-- An entry of a directory, and those that ran out go.
local life = whole(ARGV[3])
if #KEYS ~= 2 or #ARGV ~= 3 or ARGV[1] == '' or not life then return fault('announce: wrong arguments') end
redis.call('HLEN', KEYS[2])
local over = redis.call('ZRANGE', KEYS[1], '-inf', ms(now), 'BYSCORE', 'LIMIT', 0, 100)
for _, id in ipairs(over) do
	redis.call('ZREM', KEYS[1], id)
	redis.call('HDEL', KEYS[2], id)
end
redis.call('ZADD', KEYS[1], ms(now + life), ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
