"""The history as a file, the ledger as a file, and the claim as it was at a time."""

import csv
import io
import socket

import pytest

from claims import Claim, refused
from product import PATIENCE, wait_for

CSV = {"Accept": "text/csv"}


@pytest.fixture(scope="module")
def rob(product):
    return product.as_("reviewer")


@pytest.fixture(scope="module")
def claim(product, rob):
    claim = Claim(product, product.as_("claimant"), name="=cmd|' /C calc'!A0").evidence().held(rob)
    claim.make("/comments", {"text": "between us", "visibility": "internal"}, session=rob)
    claim.make("/comments", {"text": "=1+1, \"quoted\"\nand a line", "visibility": "all"})
    claim.make("/decisions", {"outcome": "approved", "message": "Thanks"}, session=rob)
    return claim


def rows(reply):
    assert reply.status_code == 200, reply.text
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    return list(csv.DictReader(io.StringIO(reply.text, newline="")))


def test_history_as_csv_is_what_json_says(claim, rob):
    for session in (claim.session, rob):
        listed = session.get(claim.url + "/history", params={"limit": 200}).json()["data"]
        read = rows(session.get(claim.url + "/history", headers=CSV))
        assert [(int(r["sequence"]), r["occurred_at"], r["type"], r["actor_id"], r["hash"]) for r in read] == \
            [(e["sequence"], e["occurred_at"], e["type"], e["actor"]["id"], e["hash"]) for e in listed]
    assert len(rows(rob.get(claim.url + "/history", headers=CSV))) == len(read)
    mine = rows(claim.session.get(claim.url + "/history", headers=CSV))
    assert {r["visibility"] for r in mine} == {"all"} and {r["visibility"] for r in read} == {"all", "internal"}


def test_it_is_filtered_and_goes_on_from_a_cursor(claim, rob):
    read = rows(rob.get(claim.url + "/history", params={"type": "comment.*"}, headers=CSV))
    assert {r["type"] for r in read} == {"comment.added"} and len(read) == 2
    later = rows(rob.get(claim.url + "/history", params={"cursor": read[0]["sequence"], "limit": 1}, headers=CSV))
    assert [int(r["sequence"]) for r in later][0] == int(read[0]["sequence"]) + 1 and len(later) > 1
    refused(rob.get(claim.url + "/history", params={"from": "yesterday"}, headers=CSV), 400, "invalid_parameter")


def test_no_field_begins_like_a_formula(claim, rob):
    for row in rows(rob.get(claim.url + "/history", headers=CSV)):
        for value in row.values():
            assert value[:1] not in ("=", "+", "-", "@", "\t", "\r"), value


def test_json_is_what_everybody_else_gets(claim, rob):
    for accept in (None, "*/*", "application/json", "text/html, */*;q=0.1", "text/csv;q=0.4, application/json", "nonsense"):
        reply = rob.get(claim.url + "/history", headers={"Accept": accept})
        assert reply.headers["Content-Type"] == "application/json", accept
    assert "Accept" in reply.headers["Vary"].split(", ")
    head = rob.head(claim.url + "/history", headers=CSV)
    assert (head.status_code, head.content) == (200, b"") and head.headers["Content-Type"].startswith("text/csv")


def test_ledger_as_csv(product, claim):
    finance = product.as_("finance")
    url = f"/v1/fund-accounts/{claim.get()['fund_account_id']}/ledger"
    read = rows(finance.get(url, headers=CSV))
    listed = finance.get(url, params={"limit": 200}).json()["data"]
    assert [(int(r["sequence"]), r["type"], r["amount"], r["remaining"]) for r in read] == \
        [(e["sequence"], e["type"], e["amount"]["amount"], e["effect"].get("remaining", "")) for e in listed]
    assert {"reserve", "commit"} <= {r["type"] for r in read}


def test_one_who_leaves_in_the_middle_costs_nothing(product, claim, rob):
    pids = product.pids("api")
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", product.port), timeout=PATIENCE) as connection:
            connection.sendall(f"GET {claim.url}/history HTTP/1.1\r\nHost: a\r\nAccept: text/csv\r\n"
                               f"Authorization: {rob.headers['Authorization']}\r\n\r\n".encode())
            connection.recv(1)
    assert rob.get(claim.url).status_code == 200 and product.pids("api") == pids
    wait_for(lambda: "\ncoopclaims_http_connections 1\n" in product.anonymous().get("/metrics").text, seconds=120,
             what="the end of the others")


# --- as it was ---

def test_as_of_a_time_is_as_of_the_entry_before_it(claim, rob):
    for session in (claim.session, rob):
        for entry in session.get(claim.url + "/history", params={"limit": 200}).json()["data"]:
            same = [e["sequence"] for e in session.get(claim.url + "/history", params={
                "limit": 200, "from": entry["occurred_at"], "to": entry["occurred_at"]}).json()["data"]]
            at = session.get(claim.url, params={"as_of": entry["occurred_at"]})
            after = session.get(claim.url, params={"as_of_sequence": same[-1]})
            assert at.status_code == 200 and at.json() == after.json(), entry
    now = rob.get(claim.url).json()
    assert rob.get(claim.url, params={"as_of": "2999-01-01T00:00:00Z"}).json()["state"] == now["state"] == "approved"


def test_before_it_was_made_there_was_nothing(claim):
    made = claim.get()["created_at"]
    assert claim.get("", params={"as_of": made})["state"] == "editing"
    problem = refused(claim.session.get(claim.url, params={"as_of": "2001-01-01T00:00:00Z"}), 400, "invalid_parameter")
    assert made in problem["detail"]


@pytest.mark.parametrize("query", [{"as_of": "today"}, {"as_of": ""}, {"as_of": "2026-09-15T08:00:00Z", "as_of_sequence": "1"},
                                   {"as_of": "2026-09-15T08:00:00Z", "include": "history"}])
def test_what_cannot_be_meant_is_refused(claim, query):
    refused(claim.session.get(claim.url, params=query), 400, "invalid_parameter")
