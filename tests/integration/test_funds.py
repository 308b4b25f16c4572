"""Money by finance's hand: every entry type with every balance after it, what is refused, and the ledger that explains it."""

import pytest

from claims import at_once, key, money, refused

MAX = "10000000000000.00"       # 10^15 minor units


@pytest.fixture(scope="module")
def finance(product):
    return product.as_("finance")


@pytest.fixture(scope="module")
def account(product, finance):
    """Of the second partner, who makes no claims here."""
    rows = finance.get(f"/v1/fund-accounts?organization_id={product.sandbox['organizations']['partner_b']}").json()["data"]
    assert [row["earned"]["amount"] for row in rows] == ["5000.00"]
    return "/v1/fund-accounts/" + rows[0]["id"]


def balances(session, account):
    row = session.get(account).json()
    return {name: row[name]["amount"] for name in
            ("earned", "adjusted", "reserved", "approved", "paid", "expired", "remaining", "planned")}


def enter(session, account, kind, amount, status=201, reason="As agreed", currency="EUR", **members):
    reply = session.post(account + "/entries", json={"type": kind, "amount": money(amount, currency), "reason": reason, **members},
                         headers={"Idempotency-Key": key()})
    assert reply.status_code == status, reply.text
    return reply


# entry, then earned, adjusted, expired, remaining
STORY = [
    ("accrual", "1000.00", "6000.00", "0.00", "0.00", "6000.00"),
    ("adjust", "-500.00", "6000.00", "-500.00", "0.00", "5500.00"),
    ("adjust", "0.01", "6000.00", "-499.99", "0.00", "5500.01"),
    ("rollover_in", "250.00", "6000.00", "-249.99", "0.00", "5750.01"),
    ("rollover_out", "50.00", "6000.00", "-299.99", "0.00", "5700.01"),
    ("threshold_conversion", "700.01", "6000.00", "-1000.00", "0.00", "5000.00"),
    ("expire", "4999.99", "6000.00", "-1000.00", "4999.99", "0.01"),
]


def test_every_entry_moves_what_it_says(product, finance, account):
    before = finance.get(account + "/ledger?limit=200").json()["data"]
    for number, (kind, amount, earned, adjusted, expired, remaining) in enumerate(STORY):
        reply = enter(finance, account, kind, amount, external_reference=f"ERP-{number}")
        entry = reply.json()
        assert (entry["type"], entry["amount"], entry["reason"]) == (kind, money(amount), "As agreed")
        assert entry["external_reference"] == f"ERP-{number}" and entry["claim_id"] is None
        assert entry["actor"]["role"] == "finance" and account.endswith(entry["account_id"])
        assert finance.get(reply.headers["Location"]).json() == entry
        assert balances(finance, account) == {
            "earned": earned, "adjusted": adjusted, "reserved": "0.00", "approved": "0.00", "paid": "0.00",
            "expired": expired, "remaining": remaining, "planned": "0.00"}
    rows = finance.get(account + "/ledger?limit=200").json()["data"][len(before):]
    assert [(row["type"], row["amount"]["amount"]) for row in rows] == [row[:2] for row in STORY]
    # The partner reads the same, reasons too.
    assert product.as_("partner_b_admin").get(account + "/ledger?limit=200").json()["data"][len(before):] == rows
    types = [row["type"] for row in product.as_("partner_b_admin").get(account + "/ledger?type=adjust,expire").json()["data"]]
    assert types == ["adjust", "adjust", "expire"]


def test_a_ledger_is_read_in_pages_and_by_filters(finance, account):
    whole = finance.get(account + "/ledger?limit=200").json()["data"]
    rows, url = [], account + "/ledger?limit=3"
    while url:
        page = finance.get(url)
        rows += page.json()["data"]
        url = page.links["next"]["url"] if page.json()["has_more"] else None
    assert rows == whole and len(whole) > 3
    third = whole[2]
    some = finance.get(account + f"/ledger?from={third['created_at']}&limit=200").json()["data"]
    assert third in some and whole[0] not in some
    assert finance.get(account + f"/ledger?to={third['created_at']}&limit=200").json()["data"][-1]["created_at"] <= third["created_at"]
    assert finance.get(account + "/ledger?claim_id=clm_01J8ZQ4V6T3K9M2N5P7R8S9T00").json()["data"] == []
    assert refused(finance.get(account + "/ledger?from=yesterday"), 400, "invalid_parameter")
    assert refused(finance.get(account + "/ledger?cursor=x"), 400, "invalid_cursor")
    assert refused(finance.get(account + "/ledger/led_01J8ZQ4V6T3K9M2N5P7R8S9T00"), 404, "not_found")


REFUSED = [
    # entry, status, code, pointer, code of the member
    ("adjust", "-0.02", "insufficient_funds", "#", "insufficient_funds"),
    ("expire", "0.02", "insufficient_funds", "#", "insufficient_funds"),
    ("rollover_out", "9000.00", "insufficient_funds", "#", "insufficient_funds"),
    ("clawback", "0.01", "insufficient_funds", "#", "insufficient_funds"),
    ("accrual", "0.00", "validation_failed", "#/amount", "too_small"),
    ("accrual", "-1.00", "validation_failed", "#/amount", "too_small"),
    ("adjust", "0.00", "validation_failed", "#/amount", "too_small"),
    ("accrual", MAX, "validation_failed", "#/amount", "too_large"),             # what is there would pass it
    ("adjust", "10000000000000.01", "validation_failed", "#/amount", "too_large"),
    ("accrual", "1.0", "validation_failed", "#/amount", "invalid_money"),
    ("reserve", "1.00", "validation_failed", "#/type", "invalid_enum"),
    ("pay", "1.00", "validation_failed", "#/type", "invalid_enum"),
]


def test_what_may_not_be_entered_changes_nothing(product, finance, account):
    before = finance.get(account).content, finance.get(account + "/ledger?limit=200").content
    for kind, amount, code, pointer, fault in REFUSED:
        problem = refused(enter(finance, account, kind, amount, status=422), 422, code)
        assert any(row["code"] == fault and row["pointer"].startswith(pointer) for row in problem["errors"]), (kind, amount, problem)
    problem = refused(enter(finance, account, "accrual", "1", status=422, currency="JPY"), 422, "validation_failed")
    assert "currency_mismatch" in {row["code"] for row in problem["errors"]}
    problem = refused(enter(finance, account, "adjust", "1.00", status=422, reason=None), 422, "validation_failed")
    assert [(row["pointer"], row["code"]) for row in problem["errors"]] == [("#/reason", "required")]
    body = {"type": "accrual", "amount": money("1.00")}
    refused(finance.post(account + "/entries", json=body), 400, "invalid_header")
    for role in ("program_admin", "reviewer", "auditor", "partner_b_admin"):
        refused(product.as_(role).post(account + "/entries", json=body, headers={"Idempotency-Key": key()}), 403, "forbidden")
    for role in ("partner_admin", "claimant"):
        refused(product.as_(role).post(account + "/entries", json=body, headers={"Idempotency-Key": key()}), 404, "not_found")
    stale = finance.post(account + "/entries", json=body, headers={"Idempotency-Key": key(), "If-Match": '"1.0000000000000000"'})
    assert refused(stale, 412, "precondition_failed")["current_etag"].split(".")[0] == finance.get(account).headers["ETag"].split(".")[0]
    assert before == (finance.get(account).content, finance.get(account + "/ledger?limit=200").content)


def test_the_same_key_moves_money_once(finance, account):
    before = balances(finance, account)
    body, headers = {"type": "accrual", "amount": money("10.00")}, {"Idempotency-Key": key()}
    first = finance.post(account + "/entries", json=body, headers=headers)
    again = finance.post(account + "/entries", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201) and first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true" and again.headers["Location"] == first.headers["Location"]
    refused(finance.post(account + "/entries", json={**body, "amount": money("11.00")}, headers=headers), 422, "idempotency_key_reused")
    assert float(balances(finance, account)["earned"]) - float(before["earned"]) == 10


def test_an_account_is_opened_once(product, finance):
    s = product.sandbox
    body = {"organization_id": s["organizations"]["partner_a"], "program_id": s["program_id"], "period_id": s["period_id"],
            "currency": "EUR"}
    refused(finance.post("/v1/fund-accounts", json=body), 409, "already_exists")
    refused(product.as_("program_admin").post("/v1/fund-accounts", json=body), 403, "forbidden")
    refused(product.as_("partner_admin").post("/v1/fund-accounts", json=body), 403, "forbidden")
    nobody = {**body, "organization_id": s["organizations"]["vendor"], "currency": "XAU"}
    problem = refused(finance.post("/v1/fund-accounts", json=nobody), 422, "validation_failed")
    assert {row["pointer"] for row in problem["errors"]} == {"#/currency"}
    problem = refused(finance.post("/v1/fund-accounts", json={**nobody, "currency": "JPY"}), 422, "validation_failed")
    assert {row["pointer"]: row["code"] for row in problem["errors"]} == {
        "#/organization_id": "not_found", "#/currency": "currency_mismatch"}
    problem = refused(finance.post("/v1/fund-accounts", json={"period_id": "x"}), 422, "validation_failed")
    assert {row["pointer"] for row in problem["errors"]} == {"#/organization_id", "#/program_id", "#/period_id", "#/currency"}


def test_two_who_open_an_account_at_once_make_one(product):
    s = product.sandbox
    body = {"organization_id": s["organizations"]["partner_c"], "program_id": s["program_id"], "period_id": s["period_id"],
            "currency": "EUR"}
    sessions = [product.as_("finance") for _ in range(6)]
    replies = at_once(*[lambda session=session: session.post("/v1/fund-accounts", json=body) for session in sessions])
    assert sorted(reply.status_code for reply in replies) == [201] + [409] * 5, [reply.text for reply in replies]
    account = next(reply for reply in replies if reply.status_code == 201)
    assert account.json()["remaining"] == money("0.00") and sessions[0].get(account.headers["Location"]).json() == account.json()
    rows = sessions[0].get("/v1/fund-accounts?organization_id=" + s["organizations"]["partner_c"]).json()["data"]
    assert [row["id"] for row in rows] == [account.json()["id"]]


def test_nothing_is_lost(product):
    product.verify()
