-- The holder lets go of a partition's fan-out: the next one need not wait. KEYS fanout; ARGV holder.
if #KEYS ~= 1 or #ARGV ~= 1 then return fault('leave: wrong arguments') end
if call('HGET', KEYS[1], 'holder') == ARGV[1] then call('HSET', KEYS[1], 'lease', '0') end
return 1
