"""Slow, greedy and vanishing clients: deadlines hold, memory does not grow, others are served, nothing is left behind."""

import contextlib
import socket
import time

import pytest

from http_client import Server

OK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
MIB = 1 << 20


def answers(server):
    try:
        return server.ask(OK).status == 200
    except (EOFError, ConnectionResetError):
        return False


@contextlib.contextmanager
def serving(**options):
    server = Server(**options)
    try:
        yield server
        deadline = time.monotonic() + 5
        while not answers(server):
            assert time.monotonic() < deadline
        server.wait_for(lambda stats: stats["connections"] == 1 and stats["requests"] - stats["over"] == 1)
    finally:
        server.stop()


def trickle(connection, data, pause, seconds):
    """Sends a byte now and then until the server has had enough; returns how long that took."""
    start = time.monotonic()
    connection.sock.settimeout(pause)
    for i in range(len(data)):
        connection.send_ignoring_reset(data[i:i + 1])
        with contextlib.suppress(TimeoutError):
            if not connection.fill() or b"\r\n\r\n" in connection.buffer:
                break
        assert time.monotonic() - start < seconds
    connection.sock.settimeout(5)
    return time.monotonic() - start


# --- slow heads -------------------------------------------------------------------------------------------------------

def test_slow_head_gets_408_at_an_absolute_deadline():
    with serving(head_ms=500, idle_ms=2000) as server, server.connect() as connection:
        took = trickle(connection, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 1000, 0.05, 3)
        reply = connection.reply()
        assert (reply.status, reply.problem, reply["connection"]) == (408, "request_timeout", "close")
        assert connection.ended() and 0.4 < took < 1.0


@pytest.mark.parametrize("start", [b"\r\n", b"G", b"GET / HTTP/1.1\r\n", OK + b"GET /"])
def test_stopped_head_gets_408(start):
    with serving(head_ms=400, idle_ms=2000) as server, server.connect() as connection:
        connection.send(start)
        if start.startswith(OK):
            assert connection.reply().status == 200
        assert connection.reply().status == 408
        assert connection.ended()


def test_idle_connection_ends_in_silence():
    with serving(idle_ms=400, head_ms=5000) as server, server.connect() as connection:
        assert 0.3 < connection.end_time() < 1.2
        with server.connect() as used:
            used.send(OK)
            assert used.reply().status == 200
            assert 0.3 < used.end_time() < 1.2


def test_many_slow_heads_do_not_disturb_others():
    with serving(head_ms=1500) as server:
        before = server.stats()["rss"]
        with contextlib.ExitStack() as stack:
            slow = [stack.enter_context(server.connect()) for _ in range(300)]
            for i in range(5):
                for connection in slow:
                    connection.send_ignoring_reset(b"GET / HTTP/1.1\r\nHost: a\r\nX: "[i * 5:i * 5 + 5])
                start = time.monotonic()
                assert server.ask(OK).status == 200
                assert time.monotonic() - start < 0.5
            assert server.stats()["rss"] - before < 8 * MIB
            for connection in slow:
                assert connection.reply().status == 408


# --- slow bodies ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path", [b"/echo", b"/count", b"/skip"])
def test_slow_body_gets_408_by_its_rate(path):
    with serving(body_grace_ms=400, body_rate=1000) as server, server.connect() as connection:
        connection.send(b"POST " + path + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
        took = trickle(connection, b"x" * 1000, 0.05, 3)
        assert connection.reply().problem == "request_timeout"
        assert connection.ended() and 0.3 < took < 1.0


def test_slow_chunks_get_408():
    with serving(body_grace_ms=400, body_rate=1000) as server, server.connect() as connection:
        connection.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        trickle(connection, b"1\r\nx\r\n" * 100, 0.05, 3)
        assert connection.reply().status == 408


def test_body_has_an_absolute_deadline():
    with serving(body_grace_ms=100, body_rate=10, body_ms=800) as server, server.connect() as connection:
        connection.send(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
        start = time.monotonic()
        connection.sock.settimeout(0.05)
        for _ in range(100):
            connection.send_ignoring_reset(b"x" * 100)
            with contextlib.suppress(TimeoutError):
                connection.fill()
                break
        connection.sock.settimeout(5)
        assert connection.reply().status == 408
        assert 0.7 < time.monotonic() - start < 1.5


def test_body_that_is_fast_enough_is_not_cut():
    with serving(body_grace_ms=100, body_rate=1000) as server, server.connect() as connection:
        connection.send(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\n")
        for _ in range(30):
            connection.send(b"x" * 100)
            time.sleep(0.04)
        assert connection.reply().body == b"3000\n"


def test_pausing_handler_is_not_the_clients_fault():
    with serving(body_grace_ms=100, body_rate=1000000) as server, server.connect() as connection:
        body = b"x" * 200000
        connection.send(b"POST /pausing HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        assert connection.reply().body == b"200000\n"


# --- slow readers ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path", [b"/bytes/", b"/chunks/"])
def test_reader_that_stops_is_dropped(path):
    with serving(write_stall_ms=500) as server, server.connect(receive_buffer=4096) as connection:
        connection.send(b"GET " + path + b"100000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        took = server.wait_for(lambda stats: stats["gone"] == 1, 5)
        assert 0.2 < took < 3
        assert server.stats()["connections"] == 1


def test_reader_of_a_byte_now_and_then_is_dropped():
    with serving(write_stall_ms=500, write_rate=1000000) as server, server.connect(receive_buffer=4096) as connection:
        connection.send(b"GET /bytes/100000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        start = time.monotonic()
        while time.monotonic() - start < 5:
            if not connection.sock.recv(1000) or server.stats()["gone"] == 1:
                break
            time.sleep(0.02)
        assert time.monotonic() - start < 4
        server.wait_for(lambda stats: stats["connections"] == 1)


def test_slow_but_steady_reader_is_served():
    with serving(write_stall_ms=1000, write_rate=10000) as server:
        with server.connect(receive_buffer=4096) as connection:
            connection.send(b"GET /bytes/50000000 HTTP/1.1\r\nHost: a\r\n\r\n")
            start = time.monotonic()
            while time.monotonic() - start < 4:
                assert connection.sock.recv(4000)
                time.sleep(0.04)
            stats = server.stats()
            assert (stats["gone"], stats["connections"]) == (0, 2)


def test_unread_replies_stop_the_reading_of_requests():
    with serving(write_stall_ms=700) as server, server.connect(receive_buffer=4096) as connection:
        before = server.stats()
        connection.sock.settimeout(0.3)
        with contextlib.suppress(TimeoutError, ConnectionResetError, BrokenPipeError):
            for _ in range(20000):
                connection.send(b"GET /bytes/30000 HTTP/1.1\r\nHost: a\r\n\r\n" * 10)
        stats = server.stats()
        assert stats["rss"] - before["rss"] < 4 * MIB
        server.wait_for(lambda stats: stats["connections"] == 1, 5)


def test_download_of_any_size_in_constant_memory():
    with serving() as server, server.connect() as connection:
        before = server.stats()["rss"]
        size = 200 * MIB
        connection.send(b"GET /bytes/%d HTTP/1.1\r\nHost: a\r\n\r\n" % size)
        connection.read_until(b"\r\n\r\n")
        got, most = len(connection.buffer), 0
        block = bytearray(MIB)
        while got < size:
            n = connection.sock.recv_into(block)
            assert n > 0
            got += n
            if got // (50 * MIB) != (got - n) // (50 * MIB):
                most = max(most, server.stats()["rss"])
        assert got == size and most - before < 2 * MIB


# --- large uploads -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("chunked", [False, True])
def test_upload_of_any_size_in_constant_memory(chunked):
    with serving() as server, server.connect() as connection:
        before = server.stats()["rss"]
        size, block, most = 300 * MIB, b"x" * MIB, 0
        head = b"POST /count HTTP/1.1\r\nHost: a\r\n"
        connection.send(head + (b"Transfer-Encoding: chunked\r\n\r\n" if chunked else b"Content-Length: %d\r\n\r\n" % size))
        for i in range(300):
            connection.send(b"%x\r\n" % MIB + block + b"\r\n" if chunked else block)
            if i % 60 == 59:
                most = max(most, server.stats()["rss"])
        if chunked:
            connection.send(b"0\r\n\r\n")
        assert connection.reply().body == b"%d\n" % size
        assert most - before < 2 * MIB


def test_paused_upload_holds_the_sender():
    with serving() as server, server.connect() as connection:
        before = server.stats()["rss"]
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        connection.send(b"POST /pausing HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n")
        connection.sock.settimeout(0.5)
        sent = 0
        start = time.monotonic()
        with contextlib.suppress(TimeoutError):
            while time.monotonic() - start < 1:
                sent += connection.sock.send(b"x" * 65536)
        assert sent < 20000000
        assert server.stats()["rss"] - before < 2 * MIB
        connection.reset()
        server.wait_for(lambda stats: stats["aborted"] == 1)


# --- clients that leave --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("how", ["reset", "close", "close-with-more-sent"])
def test_client_that_left_is_noticed(how):
    with serving(half_close_ms=300) as server:
        connection = server.connect()
        connection.send(b"GET /slow/1500 HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for(lambda stats: stats["connections"] == 2 and stats["requests"] - stats["over"] == 2)
        if how == "reset":
            connection.reset()
        elif how == "close":
            connection.sock.close()
        else:
            connection.send(OK * 3500)		# more than is read ahead, less than the kernel's buffer keeps the FIN behind
            time.sleep(0.1)
            connection.shut()
        took = server.wait_for(lambda stats: stats["gone"] == 1)
        assert took < 1.0
        assert server.stats()["connections"] == 1
        server.wait_for(lambda stats: stats["requests"] - stats["over"] == 1)
        connection.sock.close()


def test_upload_that_breaks_off_is_aborted():
    with serving() as server:
        connection = server.connect()
        connection.send(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000)
        server.wait_for(lambda stats: stats["connections"] == 2)
        connection.reset()
        server.wait_for(lambda stats: stats["aborted"] == 1)
        connection = server.connect()
        connection.send(b"POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nXX")
        assert connection.reply().status == 400
        server.wait_for(lambda stats: stats["aborted"] == 2)
        connection.sock.close()


def test_client_that_left_before_its_body_was_asked_for():
    with serving() as server:
        connection = server.connect()
        connection.send(b"POST /late/400 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
        server.wait_for(lambda stats: stats["connections"] == 2)
        connection.reset()
        server.wait_for(lambda stats: stats["connections"] == 1)


def test_reader_that_left_is_noticed():
    with serving() as server:
        connection = server.connect()
        connection.send(b"GET /bytes/100000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.fill()
        connection.reset()
        server.wait_for(lambda stats: stats["gone"] == 1)


def test_handler_that_takes_too_long_is_answered_for():
    with serving(handler_ms=300) as server, server.connect() as connection:
        connection.send(b"GET /slow/1000 HTTP/1.1\r\nHost: a\r\n\r\n")
        reply = connection.reply()
        assert (reply.status, reply.problem) == (504, "timeout")
        assert connection.ended()
        assert server.stats()["gone"] == 1
        server.wait_for(lambda stats: stats["requests"] - stats["over"] == 1)


# --- caps ---------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("cap", ["connections", "local_connections"])
def test_connections_over_a_cap_get_503(cap):
    with serving(**{cap: 8}) as server, contextlib.ExitStack() as stack:
        held = [stack.enter_context(server.connect()) for _ in range(8)]
        for connection in held:
            connection.send(OK)
            assert connection.reply().status == 200
        for _ in range(3):
            with server.connect() as connection:
                reply = connection.reply()
                assert (reply.status, reply.problem, reply["retry-after"]) == (503, "unavailable", "1")
                assert connection.ended()
        for connection in held:
            connection.send(OK)
            assert connection.reply().status == 200
        held[0].sock.close()
        held[1].sock.close()
        deadline = time.monotonic() + 5
        while not answers(server):
            assert time.monotonic() < deadline
        assert server.stats()["refused_connections"] >= 3


def test_connections_far_over_the_cap_are_just_closed():
    with serving(connections=4) as server, contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(server.connect())
        over = [stack.enter_context(server.connect()) for _ in range(60)]
        answered = 0
        for connection in over:
            try:
                answered += connection.reply().status == 503
            except (EOFError, ConnectionResetError):
                pass
        assert 1 <= answered < 60


# --- the end -------------------------------------------------------------------------------------------------------------

def test_drain_finishes_what_runs():
    server = Server()
    slow, idle, fresh = server.connect(), server.connect(), server.connect()
    idle.send(OK)
    assert idle.reply().status == 200
    slow.send(b"GET /slow/600 HTTP/1.1\r\nHost: a\r\n\r\n" + OK)
    server.wait_for(lambda stats: stats["connections"] == 4)
    server.drain()
    assert idle.end_time() < 0.4
    fresh.send(OK)				# it may have been on the wire
    reply = fresh.reply()
    assert (reply.status, reply["connection"]) == (200, "close")
    assert fresh.ended()
    with pytest.raises(ConnectionRefusedError):
        server.connect()
    reply = slow.reply()
    assert (reply.body, reply["connection"]) == (b"slow\n", "close")
    assert slow.ended()
    for connection in (slow, idle, fresh):
        connection.sock.close()
    server.stop()


def test_drain_does_not_wait_for_the_silent():
    server = Server(drain_idle_ms=300)
    fresh, half = server.connect(), server.connect()
    half.send(b"GET / HTTP/1.1\r\n")
    server.wait_for(lambda stats: stats["connections"] == 3)
    start = time.monotonic()
    server.drain()
    assert fresh.end_time() < 1
    half.send(b"Host: a\r\n\r\n")
    assert half.reply().status == 200
    fresh.sock.close()
    half.sock.close()
    server.stop()
    assert time.monotonic() - start < 3


def test_ipv6_peers():
    try:
        server = Server(host="::1")
    except AssertionError:
        pytest.skip("no IPv6 here")
    sock = socket.create_connection(("::1", server.port), timeout=5)
    sock.sendall(b"GET /inspect HTTP/1.1\r\nHost: [::1]\r\n\r\n")
    assert b'"peer":"::1"' in sock.recv(65536)
    sock.close()
    server.stop()
