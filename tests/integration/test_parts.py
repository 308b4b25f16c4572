"""Every part by itself, as on several hosts: a Redis with a password, api and worker joined by CURVE over TCP; systemd's protocols."""

import json
import os
import re
import signal
import socket
import subprocess

import pytest
import requests

from product import BUILD, PATIENCE, PROGRAM, Product, Session, pdf, wait_for

WORKER = os.path.join(BUILD, "coopclaims-worker")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


class Parts:
    """Starts programs with what they share; ends them all."""

    def __init__(self, folder):
        self.folder, self.processes = folder, []
        self.redis_port, self.port = free_port(), free_port()
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("COOPCLAIMS_")}
        self.environment |= {"COOPCLAIMS_REDIS": f"127.0.0.1:{self.redis_port}", "COOPCLAIMS_REDIS_PASSWORD": "secret word",
                             "COOPCLAIMS_DATA": str(folder / "data"), "COOPCLAIMS_PORT": str(self.port)}
        self.start("redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--requirepass", "secret word",
                   "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--dir", str(folder))
        wait_for(lambda: self.redis("PING") == "PONG")

    def start(self, *words, **environment):
        with open(self.folder / "log", "ab") as log:
            self.processes.append(subprocess.Popen(words, env={**self.environment, **environment}, stdin=subprocess.DEVNULL,
                                                   stdout=log, stderr=log))
        return self.processes[-1]

    def run(self, *words):
        return subprocess.run(words, env=self.environment, capture_output=True, text=True, timeout=PATIENCE)

    def redis(self, *words):
        return subprocess.run(["redis-cli", "-p", str(self.redis_port), "--no-auth-warning", "-a", "secret word", *words],
                              capture_output=True, text=True, timeout=PATIENCE).stdout.strip()

    def key(self, name):
        """A new key: its file, and the public half."""
        made = self.run(PROGRAM, "key", str(self.folder / name))
        assert made.returncode == 0, made.stderr
        return str(self.folder / name), made.stdout.strip()

    def log(self):
        return (self.folder / "log").read_text()

    def stop(self):
        statuses = []
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            try:
                statuses.append(process.wait(PATIENCE))
            except subprocess.TimeoutExpired:
                process.kill()
                statuses.append(process.wait())
        return statuses


@pytest.fixture
def parts(tmp_path):
    running = Parts(tmp_path)
    yield running
    statuses = running.stop()
    assert statuses == [0] * len(statuses), running.log()


def test_api_and_worker_on_tcp_with_curve(parts):
    api_key, _ = parts.key("api.key")
    worker_key, worker_public = parts.key("worker.key")
    stranger_key, _ = parts.key("stranger.key")
    assert re.fullmatch(r"\S{40}", worker_public)
    (parts.folder / "allowed").write_text(f"# workers\n{worker_public} the one of this test\n")
    made = parts.run(PROGRAM, "init", "--sandbox")
    assert made.returncode == 0 and "secret word" not in made.stderr, made.stderr
    sandbox = json.loads((parts.folder / "data" / "sandbox.json").read_text())
    parts.start(PROGRAM, "api", COOPCLAIMS_JOB_ENDPOINT=f"tcp://127.0.0.1:{free_port()}", COOPCLAIMS_CURVE_KEY=api_key,
                COOPCLAIMS_CURVE_ALLOW=str(parts.folder / "allowed"))
    url = f"http://127.0.0.1:{parts.port}"
    assert sandbox["base_url"] == url
    session = Session(url, sandbox["tokens"]["claimant"])

    def answers():
        try:
            return requests.get(url + "/readyz", timeout=PATIENCE).status_code == 200
        except requests.ConnectionError:
            return False
    wait_for(answers)
    claim = "/v1/claims/" + session.make("/v1/claims", {
        "name": "Apart", "program_id": sandbox["program_id"], "location_id": sandbox["locations"]["partner_a"],
        "period_id": sandbox["period_id"], "activity_id": sandbox["activities"]["webinar"], "currency": "EUR"})["id"]
    reply = session.post(claim + "/documents", data={"purpose": "proof", "kind": "agenda", "note": "n"},
                         files={"file": ("a.pdf", pdf("Agenda"))})
    assert reply.status_code == 201, reply.text
    document = f"{claim}/documents/{reply.json()['id']}"

    # One whose key is not on the list gets no work, however long it asks.
    parts.start(WORKER, "documents", COOPCLAIMS_CURVE_KEY=stranger_key)
    wait_for(lambda: requests.get(url + "/metrics", timeout=PATIENCE).text.find("\ncoopclaims_job_workers 0\n") >= 0)
    wait_for(lambda: "worker_ready" in parts.log())
    parts.start(WORKER, "documents", COOPCLAIMS_CURVE_KEY=worker_key)
    wait_for(lambda: session.get(document).json()["status"] == "ready", what="the document")
    wait_for(lambda: "\ncoopclaims_job_workers 1\n" in requests.get(url + "/metrics", timeout=PATIENCE).text)
    verified = parts.run(PROGRAM, "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "secret word" not in parts.log()


def test_a_wrong_password_is_told(parts):
    parts.environment["COOPCLAIMS_REDIS_PASSWORD"] = "another word"
    result = parts.run(PROGRAM, "init", "--sandbox")
    assert result.returncode == 1 and "another word" not in result.stderr + result.stdout
    assert "WRONGPASS" in result.stderr or "cannot be reached" in result.stderr, result.stderr


def test_a_redis_of_something_else_is_left_alone(parts):
    parts.redis("SET", "mine", "1")
    result = parts.run(PROGRAM, "init", "--sandbox")
    assert result.returncode == 1 and "keys of something else" in result.stderr
    assert parts.redis("GET", "mine") == "1"


def test_systemd_is_told(tmp_path):
    path = str(tmp_path / "notify")
    if len(path) > 100:
        pytest.skip("the temporary folder has too long a name for a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.settimeout(PATIENCE)
        with Product(environment={"NOTIFY_SOCKET": path}) as product:
            assert notify.recv(100) == b"READY=1"
            assert product.stop() == 0
            assert notify.recv(100) == b"STOPPING=1"
            notify.settimeout(0)
            with pytest.raises(BlockingIOError):        # the children say nothing of their own
                notify.recv(100)
