"""Slow, greedy and vanishing clients: deadlines hold, memory does not grow, others are served, nothing is left behind."""

import contextlib
import socket
import time

import pytest

from http_client import PATIENCE, Server

OK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
MIB = 1 << 20


def answers(server):
    try:
        return server.ask(OK).status == 200
    except (EOFError, ConnectionResetError):
        return False


def wait_for_answer(server):
    deadline = time.monotonic() + PATIENCE
    while not answers(server):
        assert time.monotonic() < deadline


def undisturbed(scenario, times=20):
    """
    Whoever stands still cannot show that he was not cut off for nothing: a scenario says False when a pause of its own, or the
    machine's, spoilt it, and is played again.
    """
    for _ in range(times):
        if scenario():
            return
    raise AssertionError(f"it never went well in {times} times")


@contextlib.contextmanager
def serving(**options):
    server = Server(**options)
    try:
        yield server
        wait_for_answer(server)
        server.wait_for(lambda stats: stats["connections"] == 1 and stats["requests"] - stats["over"] == 1)
    finally:
        server.stop()


def trickle(connection, data):
    """Sends a byte now and then until the server has had enough, which must be long before the last."""
    connection.sock.settimeout(0.05)
    for i in range(len(data)):
        connection.send_ignoring_reset(data[i:i + 1])
        with contextlib.suppress(TimeoutError):
            if not connection.fill() or b"\r\n\r\n" in connection.buffer:
                break
    else:
        raise AssertionError("it took everything")
    connection.sock.settimeout(PATIENCE)


# --- slow heads -------------------------------------------------------------------------------------------------------

def test_slow_head_gets_408_at_an_absolute_deadline():
    with serving(head_ms=500) as server, server.connect() as connection:
        start = time.monotonic()
        trickle(connection, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 1000)
        reply = connection.reply()
        assert (reply.status, reply.problem, reply["connection"]) == (408, "request_timeout", "close")
        assert connection.ended() and time.monotonic() - start > 0.4


@pytest.mark.parametrize("start", [b"\r\n", b"G", b"GET / HTTP/1.1\r\n", OK + b"GET /"])
def test_stopped_head_gets_408(start):
    with serving(head_ms=400) as server, server.connect() as connection:
        connection.send(start)
        if start.startswith(OK):
            assert connection.reply().status == 200
        assert connection.reply().status == 408
        assert connection.ended()


def test_idle_connection_ends_in_silence():
    with serving(idle_ms=400) as server:
        start = time.monotonic()
        with server.connect() as connection:
            assert connection.ended() and time.monotonic() - start > 0.3

        def used_in_time():
            with server.connect() as used:
                start = time.monotonic()
                try:
                    used.send(OK)
                    assert used.reply().status == 200
                except (EOFError, BrokenPipeError, ConnectionResetError):
                    return False        # it was idle for too long before
                assert used.ended() and time.monotonic() - start > 0.3
                return True
        undisturbed(used_in_time)


def test_many_slow_heads_do_not_disturb_others():
    with serving(head_ms=4000) as server:
        def others_are_served():
            before = server.stats()["rss"]
            with contextlib.ExitStack() as stack:
                slow = [stack.enter_context(server.connect()) for _ in range(300)]
                for i in range(5):
                    for connection in slow:
                        connection.send_ignoring_reset(b"GET / HTTP/1.1\r\nHost: a\r\nX: "[i * 5:i * 5 + 5])
                    assert server.ask(OK).status == 200
                    if any(connection.has_news() for connection in slow):
                        return False    # the first were over before that answer came
                assert server.stats()["rss"] - before < 8 * MIB
                for connection in slow:
                    assert connection.reply().status == 408
            return True
        undisturbed(others_are_served, 5)


# --- slow bodies ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path", [b"/echo", b"/count", b"/skip"])
def test_slow_body_gets_408_by_its_rate(path):
    with serving(body_grace_ms=400, body_rate=1000) as server, server.connect() as connection:
        start = time.monotonic()
        connection.send(b"POST " + path + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
        trickle(connection, b"x" * 999)
        assert connection.reply().problem == "request_timeout"
        assert connection.ended() and time.monotonic() - start > 0.3


def test_slow_chunks_get_408():
    with serving(body_grace_ms=400, body_rate=1000) as server, server.connect() as connection:
        connection.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        trickle(connection, b"1\r\nx\r\n" * 200)
        assert connection.reply().status == 408


def test_body_has_an_absolute_deadline():
    with serving(body_grace_ms=100, body_rate=10, body_ms=800) as server, server.connect() as connection:
        start = time.monotonic()
        connection.send(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100)
        connection.sock.settimeout(0.05)
        for _ in range(400):
            connection.send_ignoring_reset(b"x" * 100)
            with contextlib.suppress(TimeoutError):
                connection.fill()
                break
        else:
            raise AssertionError("it took everything")
        connection.sock.settimeout(PATIENCE)
        assert connection.reply().status == 408
        assert time.monotonic() - start > 0.7


def test_body_that_is_fast_enough_is_not_cut():
    # What it is ahead lasts for twenty seconds, in which the client may stand still.
    with serving(body_grace_ms=100, body_rate=1000) as server, server.connect() as connection:
        connection.send(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 23000\r\n\r\n" + b"x" * 20000)
        for _ in range(30):
            connection.send(b"x" * 100)
            time.sleep(0.04)
        assert connection.reply().body == b"23000\n"


def test_pausing_handler_is_not_the_clients_fault():
    # All of it is with the kernel at once: from there on the client has nothing to do.
    with serving(body_grace_ms=100, body_rate=1000000) as server, server.connect(send_buffer=1 << 20) as connection:
        body = b"x" * 200000
        connection.send(b"POST /pausing HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        assert connection.reply().body == b"200000\n"


# --- slow readers ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path", [b"/bytes/", b"/chunks/"])
def test_reader_that_stops_is_dropped(path):
    with serving(write_stall_ms=500) as server, server.connect(receive_buffer=4096) as connection:
        start = time.monotonic()
        connection.send(b"GET " + path + b"100000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for(lambda stats: stats["gone"] == 1 and stats["connections"] == 1)
        assert time.monotonic() - start > 0.2


def test_reader_of_a_byte_now_and_then_is_dropped():
    with serving(write_stall_ms=500, write_rate=1000000) as server, server.connect(receive_buffer=4096) as connection:
        connection.send(b"GET /bytes/100000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        end = time.monotonic() + PATIENCE
        with contextlib.suppress(ConnectionResetError):
            while connection.sock.recv(1000) and server.stats()["gone"] == 0:
                assert time.monotonic() < end
                time.sleep(0.02)
        server.wait_for(lambda stats: stats["gone"] == 1 and stats["connections"] == 1)


def test_slow_but_steady_reader_is_served():
    with serving(write_stall_ms=2000, write_rate=10000) as server:
        def steady():
            dropped = server.stats()["gone"]
            with server.connect(receive_buffer=4096) as connection:
                connection.send(b"GET /bytes/50000000 HTTP/1.1\r\nHost: a\r\n\r\n")
                start = last = time.monotonic()
                while last - start < 6:
                    try:
                        data = connection.sock.recv(4000)
                    except ConnectionResetError:
                        data = b""
                    pause, last = time.monotonic() - last, time.monotonic()
                    if pause > 0.5:
                        return False
                    assert data
                    time.sleep(0.04)
                stats = server.stats()
                assert (stats["gone"], stats["connections"]) == (dropped, 2)
            server.wait_for(lambda stats: stats["connections"] == 1)
            return True
        undisturbed(steady)


def test_unread_replies_stop_the_reading_of_requests():
    with serving(write_stall_ms=700) as server, server.connect(receive_buffer=4096) as connection:
        before = server.stats()
        connection.sock.settimeout(0.3)
        with contextlib.suppress(TimeoutError, ConnectionResetError, BrokenPipeError):
            for _ in range(20000):
                connection.send(b"GET /bytes/30000 HTTP/1.1\r\nHost: a\r\n\r\n" * 10)
        stats = server.stats()
        assert stats["rss"] - before["rss"] < 4 * MIB
        server.wait_for(lambda stats: stats["connections"] == 1)


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
        connection.send(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for(lambda stats: stats["held"] == 1)
        if how == "reset":
            connection.reset()
        elif how == "close":
            connection.sock.close()
        else:
            connection.send(OK * 3500)		# more than is read ahead, less than the kernel's buffer keeps the FIN behind
            time.sleep(0.1)
            connection.shut()
        server.wait_for(lambda stats: stats["gone"] == 1 and stats["connections"] == 1)
        assert server.stats()["held"] == 1
        server.release()                        # what was begun goes on to its end
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
        connection.send(b"POST /held HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
        server.wait_for(lambda stats: stats["held"] == 1)
        connection.reset()
        server.release()
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
        server.wait_for(lambda stats: stats["gone"] == 1)
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
        wait_for_answer(server)
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
    slow.send(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n" + OK)
    server.wait_for(lambda stats: stats["connections"] == 4 and stats["held"] == 1)
    server.drain()
    assert idle.ended()
    fresh.send(b"GET /release HTTP/1.1\r\nHost: a\r\n\r\n")      # it may have been on the wire
    reply = fresh.reply()
    assert (reply.status, reply["connection"]) == (200, "close")
    assert fresh.ended()
    with pytest.raises(ConnectionRefusedError):
        server.connect()
    reply = slow.reply()
    assert (reply.body, reply["connection"]) == (b"held\n", "close")
    assert slow.ended()
    for connection in (slow, idle, fresh):
        connection.sock.close()
    server.stop()


def test_drain_does_not_wait_for_the_silent():
    server = Server(drain_idle_ms=300)
    fresh, half = server.connect(), server.connect()
    half.send(b"GET / HTTP/1.1\r\n")
    server.wait_for(lambda stats: stats["connections"] == 3)
    server.drain()
    assert fresh.ended()
    half.send(b"Host: a\r\n\r\n")
    assert half.reply().status == 200
    assert half.ended()
    server.process.wait(PATIENCE)       # though neither has closed its side
    fresh.sock.close()
    half.sock.close()
    server.stop()


def test_ipv6_peers():
    try:
        server = Server(host="::1")
    except AssertionError:
        pytest.skip("no IPv6 here")
    sock = socket.create_connection(("::1", server.port), timeout=PATIENCE)
    sock.sendall(b"GET /inspect HTTP/1.1\r\nHost: [::1]\r\n\r\n")
    assert b'"peer":"::1"' in sock.recv(65536)
    sock.close()
    server.stop()
