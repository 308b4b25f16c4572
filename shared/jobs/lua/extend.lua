-- Those who still hold their job keep it for longer.
local n = #KEYS - 1
if n < 1 or n > 64 or #ARGV ~= 3 * n then return fault('extend: wrong number of arguments') end
redis.call('ZCARD', KEYS[1])
local answers = {}
for i = 1, n do
	local lease = whole(ARGV[3 * i])
	if KEYS[i + 1] ~= prefix .. ARGV[3 * i - 2] then return fault('extend: key and member differ') end
	if not lease or lease < 1 then return fault('extend: a number is none') end
	answers[i] = holds(KEYS[i + 1], ARGV[3 * i - 1]) and now + lease or 0
end
for i = 1, n do
	if answers[i] > 0 then
		redis.call('HSET', KEYS[i + 1], 'lease', ms(answers[i]))
		redis.call('ZADD', KEYS[1], ms(answers[i]), ARGV[3 * i - 2])
	end
end
return answers
