"""`themes/TEMPLATES.md`, which `build.py reference` writes: what each template is given, from the structs that it reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from server.mail.kinds import MAILS
from server.publishing import examples, fields
from server.rendering.compiled import SITE
from server.rendering.views import Frame, template_of

FILE = SITE.parent / "themes" / "TEMPLATES.md"
_HEAD = """\
# What templates are given

Written by `python3 build.py reference`. A template of `fragments/` reads `view`, one of `emails/` reads `mail`, a layout reads
`frame`, `title` and `body`; all have `brand`, `paths`, `asset`, `locale` and `direction`, the filters `money`, `date`, `time` and
`number`, and `_("…")` for words that are translated. `python3 build.py gallery` shows each with its examples.

| template | reads |
|---|---|
"""
_TABLE = "| field | type | without it | what it says |\n|---|---|---|---|\n"


def write(file: Path = FILE) -> None:
    file.write_text(text(), "utf-8")


def text() -> str:
    read: dict[str, type[msgspec.Struct]] = {template_of(each): each for each in examples.views()}
    read |= {f"emails/{name}.html": kind for name, kind in sorted(MAILS.items())}
    read["layouts/base.html"] = Frame
    rows = "".join(f"| `{template}` | {_link(kind)} |\n" for template, kind in read.items())
    return _HEAD + rows + "".join(_section(kind) for kind in fields.reachable(read.values()))


def _section(kind: type[msgspec.Struct]) -> str:
    rows = "".join(f"| {' | '.join(_cells(each))} |\n" for each in fields.fields_of(kind))
    about = (vars(kind).get("__doc__") or "").strip().partition("\n\n")[0].replace("\n", " ")
    said = f"{' '.join(about.split())}\n\n" if about else ""
    return f"\n## {fields.label(kind)}\n\n{said}{_TABLE + rows if rows else 'No field.' + chr(10)}"


def _cells(field: fields.Field) -> Iterator[str]:
    for written in (field.name, field.type, field.default):
        yield f"`{_plain(written)}`" if written else ""
    yield _plain(field.about)


def _link(kind: type[msgspec.Struct]) -> str:
    label = fields.label(kind)
    place = "".join(each for each in label.lower() if each.isalnum() or each in "-_")
    return f"[{label}](#{place})"


def _plain(written: str) -> str:
    return " ".join(written.split()).replace("|", "\\|")
