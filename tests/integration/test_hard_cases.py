"""What once broke, or could have: requests that reach rules before they should, keys that meet, two at one comment."""

import http.client
import json
import os
import re
import threading
import uuid

import pytest
import requests

from claims import Claim, other_id, refused
from contract import Contract
from product import PATIENCE, pdf


@pytest.fixture(scope="module")
def anna(product):
    return product.as_("claimant")


@pytest.fixture(scope="module")
def claim(product, anna):
    return Claim(product, anna)


def alive(product, pids):
    assert product.pids("api") == pids, "the api was started again"


def test_a_body_cut_off_needs_no_token(product):
    pids = product.pids("api")
    for path in ("/v1/invitations/accept", "/v1/invitations/preview"):
        for body in ("{", "[", "\"", "{\"token\":", "nul"):
            reply = product.anonymous().post(path, data=body, headers={"Content-Type": "application/json"})
            assert (reply.status_code, reply.json()["code"]) == (400, "invalid_json"), reply.text
    alive(product, pids)


def test_what_is_not_there_is_not_found_by_any_write(product, anna, claim):
    pids = product.pids("api")
    for method, route, operation in Contract.of[product.base_url].operations.values():
        if method == "GET" or not route.startswith("/v1/claims/{id}"):
            continue
        url = route.replace("{id}", other_id(claim.id)).replace("{item}", other_id(claim.id).replace("clm_", "doc_"))
        reply = anna.request(method, url, json={"name": "x", "purpose": "proof", "text": "x"})
        assert reply.status_code in (404, 415), (method, url, reply.text)
    alive(product, pids)


def test_a_token_that_may_read_writes_nothing(product, anna, claim):
    reader = product.with_token(product.run("token", "anna@noord.example", "claims:read").stdout.strip())
    assert reader.get(claim.url).status_code == 200
    items = {"ivc": claim.invoice()["id"], "csr": claim.csr()["id"], "cmt": claim.make("/comments", {"text": "mine"})["id"]}
    before = claim.get()
    checked = 0
    for method, route, operation in Contract.of[product.base_url].operations.values():
        if method == "GET" or not route.startswith("/v1/claims"):
            continue
        kind = {"invoices": "ivc", "csrs": "csr", "comments": "cmt"}.get(route.split("/")[4] if route.count("/") > 3 else "", "doc")
        url = route.replace("{id}", claim.id).replace("{item}", items.get(kind, "doc_" + other_id(claim.id)[4:]))
        reply = reader.request(method, url, json={})
        if route.endswith("/audit-pack"):       # its scope is to read; who may have a claim packed is asked by role
            refused(reply, 403, "forbidden")
            continue
        assert (reply.status_code, reply.json()["code"]) == (403, "insufficient_scope"), (method, url, reply.text)
        assert reply.headers["WWW-Authenticate"] == 'Bearer realm="coopclaims", error="insufficient_scope"'
        checked += 1
    form = reader.post(claim.url + "/documents", data={"purpose": "proof", "kind": "agenda", "note": "n"},
                       files={"file": ("a.pdf", pdf("a"))})
    assert form.status_code == 403, form.text
    assert checked > 25 and claim.get() == before


def test_a_kept_reply_needs_the_scope_too(product, anna, claim):
    one = str(uuid.uuid4())
    body = {"text": "kept"}
    admin = product.as_("partner_admin")        # the same person as below, with another token
    assert admin.post(claim.url + "/comments", json=body, headers={"Idempotency-Key": one}).status_code == 201
    reader = product.with_token(product.run("token", "anna@noord.example", "claims:read").stdout.strip())
    reply = reader.post(claim.url + "/comments", json=body, headers={"Idempotency-Key": one})
    assert (reply.status_code, reply.json()["code"]) == (403, "insufficient_scope"), reply.text


def test_two_links_and_one_key(product, anna, claim):
    """A key is of whoever made it: a second link with the same one is another person."""
    tokens = []
    for name in ("bas", "bea"):
        url = claim.make("/invitations", {"email": f"{name}@example.com"})["url"]
        reply = product.anonymous().post("/v1/invitations/accept", json={"token": url[url.index("cin_"):]},
                                         headers={"Idempotency-Key": "accept"})
        assert reply.status_code == 200 and "Idempotent-Replayed" not in reply.headers, reply.text
        tokens.append(reply.json()["access_token"])
    people = [product.with_token(token).get("/v1/me").json()["collaborator"]["email"] for token in tokens]
    assert people == ["bas@example.com", "bea@example.com"]


def test_a_comment_that_was_removed_stays_so(product, claim):
    """One changes it while another takes it away, at once: whatever comes first, what is gone does not come back."""
    sessions = [product.as_("claimant") for _ in range(4)]
    for _ in range(15):
        url = claim.url + "/comments/" + claim.make("/comments", {"text": "first"})["id"]
        replies = []

        def change(session, number):
            if number == 0:
                replies.append(("DELETE", session.delete(url).status_code))
            else:
                replies.append(("PATCH", session.patch(url, json={"text": f"by {number}"}).status_code))

        threads = [threading.Thread(target=change, args=(session, i)) for i, session in enumerate(sessions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ("DELETE", 204) in replies and {status for _, status in replies} <= {200, 204, 404}, replies
        assert sessions[0].get(url).status_code == 404
        kinds = [row["type"] for row in claim.get("/history?limit=200")["data"] if url.split("/")[-1] in row["refs"]]
        assert kinds[0] == "comment.added" and kinds[-1] == "comment.removed" and kinds.count("comment.removed") == 1, kinds


def test_pages_of_comments_leave_nothing_out(product, anna):
    claim, rob = Claim(product, anna), product.as_("reviewer")
    wanted = []
    for i in range(30):
        made = claim.make("/comments", {"text": f"comment {i}", "visibility": "internal" if i % 3 == 0 else "all"},
                          rob if i % 3 == 0 else anna)
        if i % 5 == 0:
            assert (rob if i % 3 == 0 else anna).delete(f"{claim.url}/comments/{made['id']}").status_code == 204
        elif i % 3:
            wanted.append(made["id"])
    for limit in (1, 4, 16, 200):
        seen, cursor = [], ""
        while cursor is not None:
            page = claim.get(f"/comments?limit={limit}&include_total=true{cursor}")
            assert page["total"] == len(wanted) and len(page["data"]) <= limit
            seen += [row["id"] for row in page["data"]]
            cursor = "&cursor=" + page["next_cursor"] if page["has_more"] else None
        assert seen == wanted, limit
    everything = claim.get("/comments?limit=200&include_total=true", rob)
    assert everything["total"] == len(everything["data"]) == 24
    assert [row["id"] for row in claim.get("?include=comments")["comments"]] == wanted


def test_a_draft_moves_within_what_there_is(product, anna):
    claim, s = Claim(product, anna), product.sandbox
    assert anna.patch(claim.url, json={"period_id": s["period_id"], "location_id": s["locations"]["partner_a"]}).status_code == 200
    for member, wrong in (("period_id", other_id(s["period_id"])), ("program_id", other_id(s["program_id"])),
                          ("location_id", s["locations"]["partner_b"]), ("location_id", other_id(s["locations"]["partner_a"]))):
        reply = anna.patch(claim.url, json={member: wrong})
        assert reply.status_code == 422 and reply.json()["errors"][0]["pointer"] == "#/" + member, reply.text
        assert reply.json()["errors"][0]["code"] == "not_found"


def test_location_is_of_the_row_however_the_path_was_written(product, anna, claim):
    path = "/v1/%63laims/" + "".join(f"%{ord(c):02x}" for c in claim.id) + "/comments"
    connection = http.client.HTTPConnection("127.0.0.1", product.port, timeout=PATIENCE)
    connection.request("POST", path, b'{"text": "x"}', {"Content-Type": "application/json", "Authorization":
                                                        anna.headers["Authorization"]})
    reply = connection.getresponse()
    body = reply.read()
    assert reply.status == 201, body
    assert re.fullmatch(re.escape(claim.url) + r"/comments/cmt_\w{26}", reply.headers["Location"])
    connection.request("POST", path.replace("comments", "invoices"), json.dumps(claim.invoice_body(number="9")).encode(),
                       {"Content-Type": "application/json", "Authorization": anna.headers["Authorization"]})
    reply = connection.getresponse()
    assert reply.status == 201, reply.read()
    assert re.fullmatch(re.escape(claim.url) + r"/invoices/ivc_\w{26}", reply.headers["Location"])


def test_a_content_that_is_gone_is_a_problem_alone(product, anna, claim):
    made = anna.post(claim.url + "/documents", data={"purpose": "proof", "kind": "agenda", "note": "n"},
                     files={"file": ("a.pdf", pdf(str(uuid.uuid4())))}).json()
    ready = product.wait_document(anna, claim.url, made["id"])
    digest = ready["sha256"]
    os.unlink(os.path.join(product.data, "blobs", digest[:2], digest[2:4], digest))
    reply = requests.get(f"{product.base_url}{claim.url}/documents/{made['id']}/content", timeout=PATIENCE, stream=True,
                         headers={"Authorization": anna.headers["Authorization"]})
    assert reply.status_code == 500
    assert reply.raw.headers.getlist("Content-Type") == ["application/problem+json"]
    assert not {"ETag", "Content-Disposition", "Repr-Digest", "Accept-Ranges"} & set(reply.headers)


def test_the_operator_learns_of_no_claim(product, claim):
    page = product.as_("operator").get("/v1/claims?limit=1")
    assert page.status_code == 403 or (page.json()["data"] == [] and page.json()["next_cursor"] is None), page.text


def test_the_store_is_sound_after_all_this(product):
    product.verify()
