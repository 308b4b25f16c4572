-- Requests of one kind for wrk: wrk -s requests.lua URL -- TOKEN METHOD PATTERN BODY [IDS [keyed]]
-- Each "@" in PATTERN stands for the next of the ids in the file IDS, one a line, in turn. "keyed": an Idempotency-Key of
-- its own for each request. The last line that it prints is read by tests/bench/run.
local ids, sent, head, method, pattern, body, keyed = {}, 0, nil, nil, nil, nil, false

function init(args)
	local token, file = args[1], args[5]

	method, pattern, body, keyed = args[2], args[3], args[4], args[6] == 'keyed'
	head = { ['Authorization'] = 'Bearer ' .. token, ['Content-Type'] = #body > 0 and 'application/json' or nil }
	body = #body > 0 and body or nil
	if file and #file > 0 then
		for id in io.lines(file) do
			ids[#ids + 1] = id
		end
	end
	math.randomseed(os.time())
	run = math.random(1e9)
end

function request()
	sent = sent + 1
	if keyed then
		head['Idempotency-Key'] = string.format('bench-%d-%d', run, sent)
	end
	return wrk.format(method, (pattern:gsub('@', ids[sent % #ids + 1] or '')), head, body)
end

function done(summary, latency, requests)
	local errors = summary.errors

	print(string.format('bench %d %d %d %d %d', summary.requests, summary.duration, latency:percentile(50),
		latency:percentile(99), errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
