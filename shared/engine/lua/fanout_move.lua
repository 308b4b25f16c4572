-- The cursor moves, if it is where its holder thinks; then the feed loses what is old and behind it. KEYS fanout, feed; ARGV
-- holder, epoch, from, to, ms that entries are kept, entries that are kept. 1, or 0: it is another's, or elsewhere.
local holder, epoch, from, to = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local keep_ms, keep = whole(ARGV[5]), whole(ARGV[6])
if #KEYS ~= 2 or #ARGV ~= 6 or not (keep_ms and keep) then return fault('fanout_move: wrong arguments') end
local function split(id)
	local a, b = string.match(id, '^(%d+)-(%d+)$')
	return tonumber(a), tonumber(b)
end
local function earlier(a, b)
	local a1, a2 = split(a)
	local b1, b2 = split(b)
	if a1 ~= b1 then return a1 < b1 end
	return a2 < b2
end
if not split(to) then return fault('fanout_move: no position') end
local length = call('XLEN', KEYS[2])
local h = call('HMGET', KEYS[1], 'holder', 'epoch', 'position')
if h[1] ~= holder or h[2] ~= epoch or (h[3] or '0-0') ~= from then return 0 end
if to ~= from then call('HSET', KEYS[1], 'position', to) end
local least = ms(math.max(now - keep_ms, 0)) .. '-0'
if length > keep then
	local first = call('XRANGE', KEYS[2], '-', '+', 'COUNT', ms(math.min(length - keep, 1000) + 1))
	local id = first[#first][1]
	if earlier(least, id) then least = id end
end
if earlier(to, least) then least = to end
call('XTRIM', KEYS[2], 'MINID', '~', least, 'LIMIT', 1000)
return 1
