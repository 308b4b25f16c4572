-- row(member, score): the job as /v1/admin/jobs shows it, nil when its hash is gone. score nil: in neither set.
local function row(member, score)
	local h = redis.call('HMGET', prefix .. member, 'kind', 'attempt', 'lease', 'died_at', 'error', 'claim_id')
	if not h[1] then return nil end
	local state = h[4] and 'dead' or (tonumber(h[3]) or 0) > now and 'leased' or 'due'
	return { member, score or '', state, h[1], h[2] or '0', h[5] or '', h[6] or '' }
end
