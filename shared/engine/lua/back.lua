-- The holder gives the endpoint back: its job goes, or is due with the next try. ARGV attempt. {1 or 0 not ours, 1 due now or 0}
if #ARGV ~= 1 then return fault('back: wrong arguments') end
if not holds(ARGV[1]) then return { 0, 0 } end
local head = call('ZRANGE', due, 0, 0, 'WITHSCORES')
local at = tonumber(head[2])
if not at then
	call('DEL', job)
	call('ZREM', jobs, member)
	return { 1, 0 }
end
call('HDEL', job, 'lease', 'not_before')
call('HINCRBY', job, 'spared', 1)
call('ZADD', jobs, ms(math.max(at, now)), member)
return { 1, at <= now and 1 or 0 }
