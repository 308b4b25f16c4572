"""Webhooks when things go wrong: receivers that fail, hang, redirect or never end; addresses that are private; processes that die."""

import concurrent.futures
import datetime
import os
import re
import ssl
import subprocess
import time

import pytest

from claims import Claim
from hooks_fixture import Answer, Endpoint, Hook
from product import Product, wait_for


@pytest.fixture
def hook():
    with Hook() as running:
        yield running


@pytest.fixture
def endpoint(product, hook):
    """For test events alone."""
    with Endpoint(product.as_("partner_admin"), hook.url, event_types=["test.ping"]) as made:
        yield made


def seconds(text):
    return datetime.datetime.fromisoformat(text).timestamp()


def seconds_until_next(row):
    """From the end of the last try: by the worker's clock, which alone does not depend on when we look."""
    last = row["attempts"][-1]
    return seconds(row["next_attempt_at"]) - seconds(last["at"]) - last["duration_ms"] / 1000


def hook_state(product, endpoint, field):
    keys = product.redis("--scan", "--pattern", f"*}}:hook:{endpoint.id}").split()
    return product.redis("HGET", keys[0], field) if keys else ""


# --- tries ---


def test_a_failure_is_tried_again_with_the_same_id(product, hook, endpoint):
    hook.answers = [Answer(500, body=b"out of order"), Answer(200)]
    row = endpoint.ping()
    failed = endpoint.wait_delivery(row["id"], "retrying")
    assert failed["attempts"][0]["status_code"] == 500 and failed["attempts"][0]["response_excerpt"] == "out of order"
    assert 3.9 <= seconds_until_next(failed) <= 16, "5 s, 20 % more or less, and what the worker took"
    first, second = hook.wait(2)
    assert first.id == second.id and first.body == second.body and (first.attempt, second.attempt) == (1, 2)
    assert second.headers["webhook-timestamp"] > first.headers["webhook-timestamp"] and second.signed_by(endpoint.secret)
    done = endpoint.wait_delivery(row["id"], "succeeded")
    assert [a["status_code"] for a in done["attempts"]] == [500, 200] and done["next_attempt_at"] is None
    assert seconds(done["attempts"][1]["at"]) >= seconds(failed["next_attempt_at"])


@pytest.mark.parametrize("retry_after, at_least, at_most", [
    ("3600", 3600, 3610), ("999999999", 86400, 86410), ("0", 3.9, 16), ("-1", 3.9, 16), ("soon", 3.9, 16), ("date", 6000, 7210)])
def test_retry_after_is_kept_to(product, hook, endpoint, retry_after, at_least, at_most):
    if retry_after == "date":
        at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=2)
        retry_after = at.strftime("%a, %d %b %Y %H:%M:%S GMT")
    hook.otherwise = Answer(503, {"Retry-After": retry_after})
    row = endpoint.wait_delivery(endpoint.ping()["id"], "retrying")
    assert at_least - 0.1 <= seconds_until_next(row) <= at_most


def test_the_schedule_ends(product, hook, endpoint):
    """The tenth try is the last; the store is told that nine have been."""
    hook.otherwise = Answer(500)
    row = endpoint.ping()
    endpoint.wait_delivery(row["id"], "retrying")
    record = product.redis("--scan", "--pattern", f"*dlv:{row['id']}")
    product.redis("HSET", record, "tries", "9")
    last = endpoint.wait_delivery(row["id"], "failed")
    assert last["next_attempt_at"] is None and len(last["attempts"]) == 2
    assert 0 < int(product.redis("TTL", record)) <= 30 * 86400
    hook.otherwise = Answer(200)
    endpoint.act(f"deliveries/{row['id']}/redeliver", status=202)
    assert len(endpoint.wait_delivery(row["id"], "succeeded")["attempts"]) == 3


def test_a_redirect_is_a_failure_and_not_followed(product, hook, endpoint):
    with Hook() as elsewhere:
        for status in (301, 302, 303, 307, 308):
            hook.otherwise = Answer(status, {"Location": elsewhere.url})
            row = endpoint.wait_delivery(endpoint.ping()["id"], "retrying")
            assert row["attempts"][0]["status_code"] == status
            assert row["attempts"][0]["response_headers"]["location"] == elsewhere.url
        assert elsewhere.received == []


def test_no_reply_at_all(product, hook, endpoint):
    hook.otherwise = Answer(drop=True)
    row = endpoint.wait_delivery(endpoint.ping()["id"], "retrying")
    assert row["attempts"][0]["status_code"] is None and row["attempts"][0]["error"]
    with Endpoint(endpoint.session, "http://127.0.0.1:1/", event_types=["test.ping"]) as closed:
        row = closed.wait_delivery(closed.ping()["id"], "retrying")
        assert row["attempts"][0]["status_code"] is None and "onnect" in row["attempts"][0]["error"]
    with Endpoint(endpoint.session, "http://does-not-exist.invalid/", event_types=["test.ping"]) as nowhere:
        row = nowhere.wait_delivery(nowhere.ping()["id"], "retrying")
        assert row["attempts"][0]["status_code"] is None and row["attempts"][0]["error"]


def test_replies_are_bounded(product, hook, endpoint):
    hook.answers = [Answer(200, body=b"a" * 5_000_000), Answer(500, endless=True), Answer(200, endless=True),
                    Answer(200, {f"X-{n}": "v" * 1000 for n in range(80)}), Answer(200, {"X-Long": "v" * 4000, "Set-Cookie": "a=b"}),
                    Answer(200, body=bytes(range(256)))]
    rows = []
    for _ in range(6):
        rows.append(endpoint.ping()["id"])
        endpoint.wait_delivery(rows[-1], "succeeded", "retrying", attempts=1)
    first = [endpoint.delivery(row)["attempts"][0] for row in rows]
    assert [a["status_code"] for a in first] == [200, 500, 200, 200, 200, 200]
    assert [endpoint.delivery(row)["status"] for row in rows] == ["succeeded", "retrying", "succeeded", "retrying", "succeeded",
                                                                  "succeeded"]
    assert first[0]["response_excerpt"] == "a" * 1024
    assert "too long" in first[3]["error"]
    for attempt in first:
        assert sum(len(n) + len(v) for n, v in attempt["response_headers"].items()) <= 2048
        assert "set-cookie" not in attempt["response_headers"]
    assert len(first[5]["response_excerpt"]) == 256
    again = endpoint.ping()
    endpoint.wait_delivery(again["id"], "succeeded")
    assert "cookie" not in hook.received[-1].headers


# --- slow, full, and broken receivers ---


def test_one_that_hangs_holds_up_nobody(product, hook):
    admin = product.as_("partner_admin")
    with Hook(Answer(hang=True)) as stuck, Endpoint(admin, stuck.url, max_in_flight=16) as bad, Endpoint(admin, hook.url):
        claim = Claim(product, product.as_("claimant"))
        for n in range(20):
            claim.make("/comments", {"text": str(n)})
        stuck.wait(16)
        sent = hook.wait_type("comment.added", 20)
        assert len({d.id for d in sent}) == 20

        def soon():
            begun, count = time.monotonic(), len(hook.having(lambda d: d.type == "comment.added"))
            claim.make("/comments", {"text": "one more"})
            hook.wait_type("comment.added", count + 1)
            return time.monotonic() - begun < 5
        wait_for(soon, what="a delivery before the other endpoint's time-out")
        assert stuck.most_flying <= 16
        rows = wait_for(lambda: bad.log(status="retrying"), what="a time-out")
        assert rows[0]["attempts"][0]["error"] == "no whole reply within 15 s"
        assert rows[0]["attempts"][0]["duration_ms"] >= 14500


def test_rate_and_number_in_flight(product, hook):
    hook.otherwise = Answer(200, delay=0.05)
    with Endpoint(product.as_("partner_admin"), hook.url, event_types=["test.ping"], max_rate=10, max_in_flight=2) as endpoint:
        for _ in range(21):
            endpoint.ping()
        hook.wait(21)
        wait_for(lambda: len(endpoint.log(status="succeeded")) == 21, what="all of them recorded")
        begun = [seconds(endpoint.delivery(row["id"])["attempts"][0]["at"]) for row in endpoint.log()]
        assert max(begun) - min(begun) >= 1.9, "21 at ten a second"
        assert hook.most_flying <= 2
    slow = Hook(Answer(200, delay=0.3))
    with slow, Endpoint(product.as_("partner_admin"), slow.url, event_types=["test.ping"], max_rate=100, max_in_flight=3) as endpoint:
        for _ in range(12):
            endpoint.ping()
        slow.wait(12)
        assert slow.most_flying <= 3


def test_too_much_slows_it(product, hook, endpoint):
    hook.answers = [Answer(429), Answer(502)]
    first = endpoint.ping()
    endpoint.wait_delivery(first["id"], "retrying")
    assert hook_state(product, endpoint, "slow") == "1"
    endpoint.wait_delivery(endpoint.ping()["id"], "succeeded", "retrying")
    wait_for(lambda: endpoint.delivery(first["id"])["status"] == "succeeded", what="the second try")
    wait_for(lambda: hook_state(product, endpoint, "slow") in ("", "1"), what="its old speed")


@pytest.mark.parametrize("answer, status", [
    (Answer(410), "failed"), (Answer(500, {"Webhook-Delivery": "disable"}), "failed"),
    (Answer(200, {"webhook-delivery": "Disable"}), "succeeded")])
def test_a_receiver_can_end_it(product, hook, answer, status):
    admin = product.as_("partner_admin")
    with Hook() as other, Endpoint(admin, other.url, event_types=["webhook_endpoint.*"]), \
            Endpoint(admin, hook.url, event_types=["test.ping"], max_rate=1, max_in_flight=1) as endpoint:
        hook.answers = [answer]
        hook.gate.clear()       # or the first is over before the second is asked for
        first, second = endpoint.ping(), endpoint.ping()
        hook.gate.set()
        wait_for(lambda: endpoint.get()["state"] == "disabled", what="disabled")
        told = other.wait(1)[0]
        assert told.type == "webhook_endpoint.disabled" and told.data["reason"] == "gone"
        assert told.data["url"] == endpoint.url
        assert endpoint.wait_delivery(first["id"], status)["attempts"]
        assert endpoint.wait_delivery(second["id"], "discarded")["attempts"] == []
        assert len(hook.received) == 1
        endpoint.act("enable")
        endpoint.wait_delivery(endpoint.ping()["id"], "succeeded")


def test_a_receiver_can_end_one_message(product, hook, endpoint):
    hook.answers = [Answer(400, {"webhook-delivery": "abort-message"})]
    row = endpoint.wait_delivery(endpoint.ping()["id"], "failed")
    assert row["next_attempt_at"] is None and len(row["attempts"]) == 1
    assert endpoint.get()["state"] == "enabled"
    endpoint.wait_delivery(endpoint.ping()["id"], "succeeded")


def test_only_failures_for_five_days_disable(product, hook, endpoint):
    """The store is told that they began more than five days ago."""
    before = time.time()
    hook.otherwise = Answer(500)
    row = endpoint.ping()
    endpoint.wait_delivery(row["id"], "retrying")
    key = product.redis("--scan", "--pattern", f"*}}:hook:{endpoint.id}")
    since = int(product.redis("HGET", key, "failing"))
    assert before - 1 <= since / 1000 <= time.time() + 1
    product.redis("HSET", key, "failing", str(since - 5 * 86400 * 1000 + 60000))
    endpoint.wait_delivery(endpoint.ping()["id"], "retrying")
    assert endpoint.get()["state"] == "enabled"
    product.redis("HSET", key, "failing", str(since - 5 * 86400 * 1000 - 1000))
    endpoint.ping()
    wait_for(lambda: endpoint.get()["state"] == "disabled", what="disabled")
    wait_for(lambda: endpoint.delivery(row["id"])["status"] == "discarded", what="what waited is discarded")
    endpoint.act("enable")
    endpoint.wait_delivery(endpoint.ping()["id"], "retrying")
    assert endpoint.get()["state"] == "enabled", "a new start"
    hook.otherwise = Answer(200)
    endpoint.wait_delivery(endpoint.ping()["id"], "succeeded")
    assert product.redis("HGET", key, "failing") == ""


def test_a_certificate_is_checked(product, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with Hook(tls=context) as hook, \
            Endpoint(product.as_("partner_admin"), hook.url, event_types=["test.ping"]) as endpoint:
        row = endpoint.wait_delivery(endpoint.ping()["id"], "retrying")
        assert row["attempts"][0]["status_code"] is None and "certificate" in row["attempts"][0]["error"]
        assert hook.received == []


def test_no_proxy_is_used(tmp_path):
    with Hook() as proxy, Hook() as hook, \
            Product(environment={"http_proxy": proxy.url, "HTTP_PROXY": proxy.url, "ALL_PROXY": proxy.url}) as product, \
            Endpoint(product.as_("partner_admin"), hook.url, event_types=["test.ping"]) as endpoint:
        endpoint.wait_delivery(endpoint.ping()["id"], "succeeded")
        assert proxy.connections == 0


# --- addresses ---

PRIVATE = ["http://10.1.2.3/", "http://192.168.0.1:8080/", "http://172.16.0.1/", "http://169.254.169.254/latest/meta-data/",
           "http://100.64.0.1/", "http://0.0.0.0/", "http://224.0.0.1/", "http://[fd00::1]/", "http://[fe80::1]/",
           "http://[::ffff:10.1.2.3]/", "http://[64:ff9b::a01:203]/", "http://[2002:a01:203::1]/", "http://0x0a010203/",
           "http://167838211/", "http://012.1.2.3/", "http://10.66051/", "http://[::]/"]
HERE = ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"]


def test_private_addresses_are_refused(product):
    """In a sandbox, too, which reaches this host alone."""
    admin = product.as_("partner_admin")
    for url in PRIVATE:
        with Endpoint(admin, url, event_types=["test.ping"]) as endpoint:
            row = endpoint.wait_delivery(endpoint.ping()["id"], "retrying")
            assert row["attempts"][0]["status_code"] is None
            assert "only public addresses are sent to" in row["attempts"][0]["error"], (url, row["attempts"][0]["error"])


def test_this_host_is_refused_outside_a_sandbox(hook):
    with Product("--webhook-allow-http", sandbox=False) as product:
        token = next(match[0] for line in product.lines if (match := re.search(r"cct_[\w-]+", line)))
        admin = product.with_token(token)
        for host in HERE:
            with Endpoint(admin, f"http://{host}:{hook.port}/hook", event_types=["test.ping"]) as endpoint:
                row = endpoint.wait_delivery(endpoint.ping()["id"], "retrying")
                assert "only public addresses are sent to" in row["attempts"][0]["error"], (host, row["attempts"][0]["error"])
        assert hook.connections == 0
    with Product(sandbox=False) as product:
        token = next(match[0] for line in product.lines if (match := re.search(r"cct_[\w-]+", line)))
        reply = product.with_token(token).post("/v1/webhook-endpoints", json={"url": hook.url})
        assert reply.status_code == 422 and reply.json()["errors"][0]["pointer"] == "#/url", "https only"
    with Product("--webhook-allow-http", "--webhook-allow", "127.0.0.0/8", sandbox=False) as product:
        token = next(match[0] for line in product.lines if (match := re.search(r"cct_[\w-]+", line)))
        with Endpoint(product.with_token(token), hook.url, event_types=["test.ping"]) as endpoint:
            endpoint.wait_delivery(endpoint.ping()["id"], "succeeded")


# --- processes that die ---


def test_nothing_is_lost_when_the_worker_is_killed(product):
    """kill -9 in the middle, again and again: each event arrives; doubles have the same id; the log tells what happened."""
    admin, claimant = product.as_("partner_admin"), product.as_("claimant")
    with Hook(Answer(200, delay=0.02)) as hook, Hook(Answer(200)) as quick, \
            Endpoint(admin, hook.url, max_rate=100) as slow, Endpoint(admin, quick.url, max_rate=100) as fast:
        claim = Claim(product, claimant)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            writing = [pool.submit(claim.make, "/comments", {"text": f"comment {n}"}) for n in range(300)]
            for count in (20, 80, 150):
                hook.wait(count)
                pid = product.kill("notifications")
                product.wait_role("notifications", other_than=pid)
            for future in writing:
                future.result()
        events = {row["id"] for page in pages(claimant, claim) for row in page}
        for each, endpoint in ((hook, slow), (quick, fast)):
            wait_for(lambda: {d.id for d in each.received} >= events, what="every event")
            wait_for(lambda: not endpoint.log(status="pending,retrying", limit=200), what="an empty queue")
            assert {d.id for d in each.received if d.data["claim_id"] == claim.id} == events
            rows = endpoint.log(limit=200)
            of_claim = [row for row in rows if row["event_id"] in events]
            assert len(of_claim) == len({row["event_id"] for row in of_claim}) == len(events), "one delivery an event"
            assert {row["status"] for row in rows} == {"succeeded"}
            sent = {}
            for d in each.received:
                sent.setdefault(d.id, []).append(d)
            for row in of_claim:
                doubles = sent[row["event_id"]]
                assert {d.delivery for d in doubles} == {row["id"]}
                assert len({d.body for d in doubles}) == 1
                assert 1 <= len(row["attempts"]) <= len(doubles), "what was recorded was sent"
    product.verify()


def pages(session, claim):
    cursor = None
    while True:
        reply = session.get(claim.url + "/history", params={"limit": 200, **({"cursor": cursor} if cursor else {})}).json()
        yield reply["data"]
        cursor = reply["next_cursor"]
        if not reply["has_more"]:
            return


def test_events_of_the_time_without_a_worker_arrive(product, hook):
    with Endpoint(product.as_("partner_admin"), hook.url) as endpoint:
        worker = product.pids("notifications")[0]
        os.kill(worker, 19)         # SIGSTOP: its leases end by themselves
        try:
            claim = Claim(product, product.as_("claimant"))
            claim.make("/comments", {"text": "Nobody listens"})
        finally:
            os.kill(worker, 18)
        hook.wait_type("comment.added")
        wait_for(lambda: {row["status"] for row in endpoint.log()} == {"succeeded"}, what="an empty queue")


def test_redis_that_comes_back(product, hook, endpoint):
    endpoint.wait_delivery(endpoint.ping()["id"], "succeeded")
    pid = product.kill("redis")
    product.wait_role("redis", other_than=pid)
    product.wait_ready()
    endpoint.wait_delivery(endpoint.ping()["id"], "succeeded")


def test_no_secret_is_logged(product, endpoint):
    with open(product.log_path, encoding="utf-8") as log:
        text = log.read()
    assert "whsec_" not in text and endpoint.secret.removeprefix("whsec_") not in text
    assert "webhook_failed" in text


def test_two_workers_share_it_and_one_may_go():
    """Each event is sent once while both run; when one is told to end, what it was sending is finished and recorded."""
    with Product("--notifications-workers", "2") as product, Hook(Answer(200, delay=0.3)) as hook:
        first, second = wait_for(lambda: pids if len(pids := product.pids("notifications")) == 2 else None, what="two workers")
        admin = product.as_("partner_admin")
        with Endpoint(admin, hook.url, max_rate=100) as slow, Endpoint(admin, hook.url + "?2", max_rate=100) as other:
            claim = Claim(product, product.as_("claimant"))
            for n in range(30):
                claim.make("/comments", {"text": str(n)})
                if n == 10:
                    hook.wait(1)
                    os.kill(first, 15)
            events = {row["id"] for page in pages(product.as_("claimant"), claim) for row in page}
            for endpoint, path in ((slow, "/hook"), (other, "/hook?2")):
                hook.wait(len(events), lambda d: d.path == path and d.data["claim_id"] == claim.id)
                wait_for(lambda: not endpoint.log(status="pending,retrying"), what="an empty queue")
                assert {row["status"] for row in endpoint.log()} == {"succeeded"}
                assert {len(row["attempts"]) for row in endpoint.log()} == {1}, "nothing was cut off, nothing sent twice"
            sent = [(d.path, d.id) for d in hook.received]
            assert len(sent) == len(set(sent))
            assert second in product.pids("notifications")
