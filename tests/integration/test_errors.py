"""What bad input gets: the problem that /openapi.json and api/README.md name, all faults at once, and nothing changed."""
import json
import socket

import pytest
import requests

from claims import Claim, Unchanged, faults, key, money, other_id, refused
from product import PATIENCE

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def people(product):
    return {role: product.as_(role) for role in product.sandbox["tokens"]}


@pytest.fixture(scope="module")
def claim(product, people):
    made = Claim(product, people["claimant"])
    made.invoice()
    return made


def raw(product, head, *pieces, end=True):
    """Bytes as given; the reply's status and body (to the end of the connection)."""
    with socket.create_connection(("127.0.0.1", product.port), timeout=PATIENCE) as connection:
        for piece in (head, *pieces):
            try:
                connection.sendall(piece)
            except OSError:
                break                   # it has heard enough
        if end:
            connection.shutdown(socket.SHUT_WR)
        reply = b""
        while piece := connection.recv(65536):
            reply += piece
    head, _, body = reply.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), json.loads(body)


def head_of(product, method, path, length=None, role="claimant", **headers):
    fields = {"Host": "a", "Authorization": "Bearer " + product.sandbox["tokens"][role], "Connection": "close", **headers}
    if length is not None:
        fields.update({"Content-Length": str(length), "Content-Type": "application/json"})
    return f"{method} {path} HTTP/1.1\r\n".encode() + b"".join(f"{n}: {v}\r\n".encode() for n, v in fields.items()) + b"\r\n"


# --- bodies that cannot be read ---

@pytest.mark.parametrize("body", [
    b"{", b'{"name": }', b"'name'", b'{"name": "a" "b"}', b'{"name": "a"},', b'{"name": "a"} {}', b"{} x", b"[1,]", b"\xff\xfe{}",
    b"\xef\xbb\xbf{}", b'{"name": "\xc3"}', b'{"name": "\\ud800"}', b'{"name": "\\udc00\\ud800"}', b'{"name": NaN}', b'{"name": 01}',
    b'{"name": "a", "name": "b"}', b'{"supplier": {"name": "a", "name": "a"}}', b'{"name": "a\nb"}', b'{"\\u006eame": 1, "name": 1}',
    b'{"name": 1e400}', b"nul", b'{"a":' * 33 + b"1" + b"}" * 33, b"[" * 33 + b"]" * 33,
], ids=lambda body: repr(body[:24]))
def test_what_is_no_json_is_refused(claim, body):
    with Unchanged(claim):
        for method, path in (("POST", "/invoices"), ("PATCH", ""), ("POST", "/validate")):
            refused(claim.session.request(method, claim.url + path, data=body, headers=JSON), 400, "invalid_json")


def test_depth_at_the_limit_is_read(claim):
    reply = claim.session.patch(claim.url, data=b'{"tags":' + b"[" * 31 + b"]" * 31 + b"}", headers=JSON)
    assert faults(reply) == {"#/tags/0": "invalid_type"}


def test_ten_megabytes_of_brackets(claim, product):
    """Refused by its length before any of it is read; without a length as soon as it is too much. Memory stays."""
    pid = product.pids("api")[0]
    memory = resident(pid)
    pieces = [b"[" * 65536] * 160
    with Unchanged(claim):
        status, body = raw(product, head_of(product, "POST", claim.url + "/invoices", 160 * 65536), *pieces)
        assert (status, body["code"], body["max_bytes"]) == (413, "content_too_large", 262144)
        chunks = [b"10000\r\n" + piece + b"\r\n" for piece in pieces]
        head = head_of(product, "POST", claim.url + "/invoices", **{"Transfer-Encoding": "chunked", "Content-Type": "application/json"})
        status, body = raw(product, head, *chunks, b"0\r\n\r\n")
        assert (status, body["code"]) == (413, "content_too_large")
        status, body = raw(product, head_of(product, "POST", claim.url + "/invoices", 262144), b"[" * 262144)
        assert (status, body["code"]) == (400, "invalid_json")
    assert sanitized(pid) or resident(pid) - memory < 4 << 20


def sanitized(pid):
    """AddressSanitizer keeps what was freed for a while."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        return "libasan" in maps.read()


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * 4096


def test_a_body_as_long_as_allowed(claim):
    blank = b'{"description": "x"' + b" " * (262144 - 20) + b"}"
    assert len(blank) == 262144
    assert claim.session.patch(claim.url, data=blank, headers=JSON).status_code == 200
    with Unchanged(claim):
        refused(claim.session.patch(claim.url, data=blank + b" ", headers=JSON), 413, "content_too_large")


def test_a_url_of_twenty_kilobytes(claim):
    refused(claim.session.get("/v1/claims?state=" + "x" * 20480), 414, "uri_too_long")
    refused(claim.session.get("/v1/claims/" + "x" * 20480), 414, "uri_too_long")


def test_a_body_cut_short_changes_nothing(claim, product):
    body = json.dumps(claim.invoice_body()).encode()
    with Unchanged(claim):
        status, reply = raw(product, head_of(product, "POST", claim.url + "/invoices", len(body) + 1), body)
        assert (status, reply["code"]) == (400, "invalid_request")
        # And one whose client leaves without a word.
        with socket.create_connection(("127.0.0.1", product.port), timeout=PATIENCE) as connection:
            connection.sendall(head_of(product, "POST", claim.url + "/invoices", len(body)) + body[:-1])
            requests.get(product.base_url + "/livez", timeout=PATIENCE)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "application/jsonx",
                                  "json", "application/json, text/plain", "*/*", ""])
def test_other_types_are_refused(claim, kind):
    with Unchanged(claim):
        refused(claim.session.post(claim.url + "/invoices", data=b"{}", headers={"Content-Type": kind}), 415,
                "unsupported_media_type")
        patch = claim.session.patch(claim.url, data=b"{}", headers={"Content-Type": kind})
        refused(patch, 415, "unsupported_media_type")
        assert patch.headers["Accept-Patch"] == "application/merge-patch+json, application/json"


def test_known_types_are_read(claim):
    for kind in ("application/json", "Application/JSON", "application/json; charset=utf-8", "application/merge-patch+json"):
        assert claim.session.patch(claim.url, data=b"{}", headers={"Content-Type": kind}).status_code == 200
    refused(claim.session.post(claim.url + "/comments", data=b"{}", headers={"Content-Type": "application/merge-patch+json"}),
            415, "unsupported_media_type")


# --- members ---

def test_all_wrong_members_at_once(claim):
    with Unchanged(claim):
        reply = claim.session.post(claim.url + "/invoices", json={
            "number": "x" * 61, "supplier": {"country": "nl", "vat": 1}, "invoice_date": "2026-02-30", "net": money("1.5"),
            "tax": 840, "gross": {"amount": "1.00", "currency": "USD"}, "eligible_share": "1.01", "lines": [
                {"description": "a", "net": money("0.00")}, {"description": None, "net": money("00.00"), "eligible": "yes"}],
            "document_ids": ["doc_1", 2], "review": None, "totals": {}, "note": "\u0000"})
        assert faults(reply) == {
            "#/number": "too_long", "#/supplier/name": "required", "#/supplier/country": "invalid_format",
            "#/supplier/vat": "unknown_member", "#/invoice_date": "invalid_format", "#/net/amount": "invalid_money",
            "#/tax": "invalid_type", "#/gross/currency": "currency_mismatch", "#/eligible_share": "too_large",
            "#/lines/1/description": "required", "#/lines/1/net/amount": "invalid_money", "#/lines/1/eligible": "invalid_type",
            "#/document_ids/0": "invalid_format", "#/document_ids/1": "invalid_type", "#/review": "unknown_member",
            "#/totals": "unknown_member", "#/note": "invalid_format"}
        body = reply.json()
        assert body["detail"] == "17 members need attention"
        assert {row["pointer"]: row["params"] for row in body["errors"]}["#/net/amount"] == {"digits": 2}


def test_fifty_faults_are_listed_and_all_are_counted(claim):
    with Unchanged(claim):
        body = refused(claim.session.patch(claim.url, json={f"m{i}": 1 for i in range(70)}), 422, "validation_failed")
        assert len(body["errors"]) == 50 and body["detail"] == "70 members need attention; the first 50 are listed"


def test_pointers_are_escaped(claim):
    assert faults(claim.session.patch(claim.url, json={"a/b~c": 1, "": 2, "ü": 3})) == {
        "#/a~1b~0c": "unknown_member", "#/": "unknown_member", "#/%C3%BC": "unknown_member"}


@pytest.mark.parametrize("amount", ["1.0", "1", "1.000", "01.00", "+1.00", "1e2", "-1.00", " 1.00", "1,00", "", ".50", "1.", "abc", "٣.00",
                                    "99999999999999999999.00", 1, 1.5, None, True, ["1.00"]])
def test_wrong_money_is_refused(claim, amount):
    with Unchanged(claim):
        found = faults(claim.session.post(claim.url + "/invoices", json={
            **claim.invoice_body(), "net": {"amount": amount, "currency": "EUR"}}))
        assert set(found) == {"#/net/amount"}, found
        assert found["#/net/amount"] in ("invalid_money", "too_small", "too_large", "invalid_type", "required")


@pytest.mark.parametrize("currency, code", [("eur", "invalid_format"), ("XXQ", "invalid_format"), ("USD", "currency_mismatch"),
                                            ("", "invalid_format"), (978, "invalid_type")])
def test_wrong_currencies_are_refused(claim, currency, code):
    with Unchanged(claim):
        assert faults(claim.session.post(claim.url + "/invoices", json={
            **claim.invoice_body(), "net": {"amount": "1.00", "currency": currency}})) == {"#/net/currency": code}


@pytest.mark.parametrize("date", ["2026-02-30", "2025-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "26-01-01", "2026-01-01T00:00:00Z",
                                  "20260101", "2026-01-32", "", "0000-01-01", 20260101])
def test_dates_that_do_not_exist_are_refused(claim, date):
    with Unchanged(claim):
        found = faults(claim.session.patch(claim.url, json={"activity_from": date}))
        assert found == {"#/activity_from": "invalid_type" if isinstance(date, int) else "invalid_format"}


def test_lengths_at_the_limit_and_one_past(claim):
    for member, most in (("name", 200), ("external_reference", 100), ("description", 4000)):
        longest = "ü" * most
        assert claim.session.patch(claim.url, json={member: longest}).json()[member] == longest
        with Unchanged(claim):
            assert faults(claim.session.patch(claim.url, json={member: longest + "x"})) == {"#/" + member: "too_long"}
            assert faults(claim.session.patch(claim.url, json={member: ""})) == {"#/" + member: "too_short"}
    assert claim.session.patch(claim.url, json={"tags": [f"t{i}" for i in range(20)]}).status_code == 200
    with Unchanged(claim):
        assert faults(claim.session.patch(claim.url, json={"tags": [f"t{i}" for i in range(21)]})) == {"#/tags": "too_many"}
        assert faults(claim.session.patch(claim.url, json={"tags": ["a", "a"]})) == {"#/tags/1": "not_unique"}


def test_what_others_made_is_read_only(claim):
    with Unchanged(claim):
        found = faults(claim.session.patch(claim.url, json={"id": claim.id, "state": "approved", "revision": 1, "organization_id": "x"}))
        assert set(found.values()) == {"unknown_member"} and len(found) == 4
        assert faults(claim.session.post(claim.url + "/invoices", json=[])) == {"#": "invalid_type"}


def test_what_is_fixed_stays(claim, product):
    with Unchanged(claim):
        assert faults(claim.session.patch(claim.url, json={"currency": "USD"})) == {"#/currency": "not_editable"}


def test_references_must_be_there(claim, product, people):
    s = product.sandbox
    body = {"name": "x", "program_id": s["program_id"], "location_id": s["locations"]["partner_a"], "period_id": s["period_id"],
            "activity_id": s["activities"]["webinar"], "currency": "EUR"}
    count = len(list_of(people["claimant"]))
    for member, value in (("program_id", other_id(s["program_id"])), ("location_id", s["locations"]["partner_b"]),
                          ("location_id", other_id(s["locations"]["partner_a"])), ("period_id", other_id(s["period_id"])),
                          ("activity_id", other_id(s["activities"]["webinar"]))):
        found = faults(people["claimant"].post("/v1/claims", json={**body, member: value}))
        assert found.get("#/" + member) == "not_found", (member, found)
    found = faults(people["claimant"].post("/v1/claims", json={**body, "program_id": s["period_id"], "currency": "ZZZ"}))
    assert found == {"#/program_id": "invalid_format", "#/currency": "invalid_format"}
    assert faults(people["claimant"].post("/v1/claims", json={})) == {
        "#/" + name: "required" for name in ("name", "program_id", "location_id", "period_id", "activity_id", "currency")}
    assert len(list_of(people["claimant"])) == count


def list_of(session):
    return session.get("/v1/claims?limit=200").json()["data"]


# --- queries and headers ---

@pytest.mark.parametrize("query, code", [
    ("nope=1", "unknown_parameter"), ("Limit=1", "unknown_parameter"), ("limit%20cursor=1", "unknown_parameter"), ("=1", "unknown_parameter"),
    ("limit=1&limit=1", "invalid_parameter"), ("limit=0", "invalid_parameter"), ("limit=-1", "invalid_parameter"),
    ("limit=1.5", "invalid_parameter"), ("limit=x", "invalid_parameter"), ("limit=", "invalid_parameter"), ("limit=1%00", None),
    ("limit=99999999999999999999", "invalid_parameter"), ("sort=number", "invalid_parameter"), ("sort=", "invalid_parameter"),
    ("sort=--created_at", "invalid_parameter"), ("sort=created_at,name", "invalid_parameter"), ("state=open", "invalid_parameter"),
    ("state=editing,open", "invalid_parameter"), ("cursor=x", "invalid_cursor"), ("cursor=", "invalid_cursor"),
    ("cursor=1.2.3", "invalid_cursor"), ("cursor=99999999999999999999.clm_1.0", "invalid_cursor"), ("%ff=1", None), ("limit=%zz", None),
])
def test_queries_that_mean_nothing(people, query, code):
    reply = people["claimant"].get("/v1/claims?" + query)
    assert reply.status_code == 400, reply.text
    assert code is None or reply.json()["code"] == code


@pytest.mark.parametrize("path, query, code", [
    ("", "include=nothing", "invalid_parameter"), ("", "include=", None), ("", "include=invoices,", None), ("", "as_of_sequence=0", "invalid_parameter"),
    ("", "as_of_sequence=999", "invalid_parameter"), ("", "as_of_sequence=x", "invalid_parameter"),
    ("", "as_of_sequence=1&include=csrs", "invalid_parameter"), ("", "include=" + "csrs," * 60, "invalid_parameter"),
    ("/invoices", "cursor=nope", "invalid_cursor"), ("/invoices", "include_total=maybe", "invalid_parameter"),
    ("/history", "cursor=-1", "invalid_cursor"), ("/history", "cursor=9999999999999999", "invalid_cursor"),
    ("/history", "from=yesterday", "invalid_parameter"), ("/history/proof", "limit=0", "invalid_parameter"),
    ("/history", "state=x", "unknown_parameter"), ("/comments", "cursor=doc_1", "invalid_cursor"),
])
def test_queries_below_a_claim(claim, path, query, code):
    reply = claim.session.get(f"{claim.url}{path}?{query}")
    if code is None:
        assert reply.status_code == 200, reply.text
    else:
        refused(reply, 400, code)


@pytest.mark.parametrize("name, value", [
    ("Idempotency-Key", ""), ("Idempotency-Key", "two words"), ("Idempotency-Key", "x" * 256), ("Idempotency-Key", '"open'),
    ("Idempotency-Key", '""'), ("Idempotency-Key", '"a" "b"'), ("Idempotency-Key", '"a\\b"'), ("Idempotency-Key", "ü".encode("latin-1")),
    ("If-Match", "4"), ("If-Match", '"x.1"'), ("If-Match", '"1"'), ("If-Match", '"1.0000000000000000", "2.0000000000000000"'), ("If-Match", '"1.aa'),
    ("If-Match", ""),
])
def test_headers_that_mean_nothing(claim, name, value):
    with Unchanged(claim):
        refused(claim.session.patch(claim.url, json={"name": "Changed"}, headers={name: value}), 400, "invalid_header")


# --- who, and in which order ---

@pytest.mark.parametrize("header, code", [
    (None, "unauthenticated"), ("", "invalid_token"), ("Bearer", "invalid_token"), ("Bearer ", "invalid_token"), ("Basic YTpi", "invalid_token"),
    ("Bearer x", "invalid_token"), ("Bearer cct_" + "a" * 45, "invalid_token"), ("Bearer cct_ZZ" + "a" * 43, "invalid_token"),
    ("Bearer ccs_00" + "a" * 43, "invalid_token"), ("Bearer cin_00" + "a" * 43, "invalid_token"), ("Bearer cct_00" + "a" * 43, "invalid_token"),
    ("Bearer cci_00" + "a" * 43, "invalid_token"), ("Bearer cct_00" + "a" * 4000, "invalid_token"),
])
def test_without_a_token_that_is_good(claim, product, header, code):
    session = product.anonymous()
    if header is not None:
        session.headers["Authorization"] = header
    with Unchanged(claim):
        for method, path, body in (("GET", "/v1/me", None), ("GET", claim.url, None), ("PATCH", claim.url, {"name": "x"}),
                                   ("POST", claim.url + "/submit", {}), ("GET", "/v1/admin/jobs", None), ("PUT", "/v1/clock", {})):
            reply = session.request(method, path, json=body)
            refused(reply, 401, code)
            assert reply.headers["WWW-Authenticate"] == 'Bearer realm="coopclaims"' + ("" if header is None else ', error="invalid_token"')
            assert "a" * 43 not in reply.text


def test_a_good_token_in_other_letters(product):
    session = product.anonymous()
    session.headers["Authorization"] = "bearer   " + product.sandbox["tokens"]["claimant"]
    assert session.get("/v1/me").status_code == 200


def test_the_order_of_refusals(product, people):
    """Each request has every fault from its place on; the first that counts is told."""
    claim = Claim(product, people["claimant"]).evidence()
    stranger, viewer, anna, rob = (people[role] for role in ("partner_b_claimant", "viewer", "claimant", "reviewer"))
    stale, wrong = {"If-Match": '"1.0123456789abcdef"'}, {"nope": 1}
    claim.act("submit")
    with Unchanged(claim):
        path = claim.url + "/submit"
        refused(product.anonymous().post(path, json=wrong, headers=stale), 401, "unauthenticated")
        refused(stranger.post(path, json=wrong, headers=stale), 404, "not_found")
        refused(viewer.post(path, json=wrong, headers=stale), 403, "forbidden")
        refused(anna.post(path, json=wrong, headers=stale), 412, "precondition_failed")
        state = refused(anna.post(path, json=wrong), 409, "invalid_state")
        assert state["state"] == "submitted" and set(state["allowed_actions"]) == {"comment", "invite", "recall"}
        assert faults(anna.post(claim.url + "/recall", json=wrong))["#/nope"] == "unknown_member"
        # The same below the claim, and for what cannot be read.
        path = claim.url + "/invoices/" + claim.get("/invoices")["data"][0]["id"]
        refused(product.anonymous().patch(path, data="{", headers={**JSON, **stale}), 401, "unauthenticated")
        refused(stranger.patch(path, data="{", headers={**JSON, **stale}), 404, "not_found")
        refused(viewer.patch(path, json=wrong, headers=stale), 403, "forbidden")
        refused(anna.patch(path, json=wrong, headers={"If-Match": '"7.0123456789abcdef"'}), 412, "precondition_failed")
        refused(anna.patch(path, json=wrong), 409, "invalid_state")
        refused(anna.patch(other_id(path), json=wrong), 404, "not_found")
        # 409 before what is wrong with who decides, that before the body, the body before the rules.
        decision = claim.url + "/decisions"
        refused(rob.post(decision, json=wrong), 409, "invalid_state")
    claim.act("take", session=rob)
    with Unchanged(claim):
        refused(people["reviewer_2"].post(decision, json=wrong), 403, "forbidden")
        assert faults(rob.post(decision, json=wrong)) == {"#/outcome": "required", "#/nope": "unknown_member"}


def test_the_rules_come_last_and_all_at_once(product, people):
    claim = Claim(product, people["claimant"], activity="webinar")
    with Unchanged(claim):
        assert faults(claim.session.post(claim.url + "/submit", json={"x": 1})) == {"#/x": "unknown_member"}
        body = refused(claim.session.post(claim.url + "/submit", json={}), 422, "requirements_not_met")
        assert {row["code"] for row in body["errors"]} == {"cost_missing", "requirement_missing", "metric_missing"}
        said = claim.act("validate")
        assert said["ok"] is False and [row["code"] for row in said["errors"]] == [row["code"] for row in body["errors"]]


def test_too_little_money(product, people):
    claim = Claim(product, people["claimant"], activity="webinar", name="Too dear")
    claim.upload(purpose="proof", kind="agenda", requirement="poe_event", note="Agenda")
    claim.make("/metrics", {"key": "attendees", "value": "10"})
    claim.invoice("12000.01")
    with Unchanged(claim):
        refused(claim.session.post(claim.url + "/submit", json={}), 422, "insufficient_funds")


def test_tokens_with_scopes(product, people, claim):
    """A token does what its scopes name, however much its user may."""
    made = {scope: product.with_token(product.run("token", "bram@noord.example", scope).stdout.strip())
            for scope in ("claims:read", "claims:write", "funds:read", "webhooks")}
    with Unchanged(claim):
        for path, scope in ((claim.url, "claims:read"), ("/v1/claims", "claims:read"), (claim.url + "/history", "claims:read"),
                            ("/v1/fund-accounts", "funds:read")):
            for name, session in made.items():
                reply = session.get(path)
                if name == scope:
                    assert reply.status_code == 200
                    continue
                refused(reply, 403, "insufficient_scope")
                assert reply.headers["WWW-Authenticate"] == 'Bearer realm="coopclaims", error="insufficient_scope"'
        for name in ("claims:read", "funds:read", "webhooks"):
            for method, path, body in (("PATCH", "", {"name": "x"}), ("POST", "/comments", {"text": "x"}), ("POST", "/submit", {}),
                                       ("POST", "/invoices", {}), ("POST", "/documents", {"name": "a", "size": 1})):
                refused(made[name].request(method, claim.url + path, json=body), 403, "insufficient_scope")
            refused(made[name].post(claim.url + "/documents", files={"file": ("a.txt", b"hello")}), 403, "insufficient_scope")
            refused(made[name].post("/v1/claims", json={}), 403, "insufficient_scope")
            assert made[name].get("/v1/me").json()["scopes"] == [name]
        refused(made["claims:read"].post(other_id(claim.url) + "/submit", json={}), 404, "not_found")
    assert made["claims:write"].patch(claim.url, json={"description": "By a program"}).status_code == 200
    wrong = product.run("token", "bram@noord.example", "claims:red")
    assert wrong.returncode == 1 and "claims:read" in wrong.stderr and wrong.stdout == ""


def test_the_clock_only_moves_forward(product, people):
    admin = people["program_admin"]
    now = admin.get("/v1/clock").json()["now"]
    assert faults(admin.put("/v1/clock", json={"now": "2020-01-01T00:00:00.000Z"})) == {"#/now": "too_small"}
    assert faults(admin.put("/v1/clock", json={"now": "soon"})) == {"#/now": "invalid_format"}
    for role in ("claimant", "reviewer", "operator"):
        refused(people[role].put("/v1/clock", json={"now": "2031-01-01T00:00:00.000Z"}), 403, "forbidden")
    assert now <= admin.get("/v1/clock").json()["now"] < "2031"


def test_the_store_is_sound_after_all_this(product, claim):
    assert "0 faults" in product.verify()
