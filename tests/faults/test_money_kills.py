"""Random histories over HTTP while api processes are killed: every answer is true, each entry is there once, and it all adds up."""

import os
import random
import threading
import time
from decimal import Decimal

import pytest
import requests

from claims import key, money
from funds import Funded, amount
from product import Product, wait_for

TIMES = max(1, int(os.environ.get("COOPCLAIMS_ROUNDS", "4")) // 4)
COMMANDS = 120 * TIMES          # of each of those who work
KILLS = 4 * TIMES
CURRENCIES = ("EUR", "JPY", "KWD")
BALANCES = ("earned", "adjusted", "reserved", "approved", "paid", "expired")


@pytest.fixture(scope="module")
def product():
    with Product("--apis", "2") as running:
        yield running


class Worker(threading.Thread):
    """Sends one command after the other, each with its key until there is an answer that is one."""

    def __init__(self, product, number, accounts, claims):
        super().__init__(daemon=True)
        self.random, self.product, self.accounts, self.claims = random.Random(number), product, accounts, claims
        self.sessions = {role: product.as_(role) for role in ("claimant", "partner_admin", "reviewer", "reviewer_2", "finance")}
        self.entries, self.fault, self.done = [], None, 0

    def run(self):
        try:
            for number in range(COMMANDS):
                self.command(number)
        except BaseException as fault:      # shown by the test: a thread's own traceback is lost
            self.fault = repr(fault)

    def send(self, role, url, body):
        headers, end = {"Idempotency-Key": key()}, time.monotonic() + 120
        while time.monotonic() < end:
            try:
                reply = self.sessions[role].post(url, json=body, headers=headers)
            except requests.RequestException:
                continue
            if reply.status_code < 500 and not (reply.status_code == 409 and reply.json()["code"] in ("busy", "idempotency_in_progress")):
                self.done += reply.status_code < 300
                return reply
            time.sleep(0.05)        # no synchronisation: the pause of a polite client
        raise AssertionError(f"no answer to {url}")

    def command(self, number):
        if number % 4 == 0:
            self.enter()
            return
        claim = self.random.choice(self.claims)
        role, action, body = self.random.choice((
            ("claimant", "submit", {}), ("partner_admin", "submit", {}), ("claimant", "recall", {"reason": "Again"}),
            ("reviewer", "take", {}), ("reviewer_2", "take", {}), ("reviewer", "release", {"reason": "Later"}),
            ("reviewer_2", "release", {"reason": "Later"}), ("reviewer", "decisions", {"outcome": "approved", "message": "Yes"}),
            ("reviewer_2", "decisions", {"outcome": "rejected", "message": "No", "reason_codes": ["policy_exception"]})))
        self.send(role, f"{claim.url}/{action}", body)

    def enter(self):
        programme, account = self.random.choice(self.accounts)
        kind = self.random.choice(("accrual", "accrual", "adjust", "expire", "rollover_out"))
        units = self.random.randrange(1, 400) * (-1 if kind == "adjust" and self.random.random() < 0.5 else 1)
        reference = key()
        reply = self.send("finance", account + "/entries", {
            "type": kind, "amount": money(amount(units, programme.currency), programme.currency), "reason": "Because",
            "external_reference": reference})
        if reply.status_code == 201:
            self.entries.append((account, reply.json()["id"], reference))


def test_money_adds_up_whoever_dies(product):
    accounts, claims = [], []
    for currency in CURRENCIES:
        programme = Funded(product, currency, caps=[{"kind": "percent_of_earned", "percent": "60.00"}])
        accounts.append((programme, programme.open("partner_a", units=2000)))
        claims += [programme.claim(product.as_("claimant"), units, activity) for units, activity in
                   ((900, "free"), (700, "capped"), (1500, "free"), (800, "capped"))]
    workers = [Worker(product, number, accounts, claims) for number in range(4)]
    for worker in workers:
        worker.start()
    for _ in range(KILLS):
        wait_for(lambda: len(product.pids("api")) == 2 or not any(worker.is_alive() for worker in workers), 120, "two apis")
        time.sleep(random.uniform(0.05, 0.4))       # no synchronisation: they die at any point of their work
        product.kill("api")
    for worker in workers:
        worker.join(300)
        assert not worker.is_alive() and worker.fault is None, worker.fault
    product.wait_ready()
    for programme, account in accounts:
        add_up(programme, account, claims)
    for worker in workers:
        assert worker.done > 5
        for account, entry, reference in worker.entries:
            row = accounts[0][0].finance.get(f"{account}/ledger/{entry}").json()
            assert row["external_reference"] == reference
    product.verify()


def ledger(programme, account):
    rows, url = [], account + "/ledger?limit=200"
    while url:
        page = programme.finance.get(url)
        rows += page.json()["data"]
        url = page.links["next"]["url"] if page.json()["has_more"] else None
    return rows


def add_up(programme, account, claims):
    """Balances are the sums of the entries, none was ever below zero, and what is set aside is what the claims hold."""
    sums = dict.fromkeys((*BALANCES, "remaining"), Decimal(0))
    for row in ledger(programme, account):
        for name, change in row["effect"].items():
            sums[name] += Decimal(change)
            assert sums[name] >= 0 or name == "adjusted", row
        assert sums["remaining"] == sums["earned"] + sums["adjusted"] - sum(sums[name] for name in BALANCES[2:]), row
    references = [row["external_reference"] for row in ledger(programme, account) if row["external_reference"]]
    assert len(references) == len(set(references)), "an entry is there twice"
    shown = programme.finance.get(account).json()
    assert {name: Decimal(shown[name]["amount"]) for name in sums} == sums
    mine = [claim.get() for claim in claims if account.endswith(claim.body["fund_account_id"])]
    held = {"reserved": ("submitted", "under_review"), "approved": ("approved",), "planned": ("editing",)}
    for name, states in held.items():
        assert Decimal(shown[name]["amount"]) == sum(
            Decimal(claim["totals"]["claimed"]["amount"]) for claim in mine if claim["state"] in states), name
