"""Two submits for the last money at the same moment: one gets it, the other is told, and no cent is counted twice."""
import threading

from claims import Claim

ROUNDS = 20


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
