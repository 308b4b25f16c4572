"""The clock of a sandbox: whoever moves it knows when all that follows has happened, however long that takes."""
import os
import signal

import pytest

from claims import Claim, refused


@pytest.fixture
def stopped_deadlines(product):
    """Timers fire, and nobody works on them."""
    pids = product.pids("deadlines")
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    yield pids
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def test_a_move_that_takes_long_is_gone_on_with(product, stopped_deadlines):
    admin, claim = product.as_("program_admin"), Claim(product, product.as_("claimant"))
    warned = {row["kind"]: row["at"] for row in claim.get()["deadlines"]}["claiming_period_ends"]
    before = product.as_("claimant").get("/v1/clock").json()["now"]

    def near():
        return [row["type"] for row in claim.get("/history")["data"]].count("claim.deadline_near")

    reply = admin.put("/v1/clock", json={"now": warned})
    refused(reply, 504, "timeout")
    assert "send the same request again" in reply.json()["detail"] and near() == 0
    assert admin.get("/v1/clock").json()["now"] >= warned
    for pid in stopped_deadlines:
        os.kill(pid, signal.SIGCONT)
    for _ in range(6):                      # each waits for 10 s at most
        reply = admin.put("/v1/clock", json={"now": warned})
        if reply.status_code == 200:
            break
    assert reply.status_code == 200 and reply.json()["now"] >= warned and near() > 0
    again = admin.put("/v1/clock", json={"now": warned})
    assert again.status_code == 200 and again.json()["now"] >= reply.json()["now"]
    assert admin.put("/v1/clock", json={"now": before}).json()["errors"][0]["code"] == "too_small"
    product.verify()
