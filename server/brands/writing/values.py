"""Values and keys as TOML, written as a person would."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, time
from typing import Any

WIDE = 110
"""A list that would go beyond this column is written one element a line."""
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def is_tables(value: Any) -> bool:
    """Whether it is a list of tables, such as products."""
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def written_key(key: str | int) -> str:
    """A key with quotes where it needs them: a line break in one can begin no line."""
    return str(key) if _BARE.fullmatch(str(key)) else _quoted(str(key))


def meaning(value: Any) -> Any:
    """To compare what two values mean: `1` is not `true`, and an empty table says as much as none."""
    if isinstance(value, dict):
        below = {key: meaning(each) for key, each in value.items()}
        return ("table", {key: each for key, each in below.items() if each != ("table", {})})
    if isinstance(value, list):
        return ("list", [meaning(each) for each in value])
    return (type(value).__name__, repr(value))


def written_value(value: Any, newline: str = "\n", column: int = 0) -> str:
    """The value, in its line from `column` on. Raises `TypeError` for what TOML has no word for."""
    if isinstance(value, dict):
        pairs = ", ".join(f"{written_key(key)} = {written_value(each)}" for key, each in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list):
        members = [written_value(each) for each in value]
        line = f"[{', '.join(members)}]"
        is_wide = column + len(line) > WIDE and members
        return "".join([f"[{newline}", *(f"  {each},{newline}" for each in members), "]"]) if is_wide else line
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is nothing that TOML can hold")


def _quoted(text: str) -> str:
    # JSON's escapes are TOML's; but TOML wants DEL escaped too.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
