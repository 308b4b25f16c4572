#!lua
-- What every script of this folder begins with. All keys are of one partition; formats: shared/store/README.md section 6.
-- now: Redis' clock in ms. tag: the hash tag of all keys, checked. whole(text): its number when it is an integer >= 0 that a
-- double holds, else nil. ms(n): a number as Redis wants it.
local call = redis.call
local function fault(text) return redis.error_reply('ERR deliveries: ' .. text) end
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function ms(n) return string.format('%.0f', n) end
local function whole(text)
	local n = text and string.match(text, '^%d+$') and tonumber(text)
	return n and n < 9007199254740992 and n or nil
end
local tag = KEYS[1] and string.match(KEYS[1], '^{[^{}]+}:')
if not tag then return fault('no key with a tag') end
for i = 2, #KEYS do
	if string.sub(KEYS[i], 1, #tag) ~= tag then return fault('keys of two tags') end
end
