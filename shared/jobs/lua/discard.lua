-- A dead job goes for good.
local due, dead, key, member = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
if #KEYS ~= 3 or #ARGV ~= 1 or key ~= prefix .. member then return fault('discard: wrong arguments') end
redis.call('ZCARD', due)
local score = redis.call('ZSCORE', dead, member)
local gone = score and row(member, score)
if not gone then return false end
redis.call('DEL', key)
redis.call('ZREM', dead, member)
redis.call('ZREM', due, member)
return gone
