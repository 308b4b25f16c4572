-- Who is there now.
local many = whole(ARGV[1])
if #KEYS ~= 2 or #ARGV ~= 1 or not many then return fault('directory: wrong arguments') end
local ids = redis.call('ZRANGE', KEYS[1], '(' .. ms(now), '+inf', 'BYSCORE', 'LIMIT', 0, ms(many))
local answer = {}
for _, id in ipairs(ids) do
	local value = redis.call('HGET', KEYS[2], id)
	if value then
		answer[#answer + 1] = id
		answer[#answer + 1] = value
	end
end
return answer
