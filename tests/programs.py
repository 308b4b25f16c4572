"""Programmes as tests need them: bodies of each kind, and a programme from nothing to its end, over every route."""

from claims import key

NEED = {"key": "poe_story", "label": "The story", "need": {"all": [
    {"kind": "deliverable", "min": 1}, {"any": [{"kind": "photo", "min": 2}, {"kind": "agenda", "min": 1}]}]}}


def program_body(**members):
    return {"name": "Next programme", "code": "NEXT", "time_zone": "Europe/Amsterdam", "currencies": ["EUR"], **members}


def period_body(year, **members):
    return {"name": f"{year} first half", "earning_from": f"{year - 1}-07-01", "earning_to": f"{year - 1}-12-31",
            "usage_from": f"{year}-01-01", "usage_to": f"{year}-06-30", "claiming_from": f"{year}-02-16",
            "claiming_to": f"{year}-08-15", "evidence_until": f"{year}-09-30", **members}


def activity_body(name, **members):
    return {"key": name, "name": name.title(), "requirements": [NEED], **members}


def walk(admin):
    """Every route of programmes once, on one of its own."""
    url = "/v1/programs/" + admin.make("/v1/programs", program_body())["id"]
    done = []

    def patch(path, body):
        reply = admin.patch(path, json=body, headers={"Idempotency-Key": key()})
        assert reply.status_code == 200, reply.text
        done.append(reply.json())

    period = admin.make(url + "/periods", period_body(2031))
    patch(f"{url}/periods/{period['id']}", {"name": "Renamed"})
    draft = f"{url}/rule-sets/" + admin.make(url + "/rule-sets", {})["id"]
    patch(draft, {"note": "The first"})
    for name in ("story", "gone"):
        activity = f"{url}/activities/" + admin.make(url + "/activities", activity_body(name))["id"]
        patch(activity, {"pre_approval": True})
    assert admin.delete(activity).status_code == 204
    admin.make(draft + "/publish", {}, 200)
    patch(url, {"state": "active"})
    dropped = f"{url}/rule-sets/" + admin.make(url + "/rule-sets", {})["id"]
    assert admin.delete(dropped).status_code == 204
    pack = admin.get(url + "/export").json()
    assert admin.make(url + "/diff", pack, 200)["changed"] == []
    admin.make("/v1/programs/import", pack)
    assert admin.post(draft + "/simulate", json={}).status_code == 200
    story = admin.get(url + "/activities").json()["data"][0]["id"]
    assert admin.get(f"{url}/activities/{story}/schema").status_code == 200
    patch(url, {"state": "closed"})
    for path in (draft, url + "/rule-sets"):
        assert admin.get(path).status_code == 200
    return done
