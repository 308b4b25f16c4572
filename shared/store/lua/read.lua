#!lua flags=no-writes
-- read: a snapshot and its machine results as they are at one moment. KEYS: both hashes. Answers the fields of each.
return { redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2]) }
