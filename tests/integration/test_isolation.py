"""Who sees and may do what: another organisation's things are not there, on any route; each role does what it may and no more."""
import pytest

from claims import Claim, Unchanged, other_id, refused
from contract import Contract
from product import wait_for

ITEMS = {"invoices": "ivc", "csrs": "csr", "metrics": "met", "documents": "doc", "comments": "cmt", "requests": "req",
         "decisions": "dec", "checks": "chk", "invitations": "inv", "collaborators": "col", "history": "evt"}


@pytest.fixture(scope="module")
def people(product):
    return {role: product.as_(role) for role in product.sandbox["tokens"]}


@pytest.fixture(scope="module")
def full(product, people):
    """A claim of partner A that has one of everything, in review; with ids by collection."""
    claim = Claim(product, people["claimant"], name="Only ours").evidence("300.00")
    claim.csr()
    claim.make("/metrics", {"key": "views", "value": "1"})
    claim.make("/comments", {"text": "Only ours"})
    claim.bas, _, _ = claim.invite(permissions=["upload", "comment"])
    twin = Claim(product, people["claimant"])       # the same file in two claims: a check on the second
    content = claim.session.get(claim.proof["content_url"]).content
    twin.upload(content, "again.png")
    claim.upload(twin.session.get(twin.get("/documents")["data"][0]["content_url"]).content, "twice.png", purpose="other", note="x")
    claim.held(people["reviewer"])
    target = {"type": "document", "id": claim.proof["id"]}
    claim.make("/requests", {"items": [{"target": target, "reason_code": "proof_not_legible"}]}, people["reviewer"])
    claim.make(f"/requests/{claim.get('/requests')['data'][0]['id']}/answers", {"message": "Here"})
    claim.act("resubmit")
    claim.act("take", session=people["reviewer"])
    claim.make("/decisions", {"outcome": "rejected", "reason_codes": ["content_not_eligible"], "message": "Not this one"}, people["reviewer"])
    claim.items = {}
    for name in ITEMS:
        rows = claim.get("/" + name, people["reviewer"])["data"] if name != "checks" else \
            claim.get("/checks", people["reviewer"])["data"] + twin.get("/checks", people["reviewer"])["data"]
        claim.items[name] = rows[0]["id"] if rows else None
    return claim


def routes_of_claims(product):
    """(method, path with {id} and {item}) of everything at or below a claim, as /openapi.json has it."""
    product.as_("claimant").get("/v1/me")
    for method, path, operation in Contract.of[product.base_url].operations.values():
        if path.startswith("/v1/claims/{id}"):
            yield method, path, operation


def fill(path, claim_id, items):
    name = path.split("/")[4] if path.count("/") > 3 else ""
    return path.replace("{id}", claim_id).replace("{item}", items.get(name) or ITEMS.get(name, "xxx") + "_" + claim_id[4:])


def test_another_organisations_claim_is_not_there_on_any_route(product, people, full):
    count = 0
    bodies = {"POST": {}, "PATCH": {}, "PUT": None, "DELETE": None, "GET": None}
    with Unchanged(full):
        for method, path, _ in routes_of_claims(product):
            url = fill(path, full.id, full.items)
            for role in ("partner_b_admin", "partner_b_claimant", "operator"):
                theirs = people[role].request(method, url, json=bodies[method])
                refused(theirs, 404, "not_found")
                # And it is the same answer as for one that nobody ever made.
                nobody = people[role].request(method, fill(path, other_id(full.id), {}), json=bodies[method])
                assert without_id(nobody) == without_id(theirs), url
                count += 1
            if method == "POST":
                refused(people["partner_b_admin"].post(url, data=b"{", headers={"Content-Type": "application/json"}), 404, "not_found")
    assert count > 120


def without_id(reply):
    body = reply.json()
    return {name: body[name] for name in body if name != "request_id"}


def test_ids_of_another_claim_are_not_found_below_ones_own(product, people, full):
    own = Claim(product, people["claimant"])
    theirs = Claim(product, people["partner_b_claimant"], side="partner_b")
    for claim in (own, theirs):
        with Unchanged(claim, full):
            for method, path, _ in routes_of_claims(product):
                if "{item}" in path:
                    refused(claim.session.request(method, fill(path, claim.id, full.items), json={}), 404, "not_found")


def test_references_to_others_are_not_found(product, people, full):
    theirs = Claim(product, people["partner_b_claimant"], side="partner_b")
    with Unchanged(theirs):
        for path, body in (("/invoices", {**theirs.invoice_body(), "document_ids": [full.items["documents"]]}),
                           ("/comments", {"text": "x", "target": {"type": "invoice", "id": full.items["invoices"]}}),
                           ("/documents", {"name": "a.txt", "size": 1, "replaces": full.items["documents"]}),
                           ("/documents", {"name": "a.txt", "size": 1, "purpose": "invoice", "invoice_id": full.items["invoices"]})):
            reply = theirs.session.post(theirs.url + path, json=body)
            assert reply.status_code in (404, 422) and "not_found" in reply.text, (path, reply.text)


def test_lists_show_ones_own_alone(product, people, full):
    theirs = Claim(product, people["partner_b_claimant"], side="partner_b", name="Theirs")
    for role in ("partner_b_admin", "partner_b_claimant"):
        text = people[role].get("/v1/claims?limit=200").text
        assert full.id not in text and "Only ours" not in text and theirs.id in text
    for role in ("partner_admin", "claimant", "viewer"):
        text = people[role].get("/v1/claims?limit=200").text
        assert full.id in text and theirs.id not in text
    for role in ("reviewer", "senior_reviewer", "finance", "auditor", "program_admin"):
        text = people[role].get("/v1/claims?limit=200").text
        assert full.id in text and theirs.id in text
    assert people["operator"].get("/v1/claims").json()["data"] == []


def test_accounts_of_others_are_not_there(product, people, full):
    ours = "/v1/fund-accounts/" + full.get()["fund_account_id"]
    for path in (ours, ours + "/ledger"):
        assert people["viewer"].get(path).status_code == 200 and people["finance"].get(path).status_code == 200
        for role in ("partner_b_admin", "partner_b_claimant"):
            refused(people[role].get(path), 404, "not_found")
        assert full.bas.get(path).status_code in (403, 404)
    organization = product.sandbox["organizations"]["partner_a"]
    assert people["partner_b_admin"].get("/v1/fund-accounts?organization_id=" + organization).json()["data"] == []
    mine = people["partner_b_admin"].get("/v1/fund-accounts").json()["data"]
    assert [row["organization_id"] for row in mine] == [product.sandbox["organizations"]["partner_b"]]


def test_endpoints_of_others_are_not_there(product, people, full):
    admin, other = people["partner_admin"], people["partner_b_admin"]
    made = admin.make("/v1/webhook-endpoints", {"url": "http://127.0.0.1:9/hook", "event_types": ["test.ping"]})
    path = "/v1/webhook-endpoints/" + made["id"]
    sent = admin.make(path + "/test", {}, 202)
    wait_for(lambda: admin.get(f"{path}/deliveries/{sent['id']}").json()["attempts"], what="the first try")
    before = admin.get(path).json()
    routes = [(method, route) for method, route, _ in Contract.of[product.base_url].operations.values()
              if route.startswith("/v1/webhook-endpoints/{id}")]
    for method, route in routes:
        url = route.replace("{id}", made["id"]).replace("{item}", sent["id"])
        for session in (other, people["program_admin"]):
            theirs = session.request(method, url, json={})
            refused(theirs, 404, "not_found")
            nobody = session.request(method, url.replace(made["id"], other_id(made["id"])), json={})
            assert without_id(nobody) == without_id(theirs), url
        for role in ("claimant", "viewer"):
            refused(people[role].request(method, url, json={}), 403, "forbidden")
        assert full.bas.request(method, url, json={}).status_code in (403, 404)
    assert len(routes) == 10 and other.get("/v1/webhook-endpoints").json()["data"] == []
    assert admin.get(path).json() == before
    assert admin.delete(path).status_code == 204


def test_a_check_does_not_tell_of_anothers_file(product, people, full):
    """The vendor hears where else the file lies; a partner never does."""
    theirs = Claim(product, people["partner_b_claimant"], side="partner_b")
    theirs.upload(full.session.get(f"{full.url}/documents/{full.items['documents']}/content").content, "same.png")
    found = theirs.get("/checks", people["reviewer"])["data"]
    assert [row["code"] for row in found] == ["file.duplicate_exact"]
    for session in (people["partner_b_claimant"], people["partner_b_admin"]):
        for path in ("/checks", "/history", "?include=checks,history", "/documents"):
            text = session.get(theirs.url + path).text
            assert full.id not in text and full.items["documents"] not in text and "Only ours" not in text
            assert "duplicate" not in text and found[0]["id"] not in text
        assert session.get(theirs.url).json()["counts"]["open_checks"] == 0
        refused(session.get(f"{theirs.url}/checks/{found[0]['id']}"), 404, "not_found")


# --- roles ---

COMMANDS = [("PATCH", "", "edit"), ("POST", "/invoices", "edit"), ("POST", "/csrs", "edit"), ("POST", "/metrics", "edit"),
            ("POST", "/documents", "evidence"), ("POST", "/comments", "comment"), ("POST", "/invitations", "invite"),
            ("POST", "/validate", "edit"), ("POST", "/submit", "edit"), ("POST", "/recall", "edit"), ("POST", "/cancel", "edit"),
            ("POST", "/resubmit", "edit"), ("POST", "/take", "review"), ("POST", "/release", "review"), ("POST", "/requests", "review"),
            ("POST", "/decisions", "review")]
MAY = {"viewer": set(), "auditor": set(), "program_admin": set(), "finance": {"comment"}, "reviewer": {"comment", "review"},
       "senior_reviewer": {"comment", "review"}, "claimant": {"edit", "evidence", "comment", "invite"}}


def test_each_role_is_refused_what_it_may_not(product, people):
    """A body that is wrong everywhere: who may is told of that (or of the state), who may not is told that."""
    claim = Claim(product, people["partner_admin"])
    with Unchanged(claim):
        for role, may in MAY.items():
            for method, path, what in COMMANDS:
                reply = people[role].request(method, claim.url + path, json={"nope": 1})
                if what in may:
                    assert reply.status_code in (409, 422), (role, path, reply.text)
                else:
                    refused(reply, 403, "forbidden")
            assert set(people[role].get(claim.url).json()["allowed_actions"]) <= {
                "claimant": {"edit", "add_evidence", "comment", "invite", "validate", "submit", "cancel"}}.get(role, {"comment"})


def test_partners_never_act_as_reviewers(product, people):
    claim = Claim(product, people["claimant"]).evidence("50.00")
    claim.act("submit")
    with Unchanged(claim):
        for role in ("partner_admin", "claimant"):
            refused(people[role].post(claim.url + "/take", json={}), 403, "forbidden")
        body = {"text": "x", "visibility": "internal"}
        assert people["claimant"].post(claim.url + "/comments", json=body).status_code == 422


def test_a_contributor_has_one_claim(product, people, full):
    claim = Claim(product, people["claimant"])
    bas, _, accepted = claim.invite(permissions=["upload", "annotate", "comment"])
    assert accepted["claim_id"] == claim.id
    me = bas.get("/v1/me").json()
    assert me["user"] is None and me["collaborator"]["email"] == "bas@example.com" and me["roles"] == ["contributor"]
    for path in ("", "/history", "/documents", "/invoices"):
        assert bas.get(claim.url + path).status_code == 200
        refused(bas.get(full.url + path), 404, "not_found")
    assert [row["id"] for row in bas.get("/v1/claims").json()["data"]] == [claim.id]
    invoice = claim.invoice()
    document = claim.upload(session=bas)
    own = claim.upload()
    with Unchanged(claim):
        for method, path, what in COMMANDS:
            if what not in ("evidence", "comment"):
                refused(bas.request(method, claim.url + path, json={}), 403, "forbidden")
        refused(bas.delete(f"{claim.url}/invoices/{invoice['id']}"), 403, "forbidden")
        refused(bas.delete(f"{claim.url}/documents/{own['id']}"), 403, "forbidden")
        for path in ("/invitations", "/collaborators"):
            reply = bas.get(claim.url + path)
            assert "leo@" not in reply.text and (reply.status_code == 403 or len(reply.json()["data"]) <= 1)
    assert bas.delete(f"{claim.url}/documents/{document['id']}").status_code == 204
    assert bas.post(claim.url + "/comments", json={"text": "Done"}).status_code == 201
    assert claim.get("?include=fund_account")["fund_account"]["remaining"]
    assert claim.get("?include=fund_account", bas)["fund_account"] is None
    assert "remaining" not in bas.get(claim.url).text


def test_an_invitation_is_what_it_permits(product, people):
    claim = Claim(product, people["claimant"])
    commenter, _, _ = claim.invite("a@example.com", permissions=["comment"])
    uploader, _, _ = claim.invite("b@example.com", permissions=["upload"])
    refused(commenter.post(claim.url + "/documents", json={"name": "a", "size": 1}), 403, "forbidden")
    refused(commenter.post(claim.url + "/documents", files={"file": ("a.txt", b"hello")}), 403, "forbidden")
    refused(uploader.post(claim.url + "/comments", json={"text": "x"}), 403, "forbidden")
    assert commenter.post(claim.url + "/comments", json={"text": "x"}).status_code == 201
    document = claim.upload(session=uploader)
    refused(uploader.patch(f"{claim.url}/documents/{document['id']}", json={"note": "x"}), 403, "forbidden")


def test_who_is_taken_off_is_out_at_once(product, people):
    claim = Claim(product, people["claimant"])
    bas, invitation, _ = claim.invite()
    assert bas.get(claim.url).status_code == 200
    person = claim.get("/collaborators")["data"][0]
    assert claim.session.delete(f"{claim.url}/collaborators/{person['id']}").status_code == 204
    refused(bas.get(claim.url), 401, "invalid_token")
    refused(bas.post(claim.url + "/comments", json={"text": "x"}), 401, "invalid_token")
    anyone = product.anonymous()
    token = invitation["url"].split("token=")[1]
    for action in ("preview", "accept"):
        reply = anyone.post("/v1/invitations/" + action, json={"token": token})
        assert reply.status_code == 410, reply.text
        for wrong in ("x", "cin_00" + "a" * 43, token[:-1] + ("A" if token[-1] != "A" else "B")):
            refused(anyone.post("/v1/invitations/" + action, json={"token": wrong}), 404, "not_found")


def test_an_invitation_taken_back_is_over(product, people):
    claim = Claim(product, people["claimant"])
    made = claim.make("/invitations", {"email": "bas@example.com"})
    assert product.anonymous().post("/v1/invitations/preview", json={"token": made["url"].split("token=")[1]}).status_code == 200
    assert claim.session.delete(f"{claim.url}/invitations/{made['id']}").status_code == 204
    for action in ("preview", "accept"):
        refused(product.anonymous().post("/v1/invitations/" + action, json={"token": made["url"].split("token=")[1]}), 410, "gone")


def test_accepting_again_gives_a_new_token_and_ends_the_old_one(product, people):
    claim = Claim(product, people["claimant"])
    first, invitation, _ = claim.invite()
    again = product.anonymous().post("/v1/invitations/accept", json={"token": invitation["url"].split("token=")[1]})
    assert again.status_code == 200
    assert product.with_token(again.json()["access_token"]).get(claim.url).status_code == 200
    refused(first.get(claim.url), 401, "invalid_token")
    assert len(claim.get("/collaborators")["data"]) == 1


def test_jobs_are_for_the_operator(people):
    assert people["operator"].get("/v1/admin/jobs").status_code == 200
    for role in people:
        if role != "operator":
            for method, path in (("GET", ""), ("GET", "/x"), ("POST", "/x/retry"), ("POST", "/x/discard")):
                reply = people[role].request(method, "/v1/admin/jobs" + path, json={})
                assert reply.status_code in (403, 404), (role, path)
                assert path not in ("", "/x") or reply.status_code == 403
