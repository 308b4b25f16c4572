-- A dead job is due at once and has all its attempts again.
local due, dead, key, member = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
if #KEYS ~= 3 or #ARGV ~= 1 or key ~= prefix .. member then return fault('retry: wrong arguments') end
redis.call('ZCARD', due)
if not redis.call('ZSCORE', dead, member) or not row(member) then return false end
redis.call('HSET', key, 'spared', redis.call('HGET', key, 'attempt') or '0')	-- all its attempts again
redis.call('HDEL', key, 'died_at', 'lease', 'not_before')
redis.call('ZREM', dead, member)
redis.call('ZADD', due, ms(now), member)
return row(member, ms(now))
