"""Pages: every claim comes once, in order, whatever the sort, the filter, and what is added meanwhile."""
import re
import threading

import pytest

from claims import Claim, refused

COUNT = 230             # more than the longest page and than what one step looks at


@pytest.fixture(scope="module")
def people(product):
    return {role: product.as_(role) for role in product.sandbox["tokens"]}


@pytest.fixture(scope="module")
def claims(product, people):
    """230 of partner A (every fifth cancelled, 3 submitted once), 7 of partner B."""
    makers = [product.as_("claimant") for _ in range(4)]
    made = [None] * COUNT

    def make(part):
        for i in range(part, COUNT, 4):
            claim = Claim(product, makers[part], name=f"Claim {i:03}")
            if i % 5 == 0:
                claim.act("cancel", {"reason": "Not needed"})
            made[i] = claim

    threads = [threading.Thread(target=make, args=(part,)) for part in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    for i in (1, 102, 203):
        made[i].evidence("10.00").act("submit")
    for i in range(7):
        Claim(product, people["partner_b_claimant"], side="partner_b", name=f"B {i}")
    return made


def pages(session, query, most=2000):
    """Every row of every page, and how many pages there were."""
    rows, count, url = [], 0, "/v1/claims?" + query
    while True:
        reply = session.get(url)
        assert reply.status_code == 200, reply.text
        body = reply.json()
        rows += body["data"]
        count += 1
        assert count < most and body["total"] is None
        links = dict((rel, path) for path, rel in re.findall(r'<([^>]+)>; rel="(\w+)"', reply.headers["Link"]))
        assert "cursor" not in links["first"]
        assert body["has_more"] == (body["next_cursor"] is not None) == ("next" in links)
        if not body["has_more"]:
            return rows, count
        url = links["next"]
        assert "cursor=" + body["next_cursor"] in url


def in_order(rows, sort):
    member = sort.lstrip("-")
    keys = [(row[member], row["id"]) for row in rows]
    return keys == sorted(keys, reverse=sort.startswith("-"))


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "updated_at", "-updated_at", "submitted_at", "-submitted_at"])
@pytest.mark.parametrize("limit", [7, 50, 200])
def test_every_claim_comes_once_and_in_order(claims, people, sort, limit):
    ours = {claim.id for claim in claims}
    submitted = {claims[i].id for i in (1, 102, 203)}
    for role in ("claimant", "reviewer"):
        rows, count = pages(people[role], f"sort={sort}&limit={limit}")
        ids = [row["id"] for row in rows]
        assert len(ids) == len(set(ids)) and in_order(rows, sort)
        if "submitted" in sort:
            assert set(ids) == submitted
        else:
            assert set(ids) >= ours and len(ids) == COUNT + (7 if role == "reviewer" else 0)
            assert count <= len(ids) // limit + 2


def test_without_a_sort_the_newest_come_first(claims, people):
    rows, _ = pages(people["claimant"], "limit=200")
    assert in_order(rows, "-created_at") and len(people["claimant"].get("/v1/claims").json()["data"]) == 50


def test_rows_are_the_claims_in_short(claims, people):
    row = people["claimant"].get("/v1/claims?limit=1").json()["data"][0]
    whole = people["claimant"].get("/v1/claims/" + row["id"]).json()
    left_out = {"requirements", "deadlines", "blocked_by", "additional_information"}
    assert set(whole) - set(row) == left_out and {**whole, **row} == whole


@pytest.mark.parametrize("states", ["editing", "cancelled", "submitted", "editing,cancelled", "approved", "cancelled,submitted,approved"])
def test_the_state_is_filtered(claims, people, states):
    wanted = set(states.split(","))
    for role in ("claimant", "reviewer"):
        all_rows, _ = pages(people[role], "limit=200")
        expected = [row["id"] for row in all_rows if row["state"] in wanted]
        for limit in (10, 200):
            rows, _ = pages(people[role], f"state={states}&limit={limit}")
            assert [row["id"] for row in rows] == expected and {row["state"] for row in rows} <= wanted


def test_the_programme_is_filtered(claims, people, product):
    program = product.sandbox["program_id"]
    for role in ("claimant", "reviewer"):
        rows, _ = pages(people[role], f"program_id={program}&limit=200")
        assert len(rows) >= COUNT
        none, _ = pages(people[role], f"program_id={program[:-8]}ZZZZZZ{program[-2:]}&limit=200")
        assert none == []


def test_the_longest_page(claims, people):
    for limit in (200, 201, 999999):
        assert len(people["claimant"].get(f"/v1/claims?limit={limit}").json()["data"]) == 200
    assert len(people["claimant"].get("/v1/claims?limit=1").json()["data"]) == 1


def test_a_cursor_belongs_to_its_question(claims, people, product):
    page = people["claimant"].get("/v1/claims?limit=5&sort=created_at&state=editing").json()
    cursor = page["next_cursor"]
    again = [people["claimant"].get(f"/v1/claims?limit=3&sort=created_at&state=editing&cursor={cursor}").json() for _ in range(2)]
    assert again[0] == again[1] and len(again[0]["data"]) == 3
    for query in ("sort=created_at", "sort=-created_at&state=editing", "sort=updated_at&state=editing", "sort=created_at&state=cancelled",
                  "state=editing", f"sort=created_at&state=editing&program_id={product.sandbox['program_id']}"):
        refused(people["claimant"].get(f"/v1/claims?{query}&cursor={cursor}"), 400, "invalid_cursor")
    for broken in (cursor[:-1], cursor + "0", cursor + "%20", "1" + cursor[1:].replace("clm_", "doc_"), cursor.upper()):
        refused(people["claimant"].get(f"/v1/claims?sort=created_at&state=editing&cursor={broken}"), 400, "invalid_cursor")
    # Another's cursor of the same question shows no more than one's own.
    theirs = people["partner_b_claimant"].get(f"/v1/claims?sort=created_at&state=editing&cursor={cursor}").json()["data"]
    assert not {row["id"] for row in theirs} & {claim.id for claim in claims}


def test_cursors_stand_while_claims_are_added_and_changed(claims, people, product):
    """What is added comes at the front of a newest-first list: the pages behind a cursor do not move."""
    before, _ = pages(people["claimant"], "sort=-created_at&limit=200")
    rows, cursor, added = [], "", []
    while True:
        page = people["claimant"].get("/v1/claims?sort=-created_at&limit=20" + cursor).json()
        rows += page["data"]
        added.append(Claim(product, people["claimant"], name="Added meanwhile").id)
        people["claimant"].patch("/v1/claims/" + rows[0]["id"], json={"description": f"Changed {len(rows)}"})
        if not page["has_more"]:
            break
        cursor = "&cursor=" + page["next_cursor"]
    assert [row["id"] for row in rows] == [row["id"] for row in before]
    # Oldest first, the same claims come at the end of the pages still to be read.
    old, _ = pages(people["claimant"], "sort=created_at&limit=20")
    assert [row["id"] for row in old][-len(added):] == added


def test_a_cursor_survives_its_row(people, product):
    """The row that a cursor names has moved on: the list goes on behind where it was."""
    made = [Claim(product, people["partner_b_claimant"], side="partner_b", name=f"Row {i}").id for i in range(4)]
    page = people["partner_b_claimant"].get("/v1/claims?sort=updated_at&limit=200").json()["data"]
    place = [row["id"] for row in page].index(made[1]) + 1
    first = people["partner_b_claimant"].get(f"/v1/claims?sort=updated_at&limit={place}").json()
    people["partner_b_claimant"].patch("/v1/claims/" + made[1], json={"name": "Moved to the end"})
    rest = people["partner_b_claimant"].get(f"/v1/claims?sort=updated_at&limit=200&cursor={first['next_cursor']}").json()["data"]
    assert [row["id"] for row in rest] == [made[2], made[3], made[1]]


def test_many_claims_of_one_moment(product, people):
    """Ties are broken by the id, also where there are more of them than one step looks at."""
    scope = "ix:o:" + product.sandbox["organizations"]["partner_b"]
    key = "{p" + product.sandbox["organizations"]["partner_b"][-2:] + "}:" + scope + ":created_at"
    rows = product.redis("ZRANGE", key, "0", "-1").split("\n")
    for row in rows:
        product.redis("ZADD", key, "1789459201000", row)
    # Rows of claims that are gone are passed over, and they do not end the list.
    ghosts = [f"clm_01J8ZQ4V6T3K9M2N5P{i:06}{rows[0][-2:]}" for i in range(450)]
    for part in range(0, 450, 150):
        product.redis("ZADD", key, *(word for ghost in ghosts[part:part + 150] for word in ("1789459201000", ghost)))
    try:
        for sort in ("created_at", "-created_at"):
            for limit in (3, 200):
                found, _ = pages(people["partner_b_claimant"], f"sort={sort}&limit={limit}")
                assert [row["id"] for row in found] == sorted(rows, reverse=sort.startswith("-"))
    finally:
        product.redis("ZREM", key, *ghosts)


# --- below a claim ---

def test_lists_below_a_claim(product, people):
    claim = Claim(product, people["claimant"])
    ids = [claim.make("/metrics", {"key": "views", "value": "1"})["id"] if i == 0 else claim.csr(title=f"Work {i}")["id"] for i in range(8)][1:]
    comments = [claim.make("/comments", {"text": f"Remark {i}"})["id"] for i in range(7)]
    for path, expected in (("/csrs", ids), ("/comments", comments)):
        rows, cursor, count = [], "", 0
        while True:
            page = claim.get(f"{path}?limit=3&include_total=true{cursor}")
            rows += [row["id"] for row in page["data"]]
            assert page["total"] == 7 and len(page["data"]) == (3 if page["has_more"] else 1)
            count += 1
            if not page["has_more"]:
                break
            cursor = "&cursor=" + page["next_cursor"]
        assert rows == expected and count == 3
        assert claim.get(path)["total"] is None and claim.get(path + "?include_total=false")["total"] is None
        # One that went leaves the cursor in its place.
        cursor = claim.get(path + "?limit=2")["next_cursor"]
        assert claim.session.delete(f"{claim.url}{path}/{expected[1]}").status_code == 204
        assert [row["id"] for row in claim.get(f"{path}?cursor={cursor}")["data"]] == expected[2:]


def test_pages_of_a_history(product, people):
    claim = Claim(product, people["claimant"])
    for i in range(6):
        claim.make("/comments", {"text": f"Remark {i}"})
        claim.make("/comments", {"text": "Between us", "visibility": "internal"}, people["reviewer"])
    for session, total in ((people["claimant"], 7), (people["reviewer"], 13)):
        for path in (claim.url + "/history?limit=", claim.url + "/history?type=comment.*,claim.*&limit="):
            for limit in (1, 2, 7, 200):
                rows, url, count = [], path + str(limit), 0
                while url:
                    reply = session.get(url)
                    page = reply.json()
                    rows += page["data"]
                    count += 1
                    assert len(page["data"]) == min(limit, total - (count - 1) * limit), "a page is full but the last"
                    url = dict((rel, p) for p, rel in re.findall(r'<([^>]+)>; rel="(\w+)"', reply.headers["Link"])).get("next")
                    assert bool(url) == page["has_more"]
                sequences = [row["sequence"] for row in rows]
                assert len(rows) == total and sequences == sorted(set(sequences))
    only = claim.get("/history?type=claim.*")["data"]
    assert [row["type"] for row in only] == ["claim.created"]
    by_reviewer = claim.get("/history?actor_id=" + people["reviewer"].get("/v1/me").json()["user"]["id"], people["reviewer"])["data"]
    assert len(by_reviewer) == 6 and claim.get("/history?from=2099-01-01T00:00:00.000Z")["data"] == []
    assert len(claim.get(f"/history?to={only[0]['occurred_at']}")["data"]) >= 1
    proof, cursor = [], ""
    while True:
        page = claim.get("/history/proof?limit=5" + cursor)
        proof += page["data"]
        if not page["has_more"]:
            break
        cursor = "&cursor=" + page["next_cursor"]
    assert [row["sequence"] for row in proof] == list(range(1, 14))


def test_pages_of_a_ledger(product, people):
    claim = Claim(product, people["claimant"]).evidence("10.00")
    for _ in range(3):
        claim.act("submit")
        claim.act("recall", {"reason": "Again"})
    path = f"/v1/fund-accounts/{claim.get()['fund_account_id']}/ledger"
    whole = [row["id"] for row in people["claimant"].get(path + "?limit=200").json()["data"]]
    rows, cursor = [], ""
    while True:
        page = people["claimant"].get(f"{path}?limit=2{cursor}").json()
        rows += [row["id"] for row in page["data"]]
        if not page["has_more"]:
            break
        cursor = "&cursor=" + page["next_cursor"]
    assert rows == whole and len(rows) >= 7
