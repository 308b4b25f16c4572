"""A partner with all that is below it, through every route of organisations, locations, users and tokens."""


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


def walk(admin):
    organization = change(admin, "/v1/organizations", {"name": "Oost Media"}, {"country": "NL"}).split("/")[-1]
    change(admin, "/v1/locations", {"name": "Zwolle", "organization_id": organization}, {"state": "inactive"})
    user = change(admin, "/v1/users", {"name": "Otto", "email": "otto@oost.example", "organization_id": organization,
                                       "state": "active", "roles": ["viewer"]}, {"locale": "nl"})
    token = change(admin, "/v1/tokens", {"name": "Export", "user_id": user.split("/")[-1], "scopes": ["claims:read"]},
                   {"name": "Exports"})
    assert admin.delete(token).status_code == 204
    assert admin.delete(user).status_code == 204
