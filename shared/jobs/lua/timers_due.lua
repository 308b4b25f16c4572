-- Timers that have not fired, and fired ones (moved on, within the window) whose job is neither done nor dead.
local clock, window, most = whole(ARGV[1]), whole(ARGV[2]), whole(ARGV[3])
if #KEYS ~= 1 or #ARGV ~= 3 or not (clock and window and most) then return fault('timers_due: wrong arguments') end
local count = redis.call('ZCOUNT', KEYS[1], '-inf', ms(clock))
if count >= most then return most end
local fired = redis.call('ZRANGE', KEYS[1], '(' .. ms(clock), ms(clock + window), 'BYSCORE', 'LIMIT', 0, ms(most))
for i = 1, #fired do
	local h = redis.call('HMGET', prefix .. 'timer.' .. fired[i], 'kind', 'died_at')
	if h[1] and not h[2] then count = count + 1 end
end
return math.min(count, most)
