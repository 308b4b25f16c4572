-- New deliveries of one endpoint, those that are not there yet.
-- ARGV endpoint, most that may wait, then of each: id, event, type, aggregate, sequence. {made, 1 the job is due now or 0}
local endpoint, most = ARGV[1], whole(ARGV[2])
if #ARGV < 2 or #ARGV % 5 ~= 2 or not most then return fault('make: wrong arguments') end
local made = 0
for a = 3, #ARGV, 5 do
	local id, key = ARGV[a], record(ARGV[a])
	if call('EXISTS', key) == 0 then
		call('HSET', key, 'endpoint', endpoint, 'event', ARGV[a + 1], 'type', ARGV[a + 2], 'aggregate', ARGV[a + 3],
		    'sequence', ARGV[a + 4], 'made', ms(now), 'attempts', '0', 'tries', '0', 'status', 'pending', 'updated', ms(now))
		if call('ZCARD', due) >= most then
			finish(id, 'discarded', FAILED_MS)
		else
			call('HSET', key, 'next', ms(now))
			call('ZADD', due, ms(now), id)
		end
		call('ZADD', log, ms(now), id)
		made = made + 1
	end
end
return { made, wake() and 1 or 0 }
