"""Idempotency keys: one intention is done once, whoever asks however often, and each try hears the same."""
import hashlib
import random
import threading

import pytest

from claims import Claim, Unchanged, key, money, refused
from contract import Contract

KEPT = ("ETag", "Location", "Content-Type", "Cache-Control", "Coopclaims-Document")


@pytest.fixture(scope="module")
def people(product):
    return {role: product.as_(role) for role in product.sandbox["tokens"]}


@pytest.fixture
def claim(product, people):
    return Claim(product, people["claimant"])


def same(first, again):
    """The second is the first one's reply, byte for byte, and says so."""
    assert (again.status_code, again.content) == (first.status_code, first.content), again.text
    for name in KEPT:
        assert again.headers.get(name) == first.headers.get(name), name
    assert "Idempotent-Replayed" not in first.headers and again.headers["Idempotent-Replayed"] == "true"


def twice(session, method, path, **keywords):
    """The same request twice under one key."""
    headers = {"Idempotency-Key": key(), **keywords.pop("headers", {})}
    replies = [session.request(method, path, headers=headers, **keywords) for _ in range(2)]
    same(*replies)
    return replies[0]


def test_every_kind_of_write_is_replayed(product, claim):
    anna, url = claim.session, claim.url
    before = len(claim.get("/history")["data"])
    assert twice(anna, "PATCH", url, json={"name": "Once"}).status_code == 200
    invoice = twice(anna, "POST", url + "/invoices", json=claim.invoice_body()).json()
    assert twice(anna, "PATCH", f"{url}/invoices/{invoice['id']}", json={"note": "Once"}).status_code == 200
    assert twice(anna, "DELETE", f"{url}/invoices/{invoice['id']}").status_code == 204
    comment = twice(anna, "POST", url + "/comments", json={"text": "Once"}).json()
    assert twice(anna, "DELETE", f"{url}/comments/{comment['id']}").status_code == 204
    assert twice(anna, "POST", url + "/cancel", json={"reason": "Once"}).json()["state"] == "cancelled"
    assert len(claim.get("/history")["data"]) == before + 7


def test_a_secret_is_rotated_once(product, people):
    admin = people["partner_b_admin"]
    made = admin.make("/v1/webhook-endpoints", {"url": "http://127.0.0.1:9/"})
    url = "/v1/webhook-endpoints/" + made["id"]
    first = twice(admin, "POST", url + "/rotate-secret", json={"overlap_seconds": 60})
    assert first.headers["Cache-Control"] == "no-store" and first.json()["secret"] != made["secret"]
    assert admin.make(url + "/rotate-secret", {}, 200)["secret"] != first.json()["secret"]
    assert admin.delete(url).status_code == 204


KEPT_FOR_ANOTHER = """for _, key in ipairs(KEYS) do
redis.call("HSET", key, "fp", "another", "status", "200", "form", "plain", "body", "", "c", "another") end return #KEYS"""


def records_of(caller, method, path, intention):
    """Where the kept reply of this caller's request may lie: in any partition (shared/store/README.md section 8)."""
    digest = hashlib.sha256(f"{caller}{method} {path}\n{intention}".encode()).hexdigest()
    return [f"{{p0{partition}}}:once:{digest}" for partition in "0123456789ABCDEF"]


def first_of(callers, collection):
    """The id of something in a collection, whoever may read it; None: it has nothing."""
    replies = [session.get(collection) for session, _ in callers]
    return next((row.get("id") for reply in replies if reply.status_code == 200 for row in reply.json()["data"]), None)


def test_a_key_counts_exactly_where_openapi_lists_it(product, people):
    """On every route that writes: a request under a key that stands for another one is refused, or the key is not looked at."""
    callers = [(people[name], people[name].get("/v1/me").json()["user"]["id"])
               for name in ("partner_admin", "reviewer", "senior_reviewer", "finance", "program_admin", "operator")]
    claim = Claim(product, people["partner_admin"])
    for name, body in {"invoices": claim.invoice_body(), "csrs": {"title": "Work", "lines": [{"hours": "1.00", "rate": money("50.00")}]},
                       "metrics": {"key": "views", "value": "1"}, "comments": {"text": "Here"},
                       "invitations": {"email": "eva@example.com"}}.items():
        claim.make("/" + name, body)
    claim.invite()
    held = Claim(product, people["partner_admin"]).evidence().held(people["reviewer"])
    asked = held.make("/requests", {"items": [{"target": {"type": "claim", "id": held.id}, "reason_code": "invoice_missing"}]}, people["reviewer"])
    document = claim.make("/documents", {"name": "a.txt", "purpose": "other", "size": 5})["id"]
    endpoint = people["partner_admin"].make("/v1/webhook-endpoints", {"url": "http://127.0.0.1:9/"})["id"]
    people["partner_admin"].make(f"/v1/webhook-endpoints/{endpoint}/test", {}, 202)
    known = {"/v1/claims": claim.id, "/v1/webhook-endpoints": endpoint, f"{claim.url}/documents": document,
             f"{claim.url}/requests": asked["data"][0]["id"]}
    told = set()
    for method, pattern, operation in list(Contract.of[product.base_url].operations.values()):
        if method == "GET":
            continue
        path = pattern
        for name in ("{id}", "{item}"):
            collection = path.partition("/" + name)[0]
            if name in path and collection not in known:
                known[collection] = first_of(callers, collection) or "none"
            path = path.replace(name, known.get(collection, ""))
        listed = {row.get("$ref", "").rpartition("/")[2] for row in operation["parameters"]} & {"IdempotencyKey", "IdempotencyKeyRequired"}
        form = "multipart/form-data" in operation.get("requestBody", {}).get("content", {})
        sent = {"data": b"hello"} if path.endswith("/content") else {"json": {"name": "a.txt", "purpose": "other", "size": 5} if form else {}}
        intention, codes = key(), set()
        records = [record for _, caller in callers for record in records_of(caller, method, path, intention)]
        product.redis("EVAL", KEPT_FOR_ANOTHER, str(len(records)), *records)
        for session, _ in callers:
            reply = session.request(method, path, headers={"Idempotency-Key": intention}, **sent)
            codes.add(reply.json()["code"] if reply.status_code >= 400 else str(reply.status_code))
        product.redis("DEL", *records)
        if "none" not in path.split("/"):
            assert ("idempotency_key_reused" in codes) == bool(listed), (method, path, codes)
            told |= {operation["operationId"]} if listed else set()
    assert len(told) >= 36 and {"rotate_webhook_secret", "submit_claim", "create_claim", "put_document_content"} <= told


def test_a_claim_is_made_once(product, people, claim):
    body = {name: claim.body[name] for name in ("name", "program_id", "location_id", "period_id", "activity_id", "currency")}
    made = twice(people["claimant"], "POST", "/v1/claims", json={**body, "name": "Made once"})
    assert made.status_code == 201
    names = [row["name"] for row in people["claimant"].get("/v1/claims?limit=200").json()["data"]]
    assert names.count("Made once") == 1


def test_uploads_are_replayed(product, claim):
    content = product.pdf("Once")
    sent = {"data": {"purpose": "other", "note": "x"}, "files": {"file": ("once.pdf", content)}}
    headers = {"Idempotency-Key": key()}
    first, again = (claim.session.post(claim.url + "/documents", headers=headers, **sent) for _ in range(2))
    same(first, again)
    assert first.status_code == 201 and len(claim.get("/documents")["data"]) == 1
    other = claim.session.post(claim.url + "/documents", headers=headers, data=sent["data"],
                               files={"file": ("once.pdf", product.pdf("Another"))})
    refused(other, 422, "idempotency_key_reused")
    announced = twice(claim.session, "POST", claim.url + "/documents", json={"name": "a.txt", "purpose": "other", "size": 5}).json()
    put = {"data": b"hello", "headers": {"Content-Type": "application/octet-stream", "Idempotency-Key": key()}}
    same(*(claim.session.put(announced["content_url"], **put) for _ in range(2)))
    assert len(claim.get("/documents")["data"]) == 2
    product.wait_document(claim.session, claim.url, announced["id"])


def test_a_replay_shows_what_was_then(claim):
    headers = {"Idempotency-Key": key()}
    first = claim.session.patch(claim.url, json={"name": "First"}, headers=headers)
    claim.session.patch(claim.url, json={"name": "Second"})
    again = claim.session.patch(claim.url, json={"name": "First"}, headers=headers)
    same(first, again)
    assert again.json()["name"] == "First" and claim.get()["name"] == "Second"


def test_a_large_reply_is_kept_whole(claim):
    tall = "ü" * 4000
    assert twice(claim.session, "PATCH", claim.url, json={"description": tall, "additional_information": tall}).json()["description"] == tall


def test_what_is_kept_of_a_reply_is_bounded(product, claim):
    """Text that hardly deflates: up to 64 KiB of it are kept, of more it is kept that it was done and where to read it."""
    dice = random.Random(7)

    def invoice(lines):
        rows = [{"description": "".join(chr(dice.randrange(0x4e00, 0x9fa0)) for _ in range(400)), "quantity": "1", "net": money("1.00")}
                for _ in range(lines)]
        return claim.invoice_body(f"{lines}.00", lines=rows)

    kept = twice(claim.session, "POST", claim.url + "/invoices", json=invoice(40))
    assert 16 << 10 < len(kept.content) and kept.status_code == 201
    headers, body = {"Idempotency-Key": key()}, invoice(100)
    first, again = (claim.session.post(claim.url + "/invoices", json=body, headers=headers) for _ in range(2))
    assert first.status_code == 201 and len(first.content) > 64 << 10
    assert (again.status_code, again.content) == (204, b"") and again.headers["Idempotent-Replayed"] == "true"
    assert (again.headers["ETag"], again.headers["Location"]) == (first.headers["ETag"], first.headers["Location"])
    assert claim.session.get(again.headers["Location"]).json() == first.json() and len(claim.get("/invoices")["data"]) == 2
    sizes = [int(size) for size in product.redis("EVAL", SIZES, "0").split()]
    assert len(sizes) > 2 and max(sizes) <= 64 << 10


SIZES = """local sizes = {}
for _, key in ipairs(redis.call("KEYS", "*:once:*")) do
	if redis.call("TYPE", key).ok == "hash" then sizes[#sizes + 1] = redis.call("HSTRLEN", key, "body") end
end
return sizes"""


def test_twenty_at_once_have_one_effect(claim, product):
    """Some wait in line, some lose the race for the commit: all hear the same."""
    headers, body = {"Idempotency-Key": key()}, claim.invoice_body()
    sessions = [product.as_("claimant") for _ in range(20)]
    replies, gate = [], threading.Barrier(20)

    def ask(session):
        gate.wait()
        replies.append(session.post(claim.url + "/invoices", json=body, headers=headers))

    threads = [threading.Thread(target=ask, args=(session,)) for session in sessions]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(replies) == 20 and {reply.status_code for reply in replies} == {201}
    assert len({reply.content for reply in replies}) == 1 and len({reply.headers["ETag"] for reply in replies}) == 1
    assert sum("Idempotent-Replayed" in reply.headers for reply in replies) == 19
    assert len(claim.get("/invoices")["data"]) == 1
    assert [row["type"] for row in claim.get("/history")["data"]] == ["claim.created", "invoice.added"]


def test_another_body_under_the_same_key(claim):
    headers = {"Idempotency-Key": key()}
    claim.session.patch(claim.url, json={"name": "One"}, headers=headers)
    with Unchanged(claim):
        for body in ({"name": "Two"}, {"name": "One", "tags": []}, {}):
            refused(claim.session.patch(claim.url, json=body, headers=headers), 422, "idempotency_key_reused")


def test_the_order_and_form_of_members_is_no_difference(claim):
    headers = {"Idempotency-Key": key(), "Content-Type": "application/json"}
    first = claim.session.patch(claim.url, data='{"name":"One","tags":["a"]}', headers=headers)
    same(first, claim.session.patch(claim.url, data='{ "tags" : ["\\u0061"],\n "name": "One" }', headers=headers))


def test_a_key_as_string_and_bare_is_one_key(claim):
    bare = key()
    first = claim.session.patch(claim.url, json={"name": "One"}, headers={"Idempotency-Key": bare})
    same(first, claim.session.patch(claim.url, json={"name": "One"}, headers={"Idempotency-Key": f'"{bare}"'}))
    quoted = claim.session.patch(claim.url, json={"name": "A"}, headers={"Idempotency-Key": '"a\\"b\\\\c"'})
    same(quoted, claim.session.patch(claim.url, json={"name": "A"}, headers={"Idempotency-Key": 'a"b\\c'}))
    longest = "k" * 255
    first = claim.session.patch(claim.url, json={"name": "B"}, headers={"Idempotency-Key": longest})
    same(first, claim.session.patch(claim.url, json={"name": "B"}, headers={"Idempotency-Key": f'"{longest}"'}))


def test_a_key_belongs_to_caller_method_and_path(product, people, claim):
    headers, body = {"Idempotency-Key": key()}, {"text": "Mine"}
    second = Claim(product, people["claimant"])
    made = [claim.session.post(claim.url + "/comments", json=body, headers=headers),
            people["partner_admin"].post(claim.url + "/comments", json=body, headers=headers),
            claim.session.post(second.url + "/comments", json=body, headers=headers)]
    assert [reply.status_code for reply in made] == [201] * 3
    assert len({reply.json()["id"] for reply in made}) == 3
    patched = claim.session.patch(f"{claim.url}/comments/{made[0].json()['id']}", json=body, headers=headers)
    assert patched.status_code == 200
    assert not any("Idempotent-Replayed" in reply.headers for reply in [*made, patched])
    # The user is the caller, whatever token he has.
    other_token = product.with_token(product.run("token", "bram@noord.example").stdout.strip())
    same(made[0], other_token.post(claim.url + "/comments", json=body, headers=headers))


def test_a_refusal_leaves_the_key_free(claim):
    headers = {"Idempotency-Key": key()}
    refused(claim.session.post(claim.url + "/invoices", json={}, headers=headers), 422, "validation_failed")
    refused(claim.session.post(claim.url + "/invoices", json=claim.invoice_body(), headers={**headers, "If-Match": '"9.00"'}), 412,
            "precondition_failed")
    first = claim.session.post(claim.url + "/invoices", json=claim.invoice_body(), headers=headers)
    assert first.status_code == 201
    same(first, claim.session.post(claim.url + "/invoices", json=claim.invoice_body(), headers=headers))
    # Once kept it is the reply, though the same request would be refused now.
    same(first, claim.session.post(claim.url + "/invoices", json=claim.invoice_body(), headers={**headers, "If-Match": '"1.00"'}))


def test_what_changed_nothing_keeps_nothing(claim):
    headers = {"Idempotency-Key": key()}
    for _ in range(2):
        reply = claim.session.patch(claim.url, json={}, headers=headers)
        assert reply.status_code == 200 and "Idempotent-Replayed" not in reply.headers
    assert claim.act("validate", **headers)["ok"] is False


EVERYTHING = """local all = {}
local read = {string = {"GET"}, hash = {"HGETALL"}, set = {"SMEMBERS"}, zset = {"ZRANGE", 0, -1}, stream = {"XRANGE", "-", "+"}}
local function add(value)
	if type(value) == "table" then for _, one in ipairs(value) do add(one) end else all[#all + 1] = tostring(value) end
end
for _, key in ipairs(redis.call("KEYS", "*")) do
	local how = read[redis.call("TYPE", key).ok]
	add(key)
	add(redis.call(how[1], key, unpack(how, 2)))
end
return table.concat(all, " ")"""


def test_a_secret_is_replayed_and_lies_nowhere(product, claim):
    made = twice(claim.session, "POST", claim.url + "/invitations", json={"email": "bas@example.com"})
    token = made.json()["url"].split("token=")[1]
    assert made.headers["Cache-Control"] == "no-store"
    assert "url" not in claim.get("/invitations/" + made.json()["id"])
    headers = {"Idempotency-Key": key()}
    accepted = [product.anonymous().post("/v1/invitations/accept", json={"token": token}, headers=headers) for _ in range(2)]
    assert [reply.status_code for reply in accepted] == [200, 200]
    secrets = [token, accepted[0].json()["access_token"], accepted[1].json()["access_token"]]
    joined = product.with_token(secrets[2])
    assert joined.get(claim.url).status_code == 200
    kept = product.redis("EVAL", EVERYTHING, "0")
    assert ":once:" in kept and not any(secret in kept for secret in secrets)
    with open(product.log_path, encoding="utf-8") as log:
        text = log.read()
    assert not any(secret in text for secret in secrets)


def test_minimal_and_whole_are_one_request(claim):
    headers = {"Idempotency-Key": key()}
    first = claim.session.patch(claim.url, json={"name": "One"}, headers={**headers, "Prefer": "return=minimal"})
    again = claim.session.patch(claim.url, json={"name": "One"}, headers=headers)
    assert (first.status_code, again.status_code) == (204, 200) and again.headers["ETag"] == first.headers["ETag"]
    assert again.json()["name"] == "One"


def test_money_moves_once_however_often_it_is_asked(product, people):
    claim = Claim(product, people["claimant"]).evidence("100.00")
    account = "/v1/fund-accounts/" + claim.get()["fund_account_id"]
    before = claim.session.get(account).json()["remaining"]["amount"]
    twice(claim.session, "POST", claim.url + "/submit", json={})
    twice(people["reviewer"], "POST", claim.url + "/take", json={})
    twice(people["reviewer"], "POST", claim.url + "/decisions", json={"outcome": "approved"})
    after = claim.session.get(account).json()
    assert float(before) - float(after["remaining"]["amount"]) == 100.00
    rows = [row for row in claim.session.get(account + "/ledger").json()["data"] if row["claim_id"] == claim.id]
    assert [(row["type"], row["amount"]) for row in rows] == [("reserve", money("100.00")), ("commit", money("100.00"))]
    assert "0 faults" in product.verify()
