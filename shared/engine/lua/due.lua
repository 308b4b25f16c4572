-- What is due. ARGV how many. {now, time of the next one after these or '', failing since or '', slow or '', row...}; a row is
-- {id, event, type, aggregate, sequence, attempts, tries}
local many = whole(ARGV[1])
if #ARGV ~= 1 or not many then return fault('due: wrong arguments') end
local held = call('HMGET', state, 'failing', 'slow')
local answer = { ms(now), '', held[1] or '', held[2] or '' }
for _, id in ipairs(call('ZRANGE', due, '-inf', ms(now), 'BYSCORE', 'LIMIT', 0, ms(many))) do
	local h = call('HMGET', record(id), 'event', 'type', 'aggregate', 'sequence', 'attempts', 'tries')
	if h[1] and h[3] and h[4] then
		answer[#answer + 1] = { id, h[1], h[2] or '', h[3], h[4], h[5] or '0', h[6] or '0' }
	else	-- its record has gone: nothing can be sent
		call('ZREM', due, id)
		call('DEL', record(id))
	end
end
answer[2] = call('ZRANGE', due, '(' .. ms(now), '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')[2] or ''
return answer
