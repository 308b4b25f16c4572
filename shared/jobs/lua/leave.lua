if #KEYS ~= 2 or #ARGV ~= 1 then return fault('leave: wrong arguments') end
redis.call('HLEN', KEYS[2])
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('HDEL', KEYS[2], ARGV[1])
