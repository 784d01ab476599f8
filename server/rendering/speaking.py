"""A brand as the pages of one language show it."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from server.brands import Brand
from server.brands.locales import language_of, own_texts
from server.brands.words import complete


def speaking(brand: Brand, tag: str, translated: Callable[[str], str]) -> Brand:
    """The brand with its texts in this language. Where it has none of its own there, a default is `translated`, the
    headline is left out, and a link leads where it leads in the first language: better that than nowhere."""
    first, theme, portal = brand.config.site.locales[0], brand.theme, brand.config
    words = complete(own_texts(theme.own_words, tag, first), translated)
    headline = {} if language_of(tag) == language_of(first) else {"headline": ""}
    business = replace(portal.business, **{**headline, **own_texts(portal.business.own_texts, tag, first)})
    return replace(brand, theme=replace(theme, words=words), config=replace(portal, business=business))
