local due, dead, key, member = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
if #KEYS ~= 3 or #ARGV ~= 1 or key ~= prefix .. member then return fault('get: wrong arguments') end
return row(member, redis.call('ZSCORE', due, member) or redis.call('ZSCORE', dead, member)) or false
