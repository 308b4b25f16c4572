"""The product does what /openapi.json says, on every route; and what every reply has in common."""
import os
import re
import signal

import pytest
import requests

import directory
import programs
from claims import Claim, key, money, other_id, refused
from contract import OF_THE_SERVER, Contract
from product import ROOT, Product, Receiver, wait_for


def contract(product):
    return Contract.of[product.base_url]


@pytest.fixture(scope="module")
def receiver():
    with Receiver() as running:
        yield running


@pytest.fixture(scope="module")
def people(product):
    return {role: product.as_(role) for role in product.sandbox["tokens"]}


def review(claim, people, document):
    """From the submit to the decision, with a request on the way. Gives the ids that came of it."""
    rob = people["reviewer"]
    claim.act("submit")
    claim.act("recall", {"reason": "Too early"})
    claim.held(rob)
    claim.act("release", {"reason": "A colleague knows them"}, rob)
    claim.act("take", session=rob)
    target = {"target": {"type": "document", "id": document["id"]}, "reason_code": "proof_not_legible", "message": "Blurred"}
    asked = claim.make("/requests", {"items": [target, {**target, "reason_code": "other", "message": "The date?"}]}, rob)["data"]
    claim.make(f"/requests/{asked[1]['id']}/withdraw", {}, rob, 200)
    claim.make(f"/requests/{asked[0]['id']}/answers", {"message": "Sharper now"})
    claim.act("resubmit", {"message": "Thanks"})
    claim.act("take", session=rob)
    made = claim.make("/decisions", {"outcome": "approved", "message": "Well done"}, rob)
    return {"requests": asked[0]["id"], "decisions": made["id"]}


def edit_everything(claim):
    """Each collection: add, read, change, remove; gives the ids of what stays."""
    bodies = {
        "invoices": (claim.invoice_body(), {"note": "Paid in advance"}),
        "csrs": ({"title": "Work", "lines": [{"hours": "1.00", "rate": money("50.00")}]}, {"title": "More work"}),
        "metrics": ({"key": "views", "value": "84"}, {"value": "85"}),
        "comments": ({"text": "Almost there"}, {"text": "There"}),
    }
    ids = {}
    for name, (body, patch) in bodies.items():
        gone = claim.make("/" + name, body)["id"]
        reply = claim.session.delete(f"{claim.url}/{name}/{gone}", headers={"Idempotency-Key": key()})
        assert reply.status_code == 204, reply.text
        ids[name] = claim.make("/" + name, body)["id"]
        reply = claim.session.patch(f"{claim.url}/{name}/{ids[name]}", json=patch)
        assert reply.status_code == 200 and patch.items() <= reply.json().items(), reply.text
    reply = claim.session.patch(claim.url, json={"description": "All about one customer", "tags": ["story"]})
    assert reply.status_code == 200 and reply.json()["tags"] == ["story"]
    return ids


def documents(claim):
    """By form and by PUT; the one that proves the story."""
    announced = claim.make("/documents", {"name": "a.txt", "purpose": "other", "size": 5})
    reply = claim.session.put(announced["content_url"], data=b"hello", headers={"Content-Type": "application/octet-stream"})
    assert reply.status_code == 201, reply.text
    claim.product.wait_document(claim.session, claim.url, announced["id"])
    reply = claim.session.delete(f"{claim.url}/documents/{announced['id']}")
    assert reply.status_code == 204
    document = claim.upload(claim.product.pdf("One customer"), "story.pdf")
    assert document["status"] == "ready"
    assert claim.session.patch(f"{claim.url}/documents/{document['id']}", json={"note": "As printed"}).status_code == 200
    for part in ("content", "text"):
        url = f"{claim.url}/documents/{document['id']}/{part}"
        assert claim.session.get(url).status_code == 200
        assert claim.session.get(url, headers={"Range": "bytes=0-3"}).status_code == 206
    return document


def colleagues(claim):
    """One who joins and is taken off again, one who stays, one whose link is taken back."""
    revoked = claim.make("/invitations", {"email": "eva@example.com"})
    assert claim.session.delete(f"{claim.url}/invitations/{revoked['id']}").status_code == 204
    _, invitation, _ = claim.invite("leo@example.com")
    leaves = claim.get("/collaborators")["data"][0]
    assert claim.session.delete(f"{claim.url}/collaborators/{leaves['id']}").status_code == 204
    pending = claim.make("/invitations", {"email": "bas@example.com", "ask_for": [{"text": "The agenda"}]})
    token = pending["url"].split("token=")[1]
    for action in ("preview", "accept"):
        assert claim.product.anonymous().post(f"/v1/invitations/{action}", json={"token": token}).status_code == 200
    stays = [row for row in claim.get("/collaborators")["data"] if row["state"] == "joined"][0]
    return {"invitations": invitation["id"], "collaborators": stays["id"]}


def dead_job(product, claim_id):
    """A work item that used up its attempts, put where such ones lie. Its kind is no worker's."""
    name, partition = "test.nobody_" + claim_id[4:], claim_id[-2:]
    prefix = "{p" + partition + "}:"
    product.redis("HSET", f"{prefix}job:{name}", "kind", "test.nobody", "attempt", "5", "body", "{}", "error", "It broke",
                  "died_at", "1789459201000", "claim_id", claim_id)
    product.redis("ZADD", prefix + "dead", "1789459201000", name)
    return name


def webhooks(people, receiver):
    """An endpoint's life, with one delivery that is sent twice."""
    admin, path = people["partner_admin"], "/v1/webhook-endpoints"
    made = admin.make(path, {"url": receiver.url, "event_types": ["test.ping"]})
    path += "/" + made["id"]
    assert made["secret"].startswith("whsec_") and "secret" not in admin.get(path).json()
    assert [row["id"] for row in admin.get("/v1/webhook-endpoints").json()["data"]] == [made["id"]]
    assert admin.patch(path, json={"description": "Ours"}).json()["description"] == "Ours"
    for action, state in (("disable", "disabled"), ("enable", "enabled")):
        assert admin.make(f"{path}/{action}", {}, 200)["state"] == state
    assert admin.make(path + "/rotate-secret", {}, 200)["secret"] != made["secret"]
    sent = admin.make(path + "/test", {}, 202)
    delivery = f"{path}/deliveries/{sent['id']}"
    wait_for(lambda: admin.get(delivery).json()["status"] == "succeeded", what="the delivery")
    assert [row["id"] for row in admin.get(path + "/deliveries").json()["data"]] == [sent["id"]]
    admin.make(delivery + "/redeliver", {}, 202)
    wait_for(lambda: len(admin.get(delivery).json()["attempts"]) == 2, what="the second try")
    assert len(receiver.received) == 2
    assert admin.delete(path).status_code == 204


def money_by_hand(product, people):
    """An account that finance opens, and an entry in it."""
    s, finance = product.sandbox, people["finance"]
    account = finance.make("/v1/fund-accounts", {"organization_id": s["organizations"]["partner_c"], "program_id": s["program_id"],
                                                 "period_id": s["period_id"], "currency": "EUR"})
    url = "/v1/fund-accounts/" + account["id"]
    assert finance.get(url).json() == account and account["remaining"] == money("0.00")
    entry = finance.make(url + "/entries", {"type": "accrual", "amount": money("900.00")})
    assert finance.get(f"{url}/ledger/{entry['id']}").json() == entry


def tasks(product, people, claim):
    rob = people["reviewer"]
    product.kill("tasks", signal.SIGSTOP)       # so that it does not end before it is cancelled
    task = rob.make(claim.url + "/audit-pack", {}, status=202)
    rob.make(f"/v1/tasks/{task['id']}/cancel", {}, status=200)
    product.kill("tasks", signal.SIGCONT)
    task = rob.make(claim.url + "/audit-pack", {}, status=202)
    url = "/v1/tasks/" + task["id"]
    wait_for(lambda: rob.get(url, headers={"Prefer": "wait=20"}).json()["ended_at"], seconds=120, what="the end of a task")
    assert rob.get(url + "/result").status_code == 200
    refused(rob.post(url + "/cancel", json={}), 409, "invalid_state")
    assert len(rob.get("/v1/tasks").json()["data"]) == 2


def operate(product, people, claim):
    operator = people["operator"]
    name = dead_job(product, claim.id)
    rows = operator.get("/v1/admin/jobs?state=dead").json()["data"]
    assert [row["key"] for row in rows] == [name]
    assert operator.get("/v1/admin/jobs/" + name).json()["error"] == "It broke"
    assert operator.post(f"/v1/admin/jobs/{name}/retry", json={}).json()["state"] == "due"
    refused(operator.post(f"/v1/admin/jobs/{name}/discard", json={}), 409, "invalid_state")
    name = dead_job(product, claim.id[:-4] + "00" + claim.id[-2:])
    assert operator.post(f"/v1/admin/jobs/{name}/discard", json={}).status_code == 200
    refused(operator.post(f"/v1/admin/jobs/{name}/discard", json={}), 404, "not_found")
    now = people["program_admin"].get("/v1/clock").json()["now"]
    moved = people["program_admin"].put("/v1/clock", json={"now": now[:11] + "23:59:59.999Z"})
    assert moved.status_code == 200 and moved.json()["now"] > now, moved.text


@pytest.fixture(scope="module")
def story(product, people, receiver):
    """Every route once at least. Replies are held against /openapi.json as they come."""
    claim = Claim(product, people["claimant"])
    ids = {**edit_everything(claim), **colleagues(claim)}
    ids["documents"] = (document := documents(claim))["id"]
    assert claim.act("validate")["ok"] is True
    # The same bytes elsewhere: a check.
    twin = Claim(product, people["claimant"])
    twin.upload(claim.session.get(document["content_url"]).content, "again.pdf")
    check = twin.get("/checks", people["reviewer"])["data"][0]
    twin.get("/checks/" + check["id"], people["reviewer"])
    twin.act("cancel", {"reason": "Made twice"})
    ids.update(review(claim, people, document))
    for name, item in ids.items():
        claim.get("/" + name)
        claim.get(f"/{name}/{item}")
    claim.get("/checks")
    event = claim.get("/history")["data"][0]
    claim.get("/history/" + event["id"])
    claim.get("/history/proof")
    claim.get("?include=invoices,csrs,documents,metrics,comments,requests,decisions,checks,collaborators,fund_account,history")
    claim.get("?as_of_sequence=1")
    read_the_rest(product, people, claim)
    money_by_hand(product, people)
    webhooks(people, receiver)
    programs.walk(people["program_admin"])
    tasks(product, people, claim)
    directory.walk(people["program_admin"])
    operate(product, people, claim)
    return claim


def read_the_rest(product, people, claim):
    s, anna = product.sandbox, people["claimant"]
    Claim(product, anna, name="Waits").evidence("10.00").act("submit")
    assert people["reviewer"].get("/v1/queue").json()["data"][0]["name"] == "Waits"
    people["reviewer"].make("/v1/queue/next", {}, 200)
    program = "/v1/programs/" + s["program_id"]
    account = "/v1/fund-accounts/" + claim.get()["fund_account_id"]
    for path in ("/v1/me", "/v1/claims", "/v1/clock", "/v1/claim-states", "/v1/reason-codes", "/v1/check-codes",
                 "/v1/evidence-kinds", "/v1/event-types", "/v1/currencies", "/v1/programs", program, program + "/periods",
                 program + "/periods/" + s["period_id"], program + "/activities",
                 program + "/activities/" + s["activities"]["webinar"], "/v1/fund-accounts", account, account + "/ledger"):
        reply = anna.get(path)
        assert reply.status_code == 200, path
        again = anna.get(path, headers={"If-None-Match": reply.headers["ETag"]})
        assert path == "/v1/clock" or (again.status_code, again.content) == (304, b""), path


def test_every_route_was_answered_as_described(story, product):
    seen = contract(product).seen
    missing = [name for name in contract(product).operations if not seen.get(name, set()) & {200, 201, 202, 204, 206}]
    assert missing == []


def test_the_story_verifies(story, product):
    assert "0 faults" in product.verify()


def test_openapi_is_complete(product, people):
    people["claimant"].get("/v1/me")
    document = contract(product).document
    assert document["openapi"] == "3.1.0" and document["servers"] == [{"url": "/"}]
    for name, schema in document["components"]["schemas"].items():
        assert "allOf" not in schema, name
        if not name.endswith(("Input", "Patch")) and schema.get("type") == "object" and "properties" in schema:
            assert set(schema.get("required", [])) <= set(schema["properties"]), name
    for name, (method, path, operation) in contract(product).operations.items():
        assert {"401", "500", "503"} - set(operation["responses"]) <= ({"401"} if operation.get("security") == [] else set()), name
        variables = [p["name"] for p in operation["parameters"] if p.get("in") == "path"]
        assert variables == re.findall(r"{(\w+)}", path), name


def readme():
    with open(os.path.join(ROOT, "api", "README.md"), encoding="utf-8") as text:
        return text.read()


def test_the_readme_has_every_route_and_member(product, people):
    """api/README.md and /openapi.json say the same: nothing is missing on the page."""
    people["claimant"].get("/v1/me")
    words = set(re.findall(r"[a-z_0-9]+", readme()))
    document = contract(product).document
    empty = {"Extracted", "Preview", "SecondApproval", "Override", "Hold"}      # nothing is in these lists and members yet
    for name, schema in document["components"]["schemas"].items():
        missing = set() if name in empty else set(schema.get("properties", {})) - words
        assert not missing, (name, missing)
    for path in document["paths"]:
        missing = {part for part in re.findall(r"[a-z_0-9]+", re.sub(r"{\w+}", "", path))} - words
        assert not missing, (path, missing)
    for name, (_, _, operation) in contract(product).operations.items():
        for parameter in operation["parameters"]:
            assert parameter.get("in") != "query" or parameter["name"] in words, (name, parameter["name"])


def test_the_readme_has_every_code_and_no_other(product, people):
    people["claimant"].get("/v1/me")
    rows = re.search(r"\| status \| `code` \|\n(.*?)\n\n", readme(), re.S)[1]
    written = set(re.findall(r"`([a-z_]+)`", rows)) - {"code", "errors", "state", "allowed_actions", "max_bytes", "current_etag", "revision",
                                                       "blocked_by"}
    with open(os.path.join(ROOT, "shared", "base", "problem.c"), encoding="utf-8") as source:
        table = set(re.findall(r'^\t{ "([a-z_]+)", \d+,', source.read(), re.M))
    of_members = {"unknown_member", "required", "invalid_type", "invalid_format", "invalid_enum", "invalid_money", "currency_mismatch",
                  "too_short", "too_long", "too_small", "too_large", "too_many", "not_unique", "not_editable", "inconsistent_sum"}
    assert written - of_members == table
    assert of_members <= written


def test_openapi_is_what_the_command_prints(product):
    import json
    printed = product.run("openapi")
    assert printed.returncode == 0
    assert json.loads(printed.stdout) == requests.get(product.base_url + "/openapi.json", timeout=30).json()


# --- headers ---


def test_a_request_id_is_kept_or_made(product, people):
    anna = people["claimant"]
    for given in ("order-4711", "A.b_c-9", "x" * 64):
        assert anna.get("/v1/me", headers={"X-Request-Id": given}).headers["X-Request-Id"] == given
    for given in ("with blank", "x" * 65, "semi;colon", "ünï".encode("latin-1")):
        made = anna.get("/v1/me", headers={"X-Request-Id": given}).headers["X-Request-Id"]
        assert made != given and re.fullmatch(r"[A-Za-z0-9._-]{1,64}", made)
    first, second = (anna.get("/v1/me").headers["X-Request-Id"] for _ in range(2))
    assert first != second


def test_request_and_trace_ids_reach_the_history(product, people):
    claim = Claim(product, people["claimant"])
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    claim.session.post(claim.url + "/comments", json={"text": "traced"}, headers={
        "X-Request-Id": "order-4711", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    claim.session.post(claim.url + "/comments", json={"text": "malformed"}, headers={"traceparent": f"00-{'0' * 32}-bad-01"})
    traced, malformed = claim.get("/history?type=comment.added")["data"]
    assert (traced["request_id"], traced["trace_id"]) == ("order-4711", trace)
    assert re.fullmatch("[0-9a-f]{32}", malformed["trace_id"]) and malformed["trace_id"] not in (trace, "0" * 32)


def test_prefer_minimal_leaves_the_body_out(product, people):
    claim = Claim(product, people["claimant"])
    made = claim.session.post(claim.url + "/comments", json={"text": "short"}, headers={"Prefer": "return=minimal"})
    assert (made.status_code, made.content, made.headers["Preference-Applied"]) == (204, b"", "return=minimal")
    assert claim.session.get(made.headers["Location"]).json()["text"] == "short"
    patched = claim.session.patch(claim.url, json={"name": "Other"}, headers={"Prefer": "return=minimal"})
    assert patched.status_code == 204 and patched.headers["ETag"] == claim.etag()
    refused(claim.session.patch(claim.url, json={"name": 1}, headers={"Prefer": "return=minimal"}), 422, "validation_failed")
    whole = claim.session.patch(claim.url, json={"name": "Third"}, headers={"Prefer": "return=representation, wait=no"})
    assert whole.status_code == 200 and "Preference-Applied" not in whole.headers


def test_head_is_get_without_the_body(product, people):
    claim = Claim(product, people["claimant"])
    for path in (claim.url, claim.url + "/history", "/v1/claims", "/v1/me", claim.url + "/invoices", "/openapi.json",
                 "/problems/gone"):
        get, head = people["claimant"].get(path), people["claimant"].head(path)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("ETag", "Content-Length", "Content-Type", "Cache-Control", "Link"):
            assert head.headers.get(name) == get.headers.get(name), (path, name)
    gone = people["claimant"].head(other_url(claim))
    assert (gone.status_code, gone.content) == (404, b"")


def other_url(claim):
    return "/v1/claims/" + other_id(claim.id)


def test_what_a_path_has_is_told(product, people):
    anna = people["claimant"]
    claim = Claim(product, anna)
    for path, methods in ((claim.url, "GET, HEAD, PATCH, OPTIONS"), (claim.url + "/submit", "POST, OPTIONS"),
                          (claim.url + "/documents/x/content", "GET, HEAD, PUT, OPTIONS"), ("/livez", "GET, HEAD, OPTIONS")):
        options = anna.options(path)
        assert (options.status_code, options.content) == (204, b"")
        assert set(options.headers["Allow"].split(", ")) == set(methods.split(", ")), path
        for method in ("DELETE", "PUT", "PATCH", "TRACE", "PROPFIND", "GET", "POST"):
            if method not in methods:
                wrong = anna.request(method, path)
                refused(wrong, 405, "method_not_allowed")
                assert wrong.headers["Allow"] == options.headers["Allow"]
    for path in ("/", "/v1", "/v1/", "/v2/claims", "/v1/claims/", claim.url + "/", claim.url + "/nothing", "/V1/claims"):
        refused(anna.get(path), 404, "not_found")


def test_urls_are_paths(product, people):
    """A proxy that ends TLS or changes the host breaks nothing."""
    claim = Claim(product, people["claimant"])
    made = claim.session.post(claim.url + "/comments", json={"text": "x"}, headers={"Host": "claims.example.com"})
    assert made.headers["Location"].startswith("/v1/claims/")
    assert re.fullmatch(r'<(/v1/[^>]+)>; rel="next", <(/v1/[^>]+)>; rel="first"', claim.session.get(
        claim.url + "/history?limit=1", headers={"Host": "x.example"}).headers["Link"])


def test_every_code_has_a_page(product, people):
    people["claimant"].get("/v1/me")
    codes = {code for _, _, operation in contract(product).operations.values() for status, response in operation["responses"].items()
             if status >= "400" for code in re.findall(r"`([a-z_]+)`: ", response["description"])}
    codes |= OF_THE_SERVER
    assert len(codes) > 30
    for code in codes:
        page = requests.get(f"{product.base_url}/problems/{code}", timeout=30)
        assert page.status_code == 200 and page.headers["Content-Type"].startswith("text/html"), code
        assert f"<code>{code}</code>" in page.text
        assert page.headers["X-Content-Type-Options"] == "nosniff"
    refused(requests.get(product.base_url + "/problems/none_such", timeout=30), 404, "not_found")


# --- pages of other origins ---

ORIGIN = "https://portal.example.com"


@pytest.fixture(scope="module")
def open_product():
    with Product("--cors-origins", ORIGIN + ",http://localhost:3000") as running:
        yield running


def test_a_page_of_a_configured_origin_reads_all(open_product):
    anna = open_product.as_("claimant")
    for path, status in (("/v1/me", 200), ("/v1/claims/nope", 404), ("/nothing", 404), ("/v1/me?x=1", 400)):
        reply = anna.get(path, headers={"Origin": ORIGIN})
        assert reply.status_code == status
        assert reply.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "Access-Control-Allow-Credentials" not in reply.headers
        exposed = {name.lower() for name in reply.headers["Access-Control-Expose-Headers"].split(", ")}
        assert exposed >= {"etag", "location", "link", "x-request-id", "retry-after", "idempotent-replayed",
                           "preference-applied", "www-authenticate", "allow", "coopclaims-document"}
    refusal = open_product.anonymous().get("/v1/me", headers={"Origin": ORIGIN})
    assert refusal.status_code == 401 and refusal.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_a_preflight_is_answered_without_a_token(open_product):
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "PATCH",
             "Access-Control-Request-Headers": "authorization,if-match,idempotency-key"}
    reply = open_product.anonymous().options("/v1/claims/some", headers=asked)
    assert (reply.status_code, reply.content) == (204, b"")
    assert reply.headers["Access-Control-Max-Age"] == "7200"
    assert "PATCH" in reply.headers["Access-Control-Allow-Methods"]
    allowed = {name.lower() for name in reply.headers["Access-Control-Allow-Headers"].split(", ")}
    assert allowed >= {"authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "prefer",
                       "x-request-id", "traceparent", "tracestate"} and "*" not in allowed
    assert "Access-Control-Allow-Private-Network" not in reply.headers


def test_other_origins_get_nothing(open_product, product, people):
    for origin in ("https://evil.example", ORIGIN + ".evil.example", ORIGIN.upper(), "null", "http://portal.example.com"):
        reply = open_product.as_("claimant").get("/v1/me", headers={"Origin": origin})
        assert reply.status_code == 200 and "Access-Control-Allow-Origin" not in reply.headers
        assert "Origin" in reply.headers["Vary"]
    assert "Access-Control-Allow-Origin" not in people["claimant"].get("/v1/me", headers={"Origin": ORIGIN}).headers
