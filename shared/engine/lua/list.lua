-- The log, newest first. KEYS log; ARGV statuses (",failed,retrying," or ""), types (",claim.*,test.ping," or ""), from, to,
-- score and id to go on after ("" the start), rows, entries to look at.
-- {1 at the end or 0, score, id that it stopped at, {id, field, value, ...}...}
local statuses, types, from, to = ARGV[1], ARGV[2], whole(ARGV[3]), whole(ARGV[4])
local want, look = whole(ARGV[7]), whole(ARGV[8])
if #KEYS ~= 1 or #ARGV ~= 8 or not (from and to and want and look) then return fault('list: wrong arguments') end
local start, after = to, ARGV[6]
if after ~= '' then
	start = whole(ARGV[5])
	if not start then return fault('list: a number is none') end
	start = math.min(start, to)
end
-- Lua's own < follows the locale.
local function before(a, b)
	for i = 1, math.min(#a, #b) do
		local x, y = string.byte(a, i), string.byte(b, i)
		if x ~= y then return x < y end
	end
	return #a < #b
end
local function listed(list, value) return string.find(list, ',' .. value .. ',', 1, true) ~= nil end
local function wanted(h)
	if statuses ~= '' and not listed(statuses, h[1]) then return false end
	if types == '' or listed(types, '*') or listed(types, h[2]) then return true end
	return listed(types, (string.match(h[2], '^[^.]*') or '') .. '.*')
end
local answer, looked, offset, stop = { 1, ARGV[5], after }, 0, 0, false
local last
repeat
	local rows = call('ZRANGE', KEYS[1], ms(start), ms(from), 'BYSCORE', 'REV', 'LIMIT', ms(offset), 100, 'WITHSCORES')
	for i = 1, #rows, 2 do
		local id, score = rows[i], rows[i + 1]
		if after == '' or score ~= ARGV[5] or before(id, after) then
			if looked == look or #answer - 3 == want then stop = true break end
			looked = looked + 1
			answer[2], answer[3] = score, id
			local h = call('HMGET', tag .. 'dlv:' .. id, 'status', 'type')
			if h[1] and h[2] and wanted(h) then
				local row = call('HGETALL', tag .. 'dlv:' .. id)
				table.insert(row, 1, id)
				answer[#answer + 1] = row
			end
		end
	end
	last = #rows < 200
	offset = offset + 100
until stop or last
answer[1] = stop and 0 or 1
return answer
