-- Done: the job goes, unless another has it by now.
local n = #KEYS - 1
if n < 1 or n > 64 or #ARGV ~= 2 * n then return fault('complete: wrong number of arguments') end
redis.call('ZCARD', KEYS[1])
local answers = {}
for i = 1, n do
	if KEYS[i + 1] ~= prefix .. ARGV[2 * i - 1] then return fault('complete: key and member differ') end
	answers[i] = holds(KEYS[i + 1], ARGV[2 * i]) and 1 or 0
end
for i = 1, n do
	if answers[i] == 1 then
		redis.call('DEL', KEYS[i + 1])
		redis.call('ZREM', KEYS[1], ARGV[2 * i - 1])
	end
end
return answers
