"""A power failure, simulated: Redis is killed and its append-only file cut at the last completed fsync. A 2xx was on disk."""

import os
import random
import subprocess
import time

import pytest

from load import Load
from product import BUILD, ROOT, Product, wait_for

FAULTS = os.path.join(ROOT, "tests", "faults")


@pytest.fixture(scope="module")
def shim():
    out = os.path.join(BUILD, "tests", "fsync_shim.so")
    os.makedirs(os.path.dirname(out), exist_ok=True)
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-o", out,
                    os.path.join(FAULTS, "fsync_shim.c"), "-ldl"], check=True)
    return out


def test_what_was_acknowledged_survives_a_power_failure(shim):
    with Product("--redis-server", os.path.join(FAULTS, "redis_cut"), environment={"FSYNC_SHIM": shim}) as running:
        load = Load(running, documents=False)
        for _ in range(5):
            time.sleep(random.uniform(0.5, 1.5))    # the moment is what is random
            pid = running.kill("redis")
            running.wait_role("redis", other_than=pid)
            running.wait_ready()
        wait_for(lambda: load.enough(11), what="enough that was acknowledged")
        load.stop()
        claims, comments, _ = load.check()
        assert claims > 10 and comments > 10
        with open(os.path.join(running.data, "redis", "cuts"), encoding="utf-8") as cuts:
            assert len(cuts.readlines()) >= 5, "the shim cut nothing: the test proved nothing"
        running.verify()
