"""Documents as people use them: in by form and by PUT, read by the worker, out again; and what goes wrong on the way."""

import base64
import hashlib
import json
import os
import re
import signal
import socket
import threading
import time
import uuid

import pytest

from product import PATIENCE, Product, kill, wait_for

MIB = 1 << 20
CORPUS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "corpus", "files")
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100"
    "18dd8db00000000049454e44ae426082")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def digest_field(data):
    return "sha-256=:" + base64.b64encode(hashlib.sha256(data).digest()).decode() + ":"


def corpus(name):
    with open(os.path.join(CORPUS, name), "rb") as file:
        return file.read()


def unique_png():
    """A PNG that nobody has used before: bytes behind its end make no difference to what it is."""
    return PNG + uuid.uuid4().bytes


def new_claim(product, session, partner="partner_a", name="Documents"):
    s = product.sandbox
    reply = session.post("/v1/claims", json={
        "name": name, "program_id": s["program_id"], "location_id": s["locations"][partner], "period_id": s["period_id"],
        "activity_id": s["activities"]["webinar"], "currency": "EUR"})
    assert reply.status_code == 201, reply.text
    return reply.headers["Location"]


PROOF = {"purpose": "proof", "kind": "agenda", "note": "as mailed"}


def form(session, claim, content, name="agenda.png", said=None, status=201, **headers):
    reply = session.post(claim + "/documents", data=PROOF if said is None else said, files={"file": (name, content)}, headers=headers)
    assert reply.status_code == status, reply.text
    return reply


def announce(session, claim, status=201, **said):
    reply = session.post(claim + "/documents", json={"name": "agenda.png", **PROOF, **said})
    assert reply.status_code == status, reply.text
    return reply.json()


def tmp_files(product):
    return os.listdir(os.path.join(product.data, "blobs", "tmp"))


def is_placed(product, digest):
    return os.path.exists(os.path.join(product.data, "blobs", digest[:2], digest[2:4], digest))


def events_of(session, claim, document_id):
    rows = session.get(claim + "/history?limit=200").json()["data"]
    return [row["type"] for row in rows if document_id in json.dumps(row)]


class Wire:
    """A connection on which a request is sent piece by piece."""

    def __init__(self, product, session, method, path, length, **headers):
        host, port = product.base_url.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}:{port}", "Authorization: " + session.headers["Authorization"],
                 "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def head(self):
        """The next head that comes: (status, fields in lower case)."""
        text = b""
        while not text.endswith(b"\r\n\r\n"):
            one = self.socket.recv(1)
            assert one, f"the connection ended after {text!r}"
            text += one
        lines = text.decode().split("\r\n")
        return int(lines[0].split()[1]), dict(line.lower().split(": ", 1) for line in lines[1:] if line)

    def reply(self):
        status, fields = self.head()
        body = b""
        while len(body) < int(fields.get("content-length", 0)):
            body += self.socket.recv(65536)
        return status, fields, json.loads(body) if body else None


BOUNDARY = "----an-odd-boundary"


def form_parts(said, name="a.png", boundary=BOUNDARY):
    """What comes before and after the bytes of a file."""
    head = "".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in said.items())
    head += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: image/png\r\n\r\n'
    return head.encode(), f"\r\n--{boundary}--\r\n".encode()


def form_wire(product, session, claim, size, said=None, **headers):
    head, tail = form_parts(PROOF if said is None else said)
    wire = Wire(product, session, "POST", claim + "/documents", len(head) + size + len(tail),
                Content_Type="multipart/form-data; boundary=" + BOUNDARY, **headers)
    return wire, head, tail


@pytest.fixture(scope="module")
def anna(product):
    return product.as_("claimant")


@pytest.fixture
def claim(product, anna):
    return new_claim(product, anna)


# --- in ---


def test_a_form_becomes_a_document_and_is_read(product, anna, claim):
    content = product.pdf("Agenda of the day", pages=3)
    reply = form(anna, claim, content, name="agenda é.pdf", said={**PROOF, "requirement": "poe_event"})
    document = reply.json()
    assert document["status"] == "scanning" and document["version"] == 1
    assert document["size"] == len(content) and document["sha256"] == sha256(content)
    assert reply.headers["Coopclaims-Document"] == document["id"]
    assert reply.headers["Location"] == f"{claim}/documents/{document['id']}"
    document = product.wait_document(anna, claim, document["id"])
    assert (document["status"], document["status_reason"]) == ("ready", None)
    assert (document["media_type"], document["pages"], document["name"]) == ("application/pdf", 3, "agenda é.pdf")
    assert events_of(anna, claim, document["id"]) == ["document.uploaded", "document.ready"]
    ready = [row for row in anna.get(claim + "/history").json()["data"] if row["type"] == "document.ready"][0]
    assert ready["actor"]["type"] == "worker"
    assert [row["id"] for row in anna.get(claim + "/documents").json()["data"]] == [document["id"]]
    assert is_placed(product, sha256(content))
    assert tmp_files(product) == []


def test_a_put_brings_what_was_announced(product, anna, claim):
    content = unique_png()
    document = announce(anna, claim, size=len(content), sha256=sha256(content))
    place = f"{claim}/documents/{document['id']}"
    assert document["status"] == "awaiting_content" and document["content_url"] == place + "/content"
    assert anna.get(place).json() == document
    # It is no part of the claim yet.
    assert anna.get(claim + "/documents").json()["data"] == []
    assert anna.get(claim).json()["counts"]["documents"] == 0
    assert [row["type"] for row in anna.get(claim + "/history").json()["data"]] == ["claim.created"]
    reply = anna.get(place + "/content")
    assert (reply.status_code, reply.json()["code"]) == (409, "document_not_ready")
    reply = anna.put(place + "/content", data=content, headers={"Content-Digest": digest_field(content), "Content-Type": "image/png"})
    assert reply.status_code == 201, reply.text
    assert reply.headers["Location"] == place and reply.headers["Coopclaims-Document"] == document["id"]
    assert reply.json()["status"] == "scanning" and reply.json()["id"] == document["id"]
    assert product.wait_document(anna, claim, document["id"])["status"] == "ready"
    again = anna.put(place + "/content", data=content)
    assert (again.status_code, again.json()["code"]) == (409, "already_exists")
    assert product.redis("EXISTS", "{p%s}:upload:%s" % (document["id"][-2:], document["id"])) == "0"


def test_an_announced_one_is_seen_by_nobody_else_and_under_no_other_claim(product, anna, claim):
    document = announce(anna, claim)
    other = new_claim(product, anna)
    assert anna.get(f"{other}/documents/{document['id']}").status_code == 404
    assert anna.put(f"{other}/documents/{document['id']}/content", data=PNG).status_code == 404
    stranger = product.as_("partner_b_claimant")
    assert stranger.get(f"{claim}/documents/{document['id']}").status_code == 404
    assert stranger.put(f"{claim}/documents/{document['id']}/content", data=PNG).status_code == 404
    assert anna.get(f"{claim}/documents/doc_nonsense").status_code == 404
    assert anna.put(f"{claim}/documents/doc_nonsense/content", data=PNG).status_code == 404


@pytest.mark.parametrize("chunked", [False, True])
def test_the_content_is_what_was_said_of_it(product, anna, claim, chunked):
    content, other = unique_png(), unique_png()

    def body(data):
        # Pieces without a byte are left out: an empty chunk ends a body, and what comes after it is no part of it any more.
        return iter([piece for piece in (data[:10], data[10:]) if piece]) if chunked else data

    def put(document, data, status, code, **headers):
        reply = anna.put(document["content_url"], data=body(data), headers=headers)
        assert (reply.status_code, reply.json().get("code")) == (status, code), reply.text

    put(announce(anna, claim, sha256=sha256(other)), content, 422, "digest_mismatch")
    put(announce(anna, claim, size=len(content) + 1), content, 422, "digest_mismatch")
    one = announce(anna, claim, size=len(content))
    put(one, content, 422, "digest_mismatch", **{"Content-Digest": digest_field(other)})
    put(one, content, 422, "digest_mismatch", **{"Repr-Digest": digest_field(other)})
    put(one, content, 422, "digest_mismatch", **{"Content-Digest": digest_field(content), "Repr-Digest": digest_field(other)})
    put(one, content, 400, "invalid_header", **{"Content-Digest": "sha-256=:bm9uZQ==:"})
    put(one, content, 400, "invalid_header", **{"Content-Digest": "sha-256"})
    put(one, b"", 422, "digest_mismatch" if not chunked else "file_empty")
    wait_for(lambda: tmp_files(product) == [], what="an empty tmp")     # the refusal does not wait for the disk
    assert not is_placed(product, sha256(content))
    # Nothing of that has used it up; other algorithms say nothing here.
    put(one, content, 201, None, **{"Content-Digest": f"md5=:AAAA:, {digest_field(content)}", "Repr-Digest": "sha-512=:AAAA:"})
    assert anna.get(claim).json()["counts"]["documents"] == 1


def multipart(*parts, end=True):
    """Parts as (name, filename or None, bytes) in this very order."""
    out = b""
    for name, filename, data in parts:
        file = b"" if filename is None else f'; filename="{filename}"'.encode()
        out += b"--B\r\nContent-Disposition: form-data; name=\"" + name.encode() + b'"' + file + b"\r\n\r\n" + data + b"\r\n"
    return out + (b"--B--\r\n" if end else b"")


TEXT = [("purpose", None, b"proof"), ("kind", None, b"agenda")]
FILE = ("file", "a.png", PNG)


@pytest.mark.parametrize("body, status, code, error", [
    (multipart(FILE, *TEXT), 422, "validation_failed", ("#/kind", "required")),
    (multipart(*TEXT, FILE, ("note", None, b"late")), 422, "validation_failed", ("#/note", "invalid_format")),
    (multipart(*TEXT, FILE, FILE), 422, "validation_failed", ("#/file", "too_many")),
    (multipart(*TEXT), 422, "validation_failed", ("#/file", "required")),
    (multipart(*TEXT, ("scan", "a.png", PNG)), 422, "validation_failed", ("#/scan", "unknown_member")),
    (multipart(*TEXT, ("colour", None, b"red"), FILE), 422, "validation_failed", ("#/colour", "unknown_member")),
    (multipart(*TEXT, TEXT[0], FILE), 422, "validation_failed", ("#/purpose", "too_many")),
    (multipart(*TEXT, ("note", None, b"\xff\xfe"), FILE), 422, "validation_failed", ("#/note", "invalid_format")),
    (multipart(*TEXT, ("size", None, b"ten"), FILE), 422, "validation_failed", ("#/size", "invalid_type")),
    (multipart(*TEXT, ("requirement", None, b"poe_none"), FILE), 422, "validation_failed", ("#/requirement", "not_found")),
    (multipart(("kind", None, b"no such kind"), FILE), 422, "validation_failed", ("#/kind", "invalid_enum")),
    (multipart(*[(f"p{i}", None, b"x") for i in range(21)], FILE), 422, "validation_failed", ("#/p20", "too_many")),
    (multipart(*TEXT, ("note", None, b"x" * 70000), FILE), 413, "content_too_large", None),
    (multipart(*TEXT, ("size", None, b"5"), FILE), 422, "digest_mismatch", None),
    (multipart(*TEXT, ("sha256", None, b"0" * 64), FILE), 422, "digest_mismatch", None),
    (multipart(*TEXT, ("file", "a.png", b"")), 422, "file_empty", None),
    (multipart(*TEXT, ("file", "a.png", b"<!DOCTYPE html><p>")), 422, "file_type_not_allowed", None),
    (multipart(*TEXT, ("file", "a.png", b"\xef\xbb\xbf<?xml version='1.0'?><!-- x --><svg/>")), 422, "file_type_not_allowed", None),
    (multipart(*TEXT, ("file", "a.png", b"\x7fELF" + bytes(100))), 422, "file_type_not_allowed", None),
    (multipart(*TEXT, ("file", "a.png", b"MZ" + bytes(1000))), 422, "file_type_not_allowed", None),
    (multipart(*TEXT, ("file", "a.sh", b"#!/bin/sh\n")), 422, "file_type_not_allowed", None),
    (multipart(*TEXT, FILE, end=False), 400, "invalid_request", None),
    (multipart(*TEXT, FILE)[:60], 400, "invalid_request", None),
    (b"", 400, "invalid_request", None),
    (b"no form at all", 400, "invalid_request", None),
])
def test_a_form_that_is_wrong_is_told_what_would_be_right(product, anna, claim, body, status, code, error):
    reply = anna.post(claim + "/documents", data=body, headers={"Content-Type": "multipart/form-data; boundary=B"})
    assert (reply.status_code, reply.json()["code"]) == (status, code), reply.text
    if error:
        assert error in [(row["pointer"], row["code"]) for row in reply.json()["errors"]], reply.text
    if code == "file_type_not_allowed":
        assert "PDF" in reply.json()["detail"]
    assert anna.get(claim).json()["counts"]["documents"] == 0
    wait_for(lambda: tmp_files(product) == [], what="an empty tmp")


def test_other_bodies_are_told_what_is_taken(anna, claim):
    reply = anna.post(claim + "/documents", data=b"x", headers={"Content-Type": "application/pdf"})
    assert (reply.status_code, reply.json()["code"]) == (415, "unsupported_media_type")
    reply = anna.post(claim + "/documents", data=b"x", headers={"Content-Type": "multipart/form-data"})
    assert (reply.status_code, reply.json()["code"]) == (400, "invalid_header")
    reply = anna.post(claim + "/documents", data=b"{", headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.json()["code"]) == (400, "invalid_json")
    reply = anna.post(claim + "/documents", json={"name": "a", "kind": "agenda", "status": "ready"})
    assert reply.json()["errors"][0]["code"] == "unknown_member"


def test_who_may_not_is_refused_before_a_byte_is_asked_for(product, anna, claim):
    cancelled = new_claim(product, anna)
    assert anna.post(cancelled + "/cancel", json={"reason": "not needed"}).status_code == 200
    for session, path, status in ((product.as_("viewer"), claim, 403), (product.as_("reviewer"), claim, 403),
                                  (product.as_("partner_b_claimant"), claim, 404), (anna, cancelled, 409),
                                  (anna, "/v1/claims/clm_nonsense", 404)):
        wire, *_ = form_wire(product, session, path, 50 * MIB, Expect="100-continue")
        with wire:
            got = wire.head()[0]
            assert got == status, (path, got)
    wire, head, tail = form_wire(product, anna, claim, len(PNG), Expect="100-continue")
    with wire:
        assert wire.head()[0] == 100
        wire.send(head + PNG + tail)
        assert wire.reply()[0] == 201
    announced = announce(anna, claim)
    with Wire(product, anna, "PUT", announced["content_url"], 200 * MIB, Expect="100-continue") as wire:
        assert wire.head()[0] == 413
    with Wire(product, product.as_("viewer"), "PUT", announced["content_url"], 10, Expect="100-continue") as wire:
        assert wire.head()[0] == 403


def test_an_unsound_token_hears_it_before_its_file_is_read(product, claim):
    class Nobody:
        headers = {"Authorization": "Bearer cct_0" + "1" * 44}
    wire, *_ = form_wire(product, Nobody, claim, 50 * MIB, Expect="100-continue")
    with wire:
        assert wire.head()[0] == 401


# --- once ---


def test_a_form_with_a_key_is_one_document(product, anna, claim):
    content, key = unique_png(), {"Idempotency-Key": str(uuid.uuid4())}
    first = form(anna, claim, content, **key)
    again = form(anna, claim, content, name="other name.png", **key)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    for name in ("ETag", "Location", "Coopclaims-Document"):
        assert again.headers[name] == first.headers[name]
    reused = form(anna, claim, unique_png(), status=422, **key)
    assert reused.json()["code"] == "idempotency_key_reused"
    reused = form(anna, claim, content, said={**PROOF, "note": "changed"}, status=422, **key)
    assert reused.json()["code"] == "idempotency_key_reused"
    assert anna.get(claim).json()["counts"]["documents"] == 1
    # A reference for each document that is there, none for those that were not made.
    keys = [k for k in product.redis("KEYS", "{d*}:blob:*").split() if product.redis("SMEMBERS", k).count(claim.rsplit("/", 1)[1])]
    wait_for(lambda: sum(len(product.redis("SMEMBERS", k).splitlines()) for k in keys) == 1, what="one reference")


def test_a_put_and_an_announcement_with_a_key_happen_once(anna, claim):
    content, key = unique_png(), {"Idempotency-Key": str(uuid.uuid4())}
    said = {"name": "a.png", **PROOF}
    first = anna.post(claim + "/documents", json=said, headers=key)
    again = anna.post(claim + "/documents", json=said, headers=key)
    assert again.headers["Idempotent-Replayed"] == "true" and again.json() == first.json()
    assert again.headers["Coopclaims-Document"] == first.json()["id"]
    url = first.json()["content_url"]
    put = anna.put(url, data=content, headers=key)
    assert put.status_code == 201
    replayed = anna.put(url, data=content, headers=key)
    assert (replayed.status_code, replayed.headers["Idempotent-Replayed"]) == (201, "true")
    assert replayed.json() == put.json()
    other = anna.put(url, data=unique_png(), headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_a_refusal_leaves_the_key_free(anna, claim):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    assert form(anna, claim, b"", status=422, **key).json()["code"] == "file_empty"
    assert form(anna, claim, unique_png(), said={"purpose": "proof"}, status=422, **key).json()["code"] == "validation_failed"
    assert "Idempotent-Replayed" not in form(anna, claim, unique_png(), **key).headers


def test_a_second_one_waits_while_the_first_is_sending(product, anna, claim):
    content, key = unique_png(), str(uuid.uuid4())
    wire, head, tail = form_wire(product, anna, claim, len(content), Idempotency_Key=key)
    with wire:
        wire.send(head + content[:20])
        wait_for(lambda: product.redis("KEYS", "*.sending"), what="its mark")
        second = form(anna, claim, content, status=409, **{"Idempotency-Key": key})
        assert second.json()["code"] == "idempotency_in_progress" and second.headers["Retry-After"] == "1"
        wire.send(content[20:] + tail)
        status, _, document = wire.reply()
        assert status == 201
    replayed = form(anna, claim, content, **{"Idempotency-Key": key})
    assert replayed.json()["id"] == document["id"] and replayed.headers["Idempotent-Replayed"] == "true"
    wait_for(lambda: not product.redis("KEYS", "*.sending"), what="the end of the mark")


def test_the_same_key_at_once_makes_one_document(product, anna, claim):
    content, key, replies = unique_png(), str(uuid.uuid4()), []

    def send():
        while True:
            reply = product.as_("claimant").post(claim + "/documents", data=PROOF, files={"file": ("a.png", content)},
                                                 headers={"Idempotency-Key": key})
            if reply.status_code != 409:
                replies.append(reply)
                return
            time.sleep(0.05)            # as Retry-After asks, only sooner

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {reply.status_code for reply in replies} == {201}
    assert len({reply.json()["id"] for reply in replies}) == 1
    assert anna.get(claim).json()["counts"]["documents"] == 1


# --- cut short ---


def test_nothing_remains_of_an_upload_that_was_cut(product, anna, claim):
    announced = announce(anna, claim)
    wire, head, _ = form_wire(product, anna, claim, 5 * MIB, Idempotency_Key=str(uuid.uuid4()))
    put = Wire(product, anna, "PUT", announced["content_url"], 5 * MIB)
    wire.send(head + os.urandom(2 * MIB))
    put.send(os.urandom(2 * MIB))
    wait_for(lambda: len(tmp_files(product)) == 2, what="two files on their way")
    wire.socket.close()
    put.socket.close()
    wait_for(lambda: tmp_files(product) == [], what="an empty tmp")
    wait_for(lambda: not product.redis("KEYS", "*.sending"), what="the end of the mark")
    assert anna.get(claim).json()["counts"]["documents"] == 0
    assert anna.get(claim + "/history").json()["data"][-1]["type"] == "claim.created"
    assert anna.put(announced["content_url"], data=unique_png()).status_code == 201


@pytest.mark.parametrize("way", ["form", "put"])
def test_a_claim_that_is_frozen_meanwhile_takes_nothing(product, anna, way):
    claim = new_claim(product, anna)
    content = unique_png()
    if way == "form":
        wire, head, tail = form_wire(product, anna, claim, len(content))
    else:
        wire, head, tail = Wire(product, anna, "PUT", announce(anna, claim)["content_url"], len(content)), b"", b""
    with wire:
        wire.send(head + content[:30])
        wait_for(lambda: len(tmp_files(product)) == 1, what="a file on its way")
        assert anna.post(claim + "/cancel", json={"reason": "never mind"}).status_code == 200
        wire.send(content[30:] + tail)
        status, _, problem = wire.reply()
        assert (status, problem["code"]) == (409, "invalid_state")
    wait_for(lambda: tmp_files(product) == [], what="an empty tmp")
    assert not is_placed(product, sha256(content))
    assert anna.get(claim + "/documents").json()["data"] == []


def test_a_killed_api_leaves_nothing_of_a_half_upload(product, anna, claim):
    wire, head, _ = form_wire(product, anna, claim, 5 * MIB)
    with wire:
        wire.send(head + os.urandom(2 * MIB))
        wait_for(lambda: len(tmp_files(product)) == 1, what="a file on its way")
        product.kill("api")
    product.wait_ready()
    wait_for(lambda: tmp_files(product) == [], what="an empty tmp")
    assert anna.get(claim).json()["counts"]["documents"] == 0
    assert form(anna, claim, unique_png()).status_code == 201


# --- limits ---


def peak_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read())[1])


def send_large(wire, head, size, tail=b""):
    piece = b"%PDF-1.4\n" + b"0123456789abcde\n" * 4096
    wire.send(head)
    sent = 0
    while sent < size:
        part = piece[:min(len(piece), size - sent)]
        wire.send(part)
        sent += len(part)
    wire.send(tail)


def test_large_files_up_to_the_limits_and_one_byte_past_them(product, anna, claim):
    limit = anna.get("/v1/me").json()["limits"]["document_bytes"]
    assert limit == 100 * MIB
    api = product.pids("api")[0]
    form(anna, claim, unique_png())             # whatever is allocated once is there
    size_before = anna.get(claim + "/documents").json()["data"][0]["size"]
    with open(f"/proc/{api}/clear_refs", "w", encoding="ascii") as refs:
        refs.write("5")                         # the peak counts from here
    before = peak_kib(api)

    wire, head, tail = form_wire(product, anna, claim, limit)
    with wire:
        send_large(wire, head, limit, tail)
        status, _, document = wire.reply()
        assert (status, document["size"]) == (201, limit), document
    growth = peak_kib(api) - before
    assert growth < 8 * 1024, f"{growth} KiB more for a file of 100 MiB"

    # One byte more than a file may have: by its length at once, by form and by chunks as it comes.
    one_more = announce(anna, claim)["content_url"]
    for wire, head in ((form_wire(product, anna, new_claim(product, anna), limit + 1)[:2]),
                       (Wire(product, anna, "PUT", one_more, limit + 1), b"")):
        with wire:
            try:
                send_large(wire, head, limit + 1)
            except OSError:
                pass                            # it was answered before all was sent
            status, _, problem = wire.reply()
            assert (status, problem["code"]) == (413, "content_too_large")
            assert problem["max_bytes"] <= limit

    # What a claim may have: what is left fits to the byte, and no more.
    left = anna.get("/v1/me").json()["limits"]["claim_bytes"] - limit - size_before
    reply = anna.put(one_more, data=b"x" * (left + 1))
    assert (reply.status_code, reply.json()["code"], reply.json()["max_bytes"]) == (413, "content_too_large", left)
    with Wire(product, anna, "PUT", one_more, left) as wire:
        send_large(wire, b"", left)
        assert wire.reply()[0] == 201
    full = form(anna, claim, b"x", status=413).json()
    assert (full["code"], full["max_bytes"]) == ("content_too_large", 0)
    assert announce(anna, claim, status=413, size=1)["max_bytes"] == 0
    # In the place of one of them there is room again.
    product.wait_document(anna, claim, document["id"])
    assert form(anna, claim, unique_png(), said={"replaces": document["id"]}).json()["version"] == 2
    wait_for(lambda: tmp_files(product) == [], what="an empty tmp")


def test_a_claim_has_no_more_documents_than_it_may(product, anna, claim):
    limit = anna.get("/v1/me").json()["limits"]["documents"]
    for _ in range(limit):
        form(anna, claim, unique_png())
    reply = form(anna, claim, unique_png(), status=422).json()
    assert reply["errors"][0]["code"] == "too_many"
    wait_for(lambda: all(row["status"] == "ready" for row in anna.get(claim + "/documents?limit=200").json()["data"]), 60,
             "the end of all readings")
    rows = anna.get(claim + "/history?limit=200&type=document.ready").json()["data"]
    assert len(rows) == limit


# --- replaced ---


def test_a_replacement_takes_the_place_of_the_old_one(product, anna, claim):
    old = form(anna, claim, unique_png(), said={**PROOF, "requirement": "poe_event"}).json()
    product.wait_document(anna, claim, old["id"])
    content = unique_png()
    new = form(anna, claim, content, name="sharper.png", said={"replaces": old["id"]}).json()
    assert (new["version"], new["replaces"], new["kind"], new["requirement"], new["note"]) == (
        2, old["id"], "agenda", "poe_event", "as mailed")
    assert product.wait_document(anna, claim, new["id"])["status"] == "ready"
    assert anna.get(f"{claim}/documents/{old['id']}").status_code == 404
    assert anna.get(old["content_url"]).status_code == 404
    assert [row["id"] for row in anna.get(claim + "/documents").json()["data"]] == [new["id"]]
    assert events_of(anna, claim, old["id"])[:2] == ["document.uploaded", "document.ready"]
    assert events_of(anna, claim, new["id"]) == ["document.replaced", "document.ready"]
    announced = announce(anna, claim, replaces=new["id"])
    assert anna.put(announced["content_url"], data=unique_png()).json()["version"] == 3
    gone = form(anna, claim, unique_png(), said={"replaces": old["id"]}, status=422).json()
    assert ("#/replaces", "not_found") in [(row["pointer"], row["code"]) for row in gone["errors"]]


# --- out ---


@pytest.fixture(scope="module")
def letter(product, anna):
    claim = new_claim(product, anna)
    content = b"".join(b"%05d: a line of a letter\n" % i for i in range(20000))
    document = product.wait_document(anna, claim, form(anna, claim, content, name="letter.txt").json()["id"])
    assert document["status"] == "ready", document
    return claim, document, content


def test_a_download_is_the_file_and_no_page(anna, letter):
    _, document, content = letter
    reply = anna.get(document["content_url"])
    assert reply.status_code == 200 and reply.content == content
    assert reply.headers["ETag"] == f'"{document["sha256"]}"'
    assert reply.headers["Repr-Digest"] == digest_field(content)
    assert reply.headers["Content-Type"] == document["media_type"]
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Content-Security-Policy"] == "sandbox"
    assert reply.headers["Content-Disposition"] == "attachment; filename=\"letter.txt\"; filename*=UTF-8''letter.txt"
    assert reply.headers["Accept-Ranges"] == "bytes"
    assert "private" in reply.headers["Cache-Control"]
    head = anna.head(document["content_url"])
    assert head.status_code == 200 and head.content == b""
    assert head.headers["Content-Length"] == str(len(content)) and head.headers["ETag"] == reply.headers["ETag"]
    same = anna.get(document["content_url"], headers={"If-None-Match": reply.headers["ETag"]})
    assert same.status_code == 304 and same.content == b"" and same.headers["ETag"] == reply.headers["ETag"]


@pytest.mark.parametrize("field, first, last", [
    ("bytes=0-0", 0, 0), ("bytes=100-199", 100, 199), ("bytes=-7", -7, -1), ("bytes=519990-", 519990, -1),
    ("bytes=10-99999999", 10, -1), ("bytes=0-", 0, -1), ("Bytes=5-6", 5, 6),
])
def test_one_range_is_given(anna, letter, field, first, last):
    _, document, content = letter
    size = len(content)
    first, last = first % size, last % size
    reply = anna.get(document["content_url"], headers={"Range": field})
    assert reply.status_code == 206
    assert reply.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
    assert reply.content == content[first:last + 1]
    assert reply.headers["Repr-Digest"] == digest_field(content)


@pytest.mark.parametrize("field", ["bytes=0-1,5-6", "lines=1-2", "bytes=9-1", "bytes=a-b", "bytes="])
def test_other_ranges_are_the_whole(anna, letter, field):
    _, document, content = letter
    reply = anna.get(document["content_url"], headers={"Range": field})
    assert reply.status_code == 200 and len(reply.content) == len(content)


def test_a_range_outside_the_file_is_told_its_size(anna, letter):
    _, document, content = letter
    for field in (f"bytes={len(content)}-", "bytes=99999999999-", "bytes=-0"):
        reply = anna.get(document["content_url"], headers={"Range": field})
        assert (reply.status_code, reply.json()["code"]) == (416, "range_not_satisfiable")
        assert reply.headers["Content-Range"] == f"bytes */{len(content)}"


def test_a_range_of_another_version_is_the_whole(anna, letter):
    _, document, content = letter
    etag = f'"{document["sha256"]}"'
    for value, status in ((etag, 206), ('"other"', 200), ("W/" + etag, 200), ("Wed, 21 Oct 2026 07:28:00 GMT", 200)):
        reply = anna.get(document["content_url"], headers={"Range": "bytes=0-9", "If-Range": value})
        assert reply.status_code == status, value


@pytest.mark.parametrize("name, ascii_name, encoded", [
    ("Rëport — 50%.txt", "R_port _ 50_.txt", "R%C3%ABport%20%E2%80%94%2050%25.txt"),
    ("a%0d%0aX-Evil: 1.txt", "a_0d_0aX-Evil: 1.txt", "a%250d%250aX-Evil%3A%201.txt"),
    ("../../etc/passwd", "passwd", "passwd"),
])
def test_a_name_cannot_get_out_of_its_header(product, anna, name, ascii_name, encoded):
    claim = new_claim(product, anna)
    reply = form(anna, claim, f"{uuid.uuid4()} text\n".encode() * 10, name=name)
    document = product.wait_document(anna, claim, reply.json()["id"])
    reply = anna.get(document["content_url"])
    assert reply.headers["Content-Disposition"] == f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{encoded}"
    assert "X-Evil" not in reply.headers


def test_a_name_has_no_control_characters(anna, claim):
    wrong = announce(anna, claim, status=422, name="a\r\nX-Evil: 1")
    assert wrong["errors"][0]["pointer"] == "#/name"


def test_whoever_may_not_see_the_claim_gets_nothing(product, letter):
    claim, document, _ = letter
    stranger = product.as_("partner_b_claimant")
    for path in (document["content_url"], f"{claim}/documents/{document['id']}/text", f"{claim}/documents/{document['id']}"):
        assert stranger.get(path).status_code == 404
        assert product.anonymous().get(path).status_code == 401
    assert product.as_("reviewer").get(document["content_url"]).status_code == 200
    assert product.as_("viewer").get(document["content_url"]).status_code == 200


def test_a_slow_reader_costs_no_memory_and_one_that_leaves_neither(product, anna):
    claim = new_claim(product, anna)
    content = b"one line of text after the other\n" * (60 * MIB // 33)
    document = product.wait_document(anna, claim, form(anna, claim, content, name="long.txt").json()["id"])
    assert document["status"] == "ready", document
    api = product.pids("api")[0]
    with open(f"/proc/{api}/clear_refs", "w", encoding="ascii") as refs:
        refs.write("5")
    before, wires = peak_kib(api), []
    for _ in range(8):
        wire = Wire(product, anna, "GET", document["content_url"], 0)
        wires.append(wire)
        assert wire.head()[0] == 200
    time.sleep(0.5)                             # all buffers are full by then; nobody reads
    assert peak_kib(api) - before < 12 * 1024
    for wire in wires[1:]:
        wire.socket.close()
    got = hashlib.sha256()
    left = len(content)
    while left:
        data = wires[0].socket.recv(min(left, 1 << 16))
        assert data
        got.update(data)
        left -= len(data)
    assert got.hexdigest() == document["sha256"]
    wires[0].socket.close()


def test_what_is_not_ready_is_not_given_out(product, anna, claim):
    worker = product.pids("documents")[0]
    kill(worker, signal.SIGSTOP)
    try:
        document = form(anna, claim, unique_png()).json()
        reply = anna.get(document["content_url"])
        assert (reply.status_code, reply.json()["code"]) == (409, "document_not_ready")
    finally:
        kill(worker, signal.SIGCONT)
    assert product.wait_document(anna, claim, document["id"])["status"] == "ready"
    assert anna.get(document["content_url"]).status_code == 200


# --- what is found ---


@pytest.mark.parametrize("name, status, reason, media", [
    ("password.pdf", "rejected", "encrypted", "application/pdf"),
    ("encrypted.xlsx", "rejected", "encrypted", None),
    ("header.pdf", "rejected", "unreadable", "application/pdf"),
    ("zip-bomb-nested.zip", "rejected", "type_mismatch", "application/zip"),
    ("ubl-xxe-file.xml", "rejected", "unreadable", "application/xml"),
    ("two-pages.tiff", "ready", None, "image/tiff"),
    ("pdf-javascript.pdf", "ready", None, "application/pdf"),
    ("invoice-really-png.pdf", "ready", None, "image/png"),
])
def test_a_file_is_what_its_content_says(product, anna, claim, name, status, reason, media):
    document = product.wait_document(anna, claim, form(anna, claim, corpus(name), name=name).json()["id"])
    assert (document["status"], document["status_reason"]) == (status, reason)
    assert media in (None, document["media_type"])
    reply = anna.get(document["content_url"])
    assert reply.status_code == (200 if status == "ready" else 409)
    if status == "rejected":
        assert reply.json()["code"] == "document_not_ready"
        assert events_of(anna, claim, document["id"])[:2] == ["document.uploaded", "document.rejected"]


def test_checks_say_what_was_noticed(product, anna, claim):
    document = product.wait_document(anna, claim, form(anna, claim, corpus("pdf-javascript.pdf"), name="a.pdf").json()["id"])
    checks = anna.get(claim + "/checks").json()["data"]
    assert ["file.active_content"] == [row["code"] for row in checks if row["code"] != "file.duplicate_exact"]
    assert checks[0]["target"] == {"type": "document", "id": document["id"], "pointer": None}


def test_the_text_of_a_document_is_given(product, anna, claim):
    document = product.wait_document(anna, claim, form(anna, claim, product.pdf("Greetings from Cologne 2026"), name="a.pdf").json()["id"])
    url = f"{claim}/documents/{document['id']}/text"
    reply = anna.get(url)
    assert reply.status_code == 200 and reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "Greetings from Cologne 2026" in reply.content.decode()
    assert reply.headers["ETag"] == f'"{sha256(reply.content)}"' and reply.headers["X-Content-Type-Options"] == "nosniff"
    assert anna.get(url, headers={"Range": "bytes=0-3"}).content == reply.content[:4]
    picture = product.wait_document(anna, claim, form(anna, claim, unique_png()).json()["id"])
    none = anna.get(f"{claim}/documents/{picture['id']}/text")
    assert (none.status_code, none.json()["code"]) == (404, "not_found")


def duplicates(session, claim, document_id):
    return [row for row in session.get(claim + "/checks").json()["data"]
            if row["code"] == "file.duplicate_exact" and row["target"]["id"] == document_id]


def read(product, session, claim, content):
    document = product.wait_document(session, claim, form(session, claim, content).json()["id"])
    assert document["status"] == "ready"
    return document


def test_the_same_file_here_is_seen(product, anna, claim):
    content = unique_png()
    first = read(product, anna, claim, content)
    second = read(product, anna, claim, content)
    assert duplicates(anna, claim, first["id"]) == []
    rows = duplicates(anna, claim, second["id"])
    assert len(rows) == 1 and rows[0]["compared"][0]["found"] == first["id"]


def test_the_same_file_in_another_claim_of_the_partner_is_seen_by_him(product, anna, claim):
    content, other = unique_png(), new_claim(product, anna)
    first = read(product, anna, claim, content)
    second = read(product, anna, other, content)
    rows = duplicates(anna, other, second["id"])
    assert len(rows) == 1 and rows[0]["state"] == "open"
    assert rows[0]["compared"][0]["found"] == {
        "claim_id": claim.rsplit("/", 1)[1], "number": anna.get(claim).json()["number"], "document_id": first["id"]}


def test_of_another_partners_file_only_the_vendor_learns(product, anna, claim):
    content, bert = unique_png(), product.as_("partner_b_claimant")
    theirs = new_claim(product, bert, "partner_b")
    first = read(product, bert, theirs, content)
    second = read(product, anna, claim, content)
    for session in (anna, product.as_("partner_admin"), product.as_("viewer")):
        assert session.get(claim + "/checks").json()["data"] == []
        assert session.get(claim).json()["counts"]["open_checks"] == 0
        text = session.get(claim + "/history?limit=200").text + session.get(claim + "?include=checks,history").text
        assert "check." not in text and first["id"] not in text and theirs.rsplit("/", 1)[1] not in text
    rows = duplicates(product.as_("reviewer"), claim, second["id"])
    assert len(rows) == 1 and rows[0]["message"] == "The same file is in a claim of another organisation"
    assert bert.get(theirs + "/checks").json()["data"] == []


def test_a_file_that_is_not_used_any_more_is_no_duplicate(product, anna, claim):
    removed, cancelled = unique_png(), unique_png()
    document = read(product, anna, claim, removed)
    assert anna.delete(f"{claim}/documents/{document['id']}").status_code == 204
    gone = new_claim(product, anna)
    read(product, anna, gone, cancelled)
    assert anna.post(gone + "/cancel", json={"reason": "again, better"}).status_code == 200
    other = new_claim(product, anna)
    for content in (removed, cancelled):
        assert duplicates(anna, other, read(product, anna, other, content)["id"]) == []


def test_of_two_at_once_one_sees_the_other(product, anna):
    content, claims = unique_png(), [new_claim(product, anna) for _ in range(2)]
    ids = {}
    threads = [threading.Thread(target=lambda c=c: ids.__setitem__(c, form(product.as_("claimant"), c, content).json()["id"]))
               for c in claims]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for c in claims:
        product.wait_document(anna, c, ids[c])
    assert sum(len(duplicates(anna, c, ids[c])) for c in claims) >= 1


# --- killed ---


def test_each_result_is_there_exactly_once_when_readers_are_killed(product, anna):
    claims = [new_claim(product, anna) for _ in range(3)]
    documents = []
    for i in range(12):
        c = claims[i % 3]
        documents.append((c, form(anna, c, product.pdf(f"page {uuid.uuid4()}", pages=5), name="a.pdf").json()["id"]))
        if i % 4 == 1 and product.pids("extract"):
            product.kill("extract")
        if i == 6:
            product.kill("documents")
    for c, document_id in documents:
        assert product.wait_document(anna, c, document_id)["status"] == "ready"
        assert events_of(anna, c, document_id) == ["document.uploaded", "document.ready"]
    product.verify()


ENDS_ITS_READER = """#!/usr/bin/env python3
# Speaks the protocol as far as the first document, and dies of it.
import json, os, socket, struct
channel = socket.socket(fileno=3)
body = json.dumps({"protocol": 1, "landlock": 0, "other_user": False, "documents": 500, "stages": ["sniff", "text"]}).encode()
channel.send(struct.pack("=BBHII", ord("H"), 0, 0, 0, len(body)) + body)
channel.recv(16384)
os.kill(os.getpid(), 9)
"""


def test_a_document_that_ends_its_reader_is_marked_and_not_tried_for_ever(tmp_path):
    program = tmp_path / "extract"
    program.write_text(ENDS_ITS_READER)
    program.chmod(0o755)
    with Product("--extract", str(program)) as product:
        anna = product.as_("claimant")
        claim = new_claim(product, anna)
        document = product.wait_document(anna, claim, form(anna, claim, unique_png()).json()["id"])
        assert (document["status"], document["status_reason"]) == ("failed", "crashed")
        assert events_of(anna, claim, document["id"]) == ["document.uploaded", "document.failed"]
        assert len(product.log("document_not_read")) == 3
        operator = product.as_("operator")
        assert operator.get("/v1/admin/jobs?state=dead").json()["data"] == []
        assert anna.get(document["content_url"]).json()["code"] == "document_not_ready"


def test_everything_that_happened_replays(product):
    product.verify()
