"""The product as its users have it: "coopclaims run" with real processes, Redis and sockets, in a folder and at a port of its own."""

import base64
import hashlib
import hmac
import http.server
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid

import requests

from contract import Contract

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("COOPCLAIMS_BUILD", os.path.join(ROOT, "build"))
PROGRAM = os.path.join(BUILD, "coopclaims")
READY = re.compile(r"^coopclaims ready at (http://\S+)$")
# How long a test waits for a fact before it says that it did not come about. No measure of anything: a machine with work of its own
# may take seconds for what takes a millisecond elsewhere.
PATIENCE = 120
# A product that gives up as late. Its own limits are the subject of few tests: those start one with patient=False.
PATIENT = {"COOPCLAIMS_" + name: "60s" for name in (
    "REDIS_CONNECT", "REDIS_COMMAND", "REQUEST_TIME", "HTTP_HEAD_TIME", "HTTP_BODY_GRACE_TIME", "HTTP_HALF_CLOSE_TIME",
    "HTTP_LINGER_TIME")}


def wait_for(condition, seconds=PATIENCE, what="it"):
    """Asks until condition() gives something true, and returns that. What is waited for is a fact, never a length of time."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come about in {seconds} s")
        time.sleep(0.01)


class Session(requests.Session):
    """One actor: paths are relative to the server, every request has a deadline, every reply is held against /openapi.json."""

    checked = True

    def __init__(self, base_url, token=None):
        super().__init__()
        self.base_url = base_url
        self.trust_env = False
        if token:
            self.headers["Authorization"] = "Bearer " + token

    def request(self, method, url, *args, timeout=PATIENCE, **keywords):
        if url.startswith("/"):
            url = self.base_url + url
        reply = super().request(method, url, *args, timeout=timeout, **keywords)
        if self.checked and reply.url.startswith(self.base_url):
            contract = Contract.of_server(self.base_url, lambda: requests.get(self.base_url + "/openapi.json", timeout=PATIENCE).json())
            contract.check(reply)
        return reply

    def make(self, url, body, status=201, **headers):
        """POST with a new Idempotency-Key; the reply's JSON."""
        headers.setdefault("Idempotency-Key", str(uuid.uuid4()))
        reply = self.post(url, json=body, headers=headers)
        assert reply.status_code == status, f"{reply.status_code} {reply.text}"
        return reply.json()


class Product:
    """Starts at once; stop() and the end of a `with` leave nothing behind."""

    def __init__(self, *options, sandbox=True, data=None, port=0, environment=None, patient=True):
        self.owns_data = data is None
        self.data = data or os.path.join(tempfile.mkdtemp(prefix="coopclaims-"), "data")
        self.options, self.port = list(options), port
        self.environment = {**(PATIENT if patient else {}), **os.environ, **(environment or {})}
        if sandbox:
            self.options.append("--sandbox")
        self.process, self.base_url, self.sandbox = None, None, None
        self.lines = []                 # of standard output
        self.log_path = self.data.rstrip("/") + ".log"
        try:
            self.start()
        except BaseException:
            self.show_log()
            self.stop(check=False)
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.show_log()
        self.stop(check=kind is None)
        self.remove()

    # --- life ---

    def command(self, *words, options=()):
        return [PROGRAM, words[0], "--data", self.data, *options, *words[1:]]

    def start(self):
        """Waits for the line that says that it is ready, or for the process's end."""
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            self.command("run", options=["--port", str(self.port), *self.options]),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, env=self.environment)
        log.close()
        came, process = queue.Queue(), self.process

        def read():
            for line in process.stdout:
                self.lines.append(line.rstrip("\n"))
                came.put(line.rstrip("\n"))
            came.put(None)

        threading.Thread(target=read, daemon=True).start()
        end = time.monotonic() + PATIENCE
        while True:
            try:
                line = came.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"not ready in {PATIENCE} s") from None
            assert line is not None, f"it ended before it was ready, with status {self.process.wait()}"
            match = READY.match(line)
            if match:
                break
        self.base_url = match[1]
        self.port = int(self.base_url.rsplit(":", 1)[1])
        path = os.path.join(self.data, "sandbox.json")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.sandbox = json.load(file)
            assert self.sandbox["base_url"] == self.base_url
        return self

    def stop(self, check=True):
        """SIGTERM, and the whole tree is gone; its exit status."""
        if self.process is None:
            return None
        children = self.tree()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            for pid in [*self.tree(), self.process.pid]:
                kill(pid, signal.SIGKILL)
            status = self.process.wait()
            check and self.show_log()
            assert not check, f"it did not end within {PATIENCE} s of SIGTERM"
        self.process = None
        if check:
            assert status == 0, f"exit status {status}"
            left = [pid for pid in children if alive(pid)]
            assert not left, f"processes are left: {left}"
        return status

    def restart(self):
        self.stop()
        return self.start()

    def remove(self):
        if self.owns_data:
            shutil.rmtree(os.path.dirname(self.data), ignore_errors=True)

    def show_log(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                sys.stderr.write(f"--- {self.log_path}\n" + "".join(log.readlines()[-200:]))
        except OSError:
            pass

    def log(self, event=None):
        """The log lines so far, as objects; those of one event."""
        with open(self.log_path, encoding="utf-8") as log:
            rows = [json.loads(line) for line in log if line.startswith("{")]
        return [row for row in rows if event is None or row["event"] == event]

    # --- its processes ---

    def tree(self):
        """Pids of everything below the supervisor."""
        if self.process is None:
            return []
        return descendants(self.process.pid)

    def pids(self, role):
        """Of "api", "redis", "extract", or a kind of worker ("documents", "notifications", "deadlines")."""
        return [pid for pid in self.tree() if role_of(pid) == role]

    def kill(self, role, signal_number=signal.SIGKILL):
        """Kills one process of the role, which must be there; returns its pid."""
        pid = wait_for(lambda: self.pids(role), what=f"a process {role}")[0]
        kill(pid, signal_number)
        return pid

    def wait_role(self, role, other_than=None):
        """Waits for a process of the role, a new one after a kill."""
        return wait_for(lambda: [p for p in self.pids(role) if p != other_than], what=f"a new process {role}")[0]

    def wait_ready(self):
        """Waits until /readyz says yes, as after a kill of Redis."""
        def ready():
            try:
                return requests.get(self.base_url + "/readyz", timeout=PATIENCE).status_code == 200
            except requests.RequestException:
                return False
        wait_for(ready, what="/readyz")

    # --- who uses it ---

    def as_(self, role):
        return Session(self.base_url, self.sandbox["tokens"][role])

    def with_token(self, token):
        return Session(self.base_url, token)

    def anonymous(self):
        return Session(self.base_url)

    def wait_document(self, session, claim_url, document_id):
        """The document when it was read, whatever came of it."""
        def read():
            reply = session.get(f"{claim_url}/documents/{document_id}")
            assert reply.status_code == 200, reply.text
            return reply.json() if reply.json()["status"] != "scanning" else None
        return wait_for(read, what=f"document {document_id}")

    def redis(self, *words):
        """Asks the private Redis by redis-cli; its answer as text."""
        socket_path = os.path.join(self.data, "run", "redis.sock")
        return subprocess.run(["redis-cli", "-s", socket_path, *words], check=True, capture_output=True, text=True,
                              errors="replace", timeout=PATIENCE).stdout.strip()

    def run(self, *words, **keywords):
        """Another subcommand on the same data folder."""
        keywords.setdefault("env", self.environment)
        return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=300, **keywords)

    def verify(self):
        """Replays the whole store; asserts that nothing differs. What it printed."""
        result = self.run("verify")
        assert result.returncode == 0, result.stdout + result.stderr
        assert re.search(r"verified [1-9]\d* aggregates, [1-9]\d* entries: 0 faults", result.stdout), result.stdout
        return result.stdout

    @staticmethod
    def pdf(text, pages=1):
        return pdf(text, pages)


def kill(pid, signal_number):
    try:
        os.kill(pid, signal_number)
    except ProcessLookupError:
        pass


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def descendants(pid):
    parents = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if fields[0] not in "ZX":
            parents.setdefault(int(fields[1]), []).append(int(name))
    found, ahead = [], [pid]
    while ahead:
        ahead = [child for parent in ahead for child in parents.get(parent, [])]
        found += ahead
    return found


def role_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as cmdline:
            words = cmdline.read().decode(errors="replace").split("\0")
    except OSError:
        return None
    name = os.path.basename(words[0].split(" ")[0])
    if name in ("coopclaims", "coopclaims-worker"):
        return words[1] if len(words) > 1 else None
    return {"coopclaims-extract": "extract"}.get(name, "redis" if name.startswith("redis-server") else None)


def pdf(text, pages=1):
    """A small correct PDF whose pages say `text`."""
    content = b"BT /F1 18 Tf 72 720 Td (" + re.sub(r"([()\\])", r"\\\1", text).encode("latin-1", "replace") + b") Tj ET"
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>",
               b"<< /Type /Pages /Count %d /Kids [%s] >>" % (pages, b" ".join(b"%d 0 R" % (5 + i) for i in range(pages))),
               b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
               b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)]
    objects += [b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
                b"/Resources << /Font << /F1 3 0 R >> >> >>"] * pages
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, table, len(objects) + 1, len(out))


class Receiver:
    """A real web server that takes webhooks: what came, in order, and what it answers (200 unless told otherwise)."""

    def __init__(self):
        receiver = self
        self.received, self.answers, self.changed = [], [], threading.Condition()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.changed:
                    receiver.received.append({"path": self.path, "headers": dict(self.headers), "body": body,
                                              "json": json.loads(body), "at": time.time()})
                    status = receiver.answers.pop(0) if receiver.answers else 200
                    receiver.changed.notify_all()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def wait(self, count=1, where=lambda row: True):
        """The deliveries that fit, when there are `count` of them."""
        end = time.monotonic() + PATIENCE
        with self.changed:
            while True:
                fitting = [row for row in self.received if where(row)]
                if len(fitting) >= count:
                    return fitting
                left = end - time.monotonic()
                assert left > 0, f"{len(fitting)} of {count} deliveries came in {PATIENCE} s"
                self.changed.wait(left)

    @staticmethod
    def signature_fits(row, secret):
        """Standard Webhooks, v1: HMAC-SHA-256 over id.timestamp.body, the secret being base64 after "whsec_"."""
        headers = {name.lower(): value for name, value in row["headers"].items()}
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + row["body"]
        key = base64.b64decode(secret.removeprefix("whsec_"))
        digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return f"v1,{digest}" in headers["webhook-signature"].split(" ")
