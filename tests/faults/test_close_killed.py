"""A period closes over many accounts while workers and the api are killed: each account is settled once, and no cent is lost."""

import random
import threading
import time

from claims import refused
from funds import Funded, after, balances, entries, move_clock
from product import wait_for

PROGRAMMES = 8
SIDES = ("partner_a", "partner_b", "partner_c")
UNITS = (100, 1000, 33.33)


def programmes(product):
    """Half of them roll over. Each has an account of each partner, one of which has money in a claim that is not decided."""
    made = []
    for number in range(PROGRAMMES):
        rolls = {"rollover_percent": "50.00"} if number % 2 else {}
        programme = Funded(product, thresholds=[{"amount": "50.00", "currency": "EUR"}], **rolls)
        programme.next = programme.add_period("Next", earning_from=11, earning_to=100, usage_from=31, usage_to=120, claiming_from=41,
                                              claiming_to=140, evidence_until=160)
        programme.accounts = [programme.open(side, units=units) for side, units in zip(SIDES, UNITS)]
        programme.held = programme.claim(product.as_("claimant"), 10)
        programme.held.act("submit")
        programme.rolls = bool(rolls)
        made.append(programme)
    return made


class Killer(threading.Thread):
    """Kills what does the work, as soon as it is there again, so many times."""

    VICTIMS = ("deadlines", "deadlines", "api") * 3

    def __init__(self, product):
        super().__init__(daemon=True)
        self.product, self.killed = product, []

    def run(self):
        for role in self.VICTIMS:
            wait_for(lambda role=role: self.product.pids(role), 120, f"a process {role}")
            time.sleep(random.uniform(0, 0.3))      # no synchronisation: so that they die at any point of their work
            self.killed.append(self.product.kill(role))


def closed(programme):
    """What is in the ledgers once the period is over; None while it is not."""
    ledgers = [entries(programme.finance, account) for account in programme.accounts]
    done = programme.rolls and ("rollover_out", "45.00") or ("expire", "90.00")
    return ledgers if done in ledgers[0] else None


def test_each_account_is_settled_once(product):
    made = programmes(product)
    day = after(made[0].period["evidence_until"])
    killer = Killer(product)
    killer.start()
    wait_for(lambda: moved(product, day), 120, "the clock's new time")
    killer.join(120)
    assert len(killer.killed) == len(Killer.VICTIMS)
    product.wait_ready()
    for programme in made:
        ledgers = wait_for(lambda programme=programme: all_of(product, programme), 180, "the close of every account")
        check(programme, ledgers)
    product.verify()


def moved(product, day):
    """A PUT whose answer was lost is sent again; that it lies behind by then says that it was done."""
    try:
        reply = product.as_("program_admin").put("/v1/clock", json={"now": day + "T00:00:00.000Z"})
    except OSError:
        return False
    if reply.status_code == 422:
        refused(reply, 422, "validation_failed")
        return True
    return reply.status_code in (200, 202)


def all_of(product, programme):
    """Its ledgers, when no timer of theirs is left to fire."""
    try:
        ledgers = closed(programme)
        states = [balances(programme.finance, account) for account in programme.accounts]
    except OSError:
        return None
    return ledgers if ledgers and all(row["remaining"] == "0.00" for row in states) else None


def check(programme, ledgers):
    start = [("accrual", "100.00"), ("reserve", "10.00")]
    if programme.rolls:
        assert ledgers[0] == start + [("rollover_out", "45.00"), ("expire", "45.00")]
        assert ledgers[1] == [("accrual", "1000.00"), ("rollover_out", "500.00"), ("expire", "500.00")]
    else:
        assert ledgers[0] == start + [("expire", "90.00")]
        assert ledgers[1] == [("accrual", "1000.00"), ("expire", "1000.00")]
    # Below the threshold when the earning period ended, on the same jump of the clock.
    assert ledgers[2] == [("accrual", "33.33"), ("threshold_conversion", "33.33")]
    rows = programme.finance.get(f"/v1/fund-accounts?program_id={programme.id}&period_id={programme.next['id']}").json()["data"]
    assert sorted(row["remaining"]["amount"] for row in rows) == (["45.00", "500.00"] if programme.rolls else [])
    # What is reserved stays with its claim, and expires as it comes back.
    assert balances(programme.finance, programme.accounts[0])["reserved"] == "10.00"
    programme.held.act("take", session=programme.product.as_("reviewer"))
    invoice = programme.held.get("/invoices")["data"][0]["id"]
    programme.held.make("/decisions", {"outcome": "rejected", "reason_codes": ["policy_exception"], "message": "No", "lines": [
        {"target": {"type": "invoice", "id": invoice}, "approved": {"amount": "0.00", "currency": "EUR"},
         "reason_codes": ["policy_exception"]}]}, programme.product.as_("reviewer"))
    assert entries(programme.finance, programme.accounts[0])[-2:] == [("release", "10.00"), ("expire", "10.00")]
