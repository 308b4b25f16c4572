-- Takes what is due, as far as credit goes, so that exactly one of several api processes has each job. Jobs of kinds
-- without credit are passed over; the next sweep goes on behind them.
local start, total, look, hold = whole(ARGV[1]), whole(ARGV[2]), whole(ARGV[3]), whole(ARGV[4])
if #KEYS ~= 1 or #ARGV < 6 or #ARGV % 2 == 1 then return fault('sweep: wrong number of arguments') end
if not (start and total and look and hold) or look < 1 then return fault('sweep: a number is none') end
local credit = {}
for i = 5, #ARGV, 2 do
	credit[ARGV[i]] = whole(ARGV[i + 1])
	if not credit[ARGV[i]] then return fault('sweep: a number is none') end
end
local rows = redis.call('ZRANGE', KEYS[1], ms(start), ms(start + look - 1), 'WITHSCORES')
local answer, skipped, ended = { 0, 0 }, 0, #rows < 2 * look
for i = 1, #rows, 2 do
	local member, due = rows[i], tonumber(rows[i + 1])
	if due > now then ended = true break end
	if total == 0 then ended = false break end
	local kind = redis.pcall('HGET', prefix .. member, 'kind')
	if not kind then	-- a member without a job: nothing can come of it
		redis.call('ZREM', KEYS[1], member)
	elseif type(kind) == 'string' and (credit[kind] or 0) > 0 then
		credit[kind] = credit[kind] - 1
		total = total - 1
		redis.call('ZADD', KEYS[1], ms(now + hold), member)
		answer[#answer + 1] = member
		answer[#answer + 1] = kind
		answer[#answer + 1] = due
	else
		skipped = skipped + 1
	end
end
answer[1], answer[2] = ended and -1 or start + skipped, skipped
return answer
