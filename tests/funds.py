"""Programmes with money in them, as tests need them: dates around today, activities without conditions, accounts with a balance."""

import datetime

from claims import Claim, key, money
from programs import activity_body, program_body

DIGITS = {"EUR": 2, "JPY": 0, "KWD": 3}


def today(product):
    """By the store's clock, in UTC."""
    return datetime.date.fromisoformat(product.as_("program_admin").get("/v1/clock").json()["now"][:10])


def amount(units, currency="EUR"):
    """Whole units as this currency writes them."""
    return f"{units:.{DIGITS[currency]}f}"


def days(product, **members):
    """A period that can be claimed from now on: earned in 10 days, claimed for 40, evidence for 60. Values are days from today."""
    names = {"earning_from": -200, "earning_to": 10, "usage_from": -20, "usage_to": 30, "claiming_from": -20, "claiming_to": 40,
             "evidence_until": 60, **members}
    first = today(product)
    return {name: (first + datetime.timedelta(days=shift)).isoformat() for name, shift in names.items()}


class Funded:
    """A programme of one currency with a period that runs."""

    def __init__(self, product, currency="EUR", caps=(), period=None, **members):
        self.product, self.currency = product, currency
        self.admin, self.finance = product.as_("program_admin"), product.as_("finance")
        self.id = self.admin.make("/v1/programs", program_body(currencies=[currency], time_zone="UTC", **members))["id"]
        self.url = "/v1/programs/" + self.id
        self.period = self.add_period("Runs", **(period or {}))
        rules = f"{self.url}/rule-sets/" + self.admin.make(self.url + "/rule-sets", {})["id"]
        self.activities = {name: self.admin.make(self.url + "/activities", activity_body(name, requirements=[], caps=list(of)))["id"]
                           for name, of in (("free", ()), ("capped", caps))}
        self.admin.make(rules + "/publish", {}, 200)
        reply = self.admin.patch(self.url, json={"state": "active"}, headers={"Idempotency-Key": key()})
        assert reply.status_code == 200, reply.text

    def add_period(self, name, **members):
        return self.admin.make(self.url + "/periods", {"name": name, **days(self.product, **members)})

    def open(self, side, period=None, units=None):
        """A partner's account; its URL."""
        url = "/v1/fund-accounts/" + self.finance.make("/v1/fund-accounts", {
            "organization_id": self.product.sandbox["organizations"][side], "program_id": self.id,
            "period_id": (period or self.period)["id"], "currency": self.currency})["id"]
        if units is not None:
            self.enter(url, "accrual", units)
        return url

    def enter(self, account, kind, units):
        return self.finance.make(account + "/entries", {"type": kind, "amount": money(amount(units, self.currency), self.currency),
                                                        "reason": "As agreed"})

    def claim(self, session, units, activity="free", side="partner_a", **members):
        """A draft that lacks nothing."""
        claim = Claim(self.product, session, activity=None, side=side, program_id=self.id, period_id=self.period["id"],
                      activity_id=self.activities[activity], currency=self.currency, **members)
        worth = money(amount(units, self.currency), self.currency)
        claim.make("/invoices", {"number": key()[:20], "supplier": {"name": "Studio Noord"}, "invoice_date": self.period["usage_from"],
                                 "net": worth, "tax": money(amount(0, self.currency), self.currency), "gross": worth})
        return claim


def move_clock(product, day, time="00:00:00.000Z"):
    """Forward to that date in UTC; timers have fired."""
    reply = product.as_("program_admin").put("/v1/clock", json={"now": f"{day}T{time}"})
    assert reply.status_code == 200, reply.text


def after(date):
    return (datetime.date.fromisoformat(date) + datetime.timedelta(days=1)).isoformat()


def balances(session, account):
    row = session.get(account).json()
    return {name: row[name]["amount"] for name in
            ("earned", "adjusted", "reserved", "approved", "paid", "expired", "remaining", "planned")}


def entries(session, account):
    """[(type, amount)] of the whole ledger."""
    return [(row["type"], row["amount"]["amount"]) for row in session.get(account + "/ledger?limit=200").json()["data"]]
