"""A client that sees what is really on the wire: raw sockets, strict reading of replies, the echo server as a process."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("COOPCLAIMS_BUILD", os.path.join(ROOT, "build"))
ECHO = os.path.join(BUILD, "tests", "http_echo")
VALGRIND = ["valgrind", "-q", "--leak-check=full", "--errors-for-leak-kinds=all", "--error-exitcode=9"]
PREFIX = VALGRIND if os.environ.get("COOPCLAIMS_VALGRIND") else []
# How long a test waits for a fact; no measure of anything. What a limit of the server is not the subject of a test, it is as long.
PATIENCE = 100
PATIENT = {name: PATIENCE * 1000 for name in (
    "head_ms", "idle_ms", "drain_idle_ms", "body_grace_ms", "write_stall_ms", "handler_ms", "half_close_ms", "drain_ms", "linger_ms")}
# Memory is measured here: freed blocks are not to be kept for the sanitizer's sake.
os.environ.setdefault("ASAN_OPTIONS", "quarantine_size_mb=1")


class Server:
    """http_echo with some limits, on a port of the kernel's choice."""

    def __init__(self, **options):
        arguments = [f"{name}={value}" for name, value in {**PATIENT, **options}.items()]
        self.host, self.draining = options.get("host", "127.0.0.1"), False
        self.process = subprocess.Popen([*PREFIX, ECHO, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline().split()
        assert line and line[0] == b"port", self.process.stderr.read().decode()
        self.port = int(line[1])

    def connect(self, timeout=PATIENCE, receive_buffer=None, send_buffer=None):
        sock = socket.socket()
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if send_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        sock.settimeout(timeout)
        sock.connect((self.host, self.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Connection(sock)

    def ask(self, data):
        """Sends one request on a connection of its own."""
        with self.connect() as connection:
            connection.send(data)
            return connection.reply()

    def stats(self):
        return json.loads(self.ask(b"GET /stats HTTP/1.1\r\nHost: a\r\n\r\n").body)

    def wait_for(self, condition):
        """Waits until condition(stats) is true."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            stats = self.stats()
            if condition(stats):
                return
            time.sleep(0.02)
        raise AssertionError(f"still not: {stats}")

    def release(self):
        """Lets go on what stands at /held."""
        assert self.ask(b"GET /release HTTP/1.1\r\nHost: a\r\n\r\n").status == 200

    def drain(self):
        self.draining = True
        self.process.send_signal(signal.SIGTERM)

    def stop(self):
        """Drains and checks that the process ended well (a sanitizer or valgrind would say otherwise)."""
        if not self.draining and self.process.poll() is None:
            self.drain()
        try:
            errors = self.process.communicate(timeout=PATIENCE)[1].decode()
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        assert self.process.returncode == 0, errors


class Reply:
    def __init__(self, status, headers, body, version):
        self.status, self.headers, self.body, self.version = status, headers, body, version

    def __getitem__(self, name):
        values = [value for key, value in self.headers if key == name.lower()]
        assert len(values) <= 1, f"{name} is there {len(values)} times"
        return values[0] if values else None

    @property
    def problem(self):
        assert self["content-type"] == "application/problem+json"
        document = json.loads(self.body)
        assert document["status"] == self.status and document["request_id"] == self["x-request-id"]
        return document["code"]


class Connection:
    def __init__(self, sock):
        self.sock, self.buffer = sock, b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def send_bytes(self, data, pause=0.0):
        for i in range(len(data)):
            self.sock.sendall(data[i:i + 1])
            if pause:
                time.sleep(pause)

    def send_ignoring_reset(self, data):
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def shut(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def fill(self):
        data = self.sock.recv(65536)
        self.buffer += data
        return len(data) > 0

    def read_until(self, mark):
        while mark not in self.buffer:
            if not self.fill():
                raise EOFError(self.buffer)
        text, self.buffer = self.buffer.split(mark, 1)
        return text

    def read(self, n):
        while len(self.buffer) < n:
            if not self.fill():
                raise EOFError(self.buffer)
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def reply(self, head=False):
        """The next reply, read by the letter of RFC 9112. EOFError: the connection ended without one."""
        lines = self.read_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/(1\.1) ([1-5]\d\d) ([ -~]*)", lines[0])
        assert match, lines[0]
        headers = []
        for line in lines[1:]:
            field = re.fullmatch(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([\t -~\x80-\xff]*)", line)
            assert field, line
            headers.append((field[1].lower(), field[2]))
        reply = Reply(int(match[2]), headers, b"", match[1])
        if reply.status < 200:
            return reply
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", reply["date"])
        assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", reply["x-request-id"])
        assert not (reply["content-length"] and reply["transfer-encoding"])
        if reply.status in (204, 304):
            assert reply["content-length"] is None
        elif reply["content-length"] is not None:
            reply.body = b"" if head else self.read(int(reply["content-length"]))
        elif reply["transfer-encoding"] is not None:
            assert reply["transfer-encoding"] == "chunked"
            reply.body = b"" if head else self.read_chunks()
        elif not head:
            assert reply["connection"] == "close"
            reply.body = self.rest()
        return reply

    def read_chunks(self):
        body = b""
        while True:
            size = int(self.read_until(b"\r\n"), 16)
            body += self.read(size)
            assert self.read(2) == b"\r\n"
            if size == 0:
                return body

    def rest(self):
        """Everything up to the end of the connection."""
        try:
            while self.fill():
                pass
        except ConnectionResetError:
            pass
        data, self.buffer = self.buffer, b""
        return data

    def ended(self):
        """Nothing more came before the connection ended (timeout: it did not end)."""
        return self.rest() == b""

    def has_news(self):
        """Something has come, or the connection has ended."""
        return bool(select.select([self.sock], [], [], 0)[0])
