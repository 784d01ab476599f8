"""Which control of a form sets which key: derived from the declaration of the key, which the strict reader reads too.

    controls(PORTAL_FILE, tags=("de",))   ->  a `Control` for every key of `portal.toml` that can be set

A list of tables, such as `features.subscription_update.products`, is one control with a `columns` for each key of its
rows. A table with a text for some of a closed set of words, such as `reasons_text`, is a control for each word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from server.brands.dunning import Days
from server.brands.locales import ByLanguage, Locales
from server.brands.reading.declared import Entry, Keys, entries, fields
from server.brands.reading.keys import Flag, Ids, ListOf, Number, OneOf, SomeOf, Text, Texts, Whole
from server.brands.reference import FILES
from server.brands.theme_keys import Color, FontFile, PictureFile, StylesFile
from server.brands.words import OwnWords, Word
from server.publishing.brand_files import file_of

_KINDS = (
    (Flag, "switch"),
    (OneOf, "choice"),
    (SomeOf, "choices"),
    (Locales, "locales"),
    (Ids, "ids"),
    ((ListOf, Days), "list"),
    ((Whole, Number), "number"),
    (Color, "color"),
    (PictureFile, "image"),
    (FontFile, "font"),
    (StylesFile, "styles"),
)
_LONG = 120
"""A text that may have more characters than this gets more than one line."""


class Control(msgspec.Struct, frozen=True):
    """One key, as a form asks for it."""

    path: str
    """The key in its file, such as `business.de.headline`; of a column, in its row: `adjustable_quantity.enabled`."""
    declared: str
    """The key in the reference: `business.<tag>.headline`, `features.subscription_update.products[].prices`."""
    label: str
    kind: str
    """`switch`, `choice` (one of `choices`), `choices` (some of them), `locales`, `ids`, `list` (texts, one a line),
    `number`, `color`, `image`, `font`, `styles` (a file of the folder), `text`, `long_text`, `url`, `email`, `tel`,
    `country`, `timezone` or `rows`."""
    about: str
    """The sentence that explains it; names of keys and values are in `backticks`."""
    allowed: str
    default: Any = None
    """What holds where the key is left out, as the file would have it; None: nothing. Of a text of `[words]` it is the
    English one, which a page in another language translates."""
    like: str = ""
    """The path of the key whose value holds where this one is left out; empty: there is none."""
    left_out: str = ""
    """The same in words, where the default alone does not tell."""
    choices: tuple[str, ...] = ()
    limit: int = 0
    """The most characters; 0: no limit is declared."""
    bounds: tuple[float, float] | None = None
    required: bool = False
    may_be_empty: bool = False
    """Whether an empty value says something else than leaving the key out: the form asks with `empty:<path>`."""
    depends_on: str = ""
    """The path of the switch that must be on for this key to matter; empty: it always does."""
    tag: str = ""
    """The language that the text is in; empty: the brand's first language, or no text."""
    columns: tuple[Control, ...] = ()
    """The keys of each row, of a control of kind `rows`."""

    @property
    def file(self) -> str:
        return file_of(self.path)


def controls(file: str, tags: Iterable[str] = (), *, within: str = "") -> tuple[Control, ...]:
    """The controls of a file, in the order of its declarations.

    `tags`: the languages that have texts of their own, without the brand's first. `within`: only the keys of this table,
    such as `features.subscription_cancel` or `words.de`.
    """
    made = _controls(tuple(entries(FILES[file])), tuple(dict.fromkeys(tags)))
    return tuple(each for each in made if not within or f"{each.path}.".startswith(f"{within}."))


def tags_of(values: dict[str, Any], locales: Iterable[str]) -> tuple[str, ...]:
    """The languages that need controls: those of `locales` without the first, and those whose texts a file holds."""
    held = [key for table in ("business", "words") for key in _tables_of(values.get(table))]
    return tuple(dict.fromkeys([*list(locales)[1:], *(key for key in held if re.fullmatch(_TAG, key))]))


_TAG = r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?"


def _tables_of(value: Any) -> list[str]:
    return [key for key, each in value.items() if isinstance(each, dict)] if isinstance(value, dict) else []


def _controls(found: tuple[Entry, ...], tags: tuple[str, ...]) -> Iterator[Control]:
    switches = _switches(found)
    for entry in found:
        if entry.path.endswith("[]"):
            below = tuple(each for each in found if each.path.startswith(f"{entry.path}.") and not each.below)
            yield _rows(entry, below, switches)
        elif "[]." not in entry.path:
            yield from _of(entry, tags, switches)


def _switches(found: Iterable[Entry]) -> frozenset[str]:
    """The paths of each `enabled` that the other keys of its table need. Where these take it over (`like`), they do not."""
    taken_over = {f"{each.path.rpartition('.')[0]}.{each.key.like}" for each in found if each.key.like}
    flags = (each.path for each in found if isinstance(each.key, Flag) and each.path.endswith(".enabled"))
    return frozenset(flags) - taken_over


def _rows(entry: Entry, below: tuple[Entry, ...], switches: frozenset[str]) -> Control:
    own = frozenset(each.removeprefix(f"{entry.path}.") for each in _switches(below))
    columns = [
        _control(each, each.path.removeprefix(f"{entry.path}."), declared=each.path, switches=own) for each in below
    ]
    return _control(entry, entry.path.removesuffix("[]"), kind="rows", columns=tuple(columns), switches=switches)


def _of(entry: Entry, tags: tuple[str, ...], switches: frozenset[str]) -> Iterator[Control]:
    key = entry.key
    if isinstance(key, ByLanguage):
        for tag in tags:
            for field in (each for each in fields(key.of) if each.key.per_language):
                below = Entry(entry.path.replace("<tag>", tag) + f".{field.written}", field.key, "", "")
                yield _control(below, below.path, tag=tag, declared=f"{entry.path}.{field.written}")
    elif isinstance(key, Texts):
        for word in key.among:
            text = Text(key.about, limit=key.limit)
            below = Entry(f"{entry.path}.{word}", text, "", "")
            yield _control(below, below.path, switches=switches, declared=entry.path)
    elif isinstance(key, OwnWords):
        for tag in tags:
            for field in fields(key.of):
                below = Entry(f"{entry.path}.{tag}.{field.written}", field.key, field.default, "")
                yield _control(below, below.path, tag=tag, declared=f"{entry.path}.{field.written}")
    elif not entry.below:
        yield _control(entry, entry.path, switches=switches)


def _control(
    entry: Entry, path: str, *, kind: str = "", switches: frozenset[str] = frozenset(), declared: str = "", **more: Any
) -> Control:
    key = entry.key
    default = _plain(entry.default)
    return Control(
        path=path,
        declared=declared or entry.path,
        label=_label(path),
        kind=kind or _kind(entry),
        about=key.about,
        allowed=key.allowed,
        default=default,
        like=f"{path.rpartition('.')[0]}.{key.like}" if key.like else "",
        left_out=key.left_out,
        choices=tuple(map(str, key.among)),
        limit=key.limit,
        bounds=key.bounds if isinstance(key, Whole | Number) else None,
        required=key.required,
        may_be_empty=not kind and _may_be_empty(entry, default),
        depends_on=_switch_above(path, switches),
        **more,
    )


def _kind(entry: Entry) -> str:
    if entry.key.asked_as:
        return entry.key.asked_as
    kind = next((name for kinds, name in _KINDS if isinstance(entry.key, kinds)), "")
    return kind or ("long_text" if isinstance(entry.key, Text) and _LONG < entry.key.limit <= 1000 else "text")


def _may_be_empty(entry: Entry, default: Any) -> bool:
    """Where nothing is typed into the control, the key is left out. An empty value is something else for a text that a
    page may do without, and for a list whose default is not empty."""
    key = entry.key
    if isinstance(key, Word):
        return key.may_be_empty
    return key.type == "array" and not isinstance(key, SomeOf | Locales) and bool(default)


def _switch_above(path: str, switches: frozenset[str]) -> str:
    """The nearest `enabled` of the tables around a key."""
    above = path
    while "." in above:
        above = above.rpartition(".")[0]
        if (switch := f"{above}.enabled") in switches and switch != path:
            return switch
    return ""


def _label(path: str) -> str:
    words = path.rpartition(".")[2].replace("_", " ")
    for short, whole in (("url", "URL"), ("id", "ID"), ("iban", "IBAN"), ("bic", "BIC")):
        words = re.sub(rf"\b{short}\b", whole, words)
    return words[:1].upper() + words[1:]


def _plain(value: Any) -> Any:
    """A default as a TOML file would have it."""
    if isinstance(value, tuple):
        return [] if any(isinstance(each, Keys) for each in value) else list(value)
    return value if isinstance(value, str | bool | int | float) and value != "" else None
