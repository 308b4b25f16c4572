"""Programmes as a program admin runs them: a new one from nothing to its first claim, dates that move, rules that change."""

import json
import os

import jsonschema
import pytest

from claims import NOBODY, Claim, faults, key, other_id, refused
from product import ROOT, Product, wait_for
from programs import activity_body, period_body, program_body

@pytest.fixture(scope="module")
def people(product):
    return {role: product.as_(role) for role in product.sandbox["tokens"]}


@pytest.fixture(scope="module")
def admin(people):
    return people["program_admin"]


def patch(session, url, body, status=200, **headers):
    reply = session.patch(url, json=body, headers={"Idempotency-Key": key(), **headers})
    assert reply.status_code == status, reply.text
    return reply


def get(session, url, status=200):
    reply = session.get(url)
    assert reply.status_code == status, reply.text
    return reply.json()


def test_a_programme_from_nothing(people, admin):
    reply = admin.post("/v1/programs", json=program_body(), headers={"Idempotency-Key": key()})
    assert reply.status_code == 201
    program, url = reply.json(), reply.headers["Location"]
    assert program["state"] == "draft" and program["current_rule_set_id"] is None and program["sandbox"] is True
    assert program["clocks"]["review_business_days"] == 2 and program["weekend"] == [6, 7]
    assert get(admin, url) == program and get(people["reviewer"], url)["id"] == program["id"]
    # a draft is nobody's but the vendor's
    refused(people["claimant"].get(url), 404, "not_found")
    assert program["id"] not in {row["id"] for row in get(people["claimant"], "/v1/programs")["data"]}
    assert program["id"] in {row["id"] for row in get(admin, "/v1/programs")["data"]}

    period = admin.make(url + "/periods", period_body(2031))
    assert period["state"] == "upcoming" and get(admin, f"{url}/periods/{period['id']}") == period
    assert faults(admin.patch(url, json={"state": "active"})) == {"#/state": "required"}
    refused(admin.post(url + "/activities", json=activity_body("story")), 409, "invalid_state")

    draft = admin.make(url + "/rule-sets", {"note": "The first"})
    assert (draft["version"], draft["state"], draft["note"]) == (1, "draft", "The first")
    assert get(admin, url)["draft_rule_set_id"] == draft["id"]
    refused(admin.post(url + "/rule-sets", json={}), 409, "already_exists")
    assert faults(admin.post(f"{url}/rule-sets/{draft['id']}/publish", json={})) == {"#/activities": "too_short"}
    story = admin.make(url + "/activities", activity_body("story", caps=[{"kind": "percent_of_earned", "percent": "25.00"}]))
    event = admin.make(url + "/activities", activity_body("event"))
    assert get(admin, url + "/activities")["data"] == []
    rows = get(admin, f"{url}/activities?rule_set_id={draft['id']}&include_total=true")
    assert rows["data"] == [story, event] and rows["total"] == 2
    reply = patch(admin, f"{url}/activities/{event['id']}", {"pre_approval": True})
    assert reply.json()["pre_approval"] is True
    assert get(admin, f"{url}/activities/{event['id']}?rule_set_id={draft['id']}") == reply.json()
    gone = admin.make(url + "/activities", activity_body("gone"))
    assert admin.delete(f"{url}/activities/{gone['id']}").status_code == 204
    refused(admin.delete(f"{url}/activities/{gone['id']}"), 404, "not_found")

    published = admin.make(f"{url}/rule-sets/{draft['id']}/publish", {}, status=200)
    assert published["state"] == "published" and published["published_at"]
    assert get(admin, url)["current_rule_set_id"] == draft["id"] and get(admin, url)["draft_rule_set_id"] is None
    for reply in (admin.patch(f"{url}/rule-sets/{draft['id']}", json={"note": "x"}), admin.delete(f"{url}/rule-sets/{draft['id']}"),
                  admin.post(f"{url}/rule-sets/{draft['id']}/publish", json={}),
                  admin.patch(f"{url}/activities/{story['id']}", json={"name": "x"})):
        refused(reply, 409, "invalid_state")

    assert patch(admin, url, {"state": "active"}).json()["state"] == "active"
    seen = get(people["claimant"], url)
    assert seen["state"] == "active" and "draft_rule_set_id" not in seen
    assert [row["id"] for row in get(people["claimant"], url + "/activities")["data"]] == [story["id"], event["id"]]
    assert get(people["claimant"], url + "/rule-sets")["data"] == [published]


@pytest.mark.parametrize("role", ["claimant", "partner_admin", "viewer", "reviewer", "senior_reviewer", "finance", "auditor"])
def test_only_program_admins_write(product, people, role):
    url = "/v1/programs/" + product.sandbox["program_id"]
    activity = f"{url}/activities/{product.sandbox['activities']['webinar']}"
    period = f"{url}/periods/{product.sandbox['period_id']}"
    session = people[role]

    def seen():         # a programme's own timer may tell of a period meanwhile
        return [{**get(session, path), "updated_at": None} for path in (url, period, activity)]

    before = seen()
    for reply in (session.post("/v1/programs", json=program_body()), session.patch(url, json={"name": "x"}),
                  session.post(url + "/periods", json=period_body(2040)), session.patch(period, json={"name": "x"}),
                  session.post(url + "/rule-sets", json={}), session.post(url + "/activities", json=activity_body("x")),
                  session.patch(activity, json={"name": "x"}), session.delete(activity)):
        refused(reply, 403, "forbidden")
    assert seen() == before


def test_what_is_wrong_is_said_at_once(admin, product):
    assert faults(admin.post("/v1/programs", json=program_body(
        time_zone="Europe/Atlantis", weekend=[1, 2, 3, 4, 5, 6, 7], state="active", holidays=["2026-02-30"]))) == {
            "#/holidays/0": "invalid_format", "#/state": "required"}
    assert faults(admin.post("/v1/programs", json=program_body(
        time_zone="Europe/Atlantis", weekend=[1, 2, 3, 4, 5, 6, 7], state="active"))) == {
            "#/time_zone": "invalid_format", "#/weekend": "too_many", "#/state": "required"}
    url = "/v1/programs/" + product.sandbox["program_id"]
    draft = admin.make(url + "/rule-sets", {})
    deep = {"kind": "photo", "min": 1}
    for _ in range(4):
        deep = {"all": [deep]}
    wide = {"any": [{"kind": "photo", "min": 1}] * 40}
    reply = admin.post(url + "/activities", json=activity_body("wrong", requirements=[
        {"key": "a", "label": "A", "need": deep}, {"key": "a", "label": "B", "need": wide},
        {"key": "c", "label": "C", "need": {"any": [{"kind": "hologram", "min": 0}, {"all": []}, {"some": []}]}}],
        caps=[{"kind": "fixed"}, {"kind": "percent_of_earned", "percent": "120.00"}]))
    assert faults(reply) == {"#/caps/1/percent": "too_large"}
    reply = admin.post(url + "/activities", json=activity_body("wrong", requirements=[
        {"key": "a", "label": "A", "need": deep}, {"key": "a", "label": "B", "need": wide},
        {"key": "c", "label": "C", "need": {"any": [{"kind": "hologram", "min": 0}, {"all": []}, {"some": []}]}}],
        caps=[{"kind": "fixed"}]))
    assert faults(reply) == {
        "#/requirements/0/need/all/0/all/0/all/0/all/0": "too_many", "#/requirements/1/key": "not_unique",
        "#/requirements/1/need": "too_many", "#/requirements/2/need/any/0/kind": "invalid_enum",
        "#/requirements/2/need/any/0/min": "too_small", "#/requirements/2/need/any/1/all": "too_short",
        "#/requirements/2/need/any/2": "invalid_type", "#/caps/0/limit": "required"}
    assert admin.delete(f"{url}/rule-sets/{draft['id']}").status_code == 204
    refused(admin.get(f"{url}/rule-sets/{draft['id']}"), 404, "not_found")
    refused(admin.get(f"{url}/activities?rule_set_id={draft['id']}"), 404, "not_found")
    for bad in (other_id(draft["id"]), "nonsense", product.sandbox["program_id"]):
        refused(admin.get(f"{url}/rule-sets/{bad}"), 404, "not_found")
        refused(admin.post(f"{url}/rule-sets/{bad}/publish", json={}), 404, "not_found")
    refused(admin.patch(url[:-8] + NOBODY + url[-2:], json={"name": "x"}), 404, "not_found")


def test_revisions_are_of_what_the_path_names(admin, product):
    url = "/v1/programs/" + product.sandbox["program_id"]
    draft = admin.make(url + "/rule-sets", {})
    made = admin.make(url + "/activities", activity_body("revised"))
    path = f"{url}/activities/{made['id']}?rule_set_id={draft['id']}"
    etag = admin.get(path).headers["ETag"]
    changed = patch(admin, path.split("?")[0], {"name": "Once"}, **{"If-Match": etag})
    assert changed.headers["ETag"] == admin.get(path).headers["ETag"] != etag
    body = refused(admin.patch(path.split("?")[0], json={"name": "Twice"}, headers={"If-Match": etag}), 412, "precondition_failed")
    assert body["current_etag"] == changed.headers["ETag"] and body["revision"] == 2
    rules = f"{url}/rule-sets/{draft['id']}"
    body = refused(admin.post(rules + "/publish", json={}, headers={"If-Match": '"1.0123456789abcdef"'}), 412, "precondition_failed")
    assert body["current_etag"] == admin.get(rules).headers["ETag"]
    period = f"{url}/periods/{product.sandbox['period_id']}"
    body = refused(admin.patch(period, json={"name": "x"}, headers={"If-Match": '"7.0123456789abcdef"'}), 412, "precondition_failed")
    assert body["current_etag"] == admin.get(period).headers["ETag"]
    # the same key twice is one activity
    once = {"Idempotency-Key": key()}
    replies = [admin.post(url + "/activities", json=activity_body("once"), headers=once) for _ in range(2)]
    assert replies[0].json() == replies[1].json() and replies[1].headers["Idempotent-Replayed"] == "true"
    assert admin.delete(rules).status_code == 204


def test_a_claim_follows_the_rules_in_force_until_it_is_submitted(product, people, admin):
    url = "/v1/programs/" + product.sandbox["program_id"]
    first = get(admin, url)["current_rule_set_id"]
    activity = product.sandbox["activities"]["customer_story"]
    pinned, draft_claim = (Claim(product, people["claimant"], name=name).evidence("10.00") for name in ("Pinned", "Draft"))
    assert pinned.act("submit")["rule_set_id"] == first

    draft = admin.make(url + "/rule-sets", {"note": "A photo, too"})
    requirements = get(admin, f"{url}/activities/{activity}")["requirements"]
    more = requirements + [{"key": "poe_photo", "label": "A photo", "need": {"kind": "photo", "min": 1}}]
    patch(admin, f"{url}/activities/{activity}", {"requirements": more})
    assert draft_claim.get()["rule_set_id"] == first       # nothing has changed yet
    refused(people["claimant"].get(f"{url}/rule-sets/{draft['id']}"), 404, "not_found")
    admin.make(f"{url}/rule-sets/{draft['id']}/publish", {}, status=200)

    claim = draft_claim.get()
    assert claim["rule_set_id"] == draft["id"] and claim["activity_id"] == activity
    assert [row["key"] for row in claim["requirements"]] == [row["key"] for row in more]
    body = refused(people["claimant"].post(draft_claim.url + "/submit", json={}), 422, "requirements_not_met")
    assert [row["requirement"] for row in body["errors"]] == ["poe_photo"]
    # the other one is judged by what it was submitted under, through review
    pinned.act("take", session=people["reviewer"])
    claim = pinned.get()
    assert claim["rule_set_id"] == first and [row["key"] for row in claim["requirements"]] == [row["key"] for row in requirements]
    # and a recalled one follows again
    pinned.act("release", {"reason": "x"}, session=people["reviewer"])
    assert pinned.act("recall", {"reason": "x"})["rule_set_id"] == draft["id"]
    draft_claim.upload(purpose="proof", kind="photo", requirement="poe_photo", note="The room")
    assert draft_claim.act("submit")["rule_set_id"] == draft["id"]

    # an activity that is gone blocks, and says so; claims that were submitted under it go on
    last = admin.make(url + "/rule-sets", {})
    assert admin.delete(f"{url}/activities/{activity}").status_code == 204
    admin.make(f"{url}/rule-sets/{last['id']}/publish", {}, status=200)
    blocked = pinned.get()["blocked_by"]["submit"]
    assert any(row["pointer"] == "#/activity_id" for row in blocked)
    assert draft_claim.get()["requirements"] != []
    versions = get(admin, url + "/rule-sets")["data"]
    assert [row["version"] for row in versions] == [1, 2, 3] and all(row["state"] == "published" for row in versions)


def test_moved_dates_move_the_timers(product, people, admin):
    """A draft warns by the new date: its timer was made from the old one."""
    url = "/v1/programs/" + product.sandbox["program_id"]
    period = f"{url}/periods/{product.sandbox['period_id']}"
    before = get(admin, period)
    claim = Claim(product, people["claimant"], activity="webinar", name="Waits")
    assert claim.get()["deadlines"][0]["at"][:10] >= before["claiming_to"][:8]
    after = patch(admin, period, {"claiming_to": before["usage_to"]}).json()     # 46 days sooner
    assert after["claiming_to"] < before["claiming_to"]
    assert claim.get()["deadlines"][0]["at"] < before["claiming_to"]
    day = after["claiming_to"]

    def warned():
        rows = claim.get("/history?type=claim.deadline_near")["data"]
        return rows and rows[-1]["data"]

    clock = {"now": day + "T08:00:00.000Z"}
    assert admin.put("/v1/clock", json=clock).status_code == 200
    assert wait_for(warned, what="the warning by the new date")["on"] == day
    # what is over stays as it was
    assert faults(admin.patch(period, json={"earning_to": before["earning_to"][:8] + "15"})) == {"#/earning_to": "not_editable"}
    body = faults(admin.patch(period, json={"claiming_to": before["usage_from"]}))
    assert body["#/claiming_to"] == "too_small"


def test_the_form_of_an_activity(product, people):
    """JSON Schema: what is valid has what a submit needs, and what is not lacks it."""
    s = product.sandbox
    url = f"/v1/programs/{s['program_id']}/activities/{s['activities']['customer_event']}"
    reply = people["claimant"].get(url + "/schema", headers={"Accept-Language": "nl"})
    assert reply.status_code == 200 and reply.headers["Content-Type"] == "application/schema+json"
    assert reply.headers["Content-Language"] == "nl"
    form = reply.json()
    jsonschema.Draft202012Validator.check_schema(form)
    valid = jsonschema.Draft202012Validator(form).is_valid
    assert form["title"] == "Klantbijeenkomst op locatie" and form["$id"].startswith(url + "/schema?rule_set_id=rst_")
    kinds = {row["const"]: row["title"] for row in form["properties"]["documents"]["items"]["properties"]["kind"]["oneOf"]}
    assert kinds["attendee_list"] == "Deelnemerslijst" and len(kinds) >= 19
    assert {row["title"] for row in form["properties"]["documents"]["allOf"]} == {
        "Agenda, en foto's of de gastenlijst", "Uitnodiging zoals verstuurd"}
    assert people["claimant"].get(form["$id"], headers={"Accept-Language": "nl"}).json() == form

    def proof(kind, requirement=None):
        return {"purpose": "proof", "kind": kind, "requirement": requirement, "note": "As it was"}

    claim = {"name": "Breakfast", "program_id": s["program_id"], "location_id": s["locations"]["partner_a"],
             "period_id": s["period_id"], "activity_id": s["activities"]["customer_event"], "currency": "EUR",
             "metrics": [{"key": "attendees", "value": "40"}],
             "documents": [proof("agenda"), proof("invitation", "poe_invitation"), proof("attendee_list", "poe_event")]}
    assert valid(claim)
    for wrong in ({"metrics": []}, {"metrics": [{"key": "leads", "value": "40"}]}, {"metrics": [{"key": "attendees", "value": "many"}]},
                  {"documents": claim["documents"][:2]}, {"documents": claim["documents"][1:]}, {"currency": "USD"},
                  {"documents": claim["documents"][:2] + [proof("photo")]}, {"name": ""}, {"period_id": other_id(s["period_id"])},
                  {"documents": claim["documents"][:2] + [proof("attendee_list", "poe_invitation")]},
                  {"invoices": [{"lines": [{"expense_type": "agency"}]}]}):
        assert not valid({**claim, **wrong}), wrong
    assert valid({**claim, "documents": claim["documents"][:2] + [proof("photo"), proof("photo")]})
    assert valid({**claim, "invoices": [{"lines": [{"expense_type": "venue"}]}]})
    refused(people["claimant"].get(url[:-8] + NOBODY + url[-2:] + "/schema"), 404, "not_found")


def test_a_pack_comes_back_as_it_went(product, people, admin):
    """Into another store and out again: the same bytes. What differs is said, and what is wrong is said at once."""
    with open(os.path.join(ROOT, "shared", "programs", "example.json"), encoding="utf-8") as file:
        example = json.load(file)
    first = admin.post("/v1/programs/import", json=example, headers={"Idempotency-Key": key()})
    assert first.status_code == 201 and first.json()["state"] == "active"
    url = first.headers["Location"]
    assert len(get(people["claimant"], url + "/activities?limit=200")["data"]) == len(example["activities"]) >= 20
    exported = admin.get(url + "/export")
    assert exported.headers["Content-Type"] == "application/vnd.coopclaims.pack+json"
    with Product() as empty:
        elsewhere = empty.as_("program_admin")
        again = elsewhere.post("/v1/programs/import", data=exported.content,
                               headers={"Content-Type": "application/json", "Idempotency-Key": key()})
        assert again.status_code == 201, again.text
        assert elsewhere.get(again.headers["Location"] + "/export").content == exported.content
        empty.verify()
    same = {"object": "pack_diff", "program": [], "added": [], "removed": [], "changed": []}
    for pack in (example, exported.json()):
        assert admin.make(url + "/diff", pack, 200) == same
    changed = json.loads(exported.content)
    changed["program"]["holidays"] = ["2030-01-01"]
    gone = changed["activities"].pop(1)["key"]
    changed["activities"].append(activity_body("brand_new"))
    changed["activities"][0]["name"] = "Another name"
    body = admin.make(url + "/diff", changed, 200)
    assert [row["pointer"] for row in body["program"]] == ["#/holidays"]
    assert (body["added"], body["removed"]) == (["brand_new"], [gone])
    assert body["changed"] == [{"key": example["activities"][0]["key"], "changes": [
        {"pointer": "#/name", "old": example["activities"][0]["name"], "new": "Another name"}]}]
    assert admin.get(url + "/export").content == exported.content         # nothing was changed by asking
    changed["activities"][0]["requirements"][0]["need"] = {"kind": "hologram", "min": 1}
    changed["program"]["time_zone"] = "Mars/Base"
    changed["activities"][2]["translations"] = {"xx": {"name": "x"}, "nl": {"colour": "x", "name": 5}}
    wrong = {"#/activities/0/requirements/0/need/kind": "invalid_enum", "#/program/time_zone": "invalid_format",
             "#/activities/2/translations/xx": "invalid_enum", "#/activities/2/translations/nl/colour": "unknown_member",
             "#/activities/2/translations/nl/name": "invalid_type"}
    count = len(get(admin, "/v1/programs")["data"])
    for path in ("/v1/programs/import", url + "/diff"):
        assert faults(admin.post(path, json=changed)) == wrong
        refused(people["finance"].post(path, json=example), 403, "forbidden")
    refused(people["claimant"].get(url + "/export"), 403, "forbidden")
    assert len(get(admin, "/v1/programs")["data"]) == count


def simulated(session, url):
    rows, cursor, pages = [], None, 0
    while True:
        reply = session.post(f"{url}/simulate?limit=2" + (f"&cursor={cursor}" if cursor else ""), json={})
        assert reply.status_code == 200, reply.text
        rows += reply.json()["data"]
        pages += 1
        if not reply.json()["has_more"]:
            return {row["claim_id"]: row for row in rows}
        cursor = reply.json()["next_cursor"]
        assert pages < 500


def test_a_simulation_says_what_would_be_judged_otherwise(people, admin):
    with Product() as fresh:
        admin, anna = fresh.as_("program_admin"), fresh.as_("claimant")
        url = "/v1/programs/" + fresh.sandbox["program_id"]
        activity = f"{url}/activities/{fresh.sandbox['activities']['customer_story']}"
        claims = [Claim(fresh, anna, name=f"Claim {i}").evidence("100.00") for i in range(3)]
        claims[0].act("submit")
        other = Claim(fresh, anna, activity="webinar", name="Other")
        draft = admin.make(url + "/rule-sets", {})
        rules = f"{url}/rule-sets/{draft['id']}"
        assert simulated(admin, rules) == {}                              # a copy judges alike
        more = get(admin, f"{activity}?rule_set_id={draft['id']}")
        patch(admin, activity, {"requirements": more["requirements"] + [{"key": "poe_photo", "label": "A photo", "need": {
            "kind": "photo", "min": 1}}], "caps": [{"kind": "fixed", "limit": {"amount": "50.00", "currency": "EUR"}}],
            "metrics": [{"key": "views", "label": "Views", "required": True}]})
        before = [claim.state() for claim in [*claims, other]]
        rows = simulated(admin, rules)
        assert set(rows) == {claim.id for claim in claims}
        for claim in claims:
            assert sorted((row["code"], row["requirement"], row["before"], row["after"]) for row in rows[claim.id]["changes"]) == [
                ("cap_exceeded", None, False, True), ("metric_missing", "views", False, True),
                ("requirement_missing", "poe_photo", False, True)]
        assert rows[claims[0].id]["state"] == "submitted" and rows[claims[1].id]["state"] == "editing"
        assert [claim.state() for claim in [*claims, other]] == before      # it changes nothing
        # the rules in force, once these are: those that were pinned before are judged by them otherwise the other way round
        admin.make(rules + "/publish", {}, 200)
        assert set(simulated(admin, rules)) == {claims[0].id}
        refused(anna.post(rules + "/simulate", json={}), 403, "forbidden")
        refused(admin.post(rules + "/simulate?cursor=x", json={}), 400, "invalid_cursor")
        refused(admin.post(other_id(rules) + "/simulate", json={}), 404, "not_found")


def test_the_store_is_sound(product):
    product.verify()
