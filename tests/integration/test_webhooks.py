"""Webhooks: who may have endpoints, which events they get, and what exactly is sent."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import signal
import time

import pytest

from claims import Claim, key, other_id
from hooks_fixture import Endpoint, Hook
from product import PATIENCE, wait_for

ENDPOINTS = "/v1/webhook-endpoints"


@pytest.fixture
def hook():
    with Hook() as running:
        yield running


@pytest.fixture
def endpoint(product, hook):
    """partner_a's, for every event."""
    with Endpoint(product.as_("partner_admin"), hook.url) as made:
        yield made


def history(claim, session):
    return session.get(claim.url + "/history", params={"limit": 200}).json()["data"]


# --- what is sent ---


def test_a_thin_body_is_what_the_contract_says(product, hook, endpoint):
    claim = Claim(product, product.as_("claimant"))
    sent = hook.wait(1)[0]
    event = next(row for row in history(claim, product.as_("claimant")) if row["type"] == "claim.created")
    assert sent.json["type"] == "claim.created" and sent.json["id"] == event["id"] == sent.id
    assert list(sent.json) == ["type", "timestamp", "id", "data"]
    assert sent.json["timestamp"] == event["occurred_at"]
    data = sent.data
    assert list(data)[:3] == ["claim_id", "organization_id", "sequence"] and list(data)[-1] == "url"
    assert data == {"claim_id": claim.id, "organization_id": claim.body["organization_id"], "sequence": event["sequence"],
                    **event["data"], "url": claim.url}


def test_headers_and_signature(product, hook, endpoint):
    before = int(time.time())
    row = endpoint.ping()
    sent = hook.wait(1)[0]
    assert sent.path == "/hook"
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["user-agent"].startswith("coopclaims-")
    assert before - 1 <= int(sent.headers["webhook-timestamp"]) <= time.time() + 1
    assert sent.id == row["event_id"] and sent.delivery == row["id"] and sent.attempt == 1
    assert sent.signed_by(endpoint.secret)
    assert not sent.signed_by("whsec_" + "A" * 43 + "=")
    for name in ("expect", "cookie", "authorization", "proxy-authorization"):
        assert name not in sent.headers


def test_personal_things_stay_here(product, hook, endpoint):
    claim = Claim(product, product.as_("claimant"))
    claim.make("/comments", {"text": "Whisper-4711"})
    claim.invite("ver.trouwelijk@example.com", name="Ver Trouwelijk")
    hook.wait_type("comment.added")
    hook.wait_type("collaborator.joined")
    for sent in hook.having(lambda d: True):
        for secret in (b"Whisper-4711", b"ver.trouwelijk", b"Trouwelijk", b"personal"):
            assert secret not in sent.body


def test_a_test_event_comes_whatever_the_types(product, hook):
    with Endpoint(product.as_("partner_admin"), hook.url, event_types=["claim.submitted"]) as endpoint:
        row = endpoint.ping()
        assert row["status"] == "pending" and row["event_type"] == "test.ping" and row["attempts"] == []
        sent = hook.wait(1)[0]
        assert sent.type == "test.ping" and sent.data["endpoint_id"] == endpoint.id
        done = endpoint.wait_delivery(row["id"], "succeeded")
        assert done["next_attempt_at"] is None and len(done["attempts"]) == 1
        attempt = done["attempts"][0]
        assert attempt["status_code"] == 200 and attempt["error"] is None
        assert attempt["request_headers"]["webhook-signature"] == sent.headers["webhook-signature"]


def test_types_families_and_filters(product, hook):
    admin, claimant = product.as_("partner_admin"), product.as_("claimant")
    elsewhere = other_id(product.sandbox["locations"]["partner_a"])
    with Endpoint(admin, hook.url + "?1", event_types=["comment.*", "invoice.added"]), \
            Endpoint(admin, hook.url + "?2", filter={"program_ids": [product.sandbox["program_id"]]}), \
            Endpoint(admin, hook.url + "?3", filter={"location_ids": [elsewhere], "program_ids": []}), \
            Endpoint(admin, hook.url + "?4", filter={"location_ids": [product.sandbox["locations"]["partner_a"]]}):
        claim = Claim(product, claimant)
        claim.invoice()
        claim.make("/comments", {"text": "last"})
        for query in "124":
            hook.wait(1, lambda d: d.path.endswith("?" + query) and d.type == "comment.added")
        types = {query: {d.type for d in hook.having(lambda d: d.path.endswith("?" + query))} for query in "1234"}
        assert types["1"] == {"comment.added", "invoice.added"}
        assert types["2"] == types["4"] >= {"claim.created", "invoice.added", "comment.added"}
        assert types["3"] == set()


# --- to whom ---


def test_an_endpoint_gets_what_its_maker_reads(product):
    """Exactly what is in the histories as he sees them, whoever he is: nothing internal, nothing of others, and nothing is missing."""
    reviewer, ends = product.as_("reviewer"), contextlib.ExitStack()
    makers = {name: product.as_(name) for name in ("partner_admin", "partner_b_admin", "program_admin", "reviewing_admin")}
    with ends:
        hooks = {name: ends.enter_context(Hook()) for name in [*makers, "contributor"]}
        for name, session in makers.items():
            ends.enter_context(Endpoint(session, hooks[name].url))
        ours = Claim(product, product.as_("claimant"))
        theirs = Claim(product, product.as_("partner_b_claimant"), side="partner_b")
        makers["contributor"], _, _ = ours.invite()
        before = ours.get()["sequence"]     # what was before it is none of his endpoint's
        ends.enter_context(Endpoint(makers["contributor"], hooks["contributor"].url))
        ours.evidence()
        theirs.upload(ours.session.get(ours.proof["content_url"]).content)      # an internal check
        wait_for(lambda: theirs.get("/checks", reviewer)["data"], what="the check")
        ours.act("submit")
        ours.act("take", session=reviewer)
        for claim in (ours, theirs):
            for session in (claim.session, reviewer):
                claim.make("/comments", {"text": "Seen by all"}, session=session)
            claim.make("/comments", {"text": "For us alone", "visibility": "internal"}, session=reviewer)
            claim.make("/comments", {"text": "The last one"})

        def read(name):
            replies = [makers[name].get(claim.url + "/history", params={"limit": 200}) for claim in (ours, theirs)]
            return {row["id"]: row for reply in replies if reply.status_code == 200 for row in reply.json()["data"]
                    if not row["type"].startswith("notification.") and (name != "contributor" or row["sequence"] > before)}

        def sent(name):
            return {d.id for d in hooks[name].having(lambda d: d.data["claim_id"] in (ours.id, theirs.id) and d.id.startswith("evt"))}

        for name in makers:
            wait_for(lambda: sent(name) >= set(read(name)), what=f"all events of the {name}")
        for name in makers:
            assert sent(name) == set(read(name)), name
        internal = {name: {row["type"] for row in read(name).values() if row["visibility"] == "internal"} for name in makers}
        assert internal.pop("reviewing_admin") == {"check.opened", "comment.added"}
        assert set(map(len, internal.values())) == {0}
        for name, organization in (("partner_admin", "partner_a"), ("partner_b_admin", "partner_b"), ("contributor", "partner_a")):
            assert {d.data["organization_id"] for d in hooks[name].received} == {product.sandbox["organizations"][organization]}
        assert hooks["partner_admin"].having(lambda d: d.type == "fund_account.changed"), "the reserve of the submission"
        assert not hooks["contributor"].having(lambda d: d.type == "fund_account.changed")


def test_who_sees_nothing_internal_does_not_manage_what_gets_it(product, hook):
    """Nor learns of it: neither by its log, nor by giving it a URL of his own, nor as it is disabled."""
    plain, both = product.as_("program_admin"), product.as_("reviewing_admin")
    with Endpoint(both, hook.url) as endpoint, Endpoint(plain, hook.url + "?plain") as his, Endpoint(both, hook.url + "?told"):
        assert plain.get(endpoint.url).status_code == 404
        assert plain.get(endpoint.url + "/deliveries").status_code == 404
        assert plain.patch(endpoint.url, json={"url": hook.url + "?mine"}).status_code == 404
        assert endpoint.id not in [row["id"] for row in plain.get(ENDPOINTS).json()["data"]]
        assert both.patch(his.url, json={"description": "seen by both"}).status_code == 200
        endpoint.act("disable")
        his.act("disable")
        hook.wait(2, lambda d: d.type == "webhook_endpoint.disabled" and d.path.endswith("?told"))
        assert not hook.having(lambda d: d.type == "webhook_endpoint.disabled" and d.path.endswith("?plain"))


def test_each_event_is_sent_once(product, hook, endpoint):
    claim = Claim(product, product.as_("claimant"))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: claim.make("/comments", {"text": str(n)}), range(60)))
    sent = hook.wait_type("comment.added", 60)
    assert len({d.id for d in sent}) == 60
    wait_for(lambda: not endpoint.log(status="pending,retrying"), what="an empty queue")
    ids = [d.id for d in hook.having(lambda d: d.type == "comment.added")]
    assert sorted(ids) == sorted(set(ids))
    rows = endpoint.log(event_type="comment.*")
    assert {row["event_id"] for row in rows} == set(ids) and len(rows) == 60
    assert all(row["status"] == "succeeded" and len(row["attempts"]) == 1 for row in rows)


def test_a_contributor_has_an_endpoint_for_his_claim(product, hook):
    claim, other = (Claim(product, product.as_("claimant")) for _ in range(2))
    colleague, invitation, accepted = claim.invite()
    endpoint = Endpoint(colleague, hook.url)
    assert [row["id"] for row in colleague.get(ENDPOINTS).json()["data"]] == [endpoint.id]
    assert endpoint.id not in [row["id"] for row in product.as_("partner_admin").get(ENDPOINTS).json()["data"]]
    assert product.as_("partner_admin").get(endpoint.url).status_code == 404
    other.make("/comments", {"text": "Elsewhere"})
    claim.make("/comments", {"text": "Here"})
    claim.make("/comments", {"text": "Internal", "visibility": "internal"}, session=product.as_("reviewer"))
    claim.make("/comments", {"text": "Here again"})
    hook.wait_type("comment.added", 2)
    assert {d.data["claim_id"] for d in hook.received} == {claim.id}
    assert len(hook.having(lambda d: d.type == "comment.added")) == 2
    for _ in range(4):
        Endpoint(colleague, hook.url + "?more")
    assert colleague.post(ENDPOINTS, json={"url": hook.url}).status_code == 422
    collaborator = next(row["id"] for row in claim.get("/collaborators")["data"])
    assert product.as_("claimant").delete(f"{claim.url}/collaborators/{collaborator}").status_code == 204
    with Endpoint(product.as_("partner_admin"), hook.url + "?sentinel"):
        claim.make("/comments", {"text": "Without him"})
        hook.wait(1, lambda d: d.path.endswith("sentinel") and d.type == "comment.added")
    assert len(hook.having(lambda d: d.path == "/hook" and d.type == "comment.added")) == 2


# --- who may ---


def test_administrators_alone(product, hook, endpoint):
    for role in ("claimant", "viewer", "reviewer", "senior_reviewer", "finance", "auditor", "operator"):
        session = product.as_(role)
        assert session.get(ENDPOINTS).status_code == 403, role
        assert session.post(ENDPOINTS, json={"url": hook.url}).status_code == 403, role
        assert session.get(endpoint.url).status_code in (403, 404), role
        assert session.patch(endpoint.url, json={"description": "mine"}).status_code in (403, 404), role
        assert session.post(endpoint.url + "/test", json={}).status_code in (403, 404), role
    for role in ("partner_b_admin", "program_admin"):
        session = product.as_(role)
        assert endpoint.id not in [row["id"] for row in session.get(ENDPOINTS).json()["data"]]
        for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/deliveries"), ("POST", "/test"), ("POST", "/enable"),
                             ("POST", "/disable"), ("POST", "/rotate-secret"), ("GET", "/deliveries/" + other_id(endpoint.ping()["id"]))):
            reply = session.request(method, endpoint.url + path, json={} if method in ("POST", "PATCH") else None)
            assert reply.status_code == 404, (role, method, path, reply.text)
    assert endpoint.get()["description"] is None
    assert product.anonymous().get(ENDPOINTS).status_code == 401


def test_ids_that_are_none(product, endpoint):
    admin = product.as_("partner_admin")
    for path in ("/nothing", "/" + other_id(endpoint.id), "/" + endpoint.id + "x"):
        assert admin.get(ENDPOINTS + path).status_code == 404
        assert admin.post(ENDPOINTS + path + "/test", json={}).status_code == 404
    for path in ("/deliveries/nothing", "/deliveries/" + other_id(endpoint.ping()["id"])):
        assert admin.get(endpoint.url + path).status_code == 404
        assert admin.post(endpoint.url + path + "/redeliver", json={}).status_code == 404


# --- the resource ---


def test_secret_is_shown_once(product, hook):
    admin = product.as_("partner_admin")
    headers, body = {"Idempotency-Key": key()}, {"url": hook.url, "description": "Our CRM"}
    first = admin.post(ENDPOINTS, json=body, headers=headers)
    again = admin.post(ENDPOINTS, json=body, headers=headers)
    assert first.status_code == again.status_code == 201 and first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true" and first.headers["Cache-Control"] == "no-store"
    made = first.json()
    assert made["secret"].startswith("whsec_") and len(made["secret"]) == 6 + 44
    assert first.headers["Location"] == f"{ENDPOINTS}/{made['id']}"
    url = first.headers["Location"]
    assert made["state"] == "enabled" and made["event_types"] == ["*"] and made["payload"] == "thin"
    for reply in (admin.get(url), admin.patch(url, json={"description": "CRM"}), admin.post(url + "/disable", json={}),
                  admin.post(url + "/enable", json={})):
        assert reply.status_code == 200 and "secret" not in reply.text, reply.text
    assert made["secret"] not in admin.get(ENDPOINTS).text
    key_text = made["secret"].removeprefix("whsec_")
    for kept in product.redis("--scan", "--pattern", "*once:*").split():
        assert key_text not in product.redis("HGETALL", kept)
    with open(product.log_path, encoding="utf-8") as log:
        assert key_text not in log.read()
    assert admin.delete(url).status_code == 204
    assert admin.get(url).status_code == 404 and admin.delete(url).status_code == 404


def test_both_secrets_sign_for_a_while(product, hook, endpoint):
    second = endpoint.act("rotate-secret", {"overlap_seconds": 3600})["secret"]
    assert second != endpoint.secret
    endpoint.ping()
    sent = hook.wait(1)[-1]
    assert sent.signed_by(endpoint.secret) and sent.signed_by(second)
    assert len(sent.headers["webhook-signature"].split(" ")) == 2
    third = endpoint.act("rotate-secret", {"overlap_seconds": 0})["secret"]
    endpoint.ping()
    sent = hook.wait(2)[-1]
    assert sent.signed_by(third) and not sent.signed_by(second) and sent.signed_by(endpoint.secret)
    for body in ({"overlap_seconds": -1}, {"overlap_seconds": 604801}, {"overlap_seconds": "1"}, {"overlap": 1}):
        assert endpoint.session.post(endpoint.url + "/rotate-secret", json=body).status_code == 422
    short = endpoint.act("rotate-secret", {"overlap_seconds": 1})["secret"]
    until = time.time() + 1.1
    wait_for(lambda: time.time() > until)
    endpoint.ping()
    sent = hook.wait(3)[-1]
    assert sent.signed_by(short) and not sent.signed_by(third)


@pytest.mark.parametrize("body, pointer", [
    ({}, "#/url"), ({"url": None}, "#/url"), ({"url": "ftp://example.com/"}, "#/url"), ({"url": "example.com"}, "#/url"),
    ({"url": "https://user:secret@example.com/"}, "#/url"), ({"url": "https://example.com/#part"}, "#/url"),
    ({"url": "https://example.com/" + "x" * 2000}, "#/url"),
    ({"url": "https://example.com", "event_types": []}, "#/event_types"),
    ({"url": "https://example.com", "event_types": ["claim"]}, "#/event_types/0"),
    ({"url": "https://example.com", "event_types": ["nothing.*"]}, "#/event_types/0"),
    ({"url": "https://example.com", "event_types": ["notification.*"]}, "#/event_types/0"),      # nobody makes these
    ({"url": "https://example.com", "max_rate": 0}, "#/max_rate"), ({"url": "https://example.com", "max_rate": 101}, "#/max_rate"),
    ({"url": "https://example.com", "max_in_flight": 17}, "#/max_in_flight"),
    ({"url": "https://example.com", "payload": "fat"}, "#/payload"), ({"url": "https://example.com", "signature": ["v9"]}, "#/signature/0"),
    ({"url": "https://example.com", "filter": {"program_ids": ["clm_1"]}}, "#/filter/program_ids/0"),
    ({"url": "https://example.com", "secret": "whsec_mine"}, "#/secret"),
    ({"url": "https://example.com", "state": "disabled"}, "#/state"),
    ({"url": "https://example.com", "organization_id": "org_01J8ZQ4V6T3K9M2N5P7R8S9T00"}, "#/organization_id"),
    ({"url": "https://example.com", "secrets": []}, "#/secrets"),
])
def test_bad_endpoints_are_refused(product, body, pointer):
    reply = product.as_("partner_admin").post(ENDPOINTS, json=body)
    assert reply.status_code == 422, reply.text
    assert pointer in [error["pointer"] for error in reply.json()["errors"]], reply.text


def test_patch_and_if_match(product, hook, endpoint):
    admin = endpoint.session
    etag = admin.get(endpoint.url).headers["ETag"]
    reply = admin.patch(endpoint.url, json={"event_types": ["claim.*"], "filter": {"program_ids": []}}, headers={"If-Match": etag})
    assert reply.status_code == 200 and reply.json()["event_types"] == ["claim.*"]
    assert admin.patch(endpoint.url, json={"max_rate": 5}, headers={"If-Match": etag}).status_code == 412
    assert admin.patch(endpoint.url, json={"url": None}).status_code == 422
    assert admin.patch(endpoint.url, json={"state": "disabled"}).status_code == 422
    assert admin.get(endpoint.url).json()["max_rate"] == 20


def test_twenty_endpoints_an_organisation(product, hook):
    admin = product.as_("partner_b_admin")
    made = [Endpoint(admin, f"{hook.url}?{n}") for n in range(20 - len(admin.get(ENDPOINTS).json()["data"]))]
    headers = {"Idempotency-Key": key()}
    reply = admin.post(ENDPOINTS, json={"url": hook.url}, headers=headers)
    assert reply.status_code == 422 and reply.json()["errors"][0]["code"] == "too_many", reply.text
    assert reply.json()["errors"][0]["params"] == {"max": 20}
    assert admin.delete(made.pop().url).status_code == 204
    reply = admin.post(ENDPOINTS, json={"url": hook.url}, headers=headers)
    assert reply.status_code == 201                     # a refusal leaves the key free
    assert admin.post(ENDPOINTS, json={"url": hook.url}, headers=headers).status_code == 201     # the kept reply, at the limit
    for endpoint in made:
        assert admin.delete(endpoint.url).status_code == 204
    assert admin.delete(f"{ENDPOINTS}/{reply.json()['id']}").status_code == 204


def test_twenty_also_for_those_who_come_at_the_same_time(product, hook):
    """All thirty are there before the first is looked at: each finds nineteen when it asks how many there are."""
    admin = product.as_("partner_b_admin")
    headers = {"Authorization": admin.headers["Authorization"], "Content-Type": "application/json"}
    made = [Endpoint(admin, f"{hook.url}?{n}").url for n in range(19 - len(admin.get(ENDPOINTS).json()["data"]))]
    connections = [http.client.HTTPConnection(product.base_url.removeprefix("http://"), timeout=PATIENCE) for _ in range(30)]
    stopped = product.pids("api")
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        for connection in connections:
            connection.request("POST", ENDPOINTS, json.dumps({"url": hook.url}), headers)
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    replies = [(reply.status, json.loads(reply.read())) for reply in (connection.getresponse() for connection in connections)]
    for connection in connections:
        connection.close()
    made += [f"{ENDPOINTS}/{body['id']}" for status, body in replies if status == 201]
    assert sorted(status for status, _ in replies) == [201] + 29 * [422], replies
    assert {body["errors"][0]["code"] for status, body in replies if status == 422} == {"too_many"}
    assert len(admin.get(ENDPOINTS).json()["data"]) == 20
    for url in made:
        assert admin.delete(url).status_code == 204


def test_replies_are_what_openapi_says(product, hook, endpoint):
    schemas = product.anonymous().get("/openapi.json").json()["components"]["schemas"]
    endpoint.wait_delivery(endpoint.ping()["id"], "succeeded")
    row = endpoint.log()[0]
    assert set(row) == set(schemas["Delivery"]["properties"])
    assert set(row["attempts"][0]) == {"at", "status_code", "duration_ms", "error", "request_headers", "response_headers",
                                       "response_excerpt"}
    assert set(endpoint.get()) | {"secret"} == set(schemas["WebhookEndpoint"]["properties"])


# --- the log ---


def test_log_is_listed_filtered_and_paged(product, hook, endpoint):
    claim = Claim(product, product.as_("claimant"))
    for n in range(5):
        claim.make("/comments", {"text": str(n)})
    wait_for(lambda: len(endpoint.log()) == 6, what="six deliveries")
    last = endpoint.ping()["id"]
    wait_for(lambda: len(endpoint.log(status="succeeded")) == 7, what="seven deliveries")
    rows = endpoint.log()
    assert [row["created_at"] for row in rows] == sorted((row["created_at"] for row in rows), reverse=True)
    assert rows[0]["id"] == last
    assert [row["id"] for row in endpoint.log(limit=2)] == [row["id"] for row in rows]
    assert len(endpoint.log(event_type="comment.*")) == 5
    assert len(endpoint.log(event_type="comment.added,test.ping")) == 6
    assert endpoint.log(status="failed,retrying") == []
    assert [row["id"] for row in endpoint.log(**{"from": rows[1]["created_at"]})] == [row["id"] for row in rows
                                                                                 if row["created_at"] >= rows[1]["created_at"]]
    assert endpoint.log(to="2020-01-01T00:00:00Z") == []
    for params in ({"from": "yesterday"}, {"status": "x" * 300}, {"cursor": "abc"}, {"cursor": "1.dlv_1"}, {"q": "1"}):
        assert endpoint.session.get(endpoint.url + "/deliveries", params=params).status_code == 400, params


def test_redelivery_has_the_same_id(product, hook, endpoint):
    row = endpoint.ping()
    endpoint.wait_delivery(row["id"], "succeeded")
    headers = {"Idempotency-Key": key()}
    path = f"{endpoint.url}/deliveries/{row['id']}/redeliver"
    reply = endpoint.session.post(path, json={}, headers=headers)
    assert reply.status_code == 202 and reply.json()["status"] == "retrying" and len(reply.json()["attempts"]) == 1
    sent = hook.wait(2)
    assert sent[0].id == sent[1].id and sent[0].delivery == sent[1].delivery
    assert [d.attempt for d in sent] == [1, 2] and sent[0].body == sent[1].body
    endpoint.wait_delivery(row["id"], "succeeded", attempts=2)
    again = endpoint.session.post(path, json={}, headers=headers)
    assert again.status_code == 202 and again.headers["Idempotent-Replayed"] == "true" and again.json() == reply.json()
    endpoint.wait_delivery(endpoint.ping()["id"], "succeeded")
    assert len(endpoint.delivery(row["id"])["attempts"]) == 2


def test_disabled_gets_nothing_and_removed_leaves_nothing(product, hook, endpoint):
    claim = Claim(product, product.as_("claimant"))
    hook.wait_type("claim.created")
    done = endpoint.ping()["id"]
    endpoint.wait_delivery(done, "succeeded")
    assert endpoint.act("disable")["state"] == "disabled" and endpoint.act("disable")["state"] == "disabled"
    reply = endpoint.session.post(endpoint.url + "/test", json={})
    assert reply.status_code == 409 and reply.json()["code"] == "invalid_state" and reply.json()["state"] == "disabled"
    assert endpoint.session.post(f"{endpoint.url}/deliveries/{done}/redeliver", json={}).status_code == 409
    with Hook() as other, Endpoint(product.as_("partner_admin"), other.url):
        claim.make("/comments", {"text": "Unheard"})
        other.wait_type("comment.added")
        endpoint.act("enable")
        claim.make("/comments", {"text": "Heard"})
        assert len(hook.wait_type("comment.added")) == 1
        other.wait_type("comment.added", 2)
    assert endpoint.session.delete(endpoint.url).status_code == 204
    wait_for(lambda: product.redis("--scan", "--pattern", f"*{endpoint.id}:*") == "" and
             product.redis("--scan", "--pattern", f"*dlv:{done}") == "" and
             product.redis("--scan", "--pattern", f"*job:hook.{endpoint.id}") == "", what="nothing left of it")


def test_verify_finds_no_fault(product):
    product.verify()
