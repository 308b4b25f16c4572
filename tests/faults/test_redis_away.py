"""Redis away: 503 with Retry-After in under two seconds, /readyz fails, /livez does not; it comes back by itself."""

import os
import signal
import time

import pytest
import requests

from product import PATIENCE, Product, wait_for


LIMIT = 2.0             # a command waits for 1.5 s


@pytest.fixture(scope="module")
def product():
    with Product(patient=False) as running:
        yield running


def refused_in_time(session):
    """Once is enough: the machine may hold up anyone now and then."""
    started = time.monotonic()
    reply = session.get("/v1/me")
    took = time.monotonic() - started
    if reply.status_code == 200:
        return None
    assert reply.status_code == 503, reply.text
    assert reply.json()["code"] == "unavailable" and int(reply.headers["Retry-After"]) >= 1
    return took < LIMIT


@pytest.mark.parametrize("trouble", ["stopped", "killed"])
def test_redis_away(product, trouble):
    session = product.as_("claimant")
    assert session.get("/v1/me").status_code == 200
    supervisor = product.process.pid
    pid = product.pids("redis")[0]
    os.kill(pid, signal.SIGSTOP if trouble == "stopped" else signal.SIGKILL)
    if trouble == "killed":                     # or it is back before anyone can ask
        os.kill(supervisor, signal.SIGSTOP)
    try:
        wait_for(lambda: refused_in_time(session), what=f"a refusal in {LIMIT} s")
        assert requests.get(product.base_url + "/livez", timeout=PATIENCE).status_code == 200
        assert requests.get(product.base_url + "/readyz", timeout=PATIENCE).status_code == 503
        assert requests.get(product.base_url + "/metrics", timeout=PATIENCE).status_code == 200
        posted = session.post("/v1/claims", json={})
        assert posted.status_code == 503
    finally:
        os.kill(pid, signal.SIGCONT) if trouble == "stopped" else os.kill(supervisor, signal.SIGCONT)
    product.wait_ready()
    wait_for(lambda: session.get("/v1/me").status_code == 200, what="an answer")
    product.verify()
