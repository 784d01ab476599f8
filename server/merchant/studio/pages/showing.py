"""From the fields of a form to what its page shows: labels, options, pictures, contrasts, and which belong together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from msgspec.structs import replace

from server.brands.event_keys import TYPES
from server.brands.locales import is_locale, own_name
from server.formats import postal
from server.merchant.studio.declarations import Control
from server.merchant.studio.forms import Field
from server.merchant.studio.pages import wording
from server.merchant.studio.pages.contrasts import Met
from server.merchant.studio.pages.selling import Sold, picks
from server.merchant.studio.pages.views import Asked, Group, Option, Row
from server.merchant.studio.pages.wording import MEANINGS
from server.rendering.filters import babel_locale
from server.rendering.words import translations

_LANGUAGES = (
    *("en", "de", "fr", "es", "ar", "bg", "ca", "cs", "da", "el", "et", "eu", "fa", "fi", "ga", "gl", "he", "hi", "hr"),
    *("hu", "id", "is", "it", "ja", "ko", "lt", "lv", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "sk", "sl", "sr"),
    *("sv", "th", "tr", "uk", "vi", "zh", "zh-Hant", "de-AT", "de-CH", "en-GB", "es-MX", "fr-CA"),
)
SUGGESTIONS = {
    "type.body": "stacks",
    "type.heading": "stacks",
    "features.subscription_cancel.retention.coupon": "coupons",
}
"""Ids of lists that help typing."""


@dataclass(frozen=True, slots=True)
class About:
    """What a page knows beside its fields."""

    sells: Sold
    met: Mapping[str, Met]
    picture: Callable[[str, str], str]
    """The URL of a picture, by the key and the name of its file; empty: there is none to show."""
    refused: Mapping[str, Sequence[str]]
    """What is wrong with an upload, by the name of its input."""
    listed: Mapping[str, str] = field(default_factory=dict)
    """The products and prices that customers may move to, in words by their ids."""
    products: Mapping[str, str] = field(default_factory=dict)
    """The product of each row, by the row's name."""
    locale: str = "en"
    """The language of the texts of the page."""


def asked(it: Field, about: About) -> Asked:
    """One control; a column of a row is named and found like any other."""
    control = it.control
    made = Asked(
        field=it,
        id=slug(it.name),
        label=wording.label(control),
        hint=wording.hint(control),
        errors=(*it.errors, *about.refused.get(it.name, ())),
        options=_options(it, about),
        default=_default(it, about),
        suggestions=SUGGESTIONS.get(control.path, ""),
        met=about.met.get(it.name, Met()),
        picture=about.picture(it.name, it.texts[0] if it.texts else it.default) if control.kind == "image" else "",
    )  # fmt: skip
    if control.kind != "rows":
        return made
    rows = tuple(_row(it, number, about) for number in range(len(it.rows)))
    products = about.sells.products if control.path.endswith(".products") else {}
    there = {row[0].texts[0] for row in it.rows if row and row[0].texts}
    begins = tuple(Option(key, name) for key, name in products.items() if key not in there)
    return replace(made, rows=rows, begins=begins)


def _default(it: Field, about: About) -> str:
    """What holds where nothing is typed. A text that the theme does not say is translated on the brand's pages."""
    if it.control.declared.startswith("words"):
        return translations(about.locale).gettext(it.default) if it.default else ""
    return wording.plain(it.control, it.default)


def slug(name: str) -> str:
    """The id of an input with this name, behind `field-`."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")


def arranged(shown: Iterable[Asked]) -> tuple[Asked | Group, ...]:
    """A switch before those that need it, and the texts of one table under its title."""
    shown = list(shown)
    needed = {each.field.control.depends_on for each in shown} - {""}
    top: list[Any] = []
    held: dict[str, list[Any]] = {}
    switches: dict[str, Asked] = {}
    for each in shown:
        path, switch = each.field.control.path, each.field.control.depends_on
        around = held.get(switch, top)
        if path in needed:
            held[path], switches[path] = [], each
            around.append(path)
        elif each.field.control.declared.endswith("reasons_text"):
            around.append(("Your own words for the reasons", each))
        else:
            around.append(each)
    return _grouped(top, held, switches)


def _grouped(items: list[Any], held: dict[str, list[Any]], switches: dict[str, Asked]) -> tuple[Asked | Group, ...]:
    made: list[Asked | Group] = []
    titled: dict[str, list[Asked]] = {}
    for each in items:
        if isinstance(each, str):
            made.append(Group(switch=switches[each], items=_grouped(held[each], held, switches)))
        elif isinstance(each, tuple):
            titled.setdefault(each[0], []).append(each[1])
        else:
            made.append(each)
    return (*made, *(Group(title, items=tuple(each)) for title, each in titled.items()))


def groups_of(items: Iterable[Asked | Group]) -> Iterable[Group]:
    """Every group with a switch, the outer ones first; those of rows are their own."""
    for each in items:
        if isinstance(each, Group):
            if each.switch:
                yield each
            yield from groups_of(each.items)


def flat(items: Iterable[Asked | Group]) -> Iterable[Asked]:
    """Every control of a page, columns of rows included."""
    for each in items:
        if isinstance(each, Group):
            if each.switch:
                yield each.switch
            yield from flat(each.items)
        else:
            yield each
            for row in each.rows:
                yield from flat(row.columns)


def _row(it: Field, number: int, about: About) -> Row:
    fields, name = it.rows[number], f"{it.name}[{number}]"
    shown = [asked(each, about) for each in fields]
    if number:  # said once, above
        shown = [replace(each, hint="") for each in shown]
    first = fields[0].texts[0] if fields and fields[0].texts else ""
    title = {
        "features.subscription_update.products": about.sells.products.get(first, first or "A product"),
        "features.subscription_update.rules": f"Rule {number + 1}",
        "type.font": first or f"Font {number + 1}",
        "events.endpoints": first or "An endpoint",
    }.get(it.name, f"{number + 1}")
    is_last = number == len(it.rows) - 1
    is_open = len(it.rows) == 1 or (is_last and it.is_touched) or any(each.errors for each in shown)
    columns = arranged(shown)
    return Row(slug(name), name, number, title, _short(it, fields, about), columns, number == 0, is_last, is_open)


def _short(it: Field, fields: Sequence[Field], about: About) -> str:
    texts = {each.control.path: each.texts for each in fields}
    if it.name.endswith(".products"):
        count = len(texts["prices"])
        quantity = ""
        if texts["adjustable_quantity.enabled"] == ("on",):
            least, most = (texts[f"adjustable_quantity.{each}"] for each in ("minimum", "maximum"))
            quantity = f", quantity from {least[0] if least else 1}{f' to {most[0]}' if most else ''}"
        return f"{count} price{'' if count == 1 else 's'}{quantity}"
    if it.name.endswith(".rules"):
        names = about.sells.every
        sides = (", ".join(names.get(each, each) for each in texts[key]) or "…" for key in ("from", "to"))
        when = MEANINGS["features.subscription_update.rules[].when"].get((texts["when"] or ("",))[0], ("…", ""))[0]
        return f"{' to '.join(sides)}: {when.lower()}"
    if it.name == "events.endpoints":
        count = len(texts["types"])
        return "every event" if count == len(TYPES) else f"{count} kind{'' if count == 1 else 's'} of event"
    return ", ".join(text for key in ("weight", "style") for text in texts.get(key, ()))


def _options(it: Field, about: About) -> tuple[Option, ...]:
    control = it.control
    if control.kind in ("choice", "choices"):
        return _closed(control, it.texts)
    if control.kind == "locales":
        return _named(languages(), it.texts)
    if control.kind == "country":
        return _named(_countries(), it.texts)
    if control.kind == "timezone":
        return _named({each: each.replace("_", " ") for each in _zones()}, it.texts)
    if control.path in ("product", "prices", "from", "to"):
        return _picked(it, about)
    return ()


def _closed(control: Control, texts: Sequence[str]) -> tuple[Option, ...]:
    made = []
    for value in control.choices:
        label, hint = wording.value_label(control, value)
        is_default = control.kind == "choice" and str(control.default) == value
        made.append(Option(value, label, hint, value in texts, is_default))
    return (*made, *_unknown(texts, control.choices, "This is not possible here any more."))


def _picked(it: Field, about: About) -> tuple[Option, ...]:
    """By name and price; what is chosen comes first, in its order, since that is the order of the file."""
    row = {"product": about.products.get(it.name.rpartition(".")[0], "")}
    found = picks(it.control.path, row, about.sells, about.listed)
    if not found and not about.sells.products:
        return ()
    chosen = [Option(each, found[each], is_chosen=True) for each in it.texts if each in found]
    others = [Option(key, name) for key, name in found.items() if key not in it.texts]
    gone = _unknown(it.texts, found, "Not in the catalog any more.")
    in_order = {each.value: each for each in (*chosen, *gone)}
    return (*(in_order[each] for each in dict.fromkeys(it.texts)), *others)


def _unknown(texts: Iterable[str], known: Iterable[str], hint: str) -> tuple[Option, ...]:
    known = set(known)
    return tuple(
        Option(each, each, hint, is_chosen=True) for each in dict.fromkeys(texts) if each and each not in known
    )


def _named(names: Mapping[str, str], texts: Sequence[str]) -> tuple[Option, ...]:
    made = tuple(Option(key, name, "", key in texts) for key, name in names.items())
    return (*made, *_unknown(texts, names, "It is not in the list."))


@cache
def _countries() -> dict[str, str]:
    names = babel_locale("en").territories
    return dict(sorted(((code, names.get(code, code)) for code in postal.codes()), key=lambda each: each[1]))


@cache
def _zones() -> tuple[str, ...]:
    areas = r"(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)/.*"
    return ("UTC", *sorted(each for each in available_timezones() if re.fullmatch(areas, each)))


@cache
def languages() -> dict[str, str]:
    """To choose from; any other tag can be typed."""
    return {each: own_name(each) for each in _LANGUAGES if is_locale(each)}
