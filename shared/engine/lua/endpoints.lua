-- KEYS the endpoints of an owner. {how many, now}
if #KEYS ~= 1 or #ARGV ~= 0 then return fault('endpoints: wrong arguments') end
return { call('ZCARD', KEYS[1]), now }
