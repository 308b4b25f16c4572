"""Revisions and ETags: what was seen can be named, what has changed is told, and what is internal leaves no trace."""
import pytest

from claims import Claim, Unchanged, refused


@pytest.fixture(scope="module")
def people(product):
    return {role: product.as_(role) for role in product.sandbox["tokens"]}


@pytest.fixture
def claim(product, people):
    return Claim(product, people["claimant"])


def revision(etag):
    return int(etag.strip('"').split(".")[0])


def test_a_write_gives_the_etag_of_the_next_read(claim):
    for method, path, body in (("PATCH", "", {"name": "Two"}), ("POST", "/invoices", claim.invoice_body()),
                               ("POST", "/metrics", {"key": "views", "value": "1"}), ("POST", "/cancel", {"reason": "x"})):
        reply = claim.session.request(method, claim.url + path, json=body)
        where = reply.headers.get("Location", claim.url)
        read = claim.session.get(where)
        assert read.headers["ETag"] == reply.headers["ETag"] and read.content == reply.content
        assert revision(reply.headers["ETag"]) == reply.json()["revision"]


def test_what_is_known_is_not_sent_again(claim):
    for path in ("", "/history", "/invoices", "?include=comments,history"):
        url = claim.url + path
        read = claim.session.get(url)
        etag = read.headers["ETag"]
        for known in (etag, "W/" + etag, f'"x", {etag}', "*"):
            for method in ("GET", "HEAD"):
                again = claim.session.request(method, url, headers={"If-None-Match": known})
                assert (again.status_code, again.content) == (304, b""), known
                assert again.headers["ETag"] == etag and again.headers["Cache-Control"] == read.headers["Cache-Control"]
                assert again.headers["Vary"] == read.headers["Vary"] and "Content-Type" not in again.headers
        for other in ('"x"', f'"{revision(etag)}.0"'):
            assert claim.session.get(url, headers={"If-None-Match": other}).status_code == 200
    claim.session.post(claim.url + "/comments", json={"text": "Something new"})
    assert claim.session.get(claim.url, headers={"If-None-Match": etag}).status_code == 200


def test_if_match_compares_the_revision_alone(claim):
    seen = claim.etag()
    claim.session.post(claim.url + "/comments", json={"text": "Raises nothing"})
    assert claim.etag() != seen and revision(claim.etag()) == revision(seen)
    for etag in (seen, "W/" + seen, "*", f'"{revision(seen)}.anything"'):
        reply = claim.session.patch(claim.url, json={"name": claim.body["name"]}, headers={"If-Match": etag})
        assert reply.status_code == 200, etag


def test_a_stale_revision_is_refused_and_the_new_one_given(claim):
    seen = claim.etag()
    claim.session.patch(claim.url, json={"name": "Meanwhile"})
    with Unchanged(claim):
        for method, path, body in (("PATCH", "", {"name": "Mine"}), ("POST", "/invoices", claim.invoice_body()), ("POST", "/cancel", {"reason": "x"})):
            for etag in (seen, "W/" + seen):
                problem = refused(claim.session.request(method, claim.url + path, json=body, headers={"If-Match": etag}), 412,
                                  "precondition_failed")
                assert problem["revision"] == 2 and problem["current_etag"] == claim.etag()
    done = claim.session.patch(claim.url, json={"name": "Mine"}, headers={"If-Match": problem["current_etag"]})
    assert done.status_code == 200 and done.json()["revision"] == 3


def test_items_have_their_own_revision(claim):
    invoice = claim.invoice()
    path = f"{claim.url}/invoices/{invoice['id']}"
    seen = claim.session.get(path).headers["ETag"]
    claim.csr()                                     # the claim goes on, the invoice does not
    claim.session.patch(claim.url, json={"name": "Other"})
    assert claim.session.patch(path, json={"note": "a"}, headers={"If-Match": seen}).json()["revision"] == 2
    with Unchanged(claim):
        for method, body in (("PATCH", {"note": "b"}), ("DELETE", None)):
            problem = refused(claim.session.request(method, path, json=body, headers={"If-Match": seen}), 412, "precondition_failed")
            assert problem["current_etag"] == claim.session.get(path).headers["ETag"] and problem["revision"] == 2
    assert claim.session.delete(path, headers={"If-Match": problem["current_etag"]}).status_code == 204


def test_comments_have_their_own_revision(claim):
    comment = claim.make("/comments", {"text": "a"})
    path = f"{claim.url}/comments/{comment['id']}"
    seen = claim.session.get(path).headers["ETag"]
    assert claim.session.patch(path, json={"text": "b"}, headers={"If-Match": seen}).json()["revision"] == 2
    with Unchanged(claim):
        problem = refused(claim.session.patch(path, json={"text": "c"}, headers={"If-Match": seen}), 412, "precondition_failed")
        assert problem["current_etag"] == claim.session.get(path).headers["ETag"]
    assert claim.session.patch(path, json={"text": "c"}, headers={"If-Match": problem["current_etag"]}).status_code == 200


def test_what_raises_the_revision_and_what_does_not(product, claim, people):
    """People's changes do; comments, invitations, checks and what machines found do not."""
    def raised(act):
        before = claim.get()["revision"]
        act()
        return claim.get()["revision"] - before

    assert raised(lambda: claim.session.patch(claim.url, json={"tags": ["a"]})) == 1
    assert raised(lambda: claim.session.patch(claim.url, json={"tags": ["a"]})) == 0
    assert raised(lambda: claim.make("/comments", {"text": "a"})) == 0
    assert raised(lambda: claim.make("/invitations", {"email": "bas@example.com"})) == 0
    assert raised(lambda: claim.invoice()) == 1
    document = []
    assert raised(lambda: document.append(claim.upload(wait=False))) == 1
    assert raised(lambda: product.wait_document(claim.session, claim.url, document[0]["id"])) == 0
    assert raised(lambda: claim.act("submit")) == 1
    assert raised(lambda: claim.act("take", session=people["reviewer"])) == 1


def test_null_clears_and_lists_are_replaced(claim):
    """RFC 7396."""
    invoice = claim.invoice(note="a", supplier={"name": "Studio Noord", "country": "NL"},
                            lines=[{"description": "a", "net": {"amount": "1000.00", "currency": "EUR"}}])
    path = f"{claim.url}/invoices/{invoice['id']}"
    patched = claim.session.patch(path, json={"note": None, "supplier": {"country": None}}).json()
    assert patched["note"] is None and patched["supplier"] == {"name": "Studio Noord", "tax_id": None, "country": None}
    assert patched["lines"] == invoice["lines"]
    assert claim.session.patch(path, json={"lines": []}).json()["lines"] == []
    assert claim.session.patch(claim.url, json={"description": "x", "tags": ["a", "b"]}).json()["tags"] == ["a", "b"]
    cleared = claim.session.patch(claim.url, json={"description": None, "tags": None}).json()
    assert cleared["description"] is None and cleared["tags"] == []


def seen_by(session, claim):
    """All that this person can find out about the claim, but the chain of hashes, which is for everyone."""
    urls = [claim.url, claim.url + "?include=comments,history,checks", claim.url + "/history", claim.url + "/history?limit=2",
            claim.url + f"/history?limit={claim.rows}", claim.url + "/comments", claim.url + "/comments?include_total=true",
            claim.url + "?as_of_sequence=2", "/v1/claims?limit=200", "/v1/claims?sort=-updated_at&limit=200", "/v1/claims?sort=updated_at&limit=2"]
    out = {}
    for url in urls:
        reply = session.get(url)
        assert reply.status_code == 200, url
        out[url] = (reply.headers["ETag"], reply.headers.get("Link"), reply.content)
    return out


def test_an_internal_comment_shows_nowhere(product, people):
    older, claim, newer = (Claim(product, people["claimant"], name) for name in ("Older", "Ours", "Newer"))
    bas, _, _ = claim.invite()
    claim.make("/comments", {"text": "For all"})
    claim.rows = len(claim.get("/history")["data"])
    rob = people["reviewer"]
    partners = [people["claimant"], people["partner_admin"], people["viewer"]]
    before = [seen_by(session, claim) for session in partners]
    bas_before = bas.get(claim.url)
    sequence = claim.get()["sequence"]
    ids = [claim.make("/comments", {"text": f"Between us {i}", "visibility": "internal"}, rob)["id"] for i in range(3)]
    assert rob.patch(f"{claim.url}/comments/{ids[0]}", json={"text": "Changed"}).status_code == 200
    assert rob.delete(f"{claim.url}/comments/{ids[1]}").status_code == 204
    assert [seen_by(session, claim) for session in partners] == before
    bas_after = bas.get(claim.url)
    assert (bas_after.headers["ETag"], bas_after.content) == (bas_before.headers["ETag"], bas_before.content)
    for session in [*partners, bas]:
        for comment in ids:
            refused(session.get(f"{claim.url}/comments/{comment}"), 404, "not_found")
            if session is not people["viewer"]:
                refused(session.patch(f"{claim.url}/comments/{comment}", json={"text": "x"}), 404, "not_found")
    # The vendor's people see it all: 3 added, 1 changed, 1 removed.
    assert rob.get(claim.url).json()["sequence"] == sequence + 5
    assert rob.get(claim.url).json()["counts"]["comments"] == 3
    assert rob.get("/v1/claims?sort=-updated_at").json()["data"][0]["id"] == claim.id
    # The next entry for all shows the gap, and the chain proves what lies in it.
    claim.make("/comments", {"text": "For all again"})
    history = claim.get("/history")["data"]
    assert [row["sequence"] for row in history][-2:] == [sequence, sequence + 6]
    proof = claim.get("/history/proof")["data"]
    assert [row["sequence"] for row in proof] == list(range(1, sequence + 7))
    assert history[-1]["prev_hash"] == proof[-2]["hash"] and history[-1]["hash"] == proof[-1]["hash"]
    assert claim.get()["sequence"] == sequence + 6
