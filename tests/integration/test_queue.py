"""The reviewers' queue: what waits, in the order of its dates; and many who take from it at once."""
import os
import threading

import pytest

from claims import Claim, key, refused
from programs import activity_body

COUNT = int(os.environ.get("QUEUE_CLAIMS", "80"))
REVIEWERS = 20


@pytest.fixture(scope="module")
def people(product):
    return {role: product.as_(role) for role in product.sandbox["tokens"]}


@pytest.fixture(scope="module")
def simple(product, people):
    """An activity that needs no proof."""
    url = "/v1/programs/" + product.sandbox["program_id"]
    admin = people["program_admin"]
    draft = admin.make(url + "/rule-sets", {})
    activity = admin.make(url + "/activities", activity_body("simple", requirements=[]))
    admin.make(f"{url}/rule-sets/{draft['id']}/publish", {}, 200)
    return activity["id"]


def submitted(product, session, simple, name, **members):
    claim = Claim(product, session, name=name, activity_id=simple, **members)
    claim.make("/invoices", claim.invoice_body("1.00"))
    claim.act("submit")
    return claim


def queue(session, query=""):
    rows, cursor = [], ""
    while True:
        reply = session.get("/v1/queue?limit=7" + query + cursor)
        assert reply.status_code == 200, reply.text
        page = reply.json()
        rows += page["data"]
        if not page["has_more"]:
            return rows
        cursor = "&cursor=" + page["next_cursor"]


def take(session, query="", **headers):
    return session.post("/v1/queue/next" + query, json={}, headers=headers)


def test_what_waits_is_there_by_its_date(product, people, simple):
    rob, sam = people["reviewer"], people["senior_reviewer"]
    assert queue(rob) == []
    refused(take(rob), 404, "not_found")
    made = [submitted(product, people["claimant"], simple, f"Waits {i}") for i in range(10)]
    other = submitted(product, people["partner_b_claimant"], simple, "Of B", location_id=product.sandbox["locations"]["partner_b"])
    Claim(product, people["claimant"], name="A draft")
    rows = queue(rob)
    assert {row["id"] for row in rows} == {claim.id for claim in made + [other]} and len(rows) == 11
    assert [(row["due_at"], row["id"]) for row in rows] == sorted((row["due_at"], row["id"]) for row in rows)
    row = next(row for row in rows if row["id"] == made[3].id)
    whole = made[3].get(session=rob)
    for name in ("number", "name", "organization_id", "program_id", "activity_id", "state", "submitted_at", "revision", "updated_at"):
        assert row[name] == whole[name]
    assert row["claimed"] == whole["totals"]["claimed"] and row["open_checks"] == whole["counts"]["open_checks"]
    assert row["due_at"] == next(d["at"] for d in whole["deadlines"] if d["kind"] == "review_due")
    assert (row["overdue"], row["reviewer"], row["on_hold"]) == (False, None, False) and row["priority"] in ("normal", "high")

    made[2].act("take", session=rob)
    made[4].act("take", session=sam)
    made[5].act("recall", {"reason": "Not yet"})
    ids = lambda query: {row["id"] for row in queue(rob, query)}    # noqa: E731
    everything = {claim.id for claim in made + [other]} - {made[5].id}
    assert ids("") == everything
    assert ids("&state=under_review") == {made[2].id, made[4].id} == ids("&assigned=any")
    assert ids("&assigned=me") == {made[2].id} and ids("&assigned=none") == everything - {made[2].id, made[4].id}
    assert ids(f"&organization_id={product.sandbox['organizations']['partner_b']}") == {other.id}
    assert ids(f"&program_id={product.sandbox['program_id']}") == everything and ids("&state=editing") == set()
    assert ids("&due_before=2000-01-01") == set() and ids("&due_before=2999-01-01") == everything
    assert rob.get("/v1/queue?include_total=true&limit=2").json()["total"] == 10
    refused(rob.get("/v1/queue?state=waiting"), 400, "invalid_parameter")
    refused(rob.get("/v1/queue?sort=name"), 400, "unknown_parameter")


def test_the_next_one_is_taken(product, people, simple):
    rob = people["reviewer"]
    first = queue(rob, "&assigned=none")[0]
    reply = take(rob, **{"Idempotency-Key": key()})
    assert reply.status_code == 200 and reply.headers["ETag"]
    claim = reply.json()
    assert claim["id"] == first["id"] and claim["state"] == "under_review"
    assert claim["reviewer"]["id"] == rob.get("/v1/me").json()["user"]["id"]
    assert rob.get("/v1/claims/" + claim["id"]).json() == claim
    org = product.sandbox["organizations"]["partner_b"]
    assert take(rob, "?organization_id=" + org).json()["organization_id"] == org
    refused(take(rob, "?organization_id=" + org), 404, "not_found")
    refused(take(rob, "?organization_id=x"), 400, "invalid_parameter")
    reply = rob.post("/v1/queue/next", json={"id": claim["id"]})
    assert refused(reply, 422, "validation_failed")["errors"][0]["code"] == "unknown_member"


@pytest.mark.parametrize("role", ["claimant", "partner_admin", "viewer", "finance", "program_admin", "auditor", "operator"])
def test_the_queue_is_the_reviewers(people, role):
    refused(people[role].get("/v1/queue"), 403, "forbidden")
    refused(take(people[role]), 403, "forbidden")


def test_many_take_at_once(product, people, simple):
    """Each claim goes to exactly one of them, and none is left over."""
    while take(people["reviewer"]).status_code == 200:
        pass
    made, taken, wrong = [], [], []

    def in_threads(work, count):
        threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]

    def make(part):
        session = product.as_("claimant")
        for i in range(part, COUNT, 6):
            made.append(submitted(product, session, simple, f"Many {i}").id)

    def work(part):
        session = product.as_("reviewer" if part % 2 else "senior_reviewer")
        while True:
            reply = take(session)
            if reply.status_code != 200:
                if reply.status_code != 404:
                    wrong.append(reply.text)
                return
            taken.append(reply.json()["id"])

    in_threads(make, 6)
    assert len(made) == COUNT
    in_threads(work, REVIEWERS)
    assert not wrong and len(taken) == len(set(taken)) == COUNT and set(taken) == set(made)
    assert queue(people["reviewer"], "&assigned=none") == []
    product.verify()
