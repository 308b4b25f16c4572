"""Clients that go at any moment, for as long as they like: nothing hangs, nothing leaks, and who stays is served as ever."""

import os
import re
import time

import pytest

from product import PATIENCE, Product, pdf, wait_for
from vanishing import Vanishing

WARM_SECONDS = 5        # caches and the allocator's arenas fill
SECONDS = 6
GROWTH_KIB = 6 * 1024


@pytest.fixture(scope="module")
def place():
    """A product, claims, and a document in the first of them."""
    with Product() as running:
        anna, s = running.as_("claimant"), running.sandbox
        claims = ["/v1/claims/" + anna.make("/v1/claims", {
            "name": f"Claim {i}", "program_id": s["program_id"], "location_id": s["locations"]["partner_a"],
            "period_id": s["period_id"], "activity_id": s["activities"]["webinar"], "currency": "EUR"})["id"] for i in range(6)]
        reply = anna.post(claims[0] + "/documents", data={"purpose": "proof", "kind": "agenda", "note": "n"},
                          files={"file": ("a.pdf", pdf("first"))})
        assert reply.status_code == 201, reply.text
        running.wait_document(anna, claims[0], reply.json()["id"])
        yield running, claims, [claims[0] + "/documents/" + reply.json()["id"]]


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])


def files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def connections(product):
    text = product.anonymous().get("/metrics").text
    return float(re.search(r"^coopclaims_http_connections (\S+)", text, re.MULTILINE)[1])


def served_as_ever(product, claims):
    anna = product.as_("claimant")
    for claim in claims:        # every line is free again
        text = f"here at {time.time()}"
        made = anna.make(claim + "/comments", {"text": text})
        assert anna.get(f"{claim}/comments/{made['id']}").json()["text"] == text
    wait_for(lambda: connections(product) <= 8, what="the end of the connections that were left")


def run(place, seconds, trouble=None):
    product, claims, documents = place
    clients = Vanishing(product, claims, documents)
    end = time.monotonic() + seconds
    while time.monotonic() < end or (clients.sent <= 50 and time.monotonic() < end + PATIENCE):
        time.sleep(0.5)         # they go on
        if trouble:
            trouble()
    clients.stop()
    assert clients.sent > 50, clients.sent
    return clients.sent


def test_memory_and_files_stay_as_they_are(place):
    product, claims, _ = place
    run(place, WARM_SECONDS)
    served_as_ever(product, claims)
    api = product.pids("api")[0]
    before, open_before = resident_kib(api), files(api)
    sent = run(place, SECONDS)
    served_as_ever(product, claims)
    assert product.pids("api") == [api], "it was started again"
    growth = resident_kib(api) - before
    assert growth < GROWTH_KIB, f"{growth} KiB more after {sent} clients that left"
    assert files(api) <= open_before + 2, (files(api), open_before)


def test_redis_goes_too(place):
    product, claims, _ = place
    api = product.pids("api")
    kills = []

    def kill():
        if product.pids("redis") and len(kills) < 3:
            kills.append(product.kill("redis"))

    run(place, 5, kill)
    product.wait_ready()
    served_as_ever(product, claims)
    assert kills and product.pids("api") == api, "the api was started again"
    product.verify()


def test_they_go_on_while_it_stops(place):
    product, claims, documents = place
    clients = Vanishing(product, claims, documents)
    try:
        time.sleep(1)           # they are at it
        product.stop()          # asserts that it ends, with status 0, and that no process is left
    finally:
        clients.stop()
    product.start()
    served_as_ever(product, claims)
    product.verify()
