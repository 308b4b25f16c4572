"""Load that remembers what was acknowledged: claims, comments and documents, each retried with its key until it is answered."""

import random
import threading
import time
import uuid

import requests

from product import PATIENCE, Session, pdf


class Load:
    """Writers on threads of their own. stop() waits for what is under way; check() looks for everything that was acknowledged."""

    def __init__(self, product, writers=6, documents=True):
        self.product, self.documents = product, documents
        self.claims, self.comments, self.files = {}, [], []      # url -> name; (url, id, text); (url, id)
        self.lock, self.stopping, self.faults = threading.Lock(), threading.Event(), []
        self.threads = [threading.Thread(target=self.write, args=(i,), daemon=True) for i in range(writers)]
        for thread in self.threads:
            thread.start()

    def send(self, session, url, **keywords):
        """One intention: the same key until there is an answer that is no 5xx and no lost connection."""
        key = str(uuid.uuid4())
        end = time.monotonic() + 2 * PATIENCE
        while time.monotonic() < end:
            try:
                reply = session.post(url, headers={"Idempotency-Key": key}, timeout=PATIENCE, **keywords)
                later = reply.status_code == 409 and reply.json()["code"] in ("idempotency_in_progress", "busy")
                if reply.status_code < 500 and not later:
                    return reply
            except requests.RequestException:
                pass
            time.sleep(0.05)        # not a synchronisation: the pause of a polite client
        raise AssertionError(f"no answer to {url} in {2 * PATIENCE} s")

    def write(self, number):
        session = Session(self.product.base_url, self.product.sandbox["tokens"]["claimant"])
        try:
            while not self.stopping.is_set():
                self.round(session, number)
        except BaseException as fault:      # shown by check(): a thread's own traceback is lost
            self.faults.append(f"writer {number}: {fault!r}")

    def round(self, session, number):
        s = self.product.sandbox
        name = f"load {number} {uuid.uuid4()}"
        reply = self.send(session, "/v1/claims", json={
            "name": name, "program_id": s["program_id"], "location_id": s["locations"]["partner_a"],
            "period_id": s["period_id"], "activity_id": s["activities"]["webinar"], "currency": "EUR"})
        assert reply.status_code == 201, reply.text
        url = reply.headers["Location"]
        with self.lock:
            self.claims[url] = name
        for _ in range(random.randrange(1, 4)):
            text = f"comment {uuid.uuid4()}"
            reply = self.send(session, url + "/comments", json={"text": text, "visibility": "all"})
            assert reply.status_code == 201, reply.text
            with self.lock:
                self.comments.append((url, reply.json()["id"], text))
        if self.documents and random.random() < 0.3:
            reply = self.send(session, url + "/documents", data={"purpose": "proof", "kind": "agenda", "note": "n"},
                              files={"file": ("a.pdf", pdf(name))})
            assert reply.status_code == 201, reply.text
            with self.lock:
                self.files.append((url, reply.json()["id"]))

    def enough(self, count):
        """So many claims and comments were acknowledged, at least."""
        return min(len(self.claims), len(self.comments)) >= count

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(2 * PATIENCE)
            assert not thread.is_alive(), "a writer hangs"
        assert not self.faults, self.faults

    def check(self):
        """Everything acknowledged is there, exactly once; documents were read exactly once."""
        session = Session(self.product.base_url, self.product.sandbox["tokens"]["claimant"])
        seen, cursor = {}, ""
        while cursor is not None:
            page = session.get(f"/v1/claims?limit=200&sort=created_at{'&cursor=' + cursor if cursor else ''}").json()
            for row in page["data"]:
                assert row["id"] not in seen, "a claim is listed twice"
                seen[row["id"]] = row["name"]
            cursor = page["next_cursor"] if page["has_more"] else None
        names = list(seen.values())
        for url, name in self.claims.items():
            assert seen.get(url.split("/")[-1]) == name, f"{url} was acknowledged and is gone"
            assert names.count(name) == 1, f"{name} was made {names.count(name)} times"
        for url in {url for url, _, _ in self.comments}:
            rows = session.get(url + "/comments?limit=200").json()["data"]
            wanted = sorted((i, text) for where, i, text in self.comments if where == url)
            assert sorted((row["id"], row["text"]) for row in rows) == wanted, url
        for url, document in self.files:
            row = self.product.wait_document(session, url, document)
            status = row["status"]
            # The reader may have been killed three times over this one: then it is marked, and never tried for ever.
            assert status == "ready" or (status, row["status_reason"]) == ("failed", "crashed"), row
            rows = session.get(url + "/history?limit=200").json()["data"]
            results = [row for row in rows if row["type"].startswith("document.") and document in row["refs"]]
            assert [row["type"] for row in results] == ["document.uploaded", "document." + status], results
        return len(self.claims), len(self.comments), len(self.files)
