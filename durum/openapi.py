"""What every operation of the OpenAPI document shares: its problems, the idempotency key and an example."""

import datetime as dt
from http import HTTPStatus

UNSAFE = ("post", "put", "patch", "delete")
PROBLEM = "application/problem+json"
KEY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Any text of 1 to 200 characters, best a UUID. The same call sent again within 24 hours is not "
    "done again: its first answer comes back with `Idempotent-Replayed: true`. The same key with another content is "
    "422; while the first call is still running it is 409 with `Retry-After`.",
    "schema": {"type": "string", "maxLength": 200},
    "example": "0d5a1c3e-6a0c-4a9b-9f51-3c1b8a2f7e10",
}
PROBLEMS = {
    "400": ("Invalid", "What was sent cannot be used; `fields` names what and why.", "invalid"),
    "401": ("Unauthenticated", "No token, or one that is wrong, revoked or expired.", "authentication_failed"),
    "403": ("NotAllowed", "The caller's role does not allow it.", "not_allowed"),
    "404": ("NotFound", "No such row, or none the caller may see.", "not_found"),
    "405": ("WrongMethod", "The address does not take this method; `Allow` says which it takes.", "method_not_allowed"),
    "409": ("Conflict", "Somebody was faster, the row has moved on, or the same key is still running.", "conflict"),
    "415": ("WrongMediaType", "This kind of content is not understood.", "unsupported_media_type"),
    "422": ("KeyReused", "The Idempotency-Key belongs to another call.", "key_reused"),
    "429": ("TooMany", "Too many requests in this minute; `Retry-After` says how long to wait.", "throttled"),
}
SAMPLES = {
    "key": "clos-des-lys",
    "client": "clos-des-lys",
    "name": "Prospecting 25-44",
    "external_id": "120210000000000001",
    "currency": "EUR",
    "time_zone": "Europe/Paris",
    "user": "Nora Vidal",
    "created_by": "Nora Vidal",
    "via": "web",
    "verb": "suggestions.suggestion.approve",
    "subject_type": "suggestions.suggestion",
    "title": "Raise the budget",
    "change": "€50.00 → €75.00 a day",
    "field": "daily_budget",
    "before": "5000",
    "expected": "5000",
    "target": "7500",
    "after": "7500",
    "next": None,
    "previous": None,
    "landing_url": "https://www.example.com/offer",
    "link_url": "https://www.example.com/offer",
    "media_url": "https://www.example.com/picture.jpg",
    "count": 1,
}


def describe_what_is_shared(result, generator, request, public):
    """A postprocessing hook of drf-spectacular."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _problem_schema()
    components["responses"] = {name: _response(code, said, slug) for code, (name, said, slug) in PROBLEMS.items()}
    for methods in result["paths"].values():
        for method, operation in methods.items():
            if method in ("get", *UNSAFE):
                _complete(method, operation, components["schemas"])
    return result


def _complete(method, operation, schemas):
    codes = ["401", "403", "404", "429"]
    if operation.get("parameters"):
        codes.append("400")
    if method in UNSAFE:
        operation.setdefault("parameters", []).append(KEY_PARAMETER)
        codes += ["400", "405", "409", "415", "422"]
    for code in sorted(set(codes)):
        operation["responses"].setdefault(code, {"$ref": f"#/components/responses/{PROBLEMS[code][0]}"})
    for code, response in operation["responses"].items():
        for kind, content in response.get("content", {}).items():
            if code.startswith("2") and kind == "application/json" and not {"example", "examples"} & set(content):
                content["example"] = _sample(content["schema"], schemas, "")
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _problem_schema():
    return {
        "type": "object",
        "description": "What went wrong, in the caller's language (RFC 9457).",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string", "description": "For programs; does not change with the language."},
            "detail": {"type": "string", "description": "What happened and what to do next, for people."},
            "fields": {
                "type": "object",
                "description": "What is wrong with each field.",
                "additionalProperties": {"type": "array", "items": {"type": "string"}},
            },
        },
    }


def _response(code, said, slug):
    example = {
        "type": "about:blank",
        "title": HTTPStatus(int(code)).phrase,
        "status": int(code),
        "code": slug,
        "detail": said,
    }
    if code == "400":
        example["fields"] = {"reason": ["This field is required."]}
    response = {
        "description": said,
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
    }
    if code in ("409", "429"):
        response["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    return response


def _sample(schema, schemas, name):
    """A value that fits the schema, with the words of the trade where the name says what it is."""
    if "$ref" in schema:
        return _sample(schemas[schema["$ref"].rpartition("/")[2]], schemas, name)
    for several in ("allOf", "oneOf", "anyOf"):
        if several in schema:
            return _sample(schema[several][0], schemas, name)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object":
        return {key: _sample(value, schemas, key) for key, value in schema.get("properties", {}).items()}
    if kind == "array":
        return [_sample(schema["items"], schemas, name)]
    if schema.get("enum"):
        return schema["enum"][0]
    return SAMPLES[name] if name in SAMPLES else _plain(kind, schema, name)


def _plain(kind, schema, name):
    moment = dt.datetime(2026, 11, 20, 7, 0, tzinfo=dt.UTC)
    by_format = {"date-time": moment.isoformat().replace("+00:00", "Z"), "date": "2026-11-19", "decimal": "12.50"}
    if schema.get("format") in by_format:
        return by_format[schema["format"]]
    return {"integer": 7, "number": 0.93, "boolean": True}.get(kind, name.replace("_", " "))
