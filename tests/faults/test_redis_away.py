"""Redis away: 503 with Retry-After in under two seconds, /readyz fails, /livez does not; it comes back by itself."""

import os
import signal
import time

import pytest
import requests

from product import wait_for


def refused_in_time(session):
    started = time.monotonic()
    reply = session.get("/v1/me")
    took = time.monotonic() - started
    if reply.status_code == 200:
        return None
    assert reply.status_code == 503, reply.text
    assert reply.json()["code"] == "unavailable" and int(reply.headers["Retry-After"]) >= 1
    assert took < 2.0, f"it took {took:.2f} s"
    return True


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
        wait_for(lambda: refused_in_time(session), what="a refusal")
        assert requests.get(product.base_url + "/livez", timeout=5).status_code == 200
        assert requests.get(product.base_url + "/readyz", timeout=5).status_code == 503
        assert requests.get(product.base_url + "/metrics", timeout=5).status_code == 200
        posted = session.post("/v1/claims", json={})
        assert posted.status_code == 503
    finally:
        os.kill(pid, signal.SIGCONT) if trouble == "stopped" else os.kill(supervisor, signal.SIGCONT)
    product.wait_ready()
    wait_for(lambda: session.get("/v1/me").status_code == 200, what="an answer")
    product.verify()
