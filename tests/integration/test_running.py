"""How it starts, what it is while it runs, and how it ends: "coopclaims run" as its users see it."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import threading

import pytest
import requests

from product import PATIENCE, PROGRAM, Product, alive, wait_for

TOKENS = {"partner_admin", "claimant", "viewer", "partner_b_admin", "partner_b_claimant", "reviewer", "reviewer_2",
          "senior_reviewer", "finance", "program_admin", "auditor", "operator", "reviewing_admin"}
ROLES = {"partner_b_admin": ["partner_admin"], "partner_b_claimant": ["claimant"], "reviewer_2": ["reviewer"],
         "reviewing_admin": ["reviewer", "program_admin"]}


def claim(product, session, name="A claim"):
    s = product.sandbox
    return session.make("/v1/claims", {
        "name": name, "program_id": s["program_id"], "location_id": s["locations"]["partner_a"], "period_id": s["period_id"],
        "activity_id": s["activities"]["webinar"], "currency": "EUR"})


def test_one_line_says_that_it_is_ready(product):
    assert product.lines == [f"coopclaims ready at {product.base_url}"]


def test_every_other_line_is_a_json_log_line(product):
    with open(product.log_path, encoding="utf-8") as log:
        for line in log:
            row = json.loads(line)
            assert {"at", "level", "program", "pid", "event"} <= set(row)


def test_no_token_is_logged(product):
    with open(product.log_path, encoding="utf-8") as log:
        text = log.read()
    assert not any(token in text for token in product.sandbox["tokens"].values())


def test_the_sandbox_file_says_what_was_made(product):
    path = os.path.join(product.data, "sandbox.json")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    s = product.sandbox
    assert list(s) == ["base_url", "program_id", "period_id", "period", "activities", "organizations", "locations", "tokens"]
    assert set(s["tokens"]) == TOKENS
    assert set(s["organizations"]) == {"vendor", "partner_a", "partner_b", "partner_c"}
    assert set(s["locations"]) == {"partner_a", "partner_b", "partner_c"}
    assert s["period"]["id"] == s["period_id"] and s["period"]["state"] == "claiming"
    assert s["activities"]["webinar"].startswith("act_")


def test_each_token_is_of_its_role(product):
    for name in sorted(TOKENS):
        me = product.as_(name).get("/v1/me").json()
        assert me["roles"] == ROLES.get(name, [name]), name
        side = "vendor" if name not in ("partner_admin", "claimant", "viewer") and not name.startswith("partner_b") else \
            "partner_b" if name.startswith("partner_b") else "partner_a"
        assert me["organization"]["id"] == product.sandbox["organizations"][side]


def test_partners_have_money(product):
    for role, amount in (("partner_admin", "12000.00"), ("partner_b_admin", "5000.00")):
        accounts = product.as_(role).get("/v1/fund-accounts").json()["data"]
        assert [row["remaining"] for row in accounts] == [{"amount": amount, "currency": "EUR"}]


def test_the_period_is_as_the_api_shows_it(product):
    s = product.sandbox
    reply = product.as_("claimant").get(f"/v1/programs/{s['program_id']}/periods/{s['period_id']}")
    assert reply.status_code == 200 and reply.json() == s["period"]


def test_what_init_made_has_a_history(product):
    assert "0 faults" in product.verify()


def test_probes_and_metrics_need_no_token(product):
    for path in ("/livez", "/readyz"):
        assert requests.get(product.base_url + path, timeout=PATIENCE).status_code == 200
    text = requests.get(product.base_url + "/metrics", timeout=PATIENCE).text
    for name in ("coopclaims_http_requests_total", "coopclaims_http_request_seconds_bucket", "coopclaims_loop_lag_seconds_count",
                 "coopclaims_redis_round_trip_seconds_sum"):
        assert re.search(f"^{name}", text, re.M), name


def test_a_second_one_on_the_same_folder_is_refused(product):
    second = product.run("run", env=os.environ)
    assert second.returncode == 1
    assert "in use by another coopclaims" in second.stderr and product.data in second.stderr
    assert product.as_("claimant").get("/v1/me").status_code == 200


def test_its_folder_is_for_its_owner_alone(product):
    for name in ("", "run", "redis"):
        assert stat.S_IMODE(os.stat(os.path.join(product.data, name)).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(os.path.join(product.data, "secret")).st_mode) == 0o600


def test_a_new_token_for_a_user_by_address_and_by_id(product):
    result = product.run("token", "BRAM@noord.example")
    assert result.returncode == 0, result.stderr
    me = product.with_token(result.stdout.strip()).get("/v1/me").json()
    assert me["user"]["email"] == "bram@noord.example"
    again = product.run("token", me["user"]["id"])
    assert again.stdout != result.stdout
    assert product.with_token(again.stdout.strip()).get("/v1/me").json()["user"]["id"] == me["user"]["id"]
    nobody = product.run("token", "nobody@noord.example")
    assert nobody.returncode == 1 and "there is no user" in nobody.stderr and nobody.stdout == ""


@pytest.mark.parametrize("role", ["api", "documents", "notifications", "deadlines", "redis"])
def test_a_child_that_is_killed_comes_back(product, role):
    before = claim(product, product.as_("claimant"))
    killed = product.kill(role)
    product.wait_role(role, other_than=killed)
    product.wait_ready()
    after = product.as_("claimant").get("/v1/claims/" + before["id"])
    assert after.status_code == 200 and after.json()["name"] == before["name"]
    claim(product, product.as_("claimant"))


def test_connections_wait_while_the_api_is_replaced(product):
    """The supervisor holds the socket: nobody is refused, whenever he comes."""
    faults, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            try:
                requests.get(product.base_url + "/livez", timeout=PATIENCE)
            except requests.ConnectionError as error:
                if "refused" in str(error):
                    faults.append(error)
            except requests.RequestException:
                pass            # one that was inside the process when it was killed

    thread = threading.Thread(target=ask)
    thread.start()
    for _ in range(3):
        product.wait_role("api", other_than=product.kill("api"))
    stop.set()
    thread.join()
    product.wait_ready()
    assert not faults


def test_it_goes_on_where_it_was():
    with Product() as product:
        made = claim(product, product.as_("claimant"))
        tokens, tree = product.sandbox["tokens"], product.tree()
        product.restart()
        assert not [pid for pid in tree if alive(pid)]
        assert product.sandbox["tokens"] == tokens
        assert product.as_("claimant").get("/v1/claims/" + made["id"]).json()["id"] == made["id"]
        product.verify()


def test_a_supervisor_that_is_killed_takes_all_with_it():
    with Product() as product:
        made = claim(product, product.as_("claimant"))
        tree = product.tree()
        product.process.kill()
        product.process.wait()
        product.start()                     # waits for the Redis of the first one to end
        assert not [pid for pid in tree if alive(pid)]
        assert product.as_("claimant").get("/v1/claims/" + made["id"]).status_code == 200


def test_a_request_that_runs_is_answered_before_the_end():
    with Product() as product:
        token = product.sandbox["tokens"]["claimant"]
        s = product.sandbox
        body = json.dumps({
            "name": "Half sent", "program_id": s["program_id"], "location_id": s["locations"]["partner_a"],
            "period_id": s["period_id"], "activity_id": s["activities"]["webinar"], "currency": "EUR"}).encode()
        head = (f"POST /v1/claims HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
                f"Idempotency-Key: drain\r\nContent-Length: {len(body)}\r\n\r\n").encode()
        with socket.create_connection(("127.0.0.1", product.port), timeout=PATIENCE) as connection:
            connection.sendall(head + body[:10])
            # One more request and reply on another connection: the first one has been read by now.
            requests.get(product.base_url + "/livez", timeout=PATIENCE)
            product.process.send_signal(signal.SIGTERM)
            wait_for(lambda: product.log("api_stopping"))
            connection.sendall(body[10:])
            reply = b""
            while b"\r\n\r\n" not in reply:
                piece = connection.recv(4096)
                assert piece, reply
                reply += piece
        assert reply.startswith(b"HTTP/1.1 201 "), reply
        assert b"connection: close" in reply.lower()
        assert product.stop() == 0
        product.start()
        names = [row["name"] for row in product.as_("claimant").get("/v1/claims").json()["data"]]
        assert names == ["Half sent"]


def test_two_api_processes_share_one_port():
    with Product("--apis", "2") as product:
        assert len(product.pids("api")) == 2
        session = product.as_("claimant")
        made = [claim(product, product.as_("claimant"), f"Claim {i}")["id"] for i in range(10)]
        for id_ in made:
            assert session.get("/v1/claims/" + id_).status_code == 200
        product.verify()


def test_a_store_that_is_no_sandbox_has_one_user():
    with Product("--admin-email", "root@vendor.example", "--vendor-name", "Vendor of the test", sandbox=False) as product:
        assert not os.path.exists(os.path.join(product.data, "sandbox.json"))
        match = re.fullmatch(r"coopclaims token of root@vendor.example \(program_admin\), shown this once: (cct_\S+)",
                             product.lines[0])
        assert match and len(product.lines) == 2
        me = product.with_token(match[1]).get("/v1/me").json()
        assert me["roles"] == ["program_admin"] and me["organization"]["name"] == "Vendor of the test"
        assert product.with_token(match[1]).get("/v1/programs").json()["data"] == []
        assert product.with_token(match[1]).put("/v1/clock", json={"now": "2030-01-01T00:00:00Z"}).status_code in (403, 404, 409)
        product.restart()
        assert len(product.lines) == 3          # the token is not printed again
        product.verify()
        product.stop()
        sandbox = product.run("run", "--sandbox", "--port", "0")
        assert sandbox.returncode == 1 and "no sandbox" in sandbox.stderr


def test_the_clock_of_a_sandbox_can_begin_elsewhere():
    with Product("--sandbox-now", "2026-02-10T12:00:00Z") as product:
        assert product.sandbox["period"]["usage_from"] == "2025-12-01"
        assert product.sandbox["period"]["claiming_to"] == "2026-07-16"
        assert product.as_("claimant").get("/v1/clock").json()["now"].startswith("2026-02-10T12:0")
        assert claim(product, product.as_("claimant"))["created_at"].startswith("2026-02-10T12:0")


def test_init_that_is_killed_is_done_again(tmp_path):
    """At every moment: init is killed later and later, until it once gets through."""
    data, socket_path = str(tmp_path / "data"), str(tmp_path / "redis.sock")
    if len(socket_path) > 100:
        pytest.skip("the temporary folder has too long a name for a socket")

    def ask(*words):
        return subprocess.run(["redis-cli", "-s", socket_path, *words], capture_output=True, text=True, timeout=PATIENCE).stdout.strip()

    def run(word, **keywords):
        return subprocess.run([PROGRAM, word, *options], capture_output=True, text=True, timeout=PATIENCE, **keywords)

    options = ["--sandbox", "--data", data, "--redis", "unix:" + socket_path]
    redis = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", socket_path, "--save", "", "--dir", str(tmp_path),
                              "--logfile", "log"])
    try:
        wait_for(lambda: ask("PING") == "PONG")
        finished = False
        for keys in range(1, 60, 4):
            ask("FLUSHALL")
            process = subprocess.Popen([PROGRAM, "init", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            wait_for(lambda: int(ask("DBSIZE")) >= keys or process.poll() is not None)
            process.kill()
            process.communicate()
            finished = ask("HGET", "{sys}:store", "made") != ""
            if not finished:
                served = run("api", input="")
                assert served.returncode == 1 and "is not finished" in served.stderr
                ask("DEL", "{sys}:init")         # its lease would have run out in 10 s
            done = run("init")
            assert done.returncode == 0 and done.stdout == "", done.stderr
            with open(os.path.join(data, "sandbox.json"), encoding="utf-8") as file:
                assert set(json.load(file)["tokens"]) == TOKENS
            verified = run("verify")
            assert verified.returncode == 0, verified.stdout + verified.stderr
            organizations = [ask("ZCARD", key) for key in ask("KEYS", "*:ix:k:org").split()]
            assert sum(map(int, organizations)) == 4
    finally:
        redis.terminate()
        redis.wait()


@pytest.mark.parametrize("words, said", [
    (["run", "--prot", "1"], 'did you mean "--port"?'),
    (["run", "--port", "70000"], "a number from 0 to 65535"),
    (["run", "--log-level", "loud"], "debug, info, warn or error"),
    (["run", "--listen", "localhost", "--port", "0"], "numeric address"),
    (["run", "--sandbox-now", "yesterday", "--sandbox"], "2026-09-10T08:00:00Z"),
    (["run", "--sandbox-now", "2026-01-01T00:00:00Z"], "goes with --sandbox"),
    (["api", "--job-endpoint", "tcp://0.0.0.0:7700"], "--curve-key"),
    (["rnu"], 'no command "rnu"'),
    (["token"], "USER"),
    (["verify", "word"], "a word too many"),
    ([], "which command?"),
])
def test_a_wrong_word_is_told_with_its_remedy(tmp_path, words, said):
    result = subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=PATIENCE, cwd=tmp_path)
    assert result.returncode in (1, 2) and said in result.stderr, result.stderr
    assert result.stdout == ""


def test_a_port_that_is_taken_is_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = subprocess.run([PROGRAM, "run", "--port", str(port), "--data", str(tmp_path / "data")], capture_output=True,
                                text=True, timeout=PATIENCE)
    assert result.returncode == 1 and "Another program has it" in result.stderr


def test_a_folder_with_a_long_name_will_do(tmp_path):
    data = str(tmp_path / ("long" * 20) / ("longer" * 12))
    os.makedirs(os.path.dirname(data))
    with Product(data=data) as product:
        assert product.as_("claimant").get("/v1/me").status_code == 200
        product.verify()


def test_help_lists_every_option_and_the_sample_can_be_read(tmp_path):
    text = subprocess.run([PROGRAM, "help"], capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
    sample = subprocess.run([PROGRAM, "help", "options"], capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
    for name in ("data", "port", "redis", "sandbox", "http-head-time", "http-connections", "drain"):
        assert f"--{name}" in text and re.search(f"^#{name} ?=", sample, re.M), name
    path = tmp_path / "coopclaims.ini"
    path.write_text(re.sub(r"^#(port|drain|http-head-time) =", r"\1 =", sample, flags=re.M))
    result = subprocess.run([PROGRAM, "openapi", "--config", str(path)], capture_output=True, text=True, timeout=PATIENCE)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["openapi"].startswith("3.1")


def test_the_document_is_the_same_by_both_ways(product):
    served = requests.get(product.base_url + "/openapi.json", timeout=PATIENCE).json()
    assert json.loads(product.run("openapi").stdout) == served
