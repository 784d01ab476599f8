"""`docs/openapi.json`: what `python3 build.py reference` writes of the API, from the declarations that the server reads requests by.

Only the build imports this; a server that answers the API needs no description of it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from server.brands.features import CONDITIONS
from server.brands.reading.declared import Field, Keys, fields
from server.brands.reading.keys import ID, Ids, ListOf, Pattern, Shaped, SomeOf, Texts
from server.features.api.call import Endpoint
from server.features.api.configurations import LONGEST_PAUSE
from server.features.api.endpoints import ENDPOINTS
from server.features.api.errors import STATUSES
from server.features.api.parameters import TextMap
from server.store.telling import VERSION

FILE = Path(__file__).parents[2] / "docs" / "openapi.json"
Schema = dict[str, Any]

_MONTHS = {
    "type": "object",
    "properties": {
        "interval": {"type": "string", "enum": ["month"]},
        "interval_count": {"type": "integer", "minimum": 1, "maximum": LONGEST_PAUSE},
    },
    "required": ["interval"],
    "additionalProperties": False,
}
# What Stripe writes differently from portal.toml, and `configurations` translates.
_STRIPES: dict[str, dict[str, Schema]] = {
    "Schedule": {
        "conditions": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"type": {"type": "string", "enum": list(CONDITIONS)}},
                "required": ["type"],
                "additionalProperties": False,
            },
        }
    },
    "SubscriptionPause": {
        "duration": {
            "type": "object",
            "properties": {
                "type": {"type": "string", "enum": ["interval_options"]},
                "interval_options": {"type": "array", "items": _MONTHS, "minItems": 1},
            },
            "required": ["type"],
            "additionalProperties": False,
        }
    },
}


def write() -> None:
    FILE.write_text(text(), "utf-8")


def text() -> str:
    return json.dumps(description(), indent=1, ensure_ascii=False) + "\n"


def description() -> Schema:
    paths: dict[str, Schema] = {}
    for each in ENDPOINTS:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {"title": "The API of Postern for a merchant's back end", "version": VERSION},
        "paths": paths,
        "security": [{"key": []}],
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {"error": _error()},
        },
    }


def _operation(it: Endpoint) -> Schema:
    made: Schema = {
        "summary": it.about,
        "description": f"Needs the permission {it.permission}.",
        "parameters": [_in_path()] if "{id}" in it.path else [],
        "responses": {"200": {"description": "Done", "content": _json(_answer(it))}, **_errors()},
    }
    schema = _object(it.params)
    schema["properties"]["expand"] = {"type": "array", "items": {"type": "string", "enum": list(it.expands)}}
    if not it.expands:
        del schema["properties"]["expand"]
    if it.method == "GET":
        made["parameters"] += [
            {"name": name, "in": "query", "schema": each, "required": name in schema.get("required", ())}
            for name, each in schema["properties"].items()
        ]
    else:
        nested = {
            name: {"style": "deepObject", "explode": True}
            for name, each in schema["properties"].items()
            if each["type"] in ("object", "array")
        }
        form = {"schema": schema, **({"encoding": nested} if nested else {})}
        made["requestBody"] = {"content": {"application/x-www-form-urlencoded": form}}
    return made


def _in_path() -> Schema:
    return {
        "name": "id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_]{1,80}$"},
    }


def _object(kind: type[Keys]) -> Schema:
    own = fields(kind)
    properties = {each.written: _property(each) for each in own} | _STRIPES.get(kind.__name__, {})
    required = [each.written for each in own if each.key.required]
    made = {"type": "object", "properties": properties, "additionalProperties": False}
    return made | ({"required": required} if required else {})


def _property(it: Field) -> Schema:
    about = {"description": it.key.about} if it.key.about else {}
    if it.below:
        below = _object(it.below)
        return ({"type": "array", "items": below} if it.is_list else below) | about
    return _value(it) | about


def _value(it: Field) -> Schema:
    key, made = it.key, {"type": it.key.type}
    if isinstance(key, ListOf):
        item: Schema = {"type": "string"}
        item |= (
            {"enum": list(key.among)}
            if isinstance(key, SomeOf)
            else {"pattern": f"^{ID}$"}
            if isinstance(key, Ids)
            else {}
        )
        return {"type": "array", "items": item, "uniqueItems": True}
    if isinstance(key, TextMap | Texts):
        return {"type": "object", "additionalProperties": {"type": "string", "maxLength": key.limit or 500}}
    if key.among:
        return {**made, "enum": list(key.among)}
    if key.bounds != (0, 0):
        return {**made, "minimum": key.bounds[0], "maximum": key.bounds[1]}
    if isinstance(key, Pattern):
        return {**made, "pattern": f"^({key.pattern})$"}
    return (
        {**made, "maxLength": key.limit, **({"format": "uri"} if isinstance(key, Shaped) else {})}
        if key.limit
        else made
    )


def _answer(it: Endpoint) -> Schema:
    one = {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "object": {"type": "string", "enum": [it.answers]},
            "livemode": {"type": "boolean"},
        },
        "required": ["id", "object", "livemode"],
    }
    if not it.is_list:
        return one
    return {
        "type": "object",
        "properties": {
            "object": {"type": "string", "enum": ["list"]},
            "url": {"type": "string"},
            "has_more": {"type": "boolean"},
            "data": {"type": "array", "items": one},
        },
        "required": ["object", "url", "has_more", "data"],
        "additionalProperties": False,
    }


def _errors() -> Schema:
    there = {"$ref": "#/components/schemas/error"}
    found: Schema = {str(each): {"description": words, "content": _json(there)} for each, words in STATUSES.items()}
    for each in ("400", "403"):  # `web.guard` refuses before it is known that the API is asked
        found[each]["content"]["text/plain"] = {"schema": {"type": "string"}}
    return found


def _error() -> Schema:
    texts = {name: {"type": "string"} for name in ("type", "message", "code", "param")}
    error = {"type": "object", "properties": texts, "required": ["type", "message"], "additionalProperties": False}
    return {"type": "object", "properties": {"error": error}, "required": ["error"], "additionalProperties": False}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}
