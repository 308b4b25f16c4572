"""Organisations, locations, users and tokens: who may what, cell by cell, and what the rules hold back."""
import threading
import uuid

import pytest

from claims import Claim, other_id, refused
from product import Session, wait_for

ROLES = ("partner_admin", "claimant", "viewer", "contributor", "reviewer", "senior_reviewer", "finance", "program_admin", "auditor",
         "operator")
# A letter a role, in that order: y it is done, 3 and 4 are 403 and 404, 9 is 409. All partners' people are of A. Whose it is: A, B, V (the
# vendor's), - (nobody's yet).
CELLS = [
    # method, path, body, whose, cells
    ("GET", "/v1/organizations", None, "-", "yyy3yyyyy3"),
    ("POST", "/v1/organizations", {"name": "New"}, "-", "3333333y33"),
    ("GET", "/v1/organizations/{org}", None, "A", "yyy3yyyyy3"),
    ("GET", "/v1/organizations/{org}", None, "B", "4444yyyyy3"),
    ("GET", "/v1/organizations/{org}", None, "V", "4444yyyyy3"),
    ("PATCH", "/v1/organizations/{org}", {"country": "NL"}, "A", "3333333y33"),
    ("PATCH", "/v1/organizations/{org}", {"country": "BE"}, "B", "4444333y33"),
    ("PATCH", "/v1/organizations/{org}", {"country": "NL"}, "V", "4444333y33"),
    ("GET", "/v1/locations", None, "-", "yyy3yyyyy3"),
    ("POST", "/v1/locations", {"name": "New", "organization_id": "{org}"}, "A", "3333333y33"),
    ("POST", "/v1/locations", {"name": "New", "organization_id": "{org}"}, "B", "3333333y33"),
    ("GET", "/v1/locations/{loc}", None, "A", "yyy3yyyyy3"),
    ("GET", "/v1/locations/{loc}", None, "B", "4444yyyyy3"),
    ("PATCH", "/v1/locations/{loc}", {"address": "Plein 1"}, "A", "3333333y33"),
    ("PATCH", "/v1/locations/{loc}", {"address": "Plein 1"}, "B", "4444333y33"),
    ("GET", "/v1/users", None, "-", "y333333y33"),
    ("POST", "/v1/users", {"name": "New", "email": "{email}", "organization_id": "{org}"}, "A", "y333333y33"),
    ("POST", "/v1/users", {"name": "New", "email": "{email}"}, "-", "y333333y33"),
    ("GET", "/v1/users/{usr}", None, "A", "y333333y33"),
    ("GET", "/v1/users/{usr}", None, "B", "4444333y33"),
    ("GET", "/v1/users/{usr}", None, "V", "4444333y33"),
    ("PATCH", "/v1/users/{usr}", {"locale": "nl"}, "A", "y333333y33"),
    ("PATCH", "/v1/users/{usr}", {"locale": "nl"}, "B", "4444333y33"),
    ("PATCH", "/v1/users/{usr}", {"locale": "nl"}, "V", "4444333y33"),
    ("DELETE", "/v1/users/{usr}", None, "A", "y333333y33"),
    ("DELETE", "/v1/users/{usr}", None, "B", "4444333y33"),
    ("DELETE", "/v1/users/{usr}", None, "V", "4444333y33"),
    ("POST", "/v1/users/{usr}/password-link", {}, "A", "y333333y33"),
    ("POST", "/v1/users/{usr}/password-link", {}, "B", "4444333y33"),
    ("POST", "/v1/users/{usr}/password-link", {}, "V", "4444333y33"),
    ("PATCH", "/v1/me", {"locale": "nl"}, "-", "yyy3yyyyyy"),
    ("PUT", "/v1/me/password", {"current": "x", "new": "much longer"}, "-", "9993999999"),
    ("DELETE", "/v1/sessions/current", None, "-", "4444444444"),
    ("GET", "/v1/tokens", None, "-", "y333333y33"),
    ("POST", "/v1/tokens", {"name": "New", "user_id": "{usr}", "scopes": ["claims:read"]}, "A", "y333333y33"),
    ("GET", "/v1/tokens/{tok}", None, "A", "y333333y33"),
    ("GET", "/v1/tokens/{tok}", None, "B", "4444333y33"),
    ("GET", "/v1/tokens/{tok}", None, "V", "4444333y33"),
    ("PATCH", "/v1/tokens/{tok}", {"name": "Renamed"}, "A", "y333333y33"),
    ("PATCH", "/v1/tokens/{tok}", {"name": "Renamed"}, "B", "4444333y33"),
    ("PATCH", "/v1/tokens/{tok}", {"name": "Renamed"}, "V", "4444333y33"),
    ("DELETE", "/v1/tokens/{tok}", None, "A", "y333333y33"),
    ("DELETE", "/v1/tokens/{tok}", None, "B", "4444333y33"),
    ("DELETE", "/v1/tokens/{tok}", None, "V", "4444333y33"),
]
CODES = {"3": (403, "forbidden"), "4": (404, "not_found"), "9": (409, "invalid_state")}


def address():
    return f"{uuid.uuid4().hex[:12]}@example.com"


class People:
    """The sandbox's people, and new ones of each organisation."""

    def __init__(self, product):
        self.product = product
        self.by = {role: product.as_(role) for role in product.sandbox["tokens"]}
        self.by["contributor"], _, _ = Claim(product, self.by["claimant"]).invite()
        self.admin = self.by["program_admin"]
        made = product.sandbox["organizations"]
        self.org = {"A": made["partner_a"], "B": made["partner_b"], "V": made["vendor"]}
        self.loc = {"A": product.sandbox["locations"]["partner_a"], "B": product.sandbox["locations"]["partner_b"]}

    def user(self, whose="A", by=None, **members):
        body = {"name": "Jan", "email": address(), "organization_id": self.org[whose], "state": "active",
                "roles": ["auditor" if whose == "V" else "viewer"], **members}
        return (by or self.admin).make("/v1/users", body)

    def token(self, user, by=None, **members):
        return (by or self.admin).make("/v1/tokens", {"name": "Test", "user_id": user["id"], "scopes": ["claims:read"], **members})

    def session(self, user, **members):
        return Session(self.product.base_url, self.token(user, **members)["secret"])

    def ids(self, whose):
        user = self.user(whose)
        return {"org": self.org[whose], "loc": self.loc.get(whose), "usr": user["id"], "tok": self.token(user)["id"]}


@pytest.fixture(scope="module")
def people(product):
    return People(product)


def fill(value, ids):
    if isinstance(value, dict):
        return {name: fill(part, ids) for name, part in value.items()}
    if isinstance(value, str):
        return value.replace("{email}", address()).format(**ids) if "{" in value else value
    return value


def read(people, path):
    """As an administrator reads it, but for when it was last seen."""
    body = people.admin.get(path).json()
    return {name: value for name, value in body.items() if not name.startswith("last_")}


@pytest.mark.parametrize("method,path,body,whose,cells", CELLS, ids=[f"{c[0]} {c[1]} {c[3]}" for c in CELLS])
def test_every_role_and_route(people, method, path, body, whose, cells):
    fixed = people.ids(whose) if whose != "-" else {}
    for role, cell in zip(ROLES, cells, strict=True):
        ids = people.ids(whose) if cell == "y" and method == "DELETE" else fixed
        url = path.format(**ids)
        whole = url.removesuffix("/password-link")
        before = read(people, whole) if cell != "y" and "{" in path else None
        reply = people.by[role].request(method, url, json=fill(body, ids))
        if cell == "y":
            done = {"GET": 200, "POST": 200 if "link" in path else 201, "PATCH": 200, "DELETE": 204}[method]
            assert reply.status_code == done, (role, reply.text)
        else:
            refused(reply, *CODES[cell])
        if before:
            assert read(people, whole) == before


def test_what_is_not_there_is_not_found(people):
    for path, prefix in (("organizations", "org"), ("locations", "loc"), ("users", "usr"), ("tokens", "tok")):
        for method, body in (("GET", None), ("PATCH", {"name": "X"})):
            for id in (other_id(people.org["A"]).replace("org", prefix), prefix + "_x"):
                refused(people.admin.request(method, f"/v1/{path}/{id}", json=body), 404, "not_found")
        refused(people.product.anonymous().get(f"/v1/{path}"), 401, "unauthenticated")


# ---- organisations and locations ----

def test_a_new_partner_has_what_is_its_own_and_no_more(people):
    org = people.admin.make("/v1/organizations", {"name": "Oost Media", "country": "NL"})
    assert (org["kind"], org["state"]) == ("partner", "active")
    loc = people.admin.make("/v1/locations", {"name": "Zwolle", "organization_id": org["id"]})
    people.org["C"], people.loc["C"] = org["id"], loc["id"]
    admin = people.session(people.user("C", roles=["partner_admin"]), scopes=["claims:read", "claims:write", "users"])
    assert admin.get("/v1/organizations").json()["data"] == [org]
    assert admin.get("/v1/locations").json()["data"] == [loc]
    assert [user["name"] for user in admin.get("/v1/users").json()["data"]] == ["Jan"]
    assert admin.get(f"/v1/locations/{loc['id']}").json() == loc

    assert admin.get("/v1/claims").json()["data"] == []


def test_a_location_takes_claims_until_it_is_inactive(product, people):
    loc = people.admin.make("/v1/locations", {"name": "Zwolle", "organization_id": people.org["A"]})
    body = {"name": "First", "program_id": product.sandbox["program_id"], "currency": "EUR", "location_id": loc["id"],
            "period_id": product.sandbox["period_id"], "activity_id": product.sandbox["activities"]["webinar"]}
    assert people.by["claimant"].make("/v1/claims", body)["location_id"] == loc["id"]
    assert people.admin.patch(f"/v1/locations/{loc['id']}", json={"state": "inactive"}).json()["state"] == "inactive"
    assert refused(people.by["claimant"].post("/v1/claims", json=body), 422, "validation_failed")["errors"][0]["pointer"] == \
        "#/location_id"


def test_suspending_takes_effect_at_once_and_ends_at_once(people):
    org = people.admin.make("/v1/organizations", {"name": "West"})
    people.org["W"] = org["id"]
    theirs = people.session(people.user("W"))
    assert theirs.get("/v1/me").json()["organization"]["id"] == org["id"]
    people.admin.patch(f"/v1/organizations/{org['id']}", json={"state": "suspended"})
    refused(theirs.get("/v1/me"), 401, "invalid_token")
    refused(theirs.post("/v1/claims", json={}), 401, "invalid_token")
    people.admin.patch(f"/v1/organizations/{org['id']}", json={"state": "active"})
    assert theirs.get("/v1/me").status_code == 200


def test_there_is_one_vendor_and_it_stays(people):
    fault = refused(people.admin.post("/v1/organizations", json={"name": "Other", "kind": "vendor"}), 422, "validation_failed")
    assert fault["errors"][0]["pointer"] == "#/kind"
    refused(people.admin.patch(f"/v1/organizations/{people.org['V']}", json={"state": "suspended"}), 409, "in_use")
    fault = refused(people.admin.post("/v1/locations", json={"name": "X", "organization_id": other_id(people.org["A"])}), 422,
                    "validation_failed")
    assert (fault["errors"][0]["pointer"], fault["errors"][0]["code"]) == ("#/organization_id", "not_found")


def test_a_key_makes_one_organisation(people):
    body, headers = {"name": "Once"}, {"Idempotency-Key": str(uuid.uuid4())}
    first = people.admin.post("/v1/organizations", json=body, headers=headers)
    again = people.admin.post("/v1/organizations", json=body, headers=headers)
    assert first.content == again.content and again.headers["Idempotent-Replayed"] == "true"
    refused(people.admin.post("/v1/organizations", json={"name": "Twice"}, headers=headers), 422, "idempotency_key_reused")
    seen = first.headers["ETag"]
    assert people.admin.get(first.headers["Location"]).headers["ETag"] == seen
    assert people.admin.patch(first.headers["Location"], json={"name": "New"}, headers={"If-Match": seen}).status_code == 200
    refused(people.admin.patch(first.headers["Location"], json={"name": "Newer"}, headers={"If-Match": seen}), 412,
            "precondition_failed")


# ---- users ----

def test_an_address_is_one_users(people):
    email = address()
    people.user(email=email)
    for other in (email, email.upper()):
        refused(people.admin.post("/v1/users", json={"name": "Two", "email": other, "organization_id": people.org["B"]}), 409,
                "already_exists")
    anna = people.user(email=address())
    refused(people.admin.patch(f"/v1/users/{anna['id']}", json={"email": email}), 409, "already_exists")
    new = address()
    assert people.admin.patch(f"/v1/users/{anna['id']}", json={"email": new}).json()["email"] == new
    people.user(email=anna["email"])            # free again
    refused(people.admin.post("/v1/users", json={"name": "Three", "email": new}), 409, "already_exists")


def test_a_refused_user_leaves_his_address_free(people):
    email = address()
    refused(people.admin.post("/v1/users", json={"name": "X", "email": email, "roles": ["claimant"]}), 422, "validation_failed")
    people.user(email=email)


def test_of_many_at_once_one_gets_the_address(people):
    email, statuses = address(), []

    def make():
        session = people.product.as_("program_admin")
        statuses.append(session.post("/v1/users", json={"name": "X", "email": email, "organization_id": people.org["B"]}).status_code)

    threads = [threading.Thread(target=make) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] + [409] * 11


def test_an_address_that_was_reserved_in_vain_is_free_after_a_minute(people):
    """As after a crash between the reservation and the commit: with a user who is not there."""
    keys = set(people.product.redis("--scan", "--pattern", "{d*}:email:*").split())
    email = address()
    people.user(email=email)
    key = (set(people.product.redis("--scan", "--pattern", "{d*}:email:*").split()) - keys).pop()
    owner = people.product.redis("GET", key)
    assert owner.startswith("usr_") and " " not in owner
    nobody, other = other_id(owner), {"name": "X", "email": email.replace("@", ".x@"), "organization_id": people.org["A"]}
    keys.add(key)
    user = people.admin.make("/v1/users", other)
    key = (set(people.product.redis("--scan", "--pattern", "{d*}:email:*").split()) - keys).pop()
    people.admin.patch(f"/v1/users/{user['id']}", json={"email": address()})
    people.product.redis("SET", key, f"{nobody} {10**13}")
    refused(people.admin.post("/v1/users", json=other), 409, "already_exists")
    people.product.redis("SET", key, f"{nobody} 1000")
    assert people.admin.make("/v1/users", other)["email"] == other["email"]


def test_roles_and_limits_are_of_the_users_side(people):
    def faults(body, by=people.admin):
        return {(e["pointer"], e["code"]) for e in refused(by.post("/v1/users", json={"name": "X", "email": address(), **body}), 422,
                                                           "validation_failed")["errors"]}
    assert faults({"roles": ["reviewer"], "organization_id": people.org["A"]}) == {("#/roles/0", "invalid_enum")}
    assert faults({"roles": ["claimant"]}) == {("#/roles/0", "invalid_enum")}
    assert faults({"roles": ["reviewer"]}, people.by["partner_admin"]) == {("#/roles/0", "invalid_enum")}
    assert faults({"organization_id": people.org["B"]}, people.by["partner_admin"]) == {("#/organization_id", "not_found")}
    unknown = {"location_ids": [people.loc["B"], other_id(people.loc["A"]), people.loc["A"]],
               "program_ids": [other_id(people.product.sandbox["program_id"])]}
    assert faults({**unknown, "organization_id": people.org["A"]}) == {
        ("#/location_ids/0", "not_found"), ("#/location_ids/1", "not_found"), ("#/program_ids/0", "not_found")}
    limits = {"location_ids": [people.loc["A"]], "program_ids": [people.product.sandbox["program_id"]]}
    assert limits.items() <= people.user(**limits).items()
    assert people.user("V", location_ids=list(people.loc.values()))["location_ids"]


def test_who_is_limited_manages_what_lies_within(people):
    second = people.admin.make("/v1/locations", {"name": "Second", "organization_id": people.org["A"]})["id"]
    limited = people.session(people.user(roles=["partner_admin"], location_ids=[people.loc["A"]]),
                             scopes=["claims:read", "users"])
    free, near, far = people.user(), people.user(location_ids=[people.loc["A"]]), people.user(location_ids=[second])
    seen = {user["id"] for user in limited.get("/v1/users?limit=200").json()["data"]}
    assert near["id"] in seen and not seen & {free["id"], far["id"]}
    for user in (free, far):
        refused(limited.get(f"/v1/users/{user['id']}"), 404, "not_found")
        refused(limited.patch(f"/v1/users/{user['id']}", json={"name": "X"}), 404, "not_found")
        refused(limited.post("/v1/tokens", json={"name": "X", "user_id": user["id"], "scopes": ["claims:read"]}), 422,
                "validation_failed")
    for limits in ({}, {"location_ids": []}, {"location_ids": [second]}):
        refused(limited.post("/v1/users", json={"name": "X", "email": address(), **limits}), 422, "validation_failed")
    refused(limited.patch(f"/v1/users/{near['id']}", json={"location_ids": []}), 422, "validation_failed")
    people.user(by=limited, location_ids=[people.loc["A"]])
    refused(limited.get(f"/v1/locations/{second}"), 404, "not_found")
    assert [row["id"] for row in limited.get("/v1/locations").json()["data"]] == [people.loc["A"]]


def test_what_one_changes_of_himself(people):
    user = people.user(roles=["partner_admin"])
    theirs = people.session(user)
    seen = theirs.get("/v1/me")
    headers = {"If-Match": seen.headers["ETag"], "Idempotency-Key": str(uuid.uuid4())}
    changed = theirs.patch("/v1/me", json={"name": "Janneke", "locale": "nl"}, headers=headers)
    assert changed.json() == theirs.get("/v1/me").json() and changed.headers["ETag"] == theirs.get("/v1/me").headers["ETag"]
    assert changed.json()["user"]["name"] == "Janneke" == people.admin.get(f"/v1/users/{user['id']}").json()["name"]
    again = theirs.patch("/v1/me", json={"name": "Janneke", "locale": "nl"}, headers=headers)
    assert again.content == changed.content and again.headers["Idempotent-Replayed"] == "true"
    refused(theirs.patch("/v1/me", json={"name": "Jo"}, headers={"If-Match": seen.headers["ETag"]}), 412, "precondition_failed")
    for body in ({"roles": ["viewer"]}, {"email": address()}, {"location_ids": []}, {"state": "active"}, {"locale": "fr"}):
        fault = refused(theirs.patch("/v1/me", json=body), 422, "validation_failed")
        assert fault["errors"][0]["pointer"] == "#/" + next(iter(body))


def test_disabling_takes_effect_at_once(people):
    user = people.user()
    theirs = people.session(user)
    assert theirs.get("/v1/me").status_code == 200
    assert people.admin.delete(f"/v1/users/{user['id']}").status_code == 204
    refused(theirs.get("/v1/me"), 401, "invalid_token")
    assert people.admin.get(f"/v1/users/{user['id']}").json()["state"] == "disabled"
    assert people.admin.delete(f"/v1/users/{user['id']}").status_code == 204
    assert people.admin.patch(f"/v1/users/{user['id']}", json={"state": "active"}).json()["state"] == "active"
    assert theirs.get("/v1/me").status_code == 200
    refused(people.admin.patch(f"/v1/users/{user['id']}", json={"state": "invited"}), 422, "validation_failed")


def test_an_organisation_keeps_an_administrator(people):
    people.org["K"] = people.admin.make("/v1/organizations", {"name": "Klein"})["id"]
    first = people.user("K", roles=["partner_admin"])
    session = people.session(first, scopes=["users"])
    for body in ({"roles": ["claimant"]}, {"state": "disabled"}):
        refused(session.patch(f"/v1/users/{first['id']}", json=body), 409, "in_use")
    refused(session.delete(f"/v1/users/{first['id']}"), 409, "in_use")
    second = people.user("K", by=session, roles=["partner_admin", "claimant"])
    refused(session.delete(f"/v1/users/{first['id']}"), 403, "conflict_of_interest")
    refused(session.patch(f"/v1/users/{first['id']}", json={"state": "disabled"}), 403, "conflict_of_interest")
    assert session.delete(f"/v1/users/{second['id']}").status_code == 204
    refused(session.patch(f"/v1/users/{first['id']}", json={"roles": []}), 409, "in_use")
    # The vendor can make a new one, so it may take away the last.
    assert people.admin.delete(f"/v1/users/{first['id']}").status_code == 204


def test_two_administrators_cannot_take_each_other_away(people):
    for _ in range(5):
        org = people.admin.make("/v1/organizations", {"name": "Duo"})["id"]
        people.org["D"] = org
        users = [people.user("D", roles=["partner_admin"]) for _ in range(2)]
        sessions = [people.session(user, scopes=["users"]) for user in users]
        threads = [threading.Thread(target=sessions[i].delete, args=(f"/v1/users/{users[1 - i]['id']}",)) for i in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        states = [people.admin.get(f"/v1/users/{user['id']}").json()["state"] for user in users]
        assert sorted(states) == ["active", "disabled"]


# ---- tokens ----

def test_a_tokens_secret_is_shown_once(people):
    user, headers = people.user(), {"Idempotency-Key": str(uuid.uuid4())}
    body = {"name": "Export", "user_id": user["id"], "scopes": ["claims:read"]}
    made = people.admin.post("/v1/tokens", json=body, headers=headers)
    token = made.json()
    assert token["secret"].startswith(token["prefix"]) and made.headers["Cache-Control"] == "no-store"
    assert people.admin.post("/v1/tokens", json=body, headers=headers).json() == token
    url = made.headers["Location"]
    assert "secret" not in people.admin.get(url).json()
    assert "secret" not in people.admin.patch(url, json={"name": "Exports"}).json()
    assert all("secret" not in row for row in people.admin.get(f"/v1/tokens?user_id={user['id']}").json()["data"])
    fault = refused(people.admin.patch(url, json={"scopes": ["review"]}), 422, "validation_failed")
    assert fault["errors"][0]["code"] == "not_editable"
    assert token["secret"] not in people.product.redis("--scan") and \
        token["secret"][7:] not in open(people.product.log_path, encoding="utf-8").read()


def test_a_revoked_token_is_refused_at_once(people):
    user = people.user()
    token = people.token(user)
    theirs = Session(people.product.base_url, token["secret"])
    assert theirs.get("/v1/me").json()["scopes"] == ["claims:read"]
    assert people.admin.delete(f"/v1/tokens/{token['id']}").status_code == 204
    refused(theirs.get("/v1/me"), 401, "invalid_token")
    refused(people.admin.get(f"/v1/tokens/{token['id']}"), 404, "not_found")
    refused(people.admin.delete(f"/v1/tokens/{token['id']}"), 404, "not_found")


def test_a_token_that_has_expired_is_refused(people):
    user = people.user()
    now = people.admin.get("/v1/clock").json()["now"]
    fault = refused(people.admin.post("/v1/tokens", json={"name": "X", "user_id": user["id"], "scopes": ["claims:read"],
                                                          "expires_at": now}), 422, "validation_failed")
    assert (fault["errors"][0]["pointer"], fault["errors"][0]["code"]) == ("#/expires_at", "too_small")
    assert people.session(user, expires_at="2999-01-01T00:00:00Z").get("/v1/me").status_code == 200


def test_when_it_was_last_used_is_seen(people):
    user = people.user()
    token = people.token(user)
    assert (user["last_seen_at"], token["last_used_at"]) == (None, None)
    Session(people.product.base_url, token["secret"]).get("/v1/me")
    url = f"/v1/tokens/{token['id']}"
    seen = wait_for(lambda: people.admin.get(url).json()["last_used_at"], 60, "last_used_at")
    assert seen.endswith(":00.000Z")
    assert people.admin.get(f"/v1/users/{user['id']}").json()["last_seen_at"] == seen
    listed = people.admin.get(f"/v1/tokens?user_id={user['id']}").json()["data"]
    assert [row["last_used_at"] for row in listed] == [seen]
    renamed = people.admin.patch(url, json={"name": "Other"})
    assert renamed.json()["last_used_at"] == seen and renamed.headers["ETag"] == people.admin.get(url).headers["ETag"]


# What each role may be given: a scope that some route of its asks for.
SCOPES = {
    "partner_admin": "claims:read claims:write funds:read users webhooks", "claimant": "claims:read claims:write funds:read",
    "viewer": "claims:read funds:read", "reviewer": "claims:read claims:write review funds:read",
    "senior_reviewer": "claims:read claims:write review funds:read", "finance": "claims:read claims:write finance funds:read",
    "program_admin": "claims:read funds:read programs:write users webhooks", "auditor": "claims:read funds:read",
    "operator": "admin",
}
ALL_SCOPES = "claims:read claims:write review funds:read finance programs:write webhooks users admin".split()
# A route that asks for the scope, and who may call it.
ASKS = {
    "claims:read": ("claimant", "GET", "/v1/claims", None), "claims:write": ("claimant", "POST", "/v1/claims", {}),
    "funds:read": ("claimant", "GET", "/v1/fund-accounts", None), "review": ("reviewer", "POST", "{claim}/take", {}),
    "programs:write": ("program_admin", "POST", "/v1/organizations", {"name": "Scoped"}),
    "users": ("partner_admin", "GET", "/v1/users", None), "webhooks": ("partner_admin", "GET", "/v1/webhook-endpoints", None),
    "admin": ("operator", "GET", "/v1/admin/jobs", None),
}


@pytest.mark.parametrize("role", SCOPES)
def test_a_token_has_no_scope_beyond_its_users_roles(people, role):
    user = people.user("A" if role in ROLES[:3] else "V", roles=[role])
    for scope in ALL_SCOPES:
        reply = people.admin.post("/v1/tokens", json={"name": "X", "user_id": user["id"], "scopes": [scope]})
        if scope in SCOPES[role].split():
            assert reply.status_code == 201, scope
        else:
            assert refused(reply, 422, "validation_failed")["errors"][0]["pointer"] == "#/scopes/0"


def submitted(people):
    claim = Claim(people.product, people.by["claimant"]).evidence()
    claim.act("submit")
    return claim


@pytest.mark.parametrize("scope", ASKS)
def test_a_route_is_closed_to_tokens_without_its_scope(people, scope):
    role, method, path, body = ASKS[scope]
    user = people.user("A" if role in ROLES[:3] else "V", roles=[role])
    claim = submitted(people) if "{claim}" in path else None
    others = [one for one in SCOPES[role].split() if one != scope]
    url = path.format(claim=claim.url if claim else "")
    if others:
        reply = people.session(user, scopes=others).request(method, url, json=body)
        refused(reply, 403, "insufficient_scope")
        assert reply.headers["WWW-Authenticate"] == 'Bearer realm="coopclaims", error="insufficient_scope"'
    reply = people.session(user, scopes=[scope] + (["claims:read"] if claim else [])).request(method, url, json=body)
    assert reply.status_code in (200, 201, 422), reply.text


def test_a_token_gives_no_scope_that_it_has_not(people):
    user = people.user(roles=["partner_admin"])
    narrow = people.session(user, scopes=["users"])
    refused(narrow.post("/v1/tokens", json={"name": "X", "scopes": ["claims:read"]}), 422, "validation_failed")
    assert narrow.make("/v1/tokens", {"name": "X", "scopes": ["users"]})["user_id"] == user["id"]


def test_the_whole_store_verifies(people):
    people.product.verify()
