-- One question to the budget of one vendor and connection. Times are microseconds, answers and
-- expiries milliseconds. Answers {how long to wait, how long paused, calls that are left}.
local log, pause, live = KEYS[1], KEYS[2], KEYS[3]
local tag, mine, paused = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local calls, limit, window = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local wanted, is_live, patience = ARGV[7] == '1', ARGV[8] == '1', tonumber(ARGV[9])

local KEPT = window + 2000000 -- older than any question that is still under way can ask about
local GRACE = 100             -- for a live waiter to wake up and be first

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local function count_call()
  local member = string.format('%s:%.0f:%d', tag, now, redis.call('ZCARD', log))
  redis.call('ZADD', log, now, member)
  redis.call('PEXPIRE', log, math.ceil(KEPT / 1000))
end

local function counted_for_me()
  local count = 0
  for _, member in ipairs(redis.call('ZRANGE', log, 0, -1)) do
    if string.sub(member, 1, #tag + 1) == tag .. ':' then count = count + 1 end
  end
  return count
end

-- A clock that was set back would keep old calls in the window for as long as it lost.
local newest = redis.call('ZREVRANGE', log, 0, 0, 'WITHSCORES')[2]
if newest and tonumber(newest) > now then
  for _, member in ipairs(redis.call('ZRANGE', log, 0, -1)) do
    redis.call('ZADD', log, now, member)
  end
end
redis.call('ZREMRANGEBYSCORE', log, '-inf', string.format('%.0f', now - KEPT))

-- Redis lost its memory or was away: others may have called as well, so a whole window is left out.
local missing = mine > 0 and mine - counted_for_me() or 0
for _ = 1, missing do count_call() end
if missing > 0 then paused = math.max(paused, math.ceil(window / 1000)) end

local left_of_pause = math.max(redis.call('PTTL', pause), 0)
if paused > left_of_pause then
  redis.call('SET', pause, 1, 'PX', paused)
else
  paused = left_of_pause
end

local start = '(' .. string.format('%.0f', now - window)
local count = redis.call('ZCOUNT', log, start, '+inf')
local wait = paused
if count >= limit then
  local oldest = redis.call(
    'ZRANGEBYSCORE', log, start, '+inf', 'WITHSCORES', 'LIMIT', count - limit, 1)[2]
  wait = math.max(wait, math.ceil((tonumber(oldest) + window - now) / 1000))
end
if not is_live then wait = math.max(wait, redis.call('PTTL', live)) end

if wanted and wait <= 0 then
  count_call()
elseif wanted and is_live and wait <= patience then
  redis.call('SET', live, 1, 'PX', wait + GRACE)
end
return {wait, paused, paused > 0 and 0 or math.max(calls - count, 0)}
