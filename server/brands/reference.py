"""The reference of all keys in `themes/README.md`, written from their declarations by `python3 build.py reference`.

The tables are between two marker lines for each file; the rest of the README is written by hand.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from server.brands.portal_file import PortalConfig
from server.brands.reading.declared import Entry, Keys, entries
from server.brands.theme_file import ThemeFile

README = Path(__file__).parents[2] / "themes" / "README.md"
FILES: dict[str, type[Keys]] = {"theme.toml": ThemeFile, "portal.toml": PortalConfig}
_BEGIN, _END = "<!-- the keys of {}, written by build.py reference -->", "<!-- the end of these keys -->"


def updated(text: str) -> str:
    """The README with the keys as they are declared now. Raises `ValueError` where the markers are missing."""
    for name, kind in FILES.items():
        before, begin, rest = text.partition(_BEGIN.format(name))
        _, end, after = rest.partition(_END)
        if not begin or not end:
            raise ValueError(f"{README.name}: expected the lines {_BEGIN.format(name)} and {_END}")
        text = f"{before}{begin}\n\n{table(kind)}\n{end}{after}"
    return text


def table(kind: type[Keys]) -> str:
    """Every key of a file as the rows of a Markdown table."""
    found = tuple(entries(kind))
    theirs = tuple(f"{each.path}." for each in found if each.stripe and each.below)
    rows = ["| key | what it is | allowed | when left out |", "|---|---|---|---|"]
    for each in found:
        # A table that says nothing about itself is known from its keys.
        if each.key.about:
            own = "**more** " if each.path.startswith(theirs) and not each.stripe else ""
            cells = (f"{own}`{each.path}`", each.key.about, _allowed(each), _left_out(each))
            rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "".join(f"{row}\n" for row in rows)


def _allowed(entry: Entry) -> str:
    words = sorted((str(each) for each in entry.key.among), key=len, reverse=True)
    pattern = "|".join(map(re.escape, words)) or r"(?!)"
    return re.sub(rf"(?<![\w`])({pattern})(?![\w`])", r"`\1`", entry.key.allowed)


def _left_out(entry: Entry) -> str:
    key = entry.key
    if key.required:
        return "required"
    if key.like:
        return f"as `{entry.path.rpartition('.')[0]}.{key.like}`"
    return key.left_out or _written(entry.default)


def _written(value: Any) -> str:
    if value in ("", (), {}) or isinstance(value, Keys):
        return "none"
    if isinstance(value, tuple):
        listed = ", ".join(f'"{each}"' for each in value)
        return f"`[{listed}]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
