"""Lists of claims: every filter against a rule in Python, every sort, totals, fields and include; over old indexes, too."""
import random

import pytest

from claims import Claim, refused

NAMES = ["Autumn webinar", "autumn mailing", "Été à Paris", "Zürich fair", "Österreich tour", "webinar", "Webinar 2", "Äpfel & Birnen",
         "naïve Kampagne", "東京 展示会"]


@pytest.fixture(scope="module")
def people(product):
    return {role: product.as_(role) for role in product.sandbox["tokens"]}


@pytest.fixture(scope="module")
def world(product, people):
    """36 claims of partner A in several states, and 3 of partner B: as each caller sees them one by one."""
    claims = []
    for i in range(36):
        day = product.sandbox["period"]["usage_from"][:8] + f"{i % 28 + 1:02}"
        dates = {} if i % 5 == 0 else {"activity_from": day, "activity_to": day[:8] + f"{min(i % 28 + 3, 28):02}"}
        claim = Claim(product, people["claimant"], name=f"{NAMES[i % 10]}", tags=[f"tag {i % 3}", "Größe, \"x\""][:i % 3],
                      external_reference=f"PO-{i % 7}" if i % 2 else None, **dates)
        if i % 3 == 0:
            claim.invoice(f"{100 + 10 * (i // 2)}.00")
        claims.append(claim)
    for i in (3, 9, 15, 21):
        claims[i].evidence("50.00").act("submit")
    claims[9].act("take", session=people["reviewer"])
    claims[15].act("take", session=people["senior_reviewer"])
    claims[21].act("take", session=people["reviewer"])
    target = {"type": "document", "id": claims[21].proof["id"]}
    claims[21].make("/requests", {"items": [{"target": target, "reason_code": "proof_not_legible", "message": "Blurred"}]}, people["reviewer"])
    for i in (4, 14):
        claims[i].act("cancel", {"reason": "Not needed"})
    for i in (1, 9):
        claims[i].make("/comments", {"text": "Between us", "visibility": "internal"}, people["reviewer"])
    for i in range(3):
        Claim(product, people["partner_b_claimant"], side="partner_b", name=f"B {i}")
    return {role: [people[role].get(f"/v1/claims/{row['id']}").json() for row in pages(people[role], "limit=200")]
            for role in ("claimant", "reviewer")}


def pages(session, query, limit=None):
    rows, cursor, total = [], "", None
    while True:
        reply = session.get("/v1/claims?" + query + (f"&limit={limit}" if limit else "") + cursor)
        assert reply.status_code == 200, reply.text
        page = reply.json()
        rows += page["data"]
        assert len(page["data"]) <= (limit or 200)
        if "include_total" in query:
            assert page["total"] == (page["total"] if total is None else total) is not None
            total = page["total"]
        if not page["has_more"]:
            assert total in (None, len(rows))
            return rows
        cursor = "&cursor=" + page["next_cursor"]


def due(claim):
    return min((row["at"] for row in claim["deadlines"] if row["kind"] != "evidence_ends"), default=None)


def reviewer(claim):
    return (claim["reviewer"] or {}).get("id")


# In the words of the query: what a claim must be for it. %-names are filled from the world.
RULES = {
    "state=editing": lambda c, w: c["state"] == "editing",
    "state=submitted,under_review,action_required": lambda c, w: c["state"] in ("submitted", "under_review", "action_required"),
    "waiting_on=reviewer": lambda c, w: c["waiting_on"] == "reviewer",
    "payment_status=none": lambda c, w: c["payment"]["status"] == "none",
    "payment_status=payable,paid": lambda c, w: False,
    "period_id={period}": lambda c, w: c["period_id"] == w["period"],
    "activity_id={activity}": lambda c, w: c["activity_id"] == w["activity"],
    "location_id={location}": lambda c, w: c["location_id"] == w["location"],
    "organization_id={a}": lambda c, w: c["organization_id"] == w["a"],
    "organization_id={b}": lambda c, w: c["organization_id"] == w["b"],
    "organization_id={a},{b}&q=b": lambda c, w: c["name"].startswith("B ") or "Birnen" in c["name"],
    "created_by={anna}": lambda c, w: c["organization_id"] == w["a"],
    "created_by=me": lambda c, w: c["organization_id"] == w["a"] and w["role"] == "claimant",
    "reviewer_id={rob}": lambda c, w: reviewer(c) == w["rob"],
    "reviewer_id=me": lambda c, w: reviewer(c) == w["rob"] and w["role"] == "reviewer",
    "reviewer_id={rob},{sam}": lambda c, w: reviewer(c) in (w["rob"], w["sam"]),
    "assigned=any": lambda c, w: reviewer(c) is not None,
    "assigned=none&state=submitted": lambda c, w: reviewer(c) is None and c["state"] == "submitted",
    "assigned=me": lambda c, w: reviewer(c) == w["me"],
    "on_hold=true": lambda c, w: c["on_hold"] is not None,
    "on_hold=false": lambda c, w: c["on_hold"] is None,
    "external_reference=PO-3": lambda c, w: c["external_reference"] == "PO-3",
    "external_reference=PO-3,PO-5,PO-9": lambda c, w: c["external_reference"] in ("PO-3", "PO-5"),
    "tag=tag 2": lambda c, w: "tag 2" in c["tags"],
    "tag=tag 1,tag 2": lambda c, w: {"tag 1", "tag 2"} & set(c["tags"]),
    "amount_from=100": lambda c, w: float(c["totals"]["claimed"]["amount"]) >= 100,
    "amount_from=100.00&amount_to=180": lambda c, w: 100 <= float(c["totals"]["claimed"]["amount"]) <= 180,
    "amount_to=0": lambda c, w: float(c["totals"]["claimed"]["amount"]) == 0,
    "currency=EUR": lambda c, w: c["currency"] == "EUR",
    "currency=USD,JPY": lambda c, w: False,
    "submitted_from={submitted}": lambda c, w: c["submitted_at"] and c["submitted_at"] >= w["submitted"],
    "submitted_to={submitted}": lambda c, w: c["submitted_at"] and c["submitted_at"] <= w["submitted"],
    "activity_from={day}": lambda c, w: c["activity_to"] and c["activity_to"] >= w["day"],
    "activity_to={day}": lambda c, w: c["activity_from"] and c["activity_from"] <= w["day"],
    "updated_from={updated}": lambda c, w: c["updated_at"] >= w["updated"],
    "updated_to={updated}": lambda c, w: c["updated_at"] <= w["updated"],
    "due_before={due}": lambda c, w: due(c) and due(c) < w["due"],
    "has_open_requests=true": lambda c, w: c["counts"]["open_requests"] > 0,
    "q=webinar": lambda c, w: "webinar" in c["name"].lower(),
    "q=AUTUMN web": lambda c, w: c["name"] == "Autumn webinar",
    "q=ete paris": lambda c, w: c["name"] == "Été à Paris",
    "q=osterreich": lambda c, w: c["name"] == "Österreich tour",
    "q=naive": lambda c, w: c["name"].startswith("naïve"),
    "q=東京": lambda c, w: c["name"].startswith("東京"),
    "q=po-3": lambda c, w: c["external_reference"] == "PO-3",
    "q={number}": lambda c, w: c["number"] == w["number"],
    "q=xyzzy": lambda c, w: False,
    "state=editing&tag=tag 2&amount_from=100&q=a": lambda c, w: False if c["state"] != "editing" else "tag 2" in c["tags"] and
        float(c["totals"]["claimed"]["amount"]) >= 100 and any(word.startswith(("a", "Ä", "à")) for word in c["name"].lower().split()),
}


def words(world, people, product, role):
    ours = world["claimant"]
    s = product.sandbox
    me = people[role].get("/v1/me").json()["user"]["id"]
    ids = {name: people[who].get("/v1/me").json()["user"]["id"] for name, who in
           (("anna", "claimant"), ("rob", "reviewer"), ("sam", "senior_reviewer"))}
    return {"role": role, "me": me, **ids, "a": s["organizations"]["partner_a"], "b": s["organizations"]["partner_b"],
            "period": s["period_id"], "activity": s["activities"]["customer_story"], "location": s["locations"]["partner_a"],
            "submitted": sorted(c["submitted_at"] for c in ours if c["submitted_at"])[1], "number": ours[7]["number"],
            "day": sorted(c["activity_from"] for c in ours if c["activity_from"])[11],
            "updated": sorted(c["updated_at"] for c in world[role])[20], "due": sorted(due(c) for c in ours if due(c))[2]}


@pytest.mark.parametrize("role", ["claimant", "reviewer"])
def test_every_filter_is_what_it_says(world, people, product, role):
    w = words(world, people, product, role)
    wrong = []
    for query, rule in RULES.items():
        expected = [c["id"] for c in world[role] if rule(c, w)]
        for sort in ("-created_at", "created_at"):
            asked = query.format(**w) + f"&sort={sort}&include_total=true"
            found = [row["id"] for row in pages(people[role], asked, random.choice((3, 20, 200)))]
            if found != (expected if sort == "-created_at" else expected[::-1]):
                wrong.append((asked, len(found), len(expected)))
    assert not wrong


def sort_value(claim, sort, role):
    if sort == "claimed":
        return float(claim["totals"]["claimed"]["amount"])
    return due(claim) if sort == "due_at" else claim[sort]


@pytest.mark.parametrize("sort", ["created_at", "updated_at", "submitted_at", "due_at", "claimed"])
def test_every_sort_is_in_order(world, people, product, sort):
    for role in ("claimant", "reviewer"):
        there = [c for c in world[role] if sort_value(c, sort, role) is not None]
        for query in ("", "&state=editing,cancelled", "&q=webinar", "&state=submitted,under_review,action_required"):
            states = query.partition("state=")[2].split(",")
            fit = [c for c in there if (not states[0] or c["state"] in states) and ("q=" not in query or "webinar" in c["name"].lower())]
            for sign in ("", "-"):
                expected = sorted(fit, key=lambda c: (sort_value(c, sort, role), c["id"]), reverse=sign == "-")
                for limit in (2, 50):
                    found = pages(people[role], f"sort={sign}{sort}{query}&include_total=true", limit)
                    assert [row["id"] for row in found] == [c["id"] for c in expected], (sort, role, query, sign)


def test_names_are_sorted_without_case_and_accents(world, people):
    order = ["Äpfel & Birnen", "autumn mailing", "Autumn webinar", "Été à Paris", "naïve Kampagne", "Österreich tour", "webinar",
             "Webinar 2", "Zürich fair", "東京 展示会"]
    for sign in ("", "-"):
        for query in ("", "&state=editing", "&tag=tag 1,tag 0"):
            for limit in (4, 200):
                found = pages(people["claimant"], f"sort={sign}name{query}", limit)
                keys = [(order.index(row["name"]), row["id"]) for row in found]
                assert keys == sorted(keys, reverse=sign == "-") and len({row["id"] for row in found}) == len(found) > 10
    assert len(pages(people["reviewer"], "sort=name", 7)) == len(world["reviewer"])


def test_fields_keep_what_is_named(world, people):
    whole = people["reviewer"].get("/v1/claims?limit=5").json()["data"]
    for names in ("name", "name,state,totals,created_at", "counts"):
        rows = people["reviewer"].get("/v1/claims?limit=5&fields=" + names).json()["data"]
        kept = {"object", "id", *names.split(",")}
        assert rows == [{name: row[name] for name in row if name in kept} for row in whole]
    rows = people["reviewer"].get("/v1/claims?limit=5&fields=name&include=metrics").json()["data"]
    assert all(set(row) == {"object", "id", "name", "metrics"} for row in rows)
    for bad in ("nam", "name,", "", "name;state"):
        refused(people["reviewer"].get("/v1/claims?fields=" + bad), 400, "invalid_parameter")


ALL = "invoices,csrs,documents,metrics,comments,requests,decisions,checks,collaborators,fund_account,history"


@pytest.mark.parametrize("role", ["claimant", "reviewer", "auditor", "program_admin", "finance"])
def test_include_is_what_the_single_claim_shows(world, people, role):
    """And that is what its own routes show: nothing internal in a partner's list."""
    include = ALL + ",requirements,deadlines,blocked_by,additional_information"
    rows = pages(people[role], "limit=200&include=" + include)
    assert len(rows) >= 36
    for row in random.sample(rows, 4) + [row for row in rows if row["state"] in ("action_required", "under_review")]:
        assert people[role].get(f"/v1/claims/{row['id']}?include={ALL}").json() == row
        for name in ("invoices", "documents", "metrics", "comments", "requests", "checks", "collaborators", "history"):
            own = people[role].get(f"/v1/claims/{row['id']}/{name}?limit=200").json()["data"]
            assert row[name] == own[-50:], name
        assert row["fund_account"] == people[role].get("/v1/fund-accounts/" + row["fund_account_id"]).json()
        internal = [c for c in row["comments"] if c["visibility"] == "internal"]
        assert role not in ("claimant", "program_admin") or not internal
    refused(people[role].get("/v1/claims?include=everything"), 400, "invalid_parameter")


def test_a_contributor_finds_the_claim_he_was_invited_to(product, people):
    claim = Claim(product, people["claimant"], name="For Bas", tags=["bas"])
    Claim(product, people["claimant"], name="Not for Bas")
    bas, _, _ = claim.invite(email="bas.filters@example.com")
    for query, there in (("", True), ("?q=bas&tag=bas&include_total=true", True), ("?state=cancelled", False), ("?q=not", False)):
        page = bas.get("/v1/claims" + query).json()
        assert [row["id"] for row in page["data"]] == [claim.id] * there and not page["has_more"]
    row = bas.get("/v1/claims?include=fund_account,collaborators").json()["data"][0]
    assert row["fund_account"] is None


@pytest.mark.parametrize("query", [
    "state=open", "state=", "waiting_on=me", "payment_status=due", "program_id=x", "activity_id=act_1", "reviewer_id=him", "assigned=all",
    "on_hold=1", "amount_from=1,000", "amount_to=1e3", "submitted_from=today", "activity_from=2026-13-01", "activity_to=2026-09-10T00:00:00Z",
    "updated_to=5", "due_before=", "has_open_requests=maybe", "q=", "q=...", "sort=state", "sort=queue", "sort=", "sort=--name", "include_total=1",
    "limit=0"])
def test_what_is_no_filter_is_refused(people, query):
    problem = refused(people["claimant"].get("/v1/claims?" + query), 400, "invalid_parameter")
    assert query.partition("=")[0] in problem["detail"]


def test_cursors_of_names_and_filters(world, people):
    for sort, query in (("name", "state=editing"), ("-claimed", "amount_to=5000"), ("due_at", "q=webinar")):
        page = people["claimant"].get(f"/v1/claims?sort={sort}&{query}&limit=2").json()
        cursor = page["next_cursor"]
        assert people["claimant"].get(f"/v1/claims?sort={sort}&{query}&limit=2&cursor={cursor}&fields=name&include_total=true").status_code == 200
        for other in (f"sort={sort}", f"sort={sort}&{query}&currency=EUR", f"sort=created_at&{query}", query):
            refused(people["claimant"].get(f"/v1/claims?{other}&cursor={cursor}"), 400, "invalid_cursor")
        for broken in ("." + cursor, cursor.replace("clm", "doc"), "z" + cursor, cursor.partition(".")[2]):
            refused(people["claimant"].get(f"/v1/claims?sort={sort}&{query}&cursor={broken}"), 400, "invalid_cursor")


def test_indexes_of_an_older_program_are_found_and_rebuilt(product, people):
    """Rows and entries as version 0.1.0 wrote them: what it could ask still works, and reindex brings the rest."""
    partner = people["partner_b_claimant"]
    claims = [Claim(product, partner, side="partner_b", name=f"Older {i}", tags=["older"]) for i in range(3)]
    product.verify()
    for claim in pages(partner, ""):        # all that lie in its partition
        tag = "{p" + claim["id"][-2:] + "}"
        row = claim_row(product, tag, claim["id"])
        for scope in ("o:" + claim["organization_id"], "g:" + claim["program_id"]):
            for key in product.redis("--scan", "--pattern", f"{tag}:ix:{scope}:*").split("\n"):
                if key.rpartition(":")[2] in ("due_at", "claimed", "name", "words") or ":tag:" in key:
                    product.redis("DEL", key)
        product.redis("HDEL", f"{tag}:a:{claim['id']}", "ix")
        product.redis("HSET", f"{tag}:a:{claim['id']}", "row", row)
    product.wait_role("api", other_than=product.kill("api"))    # what it knows of claims is of another program
    product.wait_ready()
    product.verify()
    assert {row["id"] for row in pages(partner, "state=editing")} >= {claim.id for claim in claims}
    assert pages(partner, "tag=older") == [] == pages(partner, "sort=name")
    partner.patch(claims[0].url, json={"description": "Its next commit"})
    assert [row["id"] for row in pages(partner, "tag=older&sort=name")] == [claims[0].id]
    product.verify()
    result = product.run("reindex")
    assert result.returncode == 0 and "0 failed" in result.stdout, result.stdout + result.stderr
    for query in ("tag=older&sort=due_at", "q=older&sort=-claimed", "tag=older&sort=name"):
        assert {row["id"] for row in pages(partner, query)} == {claim.id for claim in claims}
    assert len(pages(people["reviewer"], "q=older&sort=name")) == 3
    product.verify()


def claim_row(product, tag, claim_id):
    """The row without what came later."""
    row = product.redis("HGET", f"{tag}:a:{claim_id}", "row")
    parts = row.split('"due_at":')
    row = parts[0] + parts[1].partition(",")[2]
    parts = row.split('"on_hold":')
    return parts[0] + parts[1].partition(",")[2]
