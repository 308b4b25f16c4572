"""Clients that leave: raw sockets which send a part of a request, all of it, or several at once, and go at a random moment."""

import json
import random
import socket
import struct
import threading
import time
import uuid

from product import PATIENCE, pdf

BROKEN = [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00", b"POST /v1/claims HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{\"a\":",
          b"GET /v1/claims HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"]


class Vanishing:
    """Threads of such clients until stop(). They never look at what is answered; `sent` counts their requests."""

    def __init__(self, product, claims, documents=(), threads=4, seed=None):
        self.product, self.claims, self.documents = product, claims, documents
        self.address = ("127.0.0.1", product.port)
        self.stopping, self.sent, self.lock = threading.Event(), 0, threading.Lock()
        seed = seed if seed is not None else random.randrange(1 << 30)
        self.threads = [threading.Thread(target=self.run, args=(random.Random(seed + i),), daemon=True) for i in range(threads)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a client hangs"

    def run(self, dice):
        while not self.stopping.is_set():
            try:
                self.one(dice)
            except OSError:
                pass        # refused, reset, shut: all of it may happen to a client

    def one(self, dice):
        wire = b"".join(self.request(dice) for _ in range(dice.choice([1, 1, 1, 2, 8])))
        with self.lock:
            self.sent += 1
        with socket.create_connection(self.address, timeout=5) as s:
            if dice.random() < 0.5:     # gone at once, with a reset
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            how = dice.random()
            if how < 0.35:              # a part of it
                s.sendall(wire[:dice.randrange(len(wire) + 1)])
            elif how < 0.5:             # in two pieces
                cut = dice.randrange(len(wire) + 1)
                s.sendall(wire[:cut])
                time.sleep(dice.random() * 0.01)        # the moment is what is random
                s.sendall(wire[cut:])
            else:
                s.sendall(wire)
            left = dice.random()
            if left < 0.25:
                time.sleep(dice.random() * 0.03)
            elif left < 0.4:
                s.shutdown(socket.SHUT_WR)
                s.settimeout(0.2)
                s.recv(dice.choice([1, 100, 65536]))
            elif left < 0.6:
                s.settimeout(0.3)
                s.recv(65536)

    def request(self, dice):
        """A request as bytes; most are sound."""
        kind, claim = dice.random(), dice.choice(self.claims)
        document = dice.choice(self.documents) if self.documents else claim + "/documents"
        if kind < 0.03:
            return dice.choice(BROKEN)
        if kind < 0.3:
            return self.http(dice, "GET", dice.choice([
                claim, claim + "?include=comments,history,fund_account,documents", "/v1/claims?limit=20",
                claim + "/history?limit=30", claim + "/comments", "/v1/fund-accounts", "/v1/me", "/openapi.json",
                claim + "?as_of_sequence=2", "/v1/programs", claim + "/history/proof", "/metrics", "/readyz",
                document, document + "/content"]),
                headers={"Prefer": "wait=2"} if dice.random() < 0.1 else {})
        if kind < 0.55:
            return self.json(dice, "POST", claim + "/comments", {"text": f"left {uuid.uuid4()}"})
        if kind < 0.65:
            return self.json(dice, "PATCH", claim, {"description": f"left {dice.randrange(1000)}"})
        if kind < 0.72:
            return self.json(dice, "POST", claim + "/documents", {"name": "a.pdf", "purpose": "proof", "kind": "agenda", "note": "n"})
        if kind < 0.85:
            return self.form(dice, claim)
        if kind < 0.9:
            return self.http(dice, "POST", "/v1/invitations/accept", b"{", {"Content-Type": "application/json"})
        if kind < 0.95:
            return self.json(dice, "POST", "/v1/invitations/accept", {"token": "cin_00" + "A" * 43})
        return self.json(dice, "POST", claim + "/validate", {})

    def json(self, dice, method, path, body):
        headers = {"Content-Type": "application/json"}
        if dice.random() < 0.6:
            headers["Idempotency-Key"] = dice.choice(["same-for-all", str(uuid.uuid4())])
        if dice.random() < 0.1:
            headers["Expect"] = "100-continue"
        return self.http(dice, method, path, json.dumps(body).encode(), headers)

    def form(self, dice, claim):
        edge = "edge"
        file = pdf(f"left {dice.random()}") + bytes(dice.randrange(0, 300000))
        body = b"".join(f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
                        for name, value in (("purpose", "proof"), ("kind", "agenda"), ("note", "n")))
        body += (f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n'
                 "Content-Type: application/pdf\r\n\r\n").encode() + file + f"\r\n--{edge}--\r\n".encode()
        return self.http(dice, "POST", claim + "/documents", body,
                         {"Content-Type": "multipart/form-data; boundary=" + edge, "Idempotency-Key": str(uuid.uuid4())})

    def http(self, dice, method, path, body=None, headers=None):
        token = self.product.sandbox["tokens"][dice.choice(["claimant", "claimant", "claimant", "reviewer", "operator"])]
        lines = [f"{method} {path} HTTP/1.1", "Host: x"]
        if dice.random() < 0.95:
            lines.append("Authorization: Bearer " + token)
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body is not None and dice.random() < 0.8:
            lines.append(f"Content-Length: {len(body)}")
            return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        if body is not None:
            lines.append("Transfer-Encoding: chunked")
            return "\r\n".join(lines).encode() + b"\r\n\r\n%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
        return "\r\n".join(lines).encode() + b"\r\n\r\n"
