-- Members of equal score are in the order of their bytes; Lua's own < follows the locale, so it is not used. What
-- lies at or before the cursor is passed over without counting, else a page might never get on.
local state, kind, want, look = ARGV[1], ARGV[2], whole(ARGV[3]), whole(ARGV[4])
local from, after = whole(ARGV[5]), ARGV[6]
if #KEYS ~= 1 or #ARGV ~= 6 or not (want and look and from) or want < 1 or look < 1 then
	return fault('list: wrong arguments')
end
local function passed(member)
	for i = 1, math.min(#member, #after) do
		local a, b = string.byte(member, i), string.byte(after, i)
		if a ~= b then return a < b end
	end
	return #member <= #after
end
local answer, looked, offset, stop, last = { 0, ARGV[5], after }, 0, 0, false, false
repeat
	local rows = redis.call('ZRANGE', KEYS[1], ms(from), '+inf', 'BYSCORE', 'LIMIT', ms(offset), 200, 'WITHSCORES')
	for i = 1, #rows, 2 do
		local member, score = rows[i], rows[i + 1]
		if tonumber(score) > from or not passed(member) then
			if looked == look or #answer - 3 == want then stop = true break end
			looked = looked + 1
			answer[2], answer[3] = score, member
			local job = row(member, score)
			if job and (state == '' or state == job[3]) and (kind == '' or kind == job[4]) then
				answer[#answer + 1] = job
			end
		end
	end
	last = #rows < 400
	offset = offset + 200
until stop or last or offset >= 20000
answer[1] = stop and 0 or 1
return answer
