-- Is there anything to do in this partition?
local clock = whole(ARGV[1])
if #KEYS ~= 2 or #ARGV ~= 1 or not clock then return fault('peek: wrong arguments') end
local job = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local timer = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
return { (job[2] and tonumber(job[2]) <= now) and 1 or 0, (timer[2] and tonumber(timer[2]) <= clock) and 1 or 0 }
