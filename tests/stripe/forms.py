"""Reads `items[0][price]=…` as the SDK writes it: a tree of hashes and lists, whose leaves are text."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from tests.stripe.errors import invalid

_KEY = re.compile(r"[^\[\]]+|\[\]")


def parsed(text: str) -> dict[str, Any]:
    """Raises Stripe's refusal where one key is both a hash and a text."""
    tree: dict[str, Any] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        names = _KEY.findall(key)
        branch: Any = tree
        for name in names[:-1]:
            branch = branch.setdefault(_next(branch, name), {})
            if not isinstance(branch, dict):
                raise invalid(f"Invalid hash: {key}", param=key)
        branch[_next(branch, names[-1])] = value
    return {key: _with_lists(value) for key, value in tree.items()}


def _next(branch: dict[str, Any], name: str) -> str:
    return str(len(branch)) if name == "[]" else name


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inside = {key: _with_lists(each) for key, each in value.items()}
    if all(key.isdigit() for key in inside):
        return [inside[key] for key in sorted(inside, key=int)]
    return inside
