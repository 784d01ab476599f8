"""A form as a browser posts it: what is checked, chosen and enabled, with one of its buttons."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx

from server.merchant.studio import drafts
from server.publishing.rules.markup import Document, Element, parse
from tests.support.client import Client
from tests.support.studio import OWNER, StudioWorld

Fields = dict[str, list[str]]


def form_of(html: str, where: str) -> tuple[Element, Fields]:
    """The form with this id or action, and its fields as nobody touched them."""
    document = _parsed(html)
    form = next(each for each in document.all("form") if where in (each.get("id"), each.get("action")))
    fields: Fields = {}
    for each in form.walk():
        if not each.get("name") or any(_is_off(above) for above in [each, *each.ancestors()]):
            continue
        fields.setdefault(each.get("name"), []).extend(_values(each))
    return form, {name: values for name, values in fields.items() if values}


@lru_cache(maxsize=4)
def _parsed(html: str) -> Document:
    """A test posts the same page several times."""
    return parse(html)


def _is_off(element: Element) -> bool:
    return element.tag in ("fieldset", "input", "select", "textarea") and "disabled" in element


def _values(element: Element) -> list[str]:
    if element.tag == "select":
        options = [each for each in element.walk() if each.tag == "option"]
        chosen = [each.get("value") for each in options if "selected" in each]
        return chosen or [each.get("value") for each in options[:1]]
    if element.tag == "textarea":
        return ["".join(each for each in element.children if isinstance(each, str))]
    kind = element.get("type")
    if element.tag == "button" or kind == "file" or (kind in ("checkbox", "radio") and "checked" not in element):
        return []
    return [element.get("value")]


async def press(
    client: Client,
    page: httpx.Response,
    do: str,
    changes: dict[str, Any] | None = None,
    *,
    where: str = "pages-fields",
    files: dict[str, bytes] | None = None,
    fragment: bool = False,
) -> httpx.Response:
    """Change these fields (None: unchecked), and press the button that says `do`."""
    form, fields = form_of(page.text, where)
    for name, value in (changes or {}).items():
        fields.pop(name, None)
        if value is not None:
            fields[name] = value if isinstance(value, list) else [value]
    if do:
        fields["do"] = [do]
    sent: dict[str, Any] = {"data": fields}
    if form.get("enctype") == "multipart/form-data":
        parts = [(name, (None, value)) for name, values in fields.items() for value in values]
        sent = {"files": [*parts, *((name, ("../../etc/x.svg", content)) for name, content in (files or {}).items())]}
    return await client.post(form.get("action"), fragment=fragment, **sent)


async def draft_of(studio: StudioWorld, brand: str, operator: str = OWNER) -> dict[str, Any]:
    """What the operator changed and did not write."""
    return (await drafts.find(studio.store, operator, brand)).values


def file_of(studio: StudioWorld, brand: str, name: str = "portal.toml") -> dict[str, Any]:
    return tomllib.loads((studio.themes / brand / name).read_text())


def listing(studio: StudioWorld) -> dict[Path, bytes]:
    """Every file of every brand."""
    return {path: path.read_bytes() for path in studio.themes.rglob("*") if path.is_file()}
