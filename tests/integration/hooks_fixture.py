"""A webhook receiver that behaves as told: answers late, wrongly, too long, or not at all. Real HTTP on a port of its own."""

import base64
import hashlib
import hmac
import http.server
import json
import select
import socket
import threading
import time

from product import PATIENCE, wait_for


class Answer:
    """What one request gets. A receiver's `answers` are used up in order, then its `otherwise`."""

    def __init__(self, status=200, headers=None, body=b"", delay=0.0, hang=False, endless=False, drop=False):
        self.status, self.headers, self.body, self.delay = status, headers or {}, body, delay
        self.hang, self.endless, self.drop = hang, endless, drop


class Hook:
    def __init__(self, otherwise=None, tls=None):
        hook = self
        self.received, self.answers, self.otherwise = [], [], otherwise or Answer()
        self.changed, self.over = threading.Condition(), threading.Event()
        self.gate = threading.Event()       # while it is clear, requests are taken and not answered
        self.gate.set()
        self.flying, self.most_flying, self.connections = set(), 0, 0

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                hook.connections += 1

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with hook.changed:
                    hook.received.append(Delivery(self.path, self.headers, body))
                    # Whoever has gone away, as after a time-out, does not wait for his answer any more.
                    hook.flying = {other for other in hook.flying if not other.has_left()} | {self}
                    hook.most_flying = max(hook.most_flying, len(hook.flying))
                    answer = hook.answers.pop(0) if hook.answers else hook.otherwise
                    hook.changed.notify_all()
                try:
                    self.give(answer)
                except OSError:
                    self.close_connection = True
                finally:
                    self.land()

            def land(self):
                """Before the answer leaves: the next request may come before this thread runs again."""
                with hook.changed:
                    hook.flying.discard(self)

            def has_left(self):
                """Of a connection on which one request waits for its reply: nothing else is to come but the end."""
                try:
                    return bool(select.select([self.connection], [], [], 0)[0])
                except (OSError, ValueError):
                    return True

            do_GET = do_HEAD = do_POST

            def give(self, answer):
                if answer.hang:
                    hook.over.wait(PATIENCE)
                    self.close_connection = True
                    return
                if answer.drop:
                    self.land()
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                hook.over.wait(answer.delay)
                hook.gate.wait(PATIENCE)
                self.land()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.endless:
                    self.close_connection = True
                    self.end_headers()
                    while not hook.over.is_set():
                        self.wfile.write(b"x" * 65536)
                    return
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    def having(self, where):
        with self.changed:
            return [d for d in self.received if where(d)]

    def wait(self, count=1, where=lambda d: True):
        """Those that fit, when there are `count` of them."""
        end = time.monotonic() + PATIENCE
        with self.changed:
            while True:
                fitting = [d for d in self.received if where(d)]
                if len(fitting) >= count:
                    return fitting
                left = end - time.monotonic()
                assert left > 0, f"{len(fitting)} of {count} in {PATIENCE} s; all: {[(d.type, d.id) for d in self.received]}"
                self.changed.wait(left)

    def wait_type(self, event_type, count=1):
        return self.wait(count, lambda d: d.type == event_type)


class Delivery:
    def __init__(self, path, headers, body):
        self.path, self.body, self.at = path, body, time.time()
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.json = json.loads(body)
        self.id, self.type, self.data = self.headers["webhook-id"], self.json["type"], self.json["data"]
        self.delivery, _, attempt = self.headers["coopclaims-delivery"].partition("; attempt=")
        self.attempt = int(attempt)

    def signed_by(self, secret):
        """Standard Webhooks: is one of the signatures this secret's?"""
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        signed = b".".join([self.id.encode(), self.headers["webhook-timestamp"].encode(), self.body])
        mine = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return mine in self.headers["webhook-signature"].split(" ")


class Endpoint:
    """A webhook endpoint of somebody, and what its log says."""

    def __init__(self, session, url, **members):
        self.session = session
        self.body = session.make("/v1/webhook-endpoints", {"url": url, **members})
        self.id, self.secret = self.body["id"], self.body["secret"]
        self.url = "/v1/webhook-endpoints/" + self.id

    def __enter__(self):
        return self

    def __exit__(self, *_):
        assert self.session.delete(self.url).status_code in (204, 404)

    def get(self):
        reply = self.session.get(self.url)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def act(self, action, body=None, status=200):
        return self.session.make(f"{self.url}/{action}", body or {}, status)

    def ping(self):
        return self.act("test", status=202)

    def log(self, **params):
        """All rows, page by page."""
        rows, cursor = [], None
        while True:
            reply = self.session.get(self.url + "/deliveries", params={**params, **({"cursor": cursor} if cursor else {})})
            assert reply.status_code == 200, reply.text
            rows += reply.json()["data"]
            cursor = reply.json()["next_cursor"]
            if not reply.json()["has_more"]:
                return rows

    def delivery(self, delivery_id):
        reply = self.session.get(f"{self.url}/deliveries/{delivery_id}")
        assert reply.status_code == 200, reply.text
        return reply.json()

    def wait_delivery(self, delivery_id, *statuses, attempts=0):
        """The row when its status is one of these, after so many attempts."""
        def there():
            row = self.delivery(delivery_id)
            return row if row["status"] in statuses and len(row["attempts"]) >= attempts else None
        return wait_for(there, what=f"{delivery_id} {statuses}")
