#!lua flags=no-writes
-- history: entries with what is personal in them. KEYS: history, personal. ARGV: from, to (stream ids, - and
-- + too), count, "r" for the newest first. Answers five values an entry: sequence, text, body hash, hash,
-- personal or nil.
local range
if ARGV[4] == 'r' then
	range = redis.call('XREVRANGE', KEYS[1], ARGV[2], ARGV[1], 'COUNT', ARGV[3])
else
	range = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[2], 'COUNT', ARGV[3])
end
if #range == 0 then
	return {}
end
local sequences = {}
for i = 1, #range do
	sequences[i] = range[i][1]:match('^%d+')
end
local personal, out, n = redis.call('HMGET', KEYS[2], unpack(sequences)), {}, 0
for i = 1, #range do
	local text, body_hash, hash
	local fields = range[i][2]
	for f = 1, #fields, 2 do
		local name = fields[f]
		if name == 'e' then
			text = fields[f + 1]
		elseif name == 'b' then
			body_hash = fields[f + 1]
		elseif name == 'h' then
			hash = fields[f + 1]
		end
	end
	out[n + 1], out[n + 2], out[n + 3], out[n + 4], out[n + 5] = sequences[i], text or false, body_hash or false,
		hash or false, personal[i]
	n = n + 5
end
return out
