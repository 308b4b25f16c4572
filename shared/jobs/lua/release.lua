-- Given back unharmed: the attempt stays as the fencing token, and is spared when attempts are counted.
local due, key, member, at = KEYS[1], KEYS[2], ARGV[1], whole(ARGV[3])
if #KEYS ~= 2 or #ARGV ~= 3 then return fault('release: wrong number of arguments') end
if key ~= prefix .. member then return fault('release: key and member differ') end
if not at then return fault('release: a number is none') end
redis.call('ZCARD', due)
if not holds(key, ARGV[2]) then return 0 end
redis.call('HDEL', key, 'lease')
redis.call('HINCRBY', key, 'spared', 1)
if at > now then redis.call('HSET', key, 'not_before', ms(at)) else at = now end
redis.call('ZADD', due, ms(at), member)
return 1
