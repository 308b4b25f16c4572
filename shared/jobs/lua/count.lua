-- By kind and state, of the first members of each set; the others are counted without kind.
local look = whole(ARGV[1])
if #KEYS ~= 2 or #ARGV ~= 1 or not look or look < 1 then return fault('count: wrong arguments') end
local counts = {}
local function add(kind, state, n)
	counts[kind] = counts[kind] or { due = 0, leased = 0, dead = 0 }
	counts[kind][state] = counts[kind][state] + n
end
for i, state in ipairs({ 'due', 'dead' }) do
	local members = redis.call('ZRANGE', KEYS[i], 0, ms(look - 1))
	for _, member in ipairs(members) do
		local job = row(member)
		if job then add(job[4], job[3], 1) end
	end
	local more = redis.call('ZCARD', KEYS[i]) - #members
	if more > 0 then add('', state, more) end
end
local answer = {}
for kind, n in pairs(counts) do
	for _, value in ipairs({ kind, n.due, n.leased, n.dead }) do answer[#answer + 1] = value end
end
return answer
