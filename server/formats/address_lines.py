"""How an address is written: line by line, as its country's post wants it. Pure.

The order and what is between the parts is Google's data (`postal`). Its capitals are for machines that read
envelopes: only a postal code takes them, a town stays as its people write it. An address in Latin letters takes the Latin
form, any other the country's own. A part that the country has no place for is left out if it is a state; a city or a
postal code is never lost. The name of who lives there is not part of it: it is above.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Protocol

from server.formats import postal

_UNKNOWN = "%A%n%Z %C, %S"


class Written(Protocol):
    """An address: a customer's, or that of the business."""

    @property
    def line1(self) -> str: ...
    @property
    def line2(self) -> str: ...
    @property
    def city(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def postal_code(self) -> str: ...
    @property
    def country(self) -> str: ...


def lines(it: Written) -> tuple[str, ...]:
    """The lines, without the country's name."""
    parts = {"1": it.line1, "2": it.line2, "C": it.city, "S": it.state, "Z": it.postal_code}
    its = postal.country(it.country)
    is_latin = not any(each > "\u024f" and each.isalpha() for each in "".join(parts.values()))
    form = (its.latin_form if is_latin else its.form) or _UNKNOWN
    if "%C" not in form and it.city.casefold() in form.casefold():
        parts["C"] = ""  # Singapore is in Singapore
    if "Z" in its.capitals:
        parts["Z"] = parts["Z"].upper()
    has = frozenset(letter for letter, text in parts.items() if text)
    return tuple("".join(_joined(parts[letter], before) for before, letter in line) for line in _form(form, has))


def for_readers(country: Callable[[str], str], home: str) -> Callable[..., tuple[str, ...]]:
    """A template's filter; `country` gives the name of one in the reader's words, `home` is where the business is."""

    @lru_cache(maxsize=5_000)
    def address_lines(it: Written, seen_from: str = home) -> tuple[str, ...]:
        """As its country writes it, with the country's name for readers in another one."""
        return (*lines(it), *([country(it.country)] if it.country not in ("", seen_from) else []))

    return address_lines


@cache
def _form(form: str, has: frozenset[str]) -> tuple[tuple[tuple[str, str], ...], ...]:
    """For each line of an address with these parts: what is before a part, and the part's letter."""
    is_cjk = form.find("%S") in range(form.find("%A"))
    street = "%1%n%2" if "2" in has else "%1"
    if "%C" not in form and "C" in has:
        beside = ("%S", "%S%C" if is_cjk else "%C, %S") if "%S" in form else ("%A", "%A%n%C")
        form = form.replace(*beside)
    if "%Z" not in form and "Z" in has:
        form += "%n%Z"
    found = (_line(re.split(r"%([1-9A-Z])", line), has) for line in form.replace("%A", street).split("%n"))
    return tuple(each for each in found if each)


def _line(tokens: list[str], has: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Without the parts that are empty, and without what is between them and others. A line of words alone, such as
    an island's name, says what the country's name says."""
    found: list[tuple[str, str]] = []
    for number, (before, letter) in enumerate(zip(tokens[::2], tokens[1::2], strict=False)):
        if letter in has:
            found.append((before if found or not number else "", letter))
    return tuple(found)


def _joined(text: str, before: str) -> str:
    """A postal code that was typed with its prefix, such as `CH-8001`, gets no second one."""
    return text if before.strip() and text.startswith(before.strip()) else before + text
