"""A partner with all that is below it, through every route of organisations, locations, users, tokens and sessions."""
from product import Session


def change(admin, collection, body, patch):
    """Made, read, listed, changed; gives its path."""
    made = admin.make(collection, body)
    path = f"{collection}/{made['id']}"
    assert admin.get(path).status_code == 200
    query = "?limit=200" + (f"&organization_id={made['organization_id']}" if "organization_id" in made else "")
    assert made["id"] in [row["id"] for row in admin.get(collection + query).json()["data"]]
    reply = admin.patch(path, json=patch)
    assert reply.status_code == 200 and patch.items() <= reply.json().items(), reply.text
    return path


def sign_in(admin, user):
    """By a link, a password, and another one; in and out again."""
    anonymous = Session(admin.base_url)
    link = admin.make(user + "/password-link", {}, 200)["url"].split("token=")[1]
    assert anonymous.post("/v1/passwords", json={"token": link, "password": "a first password"}).status_code == 204
    email = admin.get(user).json()["email"]
    session = Session(admin.base_url, anonymous.make("/v1/sessions", {"email": email, "password": "a first password"})["access_token"])
    assert session.patch("/v1/me", json={"name": "Otto O."}).status_code == 200
    assert session.put("/v1/me/password", json={"current": "a first password", "new": "a second one"}).status_code == 204
    session = Session(admin.base_url, anonymous.make("/v1/sessions", {"email": email, "password": "a second one"})["access_token"])
    assert session.delete("/v1/sessions/current").status_code == 204


def walk(admin):
    organization = change(admin, "/v1/organizations", {"name": "Oost Media"}, {"country": "NL"}).split("/")[-1]
    change(admin, "/v1/locations", {"name": "Zwolle", "organization_id": organization}, {"state": "inactive"})
    user = change(admin, "/v1/users", {"name": "Otto", "email": "otto@oost.example", "organization_id": organization,
                                       "state": "active", "roles": ["viewer"]}, {"locale": "nl"})
    token = change(admin, "/v1/tokens", {"name": "Export", "user_id": user.split("/")[-1], "scopes": ["claims:read"]},
                   {"name": "Exports"})
    assert admin.delete(token).status_code == 204
    sign_in(admin, user)
    assert admin.delete(user).status_code == 204
