"""Two at once: for the last money one gets it; the same key twice is one effect and one reply, given twice."""

import uuid

import pytest

from claims import at_once

MONEY = "12000.00"
ROUNDS = 15


def body(product, name):
    s = product.sandbox
    return {"name": name, "program_id": s["program_id"], "location_id": s["locations"]["partner_a"],
            "period_id": s["period_id"], "activity_id": s["activities"]["webinar"], "currency": "EUR"}


def ready_claim(product, session, net):
    """A claim that lacks nothing but its money."""
    day = product.sandbox["period"]["usage_from"]
    url = "/v1/claims/" + session.make("/v1/claims", body(product, "race"))["id"]
    tax = "0.00"
    session.make(url + "/invoices", {
        "number": str(uuid.uuid4())[:20], "supplier": {"name": "Studio Noord", "country": "NL"}, "invoice_date": day,
        "net": {"amount": net, "currency": "EUR"}, "tax": {"amount": tax, "currency": "EUR"},
        "gross": {"amount": net, "currency": "EUR"}})
    session.make(url + "/metrics", {"key": "attendees", "value": "5"})
    reply = session.post(url + "/documents", data={"purpose": "proof", "kind": "agenda", "requirement": "poe_event", "note": "n"},
                         files={"file": ("a.pdf", product.pdf(str(uuid.uuid4())))})
    assert reply.status_code == 201, reply.text
    assert product.wait_document(session, url, reply.json()["id"])["status"] == "ready"
    return url


def test_two_submits_for_the_last_money(product):
    session = product.as_("claimant")
    first, second = ready_claim(product, session, MONEY), ready_claim(product, session, "11999.99")
    account = session.get("/v1/fund-accounts").json()["data"][0]["id"]
    for _ in range(ROUNDS):
        one, two = product.as_("claimant"), product.as_("partner_admin")
        replies = at_once(lambda: one.post(first + "/submit", json={}), lambda: two.post(second + "/submit", json={}))
        statuses = sorted(reply.status_code for reply in replies)
        assert statuses == [200, 422], [reply.text for reply in replies]
        lost = next(reply for reply in replies if reply.status_code == 422)
        assert lost.json()["code"] == "insufficient_funds"
        won = first if replies[0].status_code == 200 else second
        remaining = session.get("/v1/fund-accounts/" + account).json()["remaining"]["amount"]
        assert remaining == ("0.00" if won == first else "0.01")
        assert session.post(won + "/recall", json={"reason": "again"}).status_code == 200
    product.verify()


@pytest.mark.parametrize("count", [2, 12])
def test_the_same_key_at_once_is_one_effect(product, count):
    key, wanted = str(uuid.uuid4()), body(product, "once " + str(uuid.uuid4()))
    sessions = [product.as_("claimant") for _ in range(count)]
    replies = at_once(*[lambda s=s: s.post("/v1/claims", json=wanted, headers={"Idempotency-Key": key}) for s in sessions])
    assert {reply.status_code for reply in replies} == {201}
    assert len({reply.content for reply in replies}) == 1
    assert sum("Idempotent-Replayed" not in reply.headers for reply in replies) == 1
    names = [row["name"] for row in sessions[0].get("/v1/claims?limit=200&sort=-created_at").json()["data"]]
    assert names.count(wanted["name"]) == 1
