"""The languages of a brand: which tags there are, what the pages of each are called, and which of the brand's own texts
belong to it.

A brand's first language has its pages where a brand of one language has them. Those of each further one stand below
its tag, `/de/account/`, so a tag that is the beginning of another path already cannot be one of them (Burmese is `my`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from babel import Locale, UnknownLocaleError

from server.brands.reading.mistakes import shown
from server.brands.reading.tables import Table
from server.paths import TAKEN

EXAMPLE = "a locale such as en, de or pt-BR"
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")


def is_locale(tag: str) -> bool:
    try:
        return bool(_LOCALE.fullmatch(tag) and Locale.parse(tag, sep="-"))
    except (UnknownLocaleError, ValueError):
        return False


def language_of(tag: str) -> str:
    return tag.partition("-")[0]


def own_name(tag: str) -> str:
    """What speakers of the language call it: `Deutsch`, `العربية`. Some languages write theirs small; a list does not."""
    name = Locale.parse(tag, sep="-").get_display_name() or tag
    return name[:1].upper() + name[1:]


def read_locales(table: Table) -> tuple[str, ...]:
    """`site.locales`."""
    locales = table.words("locales", is_locale, EXAMPLE, ("en",))
    if table.get("locales") == []:
        table.refuse("locales", "an empty list", "at least one locale, such as en")
    for position, tag in enumerate(locales):
        if position and tag in TAKEN:
            found = f"{shown(tag)} as a further locale: its pages would stand at /{tag}/, which is taken"
            table.refuse(
                "locales", found, f"{tag} as the first locale, or with its country, such as {tag}-MM", position
            )
    return locales


def by_locale(table: Table) -> Iterator[tuple[str, Table]]:
    """The tables below this one that are named after a language, such as `[words.de]`. To be asked for after its keys."""
    for key in table.other_tables():
        below = table.table(key)
        if is_locale(key):
            yield key, below
        else:
            table.refuse(key, f"a table named {shown(key)}", f"a table named after {EXAMPLE}")


def own_texts(own: Mapping[str, Mapping[str, str]], tag: str, first: str) -> dict[str, str]:
    """What a brand says itself in this language, of its texts by tag; those without one (`""`) are in its `first`
    language. Texts for `de` are also said in `de-AT`; those of another language never are."""
    untagged = own.get("", {}) if language_of(tag) == language_of(first) else {}
    return {**untagged, **own.get(language_of(tag), {}), **own.get(tag, {})}
