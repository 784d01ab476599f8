"""A posted form of a page: pictures and colors become texts of their controls, then what was touched goes into the draft.

| input | holds |
|---|---|
| `file:<name>` | an upload for the control of this name; its new name becomes the control's text |
| `pick:<name>`, `picked:<name>` | the color that a browser's picker holds, and the one that it showed: the picker counts where it was moved and the text was not |
| `do` | beside the buttons of `forms`: `use:<name>=<color>` takes a color; `save`; `preview` |
| `new:<path>` | what a row begins with, for `add:<path>` |
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from server.brands import images
from server.merchant.studio import drafts, saving
from server.merchant.studio.declarations import Control
from server.merchant.studio.drafts import Draft
from server.merchant.studio.forms import touched
from server.merchant.studio.place import Studio
from server.merchant.studio.visit import Operator
from server.web.forms import Posted


class Taken(msgspec.Struct, frozen=True):
    """What became of a posted form."""

    draft: Draft
    refused: dict[str, tuple[str, ...]]
    """What is wrong with an upload, by the name of its control: the rest was taken."""
    received: tuple[str, ...]
    """The names of the controls that a file came for."""


async def take(
    studio: Studio,
    operator: Operator,
    posted: Posted,
    controls: Iterable[Control],
    *,
    held: Mapping[str, Any],
    starts: Mapping[str, Mapping[str, dict[str, Any]]],
) -> Taken:
    """Keep what was touched, and the files that came with it."""
    controls, now = tuple(controls), studio.clock()
    form = {name: list(texts) for name, texts in posted.texts.items()}
    _colors(form)
    known = _files(controls, form)
    refused: dict[str, tuple[str, ...]] = {}
    received = []
    for field, content in posted.files.items():
        name = field.removeprefix("file:")
        if not field.startswith("file:") or name not in known:
            continue
        received.append(name)
        try:
            stored = _stored_as(known[name], content)
        except ValueError as error:
            refused[name] = (f"This file was not taken: it is {error}. Allowed: {_allowed(known[name])}.",)
            continue
        await drafts.upload(studio.store, operator.address, operator.brand, stored, content=content, now=now)
        form[name] = [stored]
    changes = touched(controls, form, held, starts)
    draft = await drafts.keep(studio.store, operator.address, operator.brand, touched=changes, held=held, now=now)
    return Taken(draft, refused, tuple(received))


def verb_of(posted: Posted) -> tuple[str, str]:
    """What the button asks for, and of which control."""
    verb, _, target = (posted.texts.get("do") or ["preview"])[-1].partition(":")
    return verb, target


def place_of(verb: str, target: str) -> str:
    """The control or row to come back to after a button was pressed."""
    if verb == "use":
        return target.partition("=")[0]
    return re.sub(r"\[\d+\]$", "", target) if verb in ("default", "add", "remove", "up", "down") else ""


def _colors(form: dict[str, list[str]]) -> None:
    verb, _, target = (form.get("do") or [""])[-1].partition(":")
    for field in [each for each in form if each.startswith("pick:")]:
        name = field.removeprefix("pick:")
        picked, showed = form[field][-1], form.get(f"picked:{name}", [""])[-1]
        typed = form.get(name, [""])[-1].strip()
        if picked != showed and _texts(form, name) == ([typed] if typed else []):
            form[name] = [picked]
    if verb == "use" and re.fullmatch(r"[a-z.]+=#[0-9a-f]{6}", target):
        name, _, color = target.partition("=")
        form[name] = [color]


def _texts(form: Mapping[str, list[str]], name: str) -> Any:
    """What the control showed."""
    try:
        return json.loads(form[f"was:{name}"][-1])
    except (ValueError, LookupError, RecursionError):
        return None


def _files(controls: Iterable[Control], form: Mapping[str, list[str]]) -> dict[str, Control]:
    """The controls that take a file, by the names of their inputs; columns of the rows that were posted too."""
    found = {}
    for control in controls:
        if control.kind in ("image", "font", "styles"):
            found[control.path] = control
        rows = re.compile(re.escape(control.path) + r"\[\d{1,4}\]")
        for column in (each for each in control.columns if each.kind in ("image", "font", "styles")):
            found |= {f"{name}.{column.path}": column for name in form if rows.fullmatch(name)}
    return found


def _stored_as(control: Control, content: bytes) -> str:
    """Raises `ValueError` with what is wrong with the file."""
    if control.kind == "image":
        return saving.picture_name(control.path.rpartition(".")[2].replace("_", "-"), content)
    return saving.font_name(content) if control.kind == "font" else saving.styles_name(content)


def _allowed(control: Control) -> str:
    return control.allowed.replace("a file of this folder: ", "").replace(" of this folder", "") or str(images.LIMIT)
