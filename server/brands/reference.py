"""What `python3 build.py reference` writes from the declarations of all keys: their tables in `themes/README.md`, and
`themes/_start/theme.toml`, the file that a designer begins with.

In the README the tables are between two marker lines for each file; the rest of it is written by hand.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from server.brands.portal_file import PortalConfig
from server.brands.reading.declared import Entry, Keys, entries
from server.brands.theme_file import ThemeFile

README = Path(__file__).parents[2] / "themes" / "README.md"
START = README.parent / "_start" / "theme.toml"
FILES: dict[str, type[Keys]] = {"theme.toml": ThemeFile, "portal.toml": PortalConfig}
_BEGIN, _END = "<!-- the keys of {}, written by build.py reference -->", "<!-- the end of these keys -->"
_HEAD = """\
# A theme to start from, as `python3 build.py new NAME` makes it. Every key is listed with its value: take the # away
# before a key that you want to change.

extends = "plain"

# All colors are derived from yours, unless you give them below.
unset = ["brand.accent", "brand.background", "brand.button"]
"""


def write() -> None:
    README.write_text(updated(README.read_text("utf-8")), "utf-8")
    START.write_text(start(), "utf-8")


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
    if value in ("", (), {}, Path()) or isinstance(value, Keys):
        return "none"
    if isinstance(value, tuple):
        return f"`{json.dumps(value, ensure_ascii=False)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def start() -> str:
    """A `theme.toml` with every key; only its color is not a comment."""
    lines = [_HEAD.rstrip()]
    for each in entries(ThemeFile):
        table, _, name = each.path.rpartition(".")
        if each.below:
            listed = each.path.endswith("[]")
            lines += ["", f"#[[{each.path.removesuffix('[]')}]]" if listed else f"[{each.path}]"]
        elif table:
            value = json.dumps(each.key.example or each.default, ensure_ascii=False)
            mark = "" if each.path == "brand.color" else "#"
            lines += [f"# {each.key.about}: {each.key.allowed}", f"{mark}{name} = {value}"]
    return "\n".join([*lines, "", "# The same keys in another language of the brand:", "#[words.de]", ""])
