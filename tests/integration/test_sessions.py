"""Signing in: links to set a password, sessions and what ends them, and how often one may try."""
import os
import threading
import uuid

import pytest
import requests

from claims import refused
from product import Product, Session

ATTEMPTS, ATTEMPTS_ADDRESS = 5, 12
PASSWORD = "Vergeet-mij-niet 7"


@pytest.fixture(scope="module")
def product(request):
    with Product("--password-memory", "8MiB", "--password-passes", "1", "--login-attempts", str(ATTEMPTS),
                 "--login-attempts-address", str(ATTEMPTS_ADDRESS), "--login-window", "1h") as running:
        yield running
        if request.session.testsfailed:
            running.show_log()


class Person:
    """A user who was invited; each comes from an address of his own."""

    count = 0

    def __init__(self, product, **members):
        Person.count += 1
        self.product, self.admin = product, product.as_("program_admin")
        self.address = f"198.51.100.{Person.count}"
        self.email = f"{uuid.uuid4().hex[:12]}@example.com"
        made = self.admin.make("/v1/users", {"name": "Pim", "email": self.email, "roles": ["viewer"],
                                             "organization_id": product.sandbox["organizations"]["partner_a"], **members})
        self.path, self.url = f"/v1/users/{made['id']}", made.get("url")

    def post(self, path, body, address=None):
        return self.product.anonymous().post(path, json=body, headers={"X-Forwarded-For": address or self.address})

    def set(self, password=PASSWORD, url=None):
        return self.post("/v1/passwords", {"token": (url or self.url).split("token=")[1], "password": password})

    def sign_in(self, password=PASSWORD, email=None, **keywords):
        return self.post("/v1/sessions", {"email": email or self.email, "password": password}, **keywords)

    def session(self, password=PASSWORD):
        reply = self.sign_in(password)
        assert reply.status_code == 201, reply.text
        return Session(self.product.base_url, reply.json()["access_token"])

    def state(self):
        return self.admin.get(self.path).json()["state"]


@pytest.fixture
def person(product):
    """With a password."""
    made = Person(product)
    assert made.set().status_code == 204
    return made


def test_from_the_invitation_to_the_session(product):
    person = Person(product)
    assert person.state() == "invited" and person.url.startswith(product.base_url + "/console/#/password?token=ccp_")
    refused(person.sign_in(), 401, "unauthenticated")
    assert person.set().status_code == 204
    assert person.state() == "active"
    reply = person.sign_in()
    body = reply.json()
    assert (reply.status_code, reply.headers["Location"], reply.headers["Cache-Control"]) == (201, "/v1/sessions/current", "no-store")
    assert body["access_token"].startswith("ccs_") and body["expires_in"] == 12 * 3600 and body["user"]["email"] == person.email
    session = Session(product.base_url, body["access_token"])
    me = session.get("/v1/me").json()
    assert (me["user"]["name"], me["roles"], me["scopes"]) == ("Pim", ["viewer"], [])
    assert session.get("/v1/claims").status_code == 200
    assert person.admin.get(person.path).json()["last_seen_at"]
    assert session.delete("/v1/sessions/current").status_code == 204
    refused(session.get("/v1/me"), 401, "invalid_token")
    refused(session.delete("/v1/sessions/current"), 401, "invalid_token")


def test_an_address_in_capitals_is_the_same(person):
    assert person.sign_in(email=person.email.upper()).status_code == 201


def test_a_link_is_good_once_and_the_last_one_only(product):
    person = Person(product)
    newer = person.admin.make(person.path + "/password-link", {}, 200)
    refused(person.set(), 410, "gone")
    assert person.set(url=newer["url"]).status_code == 204
    refused(person.set("another password", newer["url"]), 404, "not_found")
    refused(person.set(url="token=ccp_00" + "x" * 43), 404, "not_found")
    refused(person.set(url="token=hello"), 404, "not_found")
    assert person.sign_in().status_code == 201
    fault = refused(person.set("short", person.admin.make(person.path + "/password-link", {}, 200)["url"]), 422, "validation_failed")
    assert (fault["errors"][0]["pointer"], fault["errors"][0]["code"]) == ("#/password", "too_short")


def test_a_link_lets_nobody_in_by_itself(product):
    person = Person(product)
    link = person.url.split("token=")[1]
    refused(Session(product.base_url, link).get("/v1/me"), 401, "invalid_token")
    assert "url" not in person.admin.get(person.path).json()


def test_who_is_active_at_once_needs_no_link(product):
    person = Person(product, state="active")
    assert person.url is None and person.state() == "active"
    assert person.set(url=person.admin.make(person.path + "/password-link", {}, 200)["url"]).status_code == 204
    assert person.sign_in().status_code == 201


def test_nobody_learns_who_has_an_account(product, person):
    """Unknown, wrong, without a password, disabled, of a suspended organisation: one answer."""
    off, invited = Person(product), Person(product)
    off.set()
    assert off.admin.delete(off.path).status_code == 204
    organization = off.admin.make("/v1/organizations", {"name": "Gone"})["id"]
    suspended = Person(product, organization_id=organization)
    suspended.set()
    assert suspended.sign_in().status_code == 201
    suspended.admin.patch(f"/v1/organizations/{organization}", json={"state": "suspended"})
    answers = {reply.text.replace(reply.json()["request_id"], "")
               for reply in (person.sign_in("wrong"), person.sign_in(email="nobody@example.com"), off.sign_in(), invited.sign_in(),
                             suspended.sign_in())}
    assert len(answers) == 1 and '"status":401' in answers.pop()
    suspended.admin.patch(f"/v1/organizations/{organization}", json={"state": "active"})
    assert suspended.sign_in().status_code == 201


def test_too_many_wrong_passwords_for_one_address(product, person):
    other = Person(product)
    other.set()
    for _ in range(ATTEMPTS):
        refused(person.sign_in("wrong"), 401, "unauthenticated")
    for password in ("wrong", PASSWORD):
        reply = person.sign_in(password, address="198.51.100.250")
        refused(reply, 429, "rate_limited")
        assert 1 <= int(reply.headers["Retry-After"]) <= 3600
    for _ in range(ATTEMPTS):
        refused(other.sign_in("wrong", email="no.such@example.com"), 401, "unauthenticated")
    refused(other.sign_in("wrong", email="no.such@example.com"), 429, "rate_limited")
    assert other.sign_in().status_code == 201


def test_the_right_password_ends_the_count(person):
    for _ in range(3):
        for _ in range(ATTEMPTS - 1):
            refused(person.sign_in("wrong", address=f"203.0.113.{uuid.uuid4().int % 200}"), 401, "unauthenticated")
        assert person.sign_in().status_code == 201


def test_too_many_wrong_passwords_from_one_place(product, person):
    place = "192.0.2.1"
    for i in range(ATTEMPTS_ADDRESS):
        refused(person.sign_in("wrong", email=f"x{i}@example.com", address=place), 401, "unauthenticated")
    refused(person.sign_in(address=place), 429, "rate_limited")
    # What is written before the last address that a proxy saw is anybody's to write.
    refused(person.sign_in(address="192.0.2.99, " + place), 429, "rate_limited")
    refused(person.sign_in(address=place + ", 127.0.0.1"), 429, "rate_limited")
    assert person.sign_in(address=place + ", 192.0.2.2").status_code == 201
    for _ in range(ATTEMPTS_ADDRESS):           # what goes well does not count
        assert person.sign_in(address="192.0.2.3").status_code == 201


def test_a_new_password_ends_all_sessions(person):
    sessions = [person.session(), person.session()]
    refused(sessions[0].put("/v1/me/password", json={"current": "wrong", "new": "another password"}), 403, "forbidden")
    refused(sessions[0].put("/v1/me/password", json={"current": PASSWORD, "new": "short"}), 422, "validation_failed")
    assert all(session.get("/v1/me").status_code == 200 for session in sessions)
    assert sessions[0].put("/v1/me/password", json={"current": PASSWORD, "new": "another password"}).status_code == 204
    for session in sessions:
        refused(session.get("/v1/me"), 401, "invalid_token")
    refused(person.sign_in(), 401, "unauthenticated")
    session = person.session("another password")
    assert person.set(url=person.admin.make(person.path + "/password-link", {}, 200)["url"]).status_code == 204
    refused(session.get("/v1/me"), 401, "invalid_token")
    assert person.sign_in().status_code == 201


def test_disabling_ends_sessions_and_links_for_good(person):
    session, link = person.session(), person.admin.make(person.path + "/password-link", {}, 200)["url"]
    assert person.admin.delete(person.path).status_code == 204
    refused(session.get("/v1/me"), 401, "invalid_token")
    refused(person.set(url=link), 410, "gone")
    refused(person.admin.post(person.path + "/password-link", json={}), 409, "invalid_state")
    person.admin.patch(person.path, json={"state": "active"})
    refused(session.get("/v1/me"), 401, "invalid_token")
    refused(person.set(url=link), 410, "gone")
    assert person.sign_in().status_code == 201


def test_many_sign_in_at_once(product, person):
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(
        requests.post(product.base_url + "/v1/sessions", json={"email": person.email, "password": PASSWORD},
                      headers={"X-Forwarded-For": person.address}, timeout=120).status_code)) for _ in range(ATTEMPTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [201] * ATTEMPTS
    assert person.sign_in().status_code == 201


def test_a_session_ends_by_itself(product, person):
    session = person.session()
    assert session.get("/v1/me").status_code == 200
    record = [key for key in product.redis("--scan", "--pattern", "{p*}:tok:*").split()
              if product.redis("GET", key).startswith("ses_")]
    assert record and all(0 < int(product.redis("PTTL", key)) <= 12 * 3600 * 1000 for key in record)
    now = person.admin.get("/v1/clock").json()["now"]
    moved = person.admin.put("/v1/clock", json={"now": f"{int(now[:4]) + 1}{now[4:8]}01T00:00:00.000Z"})
    assert moved.status_code == 200, moved.text
    refused(session.get("/v1/me"), 401, "token_expired")
    late = Person(product)
    now = person.admin.get("/v1/clock").json()["now"]
    person.admin.put("/v1/clock", json={"now": f"{now[:8]}09T00:00:00.000Z"})
    refused(late.set(), 410, "gone")


def test_no_secret_is_kept_as_it_is(product, person):
    token = person.sign_in().json()["access_token"]
    link = person.admin.make(person.path + "/password-link", {}, 200, **{"Idempotency-Key": str(uuid.uuid4())})["url"][-43:]
    texts = [open(product.log_path, "rb").read()]
    for folder, _, files in os.walk(product.data):
        texts += [open(os.path.join(folder, name), "rb").read() for name in files if "appendonly" in name]
    assert len(texts) > 1 and b"$argon2id$" in b"".join(texts)
    for secret in (PASSWORD, token, token[6:], link):
        assert not any(secret.encode() in text for text in texts)
    # In no history either: what is kept of a password is replaced with it.
    user = person.path.split("/")[-1]
    key = "{p" + user[-2:].lower() + "}:h:" + user
    entries = product.redis("XRANGE", key, "-", "+") or product.redis("XRANGE", key.replace(user[-2:].lower(), user[-2:]), "-", "+")
    assert "user.password_set" in entries and "argon2" not in entries
    product.verify()
