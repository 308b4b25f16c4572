-- The fan-out of a partition is taken or kept, and what follows its cursor is read. KEYS fanout, feed; ARGV holder, lease ms, how
-- many. {0, end of another's lease} or {1, now, epoch, position, entry...}
local holder, lease, many = ARGV[1], whole(ARGV[2]), whole(ARGV[3])
if #KEYS ~= 2 or #ARGV ~= 3 or holder == '' or not (lease and many) then return fault('fanout_read: wrong arguments') end
call('XLEN', KEYS[2])
local h = call('HMGET', KEYS[1], 'holder', 'lease', 'epoch', 'position')
local ends, epoch, position = tonumber(h[2]) or 0, tonumber(h[3]) or 0, h[4] or '0-0'
if h[1] ~= holder then
	if ends > now then return { 0, ms(ends) } end
	epoch = epoch + 1
	ends = 0
end
if ends - now < lease / 2 then
	call('HSET', KEYS[1], 'holder', holder, 'lease', ms(now + lease), 'epoch', ms(epoch))
end
local answer = { 1, ms(now), ms(epoch), position }
for _, entry in ipairs(call('XRANGE', KEYS[2], '(' .. position, '+', 'COUNT', ms(many))) do answer[#answer + 1] = entry end
return answer
