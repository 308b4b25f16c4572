"""What is for people comes in the language that is asked for, else in the reader's; codes and bytes of others stay."""

import pytest

from claims import Claim, key, refused


@pytest.fixture(scope="module")
def people(product):
    return {role: product.as_(role) for role in product.sandbox["tokens"]}


@pytest.fixture(scope="module")
def claim(product, people):
    return Claim(product, people["claimant"], activity="webinar")


def in_(language):
    return {"Accept-Language": language}


@pytest.mark.parametrize("asked, given", [
    (None, "en"), ("nl", "nl"), ("nl-BE", "nl"), ("NL-be, en;q=0.9", "nl"), ("en;q=0.5, nl;q=0.6", "nl"), ("fr, nl;q=0.1", "nl"),
    ("nl;q=0, en", "en"), ("fr", "en"), ("*", "en"), ("nl;q=0", "en"), (";;;", "en"), ("", "en")])
def test_the_language_that_is_liked_best(people, claim, asked, given):
    reply = people["claimant"].get(claim.url, headers={} if asked is None else in_(asked))
    assert reply.headers["Content-Language"] == given
    assert "Accept-Language" in reply.headers["Vary"]
    body = reply.json()
    assert body["state_label"] == {"en": "Editing", "nl": "In bewerking"}[given]
    blocked = [row["detail"] for row in body["blocked_by"]["submit"] if row["code"] == "cost_missing"]
    assert blocked == [{"en": "Add an invoice or a statement of in-house cost",
                        "nl": "Voeg een factuur of een verklaring van eigen kosten toe"}[given]]


def test_each_language_has_its_etag_and_its_bytes(people, claim):
    session = people["claimant"]
    english, dutch, again = (session.get(claim.url, headers=in_(language)) for language in ("en", "nl", "en"))
    assert english.content == again.content != dutch.content
    assert english.headers["ETag"] == again.headers["ETag"] != dutch.headers["ETag"]
    assert english.headers["ETag"].split(".")[0] == dutch.headers["ETag"].split(".")[0]     # one revision
    for language, etag, status in (("nl", dutch, 304), ("nl", english, 200), ("en", english, 304)):
        reply = session.get(claim.url, headers={**in_(language), "If-None-Match": etag.headers["ETag"]})
        assert reply.status_code == status
    # only what is for people differs
    a, b = english.json(), dutch.json()
    assert {name for name in a if a[name] != b[name]} == {"state_label", "blocked_by", "requirements"}
    codes = [[row["code"] for row in body["blocked_by"]["submit"]] for body in (a, b)]
    assert codes[0] == codes[1]


@pytest.mark.parametrize("path", ["reason-codes", "check-codes", "evidence-kinds", "event-types", "claim-states"])
def test_every_label_has_words(people, path):
    english, dutch = (people["viewer"].get("/v1/" + path, headers=in_(language)).json()["data"] for language in ("en", "nl"))
    assert len(english) == len(dutch) >= 8
    same = {row["label"] for row, other in zip(english, dutch) if row["label"] == other["label"]}
    assert same <= {"Agenda", "Script"}
    for row, other in zip(english, dutch):
        assert {**row, "label": None} == {**other, "label": None}


def test_problems_and_history(people, claim):
    body = refused(people["viewer"].patch(claim.url, json={"name": "x"}, headers=in_("nl-NL")), 403, "forbidden")
    assert body["title"] == "Dit mag u niet"
    reply = people["claimant"].get("/v1/nowhere", headers=in_("nl"))
    assert reply.headers["Content-Language"] == "nl" and reply.json()["title"] == "Dit is hier niet te vinden"
    body = refused(people["claimant"].patch(claim.url, json={"activity_from": "2026-02-30"}, headers=in_("nl")), 422, "validation_failed")
    assert body["detail"] == "1 veld vraagt aandacht" and body["errors"][0]["code"] == "invalid_format"
    rows = people["claimant"].get(claim.url + "/history", headers=in_("nl")).json()["data"]
    assert rows[0]["type"] == "claim.created" and rows[0]["summary"] == "Aangemaakt als " + claim.body["number"]
    anonymous = claim.product.anonymous().get("/v1/claims", headers=in_("nl"))
    assert refused(anonymous, 401, "unauthenticated")["title"] == "Aanmelden is nodig"


def test_a_kept_reply_stays_as_it_was(people, claim):
    once = {"Idempotency-Key": key()}
    first = people["claimant"].patch(claim.url, json={"description": "Once"}, headers={**once, **in_("nl")})
    again = people["claimant"].patch(claim.url, json={"description": "Once"}, headers={**once, **in_("en")})
    assert first.headers["Content-Language"] == "nl" and first.json()["state_label"] == "In bewerking"
    assert again.content == first.content and again.headers["Idempotent-Replayed"] == "true"
    assert "Content-Language" not in again.headers
