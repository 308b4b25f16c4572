"""Submits for the last money at the same moment: one gets it, the others are told, and no cent is counted twice."""
import os
import threading

import pytest

from claims import Claim, key, money
from funds import Funded, balances, entries
from product import Product

ROUNDS = 20
CLIENTS = 50
ROUNDS_OF_MANY = int(os.environ.get("COOPCLAIMS_ROUNDS", "4"))      # `make money-check` has 200


def test_one_of_two_gets_the_last_money(product):
    claims = []
    for role in ("claimant", "partner_admin"):
        claim = Claim(product, product.as_(role), activity="webinar", name=f"By {role}")
        claim.upload(purpose="proof", kind="agenda", requirement="poe_event", note="Agenda")
        claim.make("/metrics", {"key": "attendees", "value": "10"})
        claim.invoice("7000.00")
        claims.append(claim)
    account = "/v1/fund-accounts/" + claims[0].get()["fund_account_id"]
    won = [0, 0]
    for _ in range(ROUNDS):
        replies, gate = [None, None], threading.Barrier(2)

        def submit(i):
            gate.wait()
            replies[i] = claims[i].session.post(claims[i].url + "/submit", json={})

        threads = [threading.Thread(target=submit, args=(i,)) for i in (0, 1)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert sorted(reply.status_code for reply in replies) == [200, 422], [reply.text for reply in replies]
        winner = 0 if replies[0].status_code == 200 else 1
        won[winner] += 1
        loser = replies[1 - winner].json()
        assert loser["code"] == "insufficient_funds" and loser["errors"][0]["code"] == "insufficient_funds"
        money = claims[0].session.get(account).json()
        assert (money["remaining"]["amount"], money["reserved"]["amount"], money["planned"]["amount"]) == ("5000.00", "7000.00", "7000.00")
        assert claims[winner].get()["state"] == "submitted" and claims[1 - winner].get()["state"] == "editing"
        claims[winner].act("recall", {"reason": "Again"})
    money = claims[0].session.get(account).json()
    assert (money["remaining"]["amount"], money["reserved"]["amount"]) == ("12000.00", "0.00")
    rows = claims[0].session.get(account + "/ledger?limit=200").json()["data"]
    assert [row["type"] for row in rows if row["claim_id"]] == ["reserve", "release"] * ROUNDS
    assert sum(won) == ROUNDS
    assert "0 faults" in product.verify()


@pytest.fixture(scope="module")
def two_apis():
    """Two api processes: what one of them has in memory is not what the other has."""
    with Product("--apis", "2") as product:
        yield product


class Client(threading.Thread):
    """One of many: its own connection, its own claim on all the money; submits when the gate opens, in every round."""

    def __init__(self, programme, number, gate):
        super().__init__(daemon=True)
        session = programme.product.as_("partner_admin" if number % 2 else "claimant")
        self.claim, self.gate = programme.claim(session, 5000, name=f"Client {number}"), gate
        session.checked = False         # the contract of a submit is held elsewhere
        self.url, self.replies = self.claim.url + "/submit", []

    def run(self):
        try:
            for _ in range(ROUNDS_OF_MANY):
                self.gate.wait()
                self.replies.append(self.claim.session.post(self.url, json={}, headers={"Idempotency-Key": key()}))
                self.gate.wait()        # all have their answers
                self.gate.wait()        # the next round is prepared
        except BaseException:
            self.gate.abort()
            raise


def test_one_of_fifty_gets_the_last_money(two_apis):
    programme = Funded(two_apis)
    account = programme.open("partner_a", units=5000)
    gate = threading.Barrier(CLIENTS + 1, timeout=120)
    clients = [Client(programme, number, gate) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    won = []
    for number in range(ROUNDS_OF_MANY):
        gate.wait()
        gate.wait()
        replies = [client.replies[number] for client in clients]
        winners = [i for i, reply in enumerate(replies) if reply.status_code == 200]
        assert len(winners) == 1, [(reply.status_code, reply.text[:200]) for reply in replies]
        for i, reply in enumerate(replies):
            assert i in winners or (reply.status_code, reply.json()["code"]) == (422, "insufficient_funds"), reply.text
        now = balances(programme.finance, account)
        assert (now["reserved"], now["remaining"], now["planned"]) == ("5000.00", "0.00", f"{5000 * (CLIENTS - 1)}.00")
        clients[winners[0]].claim.act("recall", {"reason": "Again"})
        won.append(winners[0])
        gate.wait()
    for client in clients:
        client.join(60)
    assert entries(programme.finance, account)[:200] == ([("accrual", "5000.00")] + [
        ("reserve", "5000.00"), ("release", "5000.00")] * ROUNDS_OF_MANY)[:200]
    assert balances(programme.finance, account)["remaining"] == money("5000.00")["amount"]
    two_apis.verify()
