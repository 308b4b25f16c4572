-- Nothing more is sent to the endpoint. ARGV attempt, 1 its log goes, too (it is removed), how many. {1 or 0 not ours, left}
local all, many = ARGV[2] == '1', whole(ARGV[3])
if #ARGV ~= 3 or not many or many < 1 then return fault('discard: wrong arguments') end
if not holds(ARGV[1]) then return { 0, 0 } end
for _, id in ipairs(call('ZRANGE', due, 0, ms(many - 1))) do
	if call('EXISTS', record(id)) == 1 then finish(id, 'discarded', FAILED_MS) else call('ZREM', due, id) end
end
if not all then return { 1, call('ZCARD', due) } end
for _, id in ipairs(call('ZRANGE', log, 0, ms(many - 1))) do
	call('DEL', record(id))
	call('ZREM', log, id)
	call('ZREM', kept, id)
end
local left = call('ZCARD', due) + call('ZCARD', log)
if left == 0 then call('DEL', kept, state) end
return { 1, left }
