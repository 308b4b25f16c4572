"""Holds every reply of a running product against its own /openapi.json: status, members (complete, and no others), headers, problems."""

import json
import re
import threading

import jsonschema

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
DATE = re.compile(r"^\d{4}-\d\d-\d\d$")
FORMATS = jsonschema.FormatChecker(formats=())
FORMATS.checks("date-time")(lambda value: not isinstance(value, str) or bool(TIME.match(value)))
FORMATS.checks("date")(lambda value: not isinstance(value, str) or bool(DATE.match(value)))

# What the server itself says of a request that never gets to a route.
OF_THE_SERVER = {"invalid_request", "request_timeout", "content_too_large", "uri_too_long", "expectation_failed",
                 "header_too_large", "version_not_supported", "not_implemented", "method_not_allowed", "invalid_header"}


class Contract:
    """One product's /openapi.json."""

    of = {}                     # base URL -> Contract
    lock = threading.Lock()

    def __init__(self, document):
        self.document = document
        self.seen = {}          # operationId -> statuses that were checked
        self.validators = {}
        for name, schema in document["components"]["schemas"].items():
            # Clients ignore what they do not know; a test does not.
            if schema.get("type") == "object" and "properties" in schema:
                schema.setdefault("additionalProperties", False)
        self.routes = []
        for path, methods in document["paths"].items():
            pattern = re.compile("^" + re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)) + "$")
            self.routes.append((path.count("{"), pattern, path, methods))
        self.routes.sort(key=lambda row: row[0])
        self.operations = {operation["operationId"]: (method.upper(), path, operation)
                           for path, methods in document["paths"].items() for method, operation in methods.items()}

    @classmethod
    def of_server(cls, base_url, read):
        with cls.lock:
            if base_url not in cls.of:
                cls.of[base_url] = cls(read())
            return cls.of[base_url]

    def operation(self, method, path):
        method = "get" if method == "HEAD" else method.lower()
        for _, pattern, _, methods in self.routes:
            if pattern.match(path) and method in methods:
                return methods[method]
        return None

    def validator(self, schema):
        key = json.dumps(schema, sort_keys=True)
        if key not in self.validators:
            self.validators[key] = jsonschema.Draft202012Validator(
                schema, resolver=jsonschema.RefResolver("", self.document), format_checker=FORMATS)
        return self.validators[key]

    def conforms(self, schema, value, part=False):
        """Asserts that the value is of the schema, here with the first few places where it is not. part: some members are left out."""
        faults = ["/".join(map(str, fault.absolute_path)) + ": " + fault.message[:300]
                  for fault in self.validator(schema).iter_errors(value) if not (part and fault.validator == "required")]
        assert not faults, "\n".join(faults[:5])

    def check(self, reply):
        """Asserts that a reply (of requests) is as the contract says."""
        method, path = reply.request.method, reply.request.path_url.split("?")[0]
        where = f"{method} {path} {reply.status_code}"
        try:
            self.check_reply(method, path, reply)
        except AssertionError as error:
            raise AssertionError(f"{where}: {error}\n{reply.text[:1000]}") from None

    def check_reply(self, method, path, reply):
        operation = self.operation(method, path)
        assert reply.headers.get("X-Request-Id")
        if reply.status_code >= 400:
            self.check_problem(method, reply, operation)
            return
        if operation is None:
            return
        status = str(reply.status_code)
        assert status in operation["responses"], "this status is not described"
        described = operation["responses"][status]
        if method != "HEAD" or "content" not in described:
            self.check_content(reply, described)
        assert reply.headers.get("Cache-Control")
        assert {"Origin", "Authorization"} <= set(reply.headers.get("Vary", "").split(", "))
        if status in ("200", "201") and method != "HEAD":
            assert ("Location" in reply.headers) == (status == "201" and "Location" in described.get("headers", {}))
        self.seen.setdefault(operation["operationId"], set()).add(reply.status_code)

    def check_content(self, reply, described):
        content = described.get("content")
        if content is None:
            assert reply.content == b"", "a body where none is described"
            return
        if "text/csv" in content and reply.headers["Content-Type"].startswith("text/csv"):
            assert reply.request.headers["Accept"] != "*/*" and reply.text.endswith("\r\n")
        elif "application/json" in content:
            assert reply.headers["Content-Type"] == "application/json"
            body = json.loads(reply.content, object_pairs_hook=no_doubles)
            self.conforms(content["application/json"]["schema"], body, "fields=" in reply.request.path_url)

    def check_problem(self, method, reply, operation):
        if method == "HEAD":
            return
        assert reply.headers["Content-Type"] == "application/problem+json"
        body = json.loads(reply.content, object_pairs_hook=no_doubles)
        self.conforms({"$ref": "#/components/schemas/Problem"}, body)
        assert body["status"] == reply.status_code
        assert body["type"] == "/problems/" + body["code"]
        assert body["request_id"] == reply.headers["X-Request-Id"]
        if reply.status_code == 401:
            assert reply.headers["WWW-Authenticate"].startswith('Bearer realm="coopclaims"')
        if reply.status_code in (429, 503):
            assert int(reply.headers["Retry-After"]) >= 1
        if operation is None or body["code"] in OF_THE_SERVER:
            return
        described = operation["responses"].get(str(reply.status_code), {}).get("description", "")
        assert f"`{body['code']}`" in described, f"{operation['operationId']} does not describe {body['code']}"


def no_doubles(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), "a member stands twice"
    return dict(pairs)
