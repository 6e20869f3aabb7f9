-- What wrk sends: METHOD, HEADERS ("Name: value" a line) and BODY from the environment.
-- In BODY, {uuid} is a UUID version 7, {hex} 32 hex digits, {base58} 22 signs, {now} the time:
-- others with each request, since every decision is that of a new visitor.
local method, body = os.getenv("METHOD") or "GET", os.getenv("BODY")
local headers = {}
for name, value in (os.getenv("HEADERS") or ""):gmatch("([^:\n]+): ([^\n]+)") do
  headers[name] = value
end
local signs = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

local function hex(words)
  local found = {}
  for i = 1, words do found[i] = string.format("%04x", math.random(0, 65535)) end
  return table.concat(found)
end

local made = {
  uuid = function()
    local now = string.format("%012x", os.time() * 1000 + math.random(0, 999))
    return now:sub(1, 8) .. "-" .. now:sub(9) .. "-7" .. hex(1):sub(2) .. "-8" .. hex(1):sub(2) .. "-" .. hex(3)
  end,
  hex = function() return hex(8) end,
  base58 = function()
    local found = {}
    for i = 1, 22 do local k = math.random(1, 58); found[i] = signs:sub(k, k) end
    return table.concat(found)
  end,
  now = function() return os.date("!%Y-%m-%dT%H:%M:%S.000Z") end,
}

function init()
  math.randomseed(tonumber(os.getenv("SEED")))
end

function request()
  return wrk.format(method, nil, headers, body and body:gsub("{(%l+%d*)}", function(name) return made[name] and made[name]() end))
end

function done(summary, latency)
  io.write(string.format('RESULT {"answers":%d,"seconds":%.3f,"p50_ms":%.3f,"p99_ms":%.3f,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
