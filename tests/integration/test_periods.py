"""What dates do to money, over HTTP: the worked story with every balance, thresholds, the close, what rolls over; each once."""

import pytest

from claims import refused
from funds import Funded, after, amount, balances, entries, move_clock
from product import Receiver, wait_for


@pytest.fixture(scope="module")
def people(product):
    return {role: product.as_(role) for role in product.sandbox["tokens"]}


def assert_money(finance, account, currency, planned=0, **units):
    """Every balance, in whole units; those that are not named are zero."""
    assert balances(finance, account) == {
        name: amount(units.get(name, 0), currency) for name in
        ("earned", "adjusted", "reserved", "approved", "paid", "expired", "remaining")} | {"planned": amount(planned, currency)}


def lines(claim, units, currency):
    """A decision about the one invoice of the claim."""
    invoice = claim.get("/invoices")["data"][0]["id"]
    return [{"target": {"type": "invoice", "id": invoice}, "approved": {"amount": amount(units, currency), "currency": currency},
             "reason_codes": ["amount_not_supported"]}]


class Story:
    """A programme in one currency, up to the day before its period closes."""

    def __init__(self, product, people, currency):
        self.currency, self.finance, anna, rob = currency, people["finance"], people["claimant"], people["reviewer"]
        self.programme = programme = Funded(product, currency, caps=[{"kind": "percent_of_earned", "percent": "25.00"}],
                                            thresholds=[{"amount": amount(10000, currency), "currency": currency}])
        self.account = programme.open("partner_a")
        self.money()
        programme.enter(self.account, "accrual", 40000)
        self.money(earned=40000, remaining=40000)
        a, b = programme.claim(anna, 5000), programme.claim(anna, 10000, "capped")
        big = programme.claim(anna, 12000, "capped")
        self.money(earned=40000, remaining=40000, planned=27000)
        a.act("submit")
        self.money(earned=40000, reserved=5000, remaining=35000, planned=22000)
        a.act("take", session=rob)
        a.make("/decisions", {"outcome": "partially_approved", "message": "Less", "lines": lines(a, 4200, currency)}, rob)
        self.money(earned=40000, approved=4200, remaining=35800, planned=22000)

        problem = refused(anna.post(big.url + "/submit", json={}), 422, "cap_exceeded")
        params = problem["errors"][0]["params"]
        assert [params[name]["amount"] for name in ("limit", "used", "base")] == [
            amount(units, currency) for units in (10000, 0, 40000)]
        big.act("cancel")
        b.act("submit")
        self.money(earned=40000, reserved=10000, approved=4200, remaining=25800)
        programme.enter(self.account, "adjust", -8000)
        self.money(earned=40000, adjusted=-8000, reserved=10000, approved=4200, remaining=17800)
        b.act("take", session=rob)
        whole = rob.post(b.url + "/decisions", json={"outcome": "approved", "message": "All of it"})
        assert refused(whole, 422, "cap_exceeded")["errors"][0]["params"]["limit"]["amount"] == amount(8000, currency)
        b.make("/decisions", {"outcome": "partially_approved", "message": "The cap", "lines": lines(b, 8000, currency)}, rob)
        self.money(earned=40000, adjusted=-8000, approved=12200, remaining=19800)
        self.caps_are_explained()
        self.a, self.b = a, b

    def money(self, planned=0, **units):
        assert_money(self.finance, self.account, self.currency, planned, **units)

    def caps_are_explained(self):
        """Each entry that used a cap says what it was counted with; the account shows it as it is now."""
        rows = self.finance.get(self.account + "/ledger?limit=200&type=reserve,commit").json()["data"]
        caps = [row["cap"] and (row["cap"]["base"]["amount"], row["cap"]["limit"]["amount"], row["cap"]["used"]["amount"]) for row in rows]
        assert caps == [None, None, tuple(amount(units, self.currency) for units in (40000, 10000, 0)),
                        tuple(amount(units, self.currency) for units in (32000, 8000, 0))]
        cap, = self.finance.get(self.account).json()["caps"]
        assert (cap["activity_id"], cap["kind"]) == (self.programme.activities["capped"], "percent_of_earned")
        assert [cap[name]["amount"] for name in ("base", "limit", "used")] == [
            amount(units, self.currency) for units in (32000, 8000, 8000)]


@pytest.fixture(scope="module")
def hook(people):
    """Hears of every period, from before there is one."""
    with Receiver() as receiver:
        people["program_admin"].make("/v1/webhook-endpoints", {"url": receiver.url, "event_types": ["period.*"]})
        yield receiver


@pytest.fixture(scope="module")
def stories(product, people, hook):
    return [Story(product, people, currency) for currency in ("EUR", "JPY", "KWD")]


@pytest.fixture(scope="module")
def thresholds(product, people):
    """Three partners below, at and above the threshold of one programme; and one with a claim in review."""
    programme = Funded(product, thresholds=[{"amount": "10000.00", "currency": "EUR"}])
    programme.accounts = [programme.open(side, units=units) for side, units in
                          (("partner_a", 9000), ("partner_b", 10000), ("partner_c", 9999.99))]
    programme.held = programme.claim(people["claimant"], 4000)
    programme.held.act("submit")
    return programme


@pytest.fixture(scope="module")
def rolling(product):
    """Half of what is left goes to the next period, where one partner has an account already."""
    programme = Funded(product, rollover_percent="50.00", rollover_limits=[{"amount": "300.00", "currency": "EUR"}])
    programme.next = programme.add_period("Next", earning_from=11, earning_to=100, usage_from=31, usage_to=120, claiming_from=41,
                                          claiming_to=140, evidence_until=160)
    programme.accounts = [programme.open(side, units=units) for side, units in
                          (("partner_a", 100.01), ("partner_b", 1000), ("partner_c", 0.01))]
    programme.there = programme.open("partner_b", programme.next, 7)
    return programme


@pytest.fixture(scope="module")
def told(product, stories, thresholds, rolling, hook):
    """Everything is in place; the clock goes over the end of earning, of claiming and of evidence."""
    period = stories[0].programme.period
    move_clock(product, after(period["earning_to"]))
    thresholds.at_earned = [balances(thresholds.finance, account) for account in thresholds.accounts]
    thresholds.held.act("recall", {"reason": "Too early"})
    thresholds.after_recall = balances(thresholds.finance, thresholds.accounts[0])
    move_clock(product, period["evidence_until"])
    for story in stories:
        story.money(earned=40000, adjusted=-8000, approved=12200, remaining=19800)
    move_clock(product, after(period["evidence_until"]))
    return hook


def test_the_worked_money_to_the_close(told, stories):
    for story in stories:
        story.money(earned=40000, adjusted=-8000, approved=12200, expired=19800)
        assert entries(story.finance, story.account) == [
            (kind, amount(units, story.currency)) for kind, units in (
                ("accrual", 40000), ("reserve", 5000), ("commit", 4200), ("release", 800), ("reserve", 10000), ("adjust", -8000),
                ("commit", 8000), ("release", 2000), ("expire", 19800))]
        row = story.finance.get(story.account).json()
        assert row["expires_on"] == story.programme.period["claiming_to"] and row["days_left"] == 0


def test_who_earned_too_little_has_it_converted(told, thresholds):
    below, at, cents = thresholds.at_earned
    # 4000.00 were in review: they stay reserved, and are converted as they come back.
    assert (below["adjusted"], below["reserved"], below["remaining"]) == ("-5000.00", "4000.00", "0.00")
    assert (thresholds.after_recall["adjusted"], thresholds.after_recall["remaining"]) == ("-9000.00", "0.00")
    assert (at["adjusted"], at["remaining"]) == ("0.00", "10000.00")
    assert (cents["adjusted"], cents["remaining"]) == ("-9999.99", "0.00")
    finance = thresholds.finance
    assert entries(finance, thresholds.accounts[0]) == [
        ("accrual", "9000.00"), ("reserve", "4000.00"), ("threshold_conversion", "5000.00"), ("release", "4000.00"),
        ("threshold_conversion", "4000.00")]
    assert entries(finance, thresholds.accounts[1]) == [("accrual", "10000.00"), ("expire", "10000.00")]
    assert entries(finance, thresholds.accounts[2]) == [("accrual", "9999.99"), ("threshold_conversion", "9999.99")]
    row = finance.get(thresholds.accounts[2] + "/ledger").json()["data"][1]
    assert (row["actor"]["type"], row["reason"], row["claim_id"]) == ("timer", "threshold", None)


def test_what_is_left_rolls_over(told, rolling, product):
    finance = rolling.finance
    assert [entries(finance, account)[1:] for account in rolling.accounts] == [
        [("rollover_out", "50.01"), ("expire", "50.00")], [("rollover_out", "300.00"), ("expire", "700.00")],
        [("rollover_out", "0.01")]]
    rows = finance.get(f"/v1/fund-accounts?program_id={rolling.id}&period_id={rolling.next['id']}").json()["data"]
    assert len(rows) == 3
    remaining = {row["organization_id"]: row["remaining"]["amount"] for row in rows}
    sides = product.sandbox["organizations"]
    assert remaining == {sides["partner_a"]: "50.01", sides["partner_b"]: "307.00", sides["partner_c"]: "0.01"}
    assert entries(finance, rolling.there) == [("accrual", "7.00"), ("rollover_in", "300.00")]
    out = finance.get(rolling.accounts[1] + "/ledger?type=rollover_out").json()["data"][0]
    into = finance.get(rolling.there + "/ledger?type=rollover_in").json()["data"][0]
    assert rolling.there.endswith(out["counter_account_id"]) and rolling.accounts[1].endswith(into["counter_account_id"])


def test_a_closed_period_takes_no_new_account(told, stories, product):
    programme = stories[0].programme
    reply = programme.finance.post("/v1/fund-accounts", json={
        "organization_id": product.sandbox["organizations"]["partner_c"], "program_id": programme.id,
        "period_id": programme.period["id"], "currency": "EUR"})
    assert refused(reply, 422, "validation_failed")["errors"][0]["code"] == "date_outside_period"


def test_each_step_of_a_period_is_told_once(told, stories):
    wanted = stories[0].programme.period["id"]

    def mine():
        return [row["json"]["type"] for row in told.received if row["json"].get("data", {}).get("period_id") == wanted]
    wait_for(lambda: "period.closed" in mine(), what="the end of the period")
    assert sorted(mine()) == ["period.closed", "period.closing", "period.opened"]


def test_nothing_is_lost(told, product):
    product.verify()
