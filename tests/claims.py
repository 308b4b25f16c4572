"""Claims as tests need them: a draft, one with evidence that can be submitted, one that a reviewer holds."""

import threading
import uuid

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100"
    "18dd8db00000000049454e44ae426082")
NOBODY = "ZZZZZZ"       # in the random part of an id: it is none that was ever made


def money(amount, currency="EUR"):
    return {"amount": amount, "currency": currency}


def key():
    return str(uuid.uuid4())


def at_once(*calls):
    """Runs them on threads that wait for each other; their results in order."""
    gate, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(i):
        gate.wait()
        results[i] = calls[i]()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def other_id(some_id):
    """Well formed, of the same kind and partition, and nobody's."""
    return some_id[:-8] + NOBODY + some_id[-2:]


class Claim:
    """One claim, and whoever made it."""

    def __init__(self, product, session, name="A claim", activity="customer_story", side="partner_a", **members):
        s = product.sandbox
        self.product, self.session = product, session
        self.day = s["period"]["usage_from"]
        self.body = session.make("/v1/claims", {
            "name": name, "program_id": s["program_id"], "location_id": s["locations"][side], "period_id": s["period_id"],
            "activity_id": s["activities"].get(activity), "currency": "EUR", **members})
        self.id = self.body["id"]
        self.url = "/v1/claims/" + self.id

    def get(self, path="", session=None, status=200, **keywords):
        reply = (session or self.session).get(self.url + path, **keywords)
        assert reply.status_code == status, reply.text
        return reply.json()

    def etag(self, path="", session=None):
        return (session or self.session).get(self.url + path).headers["ETag"]

    def make(self, path, body, session=None, status=201, **headers):
        return (session or self.session).make(self.url + path, body, status, **headers)

    def act(self, action, body=None, session=None, status=200, **headers):
        return self.make("/" + action, body or {}, session, status, **headers)

    def invoice_body(self, net="1000.00", number="2026-1", **members):
        return {"number": number, "supplier": {"name": "Studio Noord"}, "invoice_date": self.day, "net": money(net),
                "tax": money("0.00"), "gross": money(net), **members}

    def invoice(self, net="1000.00", **members):
        return self.make("/invoices", self.invoice_body(net, **members))

    def csr(self, hours="10.00", **members):
        return self.make("/csrs", {"title": "In-house work", "lines": [{"hours": hours, "rate": money("50.00")}], **members})

    def upload(self, content=None, name="story.png", session=None, wait=True, **fields):
        fields = fields or {"purpose": "proof", "kind": "deliverable", "requirement": "poe_story", "note": "As published"}
        session = session or self.session
        content = content or PNG + uuid.uuid4().bytes
        reply = session.post(self.url + "/documents", data=fields, files={"file": (name, content)},
                             headers={"Idempotency-Key": key()})
        assert reply.status_code == 201, reply.text
        document = reply.json()
        return self.product.wait_document(session, self.url, document["id"]) if wait else document

    def invite(self, email="bas@example.com", **members):
        """A colleague who has accepted: (his session, the invitation, what accept said)."""
        invitation = self.make("/invitations", {"email": email, **members})
        reply = self.product.anonymous().post("/v1/invitations/accept", json={"token": invitation["url"].split("token=")[1]})
        assert reply.status_code == 200, reply.text
        return self.product.with_token(reply.json()["access_token"]), invitation, reply.json()

    def evidence(self, net="1000.00"):
        """All that a customer story needs before it can be submitted."""
        self.invoice(net)
        self.proof = self.upload()
        assert self.proof["status"] == "ready", self.proof
        return self

    def held(self, reviewer):
        """Submitted and taken up."""
        self.act("submit")
        self.act("take", session=reviewer)
        return self

    # --- what a refusal must leave as it was ---

    def state(self, session=None):
        """All that a change would leave a trace in."""
        session = session or self.session
        proof = session.get(self.url + "/history/proof").json()["data"]
        claim = session.get(self.url)
        return {"etag": claim.headers["ETag"], "claim": claim.json(), "history": proof,
                "items": {name: session.get(f"{self.url}/{name}").json()["data"]
                          for name in ("invoices", "csrs", "metrics", "documents", "comments")}}


class Unchanged:
    """with Unchanged(claim): nothing about it may be different afterwards."""

    def __init__(self, *claims):
        self.claims = claims

    def __enter__(self):
        self.before = [claim.state() for claim in self.claims]

    def __exit__(self, kind, *_):
        if kind is None:
            assert [claim.state() for claim in self.claims] == self.before


def refused(reply, status, code):
    """Asserts the problem and gives it."""
    assert (reply.status_code, reply.json().get("code")) == (status, code), f"{reply.status_code} {reply.text}"
    return reply.json()


def faults(reply):
    """{pointer: code} of a validation_failed."""
    body = refused(reply, 422, "validation_failed")
    assert all(row["in"] == "body" and row["detail"] for row in body["errors"])
    return {row["pointer"]: row["code"] for row in body["errors"]}
