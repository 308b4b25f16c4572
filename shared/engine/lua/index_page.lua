-- Members of a sorted set behind a place, in order. KEYS the set; ARGV '+' or '-' (which order), score and id of the place ('': from
-- the start), how many. {id, score, id, score...}. Ids of one kind compare alike in every locale: they are of digits and capitals.
local key, down, score, id, many = KEYS[1], ARGV[1] == '-', ARGV[2], ARGV[3], whole(ARGV[4])
if #KEYS ~= 1 or #ARGV ~= 4 or not many or many < 1 then return fault('index_page: wrong arguments') end
local first = 0
if score ~= '' then	-- among those of the same score by halves: there may be very many
	local low = call('ZCOUNT', key, '-inf', '(' .. score)
	local high = low + call('ZCOUNT', key, score, score)
	while low < high do
		local middle = math.floor((low + high) / 2)
		local member = call('ZRANGE', key, middle, middle)[1]
		if not member or member > id or (down and member == id) then high = middle else low = middle + 1 end
	end
	first = down and call('ZCARD', key) - low or low
end
return call(down and 'ZREVRANGE' or 'ZRANGE', key, ms(first), ms(first + many - 1), 'WITHSCORES')
