"""kill -9 at random moments under load: nothing acknowledged is lost, nothing happens twice, the store verifies."""

import random
import time

import pytest

from load import Load
from product import PATIENCE, Product, wait_for

ROLES = ["api", "documents", "extract", "deadlines", "redis"]
SECONDS = 6


@pytest.fixture(scope="module")
def crowd():
    with Product("--apis", "2", "--documents-workers", "2") as running:
        yield running


@pytest.mark.parametrize("roles", [["api"], ["documents", "extract"], ["redis"], ROLES], ids="+".join)
def test_nothing_acknowledged_is_lost(crowd, roles):
    load = Load(crowd)
    begun = time.monotonic()
    kills = 0
    while time.monotonic() < begun + SECONDS or (time.monotonic() < begun + PATIENCE and not (kills > 1 and load.enough(4))):
        role = random.choice(roles)
        if crowd.pids(role):
            crowd.kill(role)
            kills += 1
        # The moment is what is random; a Redis that dies over and over is started later and later.
        time.sleep(random.uniform(1, 2.5) if "redis" in roles else random.uniform(0.2, 1.2))
    crowd.wait_ready()
    load.stop()
    claims, comments, files = load.check()
    assert kills > 1 and claims > 3 and comments > 3, (kills, claims, comments, files)
    crowd.verify()


def test_no_work_item_is_left_or_dead(crowd):
    operator = crowd.as_("operator")
    wait_for(lambda: operator.get("/v1/admin/jobs?state=due").json()["data"] == [] and
             operator.get("/v1/admin/jobs?state=leased").json()["data"] == [], what="an empty queue")
    assert operator.get("/v1/admin/jobs?state=dead").json()["data"] == []
