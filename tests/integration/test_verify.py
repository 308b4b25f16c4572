"""What "coopclaims verify" is for: whatever is changed behind the product's back is found, and named."""
import concurrent.futures
import os
import signal

import pytest

from claims import Claim, other_id


@pytest.fixture(scope="module")
def claim(product):
    claim = Claim(product, product.as_("claimant"), name="Damaged", external_reference="PO-1", tags=["story"])
    claim.invoice("40.00")
    return claim


@pytest.fixture(scope="module")
def words(product, claim):
    """What the damages below are about."""
    submitted = Claim(product, product.as_("claimant"), name="Handed in").evidence("60.00")
    submitted.act("submit")
    endpoint = product.as_("partner_admin").make("/v1/webhook-endpoints", {"url": "http://127.0.0.1:9/"})["id"]
    s, body = product.sandbox, claim.get()
    partner, other = s["organizations"]["partner_a"], s["organizations"]["partner_b"]
    names = {"claim": claim.id, "submitted": submitted.id, "nobody": other_id(claim.id), "endpoint": endpoint, "org": partner, "other": other,
             "p": "{p" + claim.id[-2:] + "}", "prg": s["program_id"],
             "per": s["period_id"], "acc": body["fund_account_id"]}
    return names


# A key, the command that damages it, and what verify says of it.
DAMAGES = [
    ("{p}:a:{claim}", "HSET {key} head {{}}", "{claim}: the head is not what the history gives"),
    ("{p}:a:{claim}", "HSET {key} row []", "{claim}: the index row is not that of the claim"),
    ("{p}:ix:o:{org}:created_at", "ZREM {key} {claim}", "{claim}: {key} lacks {claim}"),
    ("{p}:ix:g:{prg}:updated_at", "ZREM {key} {claim}", "{claim}: {key} lacks {claim}"),
    ("{p}:ix:o:{org}:updated_at", "ZADD {key} 17 {claim}", "{claim}: {key} has {claim} with score 17 instead of "),
    ("{p}:ix:o:{org}:claimed", "ZADD {key} 17 {claim}", "{claim}: {key} has {claim} with score 17 instead of 400000"),
    ("{p}:ix:o:{org}:words", "ZREMRANGEBYRANK {key} 0 -1", "{claim}: {key} lacks "),
    ("{p}:ix:o:{org}:created_at", "ZADD {key} 17 {nobody}", "{nobody}: {key} has {nobody}, which no history gives"),
    ("{p}:ix:o:{org}:created_at", "ZADD {key} 17 nonsense", "{key}: {key} has nonsense, which no history gives"),
    ("{p}:ix:o:{org}:submitted_at", "ZADD {key} 17 {claim}", "{claim}: {key} has {claim}, which no history gives"),
    ("{p}:ix:o:{other}:created_at", "ZADD {key} 17 {claim}", "{claim}: {key} has {claim}, which no history gives"),
    ("{p}:ix:o:{org}:state:editing", "SREM {key} {claim}", "{claim}: {key} lacks {claim}"),
    ("{p}:ix:o:{org}:state:approved", "SADD {key} {claim}", "{claim}: {key} has {claim}, which no history gives"),
    ("{p}:ix:g:{prg}:state:editing", "DEL {key}", "{claim}: {key} lacks {claim}"),
    ("{p}:ix:g:{prg}:state:editing", "SET {key} x", "{key}: a string where a set is kept"),
    ("{p}:ix:k:whe", "ZREM {key} {endpoint}", "{endpoint}: {key} lacks {endpoint}"),
    ("{p}:ix:o:{org}:whe", "ZREM {key} {endpoint}", "{endpoint}: {key} lacks {endpoint}"),
    ("{p}:ix:o:{org}:usr", "ZADD {key} 17 {endpoint}", "{endpoint}: {key} has {endpoint}, which no history gives"),
    ("{p}:accounts:{org}", "HDEL {key} {prg}:{per}", "{acc}: {key} lacks {prg}:{per}"),
    ("{p}:accounts:{org}", "HSET {key} {prg}:{per} {claim}", "{acc}: {key} has {claim} for {prg}:{per} instead of {acc}"),
    ("{p}:accounts:{org}", "HSET {key} {prg}:{prg} {acc}", "{acc}: {key} has {prg}:{prg}, which no history gives"),
    ("{p}:plan:{acc}", "HDEL {key} {claim}", "{claim}: {key} lacks {claim}"),
    ("{p}:plan:{acc}", "HSET {key} {claim} 4001", "{claim}: {key} has 4001 for {claim} instead of 4000"),
    ("{p}:plan:{acc}", "HSET {key} {submitted} 6000", "{submitted}: {key} has {submitted}, which no history gives"),
    ("{p}:plan:{acc}", "HSET {key} {nobody} 1", "{nobody}: {key} has {nobody}, which no history gives"),
]


@pytest.mark.parametrize("key, command, says", DAMAGES)
def test_damage_is_found_and_named(product, words, key, command, says):
    key = key.format(**words)
    was_there = product.redis("COPY", key, "kept", "REPLACE") == "1"
    try:
        product.redis(*[word.format(key=key, **words) for word in command.split()])
        result = product.run("verify")
        assert result.returncode == 1 and says.format(key=key, **words) in result.stdout, result.stdout + result.stderr
    finally:
        product.redis("DEL", key)
        if was_there:
            product.redis("RENAME", "kept", key)


def test_a_redis_that_is_slow_is_waited_for(product):
    """As one that waits for its disk: it is there, and nobody else has the folder."""
    redis = product.pids("redis")[0]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        os.kill(redis, signal.SIGSTOP)
        try:
            verifying = pool.submit(product.verify)
            concurrent.futures.wait([verifying], 1)
        finally:
            os.kill(redis, signal.SIGCONT)
        verifying.result()


def test_nothing_is_found_where_nothing_is_wrong(product, words):
    """Neither after the damages were mended, nor while people work."""
    product.verify()
    busy = Claim(product, product.as_("claimant"))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        verifying, changes = pool.submit(product.verify), 0
        while not verifying.done():
            busy.session.patch(busy.url, json={"name": f"Name {changes}", "tags": [f"tag{changes}"]})
            changes += 1
        verifying.result()
    assert changes > 0
