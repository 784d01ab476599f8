"""The languages of a brand: which tags there are, what the pages of each are called, and which of the brand's own texts
belong to it.

The pages of a brand's first language are where those of a brand with one language are. The pages of each further language
are below its tag, `/de/account/`, so a tag that another path begins with cannot be one of them (Burmese is `my`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from babel import Locale, UnknownLocaleError

from server.brands import disk_cache
from server.brands.reading.declared import fields, given
from server.brands.reading.keys import ListOf, Section
from server.brands.reading.mistakes import shown
from server.brands.reading.tables import Table
from server.paths import TAKEN

EXAMPLE = "a locale such as en, de or pt-BR"
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")


@lru_cache(maxsize=256)
def is_locale(tag: str) -> bool:
    try:
        return bool(_LOCALE.fullmatch(tag) and Locale.parse(tag, sep="-"))
    except (UnknownLocaleError, ValueError):
        return False


def language_of(tag: str) -> str:
    return tag.partition("-")[0]


def own_name(tag: str) -> str:
    """What speakers of the language call it: `Deutsch`, `العربية`. It begins with a capital letter, as in a list."""
    return _about(tag)[0]


def direction(tag: str) -> str:
    """`ltr` or `rtl`."""
    return _about(tag)[1]


@lru_cache(maxsize=256)
def _about(tag: str) -> tuple[str, str]:
    """Babel's, kept on disk: to read all that it knows of a locale takes it 10 ms."""
    known = disk_cache.read(_folder(), tag)
    if known is None:
        locale = Locale.parse(tag, sep="-")
        name = locale.get_display_name() or tag
        known = msgspec.json.encode((name[:1].upper() + name[1:], locale.text_direction))
        disk_cache.write(_folder(), tag, known)
    return msgspec.json.decode(known, type=tuple[str, str])


@cache
def _folder() -> Path:
    return disk_cache.folder(disk_cache.PLACE / "locales", [Path(__file__)])


class Locales(ListOf, frozen=True):
    """The tags of languages, the first language first."""

    least: int = 1
    shape: str = EXAMPLE

    def accept_one(self, value: Any) -> str:
        if isinstance(value, str) and is_locale(value):
            return value
        raise ValueError(self.shape)

    def read(self, table: Table, name: str, default: Any) -> Any:
        locales = super().read(table, name, default)
        for position, tag in enumerate(locales):
            if position and tag in TAKEN:
                found = f"{shown(tag)} as a further locale: its pages would be at /{tag}/, which is taken"
                allowed = f"{tag} as the first locale, or with its country, such as {tag}-MM"
                table.refuse(name, found, allowed, position)
        return locales


class ByLanguage(Section, frozen=True):
    """The tables that are named after a language, such as `[business.de]`: for each tag, the keys of `of` that it says.
    The field comes last in its struct: a table that a field before it reads is none of them."""

    blank: ClassVar[Any] = {}

    @property
    def allowed(self) -> str:
        return ", ".join(f"`{each.written}`" for each in fields(self.of) if each.key.per_language)

    def read(self, table: Table, name: str, default: Any) -> Any:  # noqa: ARG002 (a `Key` is asked so)
        found = {}
        for tag, below in by_locale(table):
            found[tag] = given(self.of, below, per_language=True)
            below.close()
        return found


def by_locale(table: Table) -> Iterator[tuple[str, Table]]:
    """The tables below this one that are named after a language and were not asked for yet."""
    for key in table.other_tables():
        below = table.table(key)
        if is_locale(key):
            yield key, below
        else:
            table.refuse(key, f"a table named {shown(key)}", f"a table named after {EXAMPLE}")


def own_texts(own: Mapping[str, Mapping[str, str]], tag: str, first: str) -> dict[str, str]:
    """What a brand says itself in this language, of its texts by tag; those without one (`""`) are in its `first`
    language. Texts for `de` also count for `de-AT`; those of another language never do."""
    untagged = own.get("", {}) if language_of(tag) == language_of(first) else {}
    return {**untagged, **own.get(language_of(tag), {}), **own.get(tag, {})}
