"""TOML to values. A page of the studio asks some twenty times what the same few texts hold, so the last ones are kept."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from typing import Any

_KEPT = 32


def loads(text: str) -> dict[str, Any]:
    """As `tomllib.loads`, which takes many times as long as a copy: what is answered is the caller's to change."""
    return {key: _copied(each) for key, each in _parsed(text).items()}


_parsed = lru_cache(maxsize=_KEPT)(tomllib.loads)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value
