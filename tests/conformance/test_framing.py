"""Where a request begins and ends, on real sockets: every case of tests/cases/http, and what a server adds to its parser."""

import os
import re

import pytest

from http_client import ROOT, Server

CASES = os.path.join(ROOT, "tests", "cases", "http")
OK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def statuses():
    with open(os.path.join(ROOT, "api", "http", "fault.h")) as file:
        text = file.read()
    return {name: int(status) for name, status in re.findall(r"X\(([A-Z_]+), (\d+),", text)}


def unescape(text):
    text = re.sub(r"\\\{(\d+) (.*?)\}", lambda m: m[2] * int(m[1]), text)
    known = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\", "|": "|"}
    text = re.sub(r"\\(?:x([0-9a-f]{2})|(.))", lambda m: chr(int(m[1], 16)) if m[1] else known[m[2]], text)
    return text.encode("latin-1")


def cases():
    found = []
    for name in sorted(os.listdir(CASES)):
        if not name.endswith(".txt"):
            continue
        with open(os.path.join(CASES, name)) as file:
            for line in file:
                if line.strip() and not line.startswith("#"):
                    title, outcome, data = line.rstrip("\n").split(" | ", 2)
                    found.append(pytest.param(outcome.strip(), unescape(data), id=f"{name[:-4]}-{title}"))
    assert len(found) > 400
    return found


FAULTS = statuses()


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.stop()


def expected(outcome):
    """How many replies, the status of the last one if it is a refusal, and whether more is awaited."""
    parts = re.findall(r"(?:^|;)(?:[^ ;!]+ )?[^;]*", outcome) if outcome else []
    fault = re.search(r"!([A-Z_]+)$", outcome)
    cut = outcome.endswith("...")
    sound = len(re.findall(r"(?:^|;)(?:GET|get|POST|DELETE|OPTIONS|BREW|M-S|ABC)", outcome))
    whole = sound - (1 if re.search(r"POST /(!|\.\.\.)", outcome) else 0)
    assert parts or not outcome
    return whole, FAULTS[fault[1]] if fault else None, cut


@pytest.mark.parametrize("bytewise", [False, True], ids=["whole", "bytewise"])
@pytest.mark.parametrize("outcome, data", cases())
def test_case(server, outcome, data, bytewise):
    """The replies are those of the sound requests, then the refusal, then the end; nothing smuggled is ever answered."""
    if bytewise and len(data) > 2000:
        bytewise = False
    whole, status, cut = expected(outcome)
    with server.connect() as connection:
        if bytewise:
            for i in range(len(data)):
                connection.send_ignoring_reset(data[i:i + 1])
        else:
            connection.send(data)
        for _ in range(whole):
            assert connection.reply().status in (200, 204, 404, 405)
        if status is None:
            connection.shut()
            if cut:
                reply = connection.reply()
                assert (reply.status, reply.problem) == (400, "invalid_request")
        else:
            reply = connection.reply()
            assert reply.status == status
            assert reply.problem
            assert reply["connection"] == "close"
        assert connection.ended()


def test_server_is_as_new_after_all_of_them(server):
    assert server.ask(OK).status == 200
    server.wait_for(lambda stats: stats["connections"] == 1 and stats["requests"] - stats["over"] == 1)


def test_pipelined_replies_come_in_order(server):
    with server.connect() as connection:
        connection.send(b"GET /slow/200 HTTP/1.1\r\nHost: a\r\n\r\n" + b"".join(
            b"GET /inspect/%d HTTP/1.1\r\nHost: a\r\n\r\n" % i for i in range(300)))
        assert connection.reply().body == b"slow\n"
        for i in range(300):
            assert b'"segments":["inspect","%d"]' % i in connection.reply().body


def test_pipelined_bodies_come_in_order(server):
    with server.connect() as connection:
        connection.send(b"".join(
            b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n%03d"
            b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n%03d\r\n0\r\n\r\n" % (i, i)
            for i in range(100)))
        for i in range(100):
            assert connection.reply().body == connection.reply().body == b"%03d" % i


def test_nothing_after_connection_close_is_answered(server):
    with server.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + OK)
        reply = connection.reply()
        assert (reply.status, reply["connection"]) == (200, "close")
        assert connection.ended()


def test_nothing_after_a_refusal_is_answered(server):
    with server.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + OK * 100)
        assert connection.reply().status == 400
        assert connection.ended()


def test_http_1_0_closes_unless_asked(server):
    with server.connect() as connection:
        connection.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert connection.reply()["connection"] == "keep-alive"
        connection.send(b"GET / HTTP/1.0\r\n\r\n")
        assert connection.reply()["connection"] == "close"
        assert connection.ended()


def test_http_1_0_gets_no_chunks(server):
    with server.connect() as connection:
        connection.send(b"GET /chunks/100000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        reply = connection.reply()
        assert reply["transfer-encoding"] is None and reply.body == b"x" * 100000


@pytest.mark.parametrize("path", [b"/", b"/bytes/1000", b"/chunks/1000", b"/nothing", b"/inspect"])
def test_head_is_get_without_a_body(server, path):
    with server.connect() as connection:
        for _ in range(2):
            connection.send(b"HEAD " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
            head = connection.reply(head=True)
        connection.send(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        get = connection.reply()
        assert head.status == get.status
        assert [name for name, _ in head.headers] == [name for name, _ in get.headers]
        if path == b"/":
            assert head["content-length"] == "3"


def test_head_of_a_bad_request_has_no_body_either(server):
    with server.connect() as connection:
        connection.send(b"HEAD / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n")
        assert connection.reply(head=True).status == 417
        assert connection.ended()


def test_absolute_form_is_served(server):
    reply = server.ask(b"GET http://other.example:8080/inspect/x?y=z HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b'"segments":["inspect","x"]' in reply.body and b'[["y","z"]]' in reply.body


def test_empty_connection_ends_in_silence(server):
    with server.connect() as connection:
        connection.shut()
        assert connection.ended()


@pytest.mark.parametrize("extra", [b"", b"Transfer-Encoding: chunked\r\n"])
def test_body_cut_short_is_400(server, extra):
    with server.connect() as connection:
        connection.send(b"POST /echo HTTP/1.1\r\nHost: a\r\n" + (extra or b"Content-Length: 10\r\n") + b"\r\n3\r\nabc")
        connection.shut()
        assert connection.reply().problem == "invalid_request"
        assert connection.ended()


def test_reply_comes_though_the_client_shut_its_side(server):
    with server.connect() as connection:
        connection.send(b"GET /slow/300 HTTP/1.1\r\nHost: a\r\n\r\n" + OK)
        connection.shut()
        assert connection.reply().body == b"slow\n"
        assert connection.reply().body == b"ok\n"
        assert connection.ended()


# --- 100-continue ---------------------------------------------------------------------------------------------------

POST = b"POST %s HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"


def test_continue_comes_when_the_handler_wants_the_body(server):
    with server.connect() as connection:
        connection.send(POST % (b"/held", 5))
        server.wait_for(lambda stats: stats["held"] == 1)
        assert not connection.has_news()
        server.release()
        assert connection.reply().status == 100
        connection.send(b"hello")
        reply = connection.reply()
        assert (reply.status, reply.body, reply["connection"]) == (200, b"hello", None)
        connection.send(OK)
        assert connection.reply().status == 200


def test_continue_for_chunked(server):
    with server.connect() as connection:
        connection.send(b"POST /count HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert connection.reply().status == 100
        connection.send(b"3\r\nabc\r\n0\r\n\r\n")
        assert connection.reply().body == b"3\n"


def test_continue_is_not_sent_to_whom_sends_already(server):
    with server.connect() as connection:
        connection.send(POST % (b"/echo", 5) + b"hello")
        assert connection.reply().status == 200


def test_continue_is_not_sent_before_a_refusal(server):
    with server.connect() as connection:
        connection.send(POST % (b"/early/Bearer", 5))
        reply = connection.reply()
        assert (reply.status, reply["connection"], reply["www-authenticate"]) == (401, "close", "Bearer")
        assert connection.ended()


def test_continue_is_not_sent_when_too_large(server):
    with server.connect() as connection:
        connection.send(POST % (b"/echo", 262145))
        reply = connection.reply()
        assert (reply.status, reply.problem) == (413, "content_too_large")
        assert connection.ended()


def test_continue_is_not_sent_without_a_body(server):
    with server.connect() as connection:
        connection.send(POST % (b"/echo", 0))
        assert connection.reply().status == 200


def test_continue_is_not_sent_to_http_1_0(server):
    with server.connect() as connection:
        connection.send(b"POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi")
        assert connection.reply().body == b"hi"


# --- bodies that the reply does not wait for -------------------------------------------------------------------------

@pytest.mark.parametrize("body", [b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"])
def test_early_reply_keeps_the_connection_after_a_small_body(server, body):
    with server.connect() as connection:
        connection.send(b"POST /early/x HTTP/1.1\r\nHost: a\r\n" + body + OK)
        assert connection.reply().status == 401
        assert connection.reply().status == 200


def test_early_reply_to_broken_framing_is_400(server):
    with server.connect() as connection:
        connection.send(b"POST /early/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX" + OK)
        reply = connection.reply()
        assert (reply.status, reply["www-authenticate"]) == (400, None)
        assert connection.ended()


def test_early_reply_to_a_large_body_arrives(server):
    with server.connect() as connection:
        connection.send(b"POST /early/x HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n")
        connection.send(b"x" * 8000000)
        reply = connection.reply()
        assert (reply.status, reply["connection"]) == (401, "close")
        assert connection.ended()


def test_early_reply_does_not_wait_for_an_endless_body(server):
    with server.connect() as connection:
        connection.send(b"POST /early/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"400\r\n" +
                        b"x" * 1024 + b"\r\n" + (b"400\r\n" + b"x" * 1024 + b"\r\n") * 200)
        assert connection.reply().status == 401
        assert connection.ended()


def test_early_reply_does_not_wait_for_a_slow_body():
    server = Server(drain_ms=300)
    with server.connect() as connection:
        connection.send(b"POST /early/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        assert connection.reply().status == 401
        assert connection.ended()
    server.stop()


def test_refusal_arrives_while_the_client_still_sends(server):
    with server.connect() as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n")
        connection.send(b"x" * 8000000)
        assert connection.reply().status == 400
        assert connection.ended()


def test_lingering_is_bounded():
    server = Server(linger_ms=300, linger_bytes=1000000)
    with server.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\n\r\n")
        assert connection.reply().status == 400
        assert connection.ended()
        server.wait_for(lambda stats: stats["connections"] == 1)
    with server.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\n\r\n")
        for _ in range(100):
            connection.send_ignoring_reset(b"x" * 100000)
        server.wait_for(lambda stats: stats["connections"] == 1)
    server.stop()


def test_skipped_bodies_are_checked_first(server):
    with server.connect() as connection:
        connection.send(b"DELETE /skip HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + b"GET /skip HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.reply().body == connection.reply().body == b"skipped\n"
        connection.send(b"DELETE /skip HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        assert connection.reply().status == 400
        assert connection.ended()
    assert server.ask(b"DELETE /skip HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n").status == 413


@pytest.mark.parametrize("chunked", [False, True])
def test_collected_bodies_have_a_limit(server, chunked):
    head = b"POST /echo HTTP/1.1\r\nHost: a\r\n"
    for size, status in ((262144, 200), (262145, 413)):
        body = b"x" * size
        with server.connect() as connection:
            if chunked:
                connection.send(head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % size + body + b"\r\n0\r\n\r\n")
            else:
                connection.send(head + b"Content-Length: %d\r\n\r\n" % size + body)
            reply = connection.reply()
            assert reply.status == status
            assert status == 200 and reply.body == body or b'"max_bytes":262144' in reply.body


# --- routes, CORS, ids ---------------------------------------------------------------------------------------------

def test_unknown_paths_and_methods(server):
    assert server.ask(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n").problem == "not_found"
    assert server.ask(b"GET /inspect/ HTTP/1.1\r\nHost: a\r\n\r\n").problem == "not_found"
    for method in (b"POST", b"TRACE", b"BREW", b"get"):
        reply = server.ask(method + b" /smug HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (reply.status, reply.problem, reply["allow"]) == (405, "method_not_allowed", "GET, HEAD, OPTIONS")
    reply = server.ask(b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n")
    assert reply.status == 405 and "GET" in reply["allow"]


def test_options(server):
    reply = server.ask(b"OPTIONS /echo HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (reply.status, reply["allow"]) == (204, "POST, PUT, OPTIONS")
    reply = server.ask(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (reply.status, reply["allow"]) == (204, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")


@pytest.fixture(scope="module")
def cors():
    server = Server(cors="https://shop.example", private=1)
    yield server
    server.stop()


@pytest.mark.parametrize("line, status", [
    (b"GET / HTTP/1.1", 200), (b"GET /nothing HTTP/1.1", 404), (b"POST / HTTP/1.1", 405), (b"GET /.. HTTP/1.1", 400)])
def test_cors_headers_on_success_and_errors(cors, line, status):
    reply = cors.ask(line + b"\r\nHost: a\r\nOrigin: https://shop.example\r\n\r\n")
    assert (reply.status, reply["access-control-allow-origin"]) == (status, "https://shop.example")
    assert reply["access-control-expose-headers"] == "ETag, X-Request-Id" and reply["vary"] == "Origin"
    for origin in (b"https://shop.example.evil", b"null", b"http://shop.example", b"https://SHOP.example"):
        reply = cors.ask(line + b"\r\nHost: a\r\nOrigin: " + origin + b"\r\n\r\n")
        assert (reply.status, reply["access-control-allow-origin"], reply["vary"]) == (status, None, "Origin")


def test_cors_preflight(cors):
    ask = (b"OPTIONS /echo HTTP/1.1\r\nHost: a\r\nOrigin: %s\r\nAccess-Control-Request-Method: PUT\r\n"
           b"Access-Control-Request-Headers: authorization\r\n%s\r\n")
    reply = cors.ask(ask % (b"https://shop.example", b""))
    assert reply.status == 204
    assert reply["access-control-allow-origin"] == "https://shop.example"
    assert reply["access-control-allow-methods"] == "POST, PUT, OPTIONS"
    assert reply["access-control-allow-headers"] == "Authorization, Content-Type"
    assert reply["access-control-max-age"] == "7200"
    assert reply["access-control-allow-private-network"] is None
    reply = cors.ask(ask % (b"https://shop.example", b"Access-Control-Request-Private-Network: true\r\n"))
    assert reply["access-control-allow-private-network"] == "true"
    reply = cors.ask(ask % (b"https://evil.example", b"Access-Control-Request-Private-Network: true\r\n"))
    assert reply.status == 204 and not [name for name, _ in reply.headers if name.startswith("access-control")]


def test_request_ids_are_kept_or_replaced(server):
    ask = b"GET /inspect HTTP/1.1\r\nHost: a\r\n%s\r\n"
    assert server.ask(ask % b"X-Request-Id: a.B-9_z\r\n")["x-request-id"] == "a.B-9_z"
    assert server.ask(ask % b"X-Request-Id: a.B-9_z\r\n").body.find(b'"id":"a.B-9_z"') > 0
    for bad in (b"", b"a b", b"a" * 65, b"a~", b"\xc3\xa9"):
        assert re.fullmatch(r"[0-9A-Z]{26}", server.ask(ask % (b"X-Request-Id: " + bad + b"\r\n"))["x-request-id"])
    assert server.ask(ask % b"X-Request-Id: a\r\nX-Request-Id: b\r\n")["x-request-id"] not in ("a", "b")
    assert server.ask(b"GET /.. HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n\r\n")["x-request-id"] == "mine"


def test_traces_are_continued_or_new(server):
    ask = b"GET /inspect HTTP/1.1\r\nHost: a\r\n%s\r\n"
    good = b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\ntracestate: a=1\r\ntracestate: b=2\r\n"
    body = server.ask(ask % good).body
    assert b'"trace_id":"0af7651916cd43dd8448eb211c80319c"' in body and b'"tracestate":"a=1, b=2"' in body
    body = server.ask(ask % good.replace(b"00-", b"ff-")).body
    assert b"0af7651916cd43dd8448eb211c80319c" not in body.split(b'"trace_id"')[1] and b'"tracestate":""' in body
