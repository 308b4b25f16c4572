"""What is started by a request and fetched later: an audit pack and all that is in it; its end, its owner, its time."""

import hashlib
import io
import json
import signal
import uuid
import zipfile

import pytest

from claims import Claim, key, other_id, refused
from product import wait_for

WAIT = {"Prefer": "wait=20"}


@pytest.fixture(scope="module")
def rob(product):
    return product.as_("reviewer")


@pytest.fixture(scope="module")
def claim(product, rob):
    """Decided, with a file that was replaced, one that was removed, an internal comment and names like traps."""
    anna = product.as_("claimant")
    claim = Claim(product, anna, name="Packed").evidence()
    claim.replaced = claim.proof
    claim.proof = claim.upload(b"sharper " + uuid.uuid4().bytes.hex().encode(), name="..story:\u00e9?.txt",
                               replaces=claim.replaced["id"])
    claim.removed = claim.upload(b"wrong one", name="wrong.txt", purpose="other")
    assert anna.delete(f"{claim.url}/documents/{claim.removed['id']}").status_code == 204
    claim.held(rob)
    claim.make("/comments", {"text": "looks fine", "visibility": "internal"}, session=rob)
    claim.make("/decisions", {"outcome": "approved", "message": "Thanks"}, session=rob)
    return claim


def ended(session, task):
    """The task when it has ended: asked for by wait, never for longer than that takes."""
    return wait_for(lambda: (lambda t: t if t["ended_at"] else None)(session.get("/v1/tasks/" + task["id"], headers=WAIT).json()),
                    seconds=120, what="the end of the task")


@pytest.fixture(scope="module")
def packed(claim, rob):
    reply = rob.post(claim.url + "/audit-pack", json={}, headers={"Idempotency-Key": key()})
    assert reply.status_code == 202, reply.text
    task = reply.json()
    assert reply.headers["Location"] == "/v1/tasks/" + task["id"]
    assert (task["status"], task["kind"], task["claim_id"], task["result_url"]) == ("queued", "audit_pack", claim.id, None)
    return ended(rob, task)


def chain(rows):
    """The last hash of a chain, made anew from the body hashes."""
    last = "0" * 64
    for row in rows:
        last = hashlib.sha256((last + row["body_hash"]).encode()).hexdigest()
        assert row["hash"] == last
    return last


def lines(pack, name):
    return [json.loads(line) for line in pack.read(name).decode().splitlines()]


def test_a_pack_has_everything_and_its_sums_are_right(product, claim, rob, packed):
    assert (packed["status"], packed["error"]) == ("succeeded", None), packed
    reply = rob.get(packed["result_url"])
    assert reply.status_code == 200
    assert len(reply.content) == packed["result_bytes"]
    assert hashlib.sha256(reply.content).hexdigest() == packed["result_sha256"]
    assert (reply.headers["Content-Type"], reply.headers["ETag"]) == ("application/zip", f'"{packed["result_sha256"]}"')
    number = claim.get()["number"]
    assert f"claim-{number}.zip" in reply.headers["Content-Disposition"]
    pack = zipfile.ZipFile(io.BytesIO(reply.content))
    assert pack.testzip() is None
    sums = dict(reversed(line.split("  ", 1)) for line in pack.read("SHA256SUMS").decode().splitlines())
    assert set(sums) == set(pack.namelist()) - {"SHA256SUMS"}
    assert {name: hashlib.sha256(pack.read(name)).hexdigest() for name in sums} == sums
    assert json.loads(pack.read("claim.json"))["state"] == "approved"
    assert "customer_story" in [a["key"] for a in json.loads(pack.read("rule_set.json"))["activities"].values()]
    history = lines(pack, "history.jsonl")
    seen = rob.get(claim.url + "/history", params={"limit": 200}).json()["data"]
    assert history == seen and [row["sequence"] for row in history] == list(range(1, len(history) + 1))
    assert any(row["visibility"] == "internal" for row in history)
    proof = rob.get(claim.url + "/history/proof").json()["data"]
    assert lines(pack, "proof.jsonl") == proof and chain(proof) == history[-1]["hash"]


def test_every_file_that_ever_was_is_in_it_under_a_harmless_name(claim, rob, packed):
    pack = zipfile.ZipFile(io.BytesIO(rob.get(packed["result_url"]).content))
    files = {row["document_id"]: row for row in lines(pack, "files.jsonl")}
    assert set(files) == {claim.replaced["id"], claim.proof["id"], claim.removed["id"]}
    assert files[claim.proof["id"]]["path"] == f"documents/{claim.proof['id']}/_.story_\u00e9_.txt"
    for row in files.values():
        content = pack.read(row["path"])
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (row["sha256"], row["size"])
    assert all(not name.startswith("/") and ".." not in name.split("/") for name in pack.namelist())


def test_it_can_be_read_in_parts(rob, packed):
    whole = rob.get(packed["result_url"]).content
    part = rob.get(packed["result_url"], headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert rob.get(packed["result_url"], headers={"If-None-Match": f'"{packed["result_sha256"]}"'}).status_code == 304


def test_it_is_his_alone_who_started_it(product, claim, rob, packed):
    for role in ("reviewer_2", "senior_reviewer", "claimant", "auditor", "operator", "program_admin"):
        other = product.as_(role)
        for path in ("", "/result"):
            refused(other.get("/v1/tasks/" + packed["id"] + path), 404, "not_found")
        refused(other.post(f"/v1/tasks/{packed['id']}/cancel", json={}), 404, "not_found")
        assert packed["id"] not in [task["id"] for task in other.get("/v1/tasks").json()["data"]]
    assert [task for task in rob.get("/v1/tasks").json()["data"] if task["id"] == packed["id"]] == [packed]
    refused(rob.get("/v1/tasks/" + other_id(packed["id"])), 404, "not_found")


@pytest.mark.parametrize("role, status, code", [
    ("claimant", 403, "forbidden"), ("partner_admin", 403, "forbidden"), ("finance", 403, "forbidden"),
    ("program_admin", 403, "forbidden"), ("partner_b_admin", 404, "not_found"), ("operator", 404, "not_found")])
def test_only_reviewers_and_auditors_have_a_claim_packed(product, claim, role, status, code):
    refused(product.as_(role).post(claim.url + "/audit-pack", json={}), status, code)


def test_a_body_that_says_more_is_refused(claim, rob):
    problem = refused(rob.post(claim.url + "/audit-pack", json={"format": "tar"}), 422, "validation_failed")
    assert [(e["pointer"], e["code"]) for e in problem["errors"]] == [("#/format", "unknown_member")]


def test_the_same_key_starts_one(claim, rob):
    one = key()
    first = rob.post(claim.url + "/audit-pack", json={}, headers={"Idempotency-Key": one})
    second = rob.post(claim.url + "/audit-pack", json={}, headers={"Idempotency-Key": one})
    assert (first.json(), second.headers["Idempotent-Replayed"]) == (second.json(), "true")
    assert ended(rob, first.json())["status"] == "succeeded"


def test_a_cancelled_one_has_no_result_and_an_ended_one_is_not_cancelled(product, claim, rob, packed):
    product.kill("tasks", signal.SIGSTOP)       # nobody begins it
    try:
        task = rob.post(claim.url + "/audit-pack", json={}).json()
        refused(rob.get(f"/v1/tasks/{task['id']}/result"), 409, "invalid_state")
        reply = rob.post(f"/v1/tasks/{task['id']}/cancel", json={})
        assert (reply.status_code, reply.json()["status"]) == (200, "cancelled"), reply.text
        assert reply.json()["ended_at"] and reply.json()["expires_at"]
    finally:
        product.kill("tasks", signal.SIGCONT)
    refused(rob.post(f"/v1/tasks/{task['id']}/cancel", json={}), 409, "invalid_state")
    refused(rob.post(f"/v1/tasks/{packed['id']}/cancel", json={}), 409, "invalid_state")
    again = ended(rob, rob.post(claim.url + "/audit-pack", json={}).json())     # behind it in line
    assert again["status"] == "succeeded"
    assert rob.get("/v1/tasks/" + task["id"]).json()["status"] == "cancelled"


def test_a_killed_worker_loses_nothing(product, claim, rob):
    tasks = [rob.post(claim.url + "/audit-pack", json={}).json() for _ in range(6)]
    product.kill("tasks")
    assert [ended(rob, task)["status"] for task in tasks] == ["succeeded"] * 6
    product.verify()


def test_after_a_week_it_is_gone(product, claim, rob, packed):
    boss = product.as_("program_admin")
    assert boss.put("/v1/clock", json={"now": packed["expires_at"]}).status_code == 200
    refused(rob.get("/v1/tasks/" + packed["id"]), 404, "not_found")
    refused(rob.get(packed["result_url"]), 404, "not_found")
    assert packed["id"] not in [task["id"] for task in rob.get("/v1/tasks").json()["data"]]
    product.verify()
