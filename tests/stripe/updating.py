"""Taking sent parameters into a stored object, as Stripe does: an empty text removes, metadata is merged key by key."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from tests.stripe.routing import Call
from tests.stripe.world import Json


def merged(row: Json, params: Json, *merged_too: str) -> Json:
    """The object with the parameters; returns what was there before, of what changed."""
    before: Json = {}
    for name, value in params.items():
        if name == "expand":
            continue
        old, new = row.get(name), _new(row.get(name), name, value, merged_too)
        if new != old:
            before[name] = deepcopy(old)
            row[name] = new
    return before


def _new(old: Any, name: str, value: Any, merged_too: tuple[str, ...]) -> Any:
    if name == "metadata":
        return {} if value == "" else {key: text for key, text in {**(old or {}), **value}.items() if text != ""}
    if value == "":
        return None
    if name in merged_too and isinstance(value, dict):
        return {**(old or {}), **{key: None if each == "" else each for key, each in value.items()}}
    if isinstance(value, dict):
        return {key: None if each == "" else each for key, each in value.items()}
    return value


def update(call: Call, row: Json, event: str, *merged_too: str) -> Json:
    """Change the object and tell it."""
    before = merged(row, call.params, *merged_too)
    if before:
        call.world.tell(event, row, before)
    return row
