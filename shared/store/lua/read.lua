#!lua flags=no-writes
-- read: snapshots that are newer than the caller's. ARGV, one an aggregate: the sequence he knows (0: none),
-- with an "m" before it when he wants the machine hash. KEYS: of each its snapshot and, with "m", its machine
-- hash; then maybe a once-record. Answers, one an aggregate: nil (absent), 1 (unchanged) or {fields, machine
-- fields}; then the once-record.
local call, out, k = redis.call, {}, 0
for i = 1, #ARGV do
	local known, machine = ARGV[i], false
	if known:sub(1, 1) == 'm' then
		known, machine = known:sub(2), true
	end
	k = k + 1
	if known ~= '0' and call('HGET', KEYS[k], 'seq') == known then
		out[i] = 1
	else
		local fields = call('HGETALL', KEYS[k])
		if #fields == 0 then
			out[i] = false
		elseif machine then
			out[i] = { fields, call('HGETALL', KEYS[k + 1]) }
		else
			out[i] = { fields, {} }
		end
	end
	if machine then
		k = k + 1
	end
end
if k < #KEYS then
	out[#ARGV + 1] = call('HGETALL', KEYS[k + 1])
end
return out
