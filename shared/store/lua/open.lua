#!lua
-- open: what kind of store this is; an empty Redis becomes one when ARGV says so. KEYS: {sys}:store. ARGV:
-- partitions to make (0: make none), sandbox 0 or 1, format. Answers its fields, or how many keys there are
-- that are not ours.
local fields = redis.call('HGETALL', KEYS[1])
if #fields > 0 then
	return fields
end
local others = redis.call('DBSIZE')
if others > 0 or ARGV[1] == '0' then
	return others
end
redis.call('HSET', KEYS[1], 'format', ARGV[3], 'partitions', ARGV[1], 'sandbox', ARGV[2], 'clock_offset', '0')
return redis.call('HGETALL', KEYS[1])
