"""The parameters of a request as the SDKs write them, `features[subscription_cancel][enabled]=true`, as nested values.

Every value is text, a hash or, where the brackets are empty or hold numbers, a hash by number; `parameters` knows where
a list is wanted. Each parameter once.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from server.features.api.errors import ApiError

MOST_FIELDS, DEEPEST = 1000, 8
_NAME = re.compile(r"([^\[\]]{1,200})((?:\[[^\[\]]{0,200}\])*)")


def tree(form: bytes) -> dict[str, Any]:
    """Raises `ApiError` for what is no form."""
    try:
        pairs = parse_qsl(
            form.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
            strict_parsing=bool(form),
        )
    except ValueError:
        raise ApiError(
            "Invalid request: the body must be a form (application/x-www-form-urlencoded) in UTF-8."
        ) from None
    found: dict[str, Any] = {}
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            raise ApiError("Invalid request: no parameter may hold a NUL.")
        _put(found, name, value)
    return found


def _put(found: dict[str, Any], name: str, value: str) -> None:
    parts = _NAME.fullmatch(name)
    keys = [parts[1], *re.findall(r"\[([^\[\]]*)\]", parts[2])] if parts else []
    if not keys or len(keys) > DEEPEST:
        raise ApiError(f"Received unknown parameter: {name[:200]}", code="parameter_unknown", param=name[:200])
    here = found
    for key in keys[:-1]:
        here = here.setdefault(key or str(len(here)), {})
        if not isinstance(here, dict):
            raise _twice(name)
    last = keys[-1] or str(len(here))
    if last in here:
        raise _twice(name)
    here[last] = value


def _twice(name: str) -> ApiError:
    return ApiError(f"Invalid request: {name[:200]} was given twice.", code="parameter_invalid", param=name[:200])
