-- What wrk sends and reports. The argument is a file that returns a list of requests; they take
-- turns. Where one has "{n}" in its path or body, the number of the request takes its place; a list
-- that has `cycle` begins at 1 again after so many.
local requests, counted, n = {}, false, 0
local cycle

local function numbered(text)
    return text and (text:gsub("{n}", tostring(n)))
end

function init(args)
    local list = dofile(args[1])
    cycle = list.cycle
    n = list.first or 0
    for i, one in ipairs(list) do
        counted = counted or one.path:find("{n}", 1, true) or (one.body and one.body:find("{n}", 1, true))
        requests[i] = one
    end
    if not counted then
        for i, one in ipairs(requests) do
            requests[i] = wrk.format(one.method, one.path, one.headers, one.body)
        end
    end
end

function request()
    n = n + 1
    if cycle and n > cycle then
        n = 1
    end
    local one = requests[n % #requests + 1]
    if not counted then
        return one
    end
    return wrk.format(one.method, numbered(one.path), one.headers, numbered(one.body))
end

function done(summary, latency)
    local e = summary.errors
    io.write(string.format(
        '\nRESULT {"requests": %d, "microseconds": %d, "errors": %d, "p50": %d, "p99": %d}\n',
        summary.requests, summary.duration, e.connect + e.read + e.write + e.timeout + e.status,
        latency:percentile(50), latency:percentile(99)))
end
