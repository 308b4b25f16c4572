"""One claim from the first form to the decision, as api/README.md section 12 walks it, over HTTP, with every value."""
import uuid

import pytest


def money(amount, currency="EUR"):
    return {"amount": amount, "currency": currency}


def post(session, url, body, status, **headers):
    headers.setdefault("Idempotency-Key", str(uuid.uuid4()))
    reply = session.post(url, json=body, headers=headers)
    assert reply.status_code == status, reply.text
    return reply


AGENDA = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100"
    "18dd8db00000000049454e44ae426082")


def upload(session, claim, fields, name, content, status=201):
    reply = session.post(claim + "/documents", data=fields, files={"file": (name, content)},
                         headers={"Idempotency-Key": str(uuid.uuid4())})
    assert reply.status_code == status, reply.text
    return reply.json()


@pytest.fixture(scope="module")
def story(product):
    """Walks the whole claim once; the tests below look at what came of it."""
    s = product.sandbox
    anna, rob = product.as_("claimant"), product.as_("reviewer")
    out = {"anna": anna, "rob": rob}

    reply = post(anna, "/v1/claims", {
        "name": "Autumn webinar", "program_id": s["program_id"], "location_id": s["locations"]["partner_a"],
        "period_id": s["period_id"], "activity_id": s["activities"]["webinar"], "currency": "EUR"}, 201)
    claim = reply.json()
    c = reply.headers["Location"]
    out["claim"], out["url"] = claim, c
    assert c == "/v1/claims/" + claim["id"]
    assert reply.headers["ETag"].startswith('"1.')
    assert claim["state"] == "editing"
    assert {row["code"] for row in claim["blocked_by"]["submit"]} >= {"cost_missing", "requirement_missing", "metric_missing"}

    day = s["period"]["usage_from"]
    ivc = post(anna, c + "/invoices", {
        "number": "2026-771", "supplier": {"name": "Studio Noord", "tax_id": "NL001234567B01", "country": "NL"},
        "invoice_date": day, "net": money("4000.00"), "tax": money("840.00"), "gross": money("4840.00")}, 201).json()
    assert ivc["claimed"] == money("4000.00")
    document = upload(anna, c, {"purpose": "invoice", "invoice_id": ivc["id"]}, "inv.pdf", product.pdf("Invoice 2026-771"))
    out["invoice_document"] = product.wait_document(anna, c, document["id"])

    csr = post(anna, c + "/csrs", {
        "title": "In-house production",
        "lines": [{"person": "A. Visser", "role": "designer", "hours": "20.00", "rate": money("45.00"), "from": day, "to": day}],
        "certified": {"by_name": "M. Jansen", "by_title": "Controller", "at": "2026-09-15T08:00:00.000Z"}}, 201).json()
    assert csr["total"] == money("900.00")
    out["csr"] = csr

    invitation = post(anna, c + "/invitations", {
        "email": "bas@example.com", "name": "Bas",
        "ask_for": [{"requirement": "poe_event", "text": "Please add the agenda"}]}, 201).json()
    token = invitation["url"].split("token=")[1]
    accepted = product.anonymous().post("/v1/invitations/accept", json={"token": token})
    assert accepted.status_code == 200, accepted.text
    assert accepted.json()["claim_id"] == claim["id"]
    bas = product.with_token(accepted.json()["access_token"])
    out["bas"] = bas
    doc2 = upload(bas, c, {"purpose": "proof", "kind": "agenda", "requirement": "poe_event", "note": "Agenda as mailed"},
                  "agenda.png", AGENDA)
    assert doc2["status"] == "scanning"
    assert product.wait_document(bas, c, doc2["id"])["status"] == "ready"

    post(anna, c + "/metrics", {"key": "attendees", "value": "84"}, 201)
    comment = post(anna, c + "/comments", {"text": "Agenda is in", "visibility": "all"}, 201).json()
    out["comment"] = comment

    valid = post(anna, c + "/validate", {}, 200).json()
    assert valid["ok"] is True and valid["errors"] == []
    assert valid["claimed"] == money("4900.00") and valid["reserve"] == money("4900.00")

    seen = anna.get(c)
    assert seen.headers["ETag"].startswith('"6.')
    submitted = post(anna, c + "/submit", {}, 200, **{"If-Match": seen.headers["ETag"]}).json()
    assert submitted["state"] == "submitted" and submitted["waiting_on"] == "reviewer"
    account = anna.get("/v1/fund-accounts/" + submitted["fund_account_id"]).json()
    assert account["remaining"] == money("7100.00") and account["reserved"] == money("4900.00")
    assert account["planned"] == money("0.00")

    assert post(rob, c + "/take", {}, 200).json()["state"] == "under_review"
    requests = post(rob, c + "/requests", {"items": [{
        "target": {"type": "document", "id": doc2["id"]}, "reason_code": "proof_not_legible",
        "message": "No date to be seen"}]}, 201).json()
    request = requests["data"][0]
    out["request"] = request
    assert request["state"] == "open" and request["due_on"]
    asked = anna.get(c).json()
    assert asked["state"] == "action_required"
    assert asked["requirements"][0]["status"] == "rejected" and asked["requirements"][0]["rejected"] == [doc2["id"]]
    assert [row["code"] for row in asked["blocked_by"]["resubmit"]] == ["open_requests"]

    doc3 = upload(anna, c, {"replaces": doc2["id"]}, "agenda-sharp.png", AGENDA + b"sharper")
    assert product.wait_document(anna, c, doc3["id"])["version"] == 2
    early = anna.post(c + "/resubmit", json={"message": "Thanks"})
    assert early.status_code == 409 and early.json()["code"] == "open_requests"
    answered = post(anna, c + "/requests/" + request["id"] + "/answers",
                    {"message": "Sharper copy", "document_ids": [doc3["id"]]}, 201).json()
    assert answered["state"] == "answered"
    assert post(anna, c + "/resubmit", {"message": "Thanks"}, 200).json()["state"] == "submitted"
    taken = post(rob, c + "/take", {}, 200)
    assert taken.headers["ETag"].startswith('"13.')
    assert taken.json()["state"] == "under_review"
    decision = post(rob, c + "/decisions", {
        "outcome": "partially_approved", "message": "Approved at a lower rate",
        "lines": [{"target": {"type": "csr", "id": csr["id"]}, "approved": money("500.00"),
                   "reason_codes": ["rate_above_limit"], "note": "25.00 an hour"}]}, 201,
        **{"If-Match": taken.headers["ETag"]}).json()
    assert decision["approved"] == money("4500.00")
    out["decision"] = decision
    return out


def test_the_claim_ends_partially_approved(story):
    claim = story["anna"].get(story["url"]).json()
    assert claim["state"] == "partially_approved"
    assert claim["payment"]["status"] == "payable"
    assert claim["totals"]["approved"] == money("4500.00")
    assert claim["totals"]["reduced"] == money("400.00")


def test_the_account_says_where_the_money_is(story):
    claim = story["anna"].get(story["url"]).json()
    account = story["anna"].get("/v1/fund-accounts/" + claim["fund_account_id"]).json()
    assert account["remaining"] == money("7500.00")
    assert account["reserved"] == money("0.00")
    assert account["approved"] == money("4500.00")
    ledger = story["anna"].get("/v1/fund-accounts/" + claim["fund_account_id"] + "/ledger").json()["data"]
    assert [(row["type"], row["amount"]["amount"]) for row in ledger[-3:]] == [
        ("reserve", "4900.00"), ("commit", "4500.00"), ("release", "400.00")]


def test_history_has_each_effect_once_and_in_order(story):
    rows = story["anna"].get(story["url"] + "/history?limit=200").json()["data"]
    assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
    people = [row["type"] for row in rows if row["actor"]["type"] != "worker"]
    assert people == [
        "claim.created", "invoice.added", "document.uploaded", "csr.added", "collaborator.invited", "collaborator.joined",
        "document.uploaded", "metric.added", "comment.added", "claim.submitted", "claim.under_review", "request.created",
        "claim.action_required", "document.replaced", "request.answered", "claim.submitted", "claim.under_review",
        "request.closed", "decision.made", "claim.partially_approved", "payment.status_changed"]
    machine = [row["type"] for row in rows if row["actor"]["type"] == "worker" and not row["type"].startswith("check.")]
    assert machine == ["document.ready"] * 3
    for before, after in zip(rows, rows[1:]):
        assert after["prev_hash"] == before["hash"]


def test_proof_lets_anyone_verify_the_chain(story):
    import hashlib
    rows = story["anna"].get(story["url"] + "/history/proof").json()["data"]
    previous = "0" * 64
    for row in rows:
        assert hashlib.sha256((previous + row["body_hash"]).encode()).hexdigest() == row["hash"]
        previous = row["hash"]
    assert previous == story["anna"].get(story["url"] + "/history?limit=200").json()["data"][-1]["hash"]


def test_the_claim_as_it_was(story):
    first = story["anna"].get(story["url"] + "?as_of_sequence=1").json()
    assert first["state"] == "editing" and first["sequence"] == 1
    assert "allowed_actions" not in first and "blocked_by" not in first


def test_another_organisation_sees_nothing(story, product):
    other = product.as_("partner_b_claimant")
    for path in ("", "/history", "/documents", "/invoices", "/comments", "/history/proof"):
        assert other.get(story["url"] + path).status_code == 404
    assert other.post(story["url"] + "/recall", json={"reason": "x"}).status_code == 404
    assert story["url"].split("/")[-1] not in other.get("/v1/claims").text


def test_the_store_verifies(story, product):
    product.verify()
