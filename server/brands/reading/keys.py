"""What a key of `theme.toml` or `portal.toml` may hold. The field of a struct declares it, once, in its annotation:

    max_cycles: Annotated[int, Whole("the longest pause, in billing periods", bounds=(1, 12))] = 3

The strict reader, the reference in `themes/README.md` and `config import` read that declaration; `declared.py` walks over
all of them. A kind of value is a class: it says what is allowed in words and takes a value or refuses it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from server.brands.reading.mistakes import nearest, shown
from server.brands.reading.tables import Table

ID = r"[A-Za-z0-9_.:-]{1,200}"
ID_SHAPE = "an id: letters, digits, _ - . : without spaces"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


class Key(msgspec.Struct, frozen=True):
    about: str
    """The sentence that explains the key, for the merchant or the designer who sets it."""
    required: bool = False
    example: str = ""
    """A value to begin with, where the default shows none."""
    left_out: str = ""
    """What holds without the key, where the default alone does not tell."""
    like: str = ""
    """The field beside it whose value this one takes over where its key is left out."""
    per_language: bool = False
    """Whether the table of another language, such as `[business.de]`, may say it too."""
    stripe: str = ""
    """Its path in Stripe's `billing_portal.configuration`, where that is not the path of the table and the name."""
    own: bool = False
    """Whether it is Postern's own, in a table that Stripe's configuration has too."""
    among: tuple[str | int, ...] = ()
    """The values that it may have, where they are a closed set."""
    limit: int = 0
    """The most characters of a text."""
    bounds: tuple[float, float] = (0, 0)
    """The least and the largest number."""
    asked_as: str = ""
    """How a form asks for it, where its kind alone does not tell: `url`, `email`, `tel`, `country`, `timezone`."""

    type: ClassVar[str] = "string"
    """The kind of value, in the words of JSON Schema."""
    blank: ClassVar[Any] = ""
    """What a required key counts as while it is missing; no brand is made of that."""

    @property
    def allowed(self) -> str:
        """What it may hold, in words."""
        raise NotImplementedError

    def accept(self, value: Any) -> Any:
        """The value to use. Raises `ValueError` with what is allowed."""
        raise NotImplementedError

    def read(self, table: Table, name: str, default: Any) -> Any:
        """The value of this key in a table; a mistake is noted there, and the default returned."""
        value = table.get(name)
        if value is None:
            if self.required:
                table.missing(name, f"{self.allowed}; it is required")
            return default
        try:
            return self.accept(value)
        except ValueError as error:
            table.refuse(name, shown(value), str(error))
            return default


class Flag(Key, frozen=True):
    type: ClassVar[str] = "boolean"

    @property
    def allowed(self) -> str:
        return "true or false"

    def accept(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        raise ValueError(self.allowed)


class Text(Key, frozen=True):
    """One line of text; spaces around it are dropped. A required one is not empty."""

    limit: int = 200

    @property
    def allowed(self) -> str:
        return f"a text of at most {self.limit} characters"

    def accept(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError("a text in quotes")  # noqa: TRY004 (a mistake in a file is a `ValueError`)
        if self.required and not value.strip():
            raise ValueError("a text that is not empty")
        if len(value) > self.limit:
            raise ValueError(f"at most {self.limit} characters")
        if _CONTROL.search(value):
            raise ValueError("one line of text without control characters")
        return value.strip()


class Shaped(Text, frozen=True):
    """A text that has a certain form, such as a URL. Empty is as good as left out."""

    check: Callable[[str], str] = str
    """Returns the text to use, or raises `ValueError` with what is allowed."""
    shape: str = ""
    """That form, in words."""
    limit: int = 2000

    @property
    def allowed(self) -> str:
        return self.shape

    def accept(self, value: Any) -> str:
        text = super().accept(value)
        return self.check(text) if text else ""

    def read(self, table: Table, name: str, default: Any) -> Any:
        return super().read(table, name, default) or default


class Pattern(Key, frozen=True):
    """A text that fits a regular expression from its beginning to its end."""

    pattern: str = ""
    shape: str = ""
    """What that pattern asks for, in words."""

    @property
    def allowed(self) -> str:
        return self.shape

    def accept(self, value: Any) -> str:
        if isinstance(value, str) and re.fullmatch(self.pattern, value):
            return value
        raise ValueError(self.allowed)


class OneOf(Key, frozen=True):
    @property
    def allowed(self) -> str:
        return ", ".join(map(str, self.among))

    def accept(self, value: Any) -> Any:
        if isinstance(value, str) and value in self.among:
            return value
        raise ValueError(nearest(value if isinstance(value, str) else "", map(str, self.among)))


class OneNumberOf(OneOf, frozen=True):
    type: ClassVar[str] = "integer"

    def accept(self, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool) and value in self.among:
            return value
        raise ValueError(self.allowed)


class Number(Key, frozen=True):
    type: ClassVar[str] = "number"

    @property
    def allowed(self) -> str:
        return f"a number from {self.bounds[0]:g} to {self.bounds[1]:g}"

    def accept(self, value: Any) -> float:
        low, high = self.bounds
        if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
            return float(value)
        raise ValueError(self.allowed)


class Whole(Key, frozen=True):
    type: ClassVar[str] = "integer"

    @property
    def allowed(self) -> str:
        return f"a whole number from {self.bounds[0]:.0f} to {self.bounds[1]:.0f}"

    def accept(self, value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and self.bounds[0] <= value <= self.bounds[1]:
            return value
        raise ValueError(self.allowed)


class ListOf(Key, frozen=True):
    """A list of different texts."""

    least: int = 0
    """How many it holds at least."""
    shape: str = ""
    """What each of them is, in words."""

    type: ClassVar[str] = "array"
    blank: ClassVar[Any] = ()

    @property
    def allowed(self) -> str:
        return f"a list of texts, each {self.shape}"

    def accept_one(self, value: Any) -> str:
        """One text of the list. Raises `ValueError` with what is allowed."""
        raise NotImplementedError

    def accept(self, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValueError("a list of texts")  # noqa: TRY004 (as above)
        if len(value) < self.least:
            raise ValueError(f"at least one: {self.shape}")
        return value

    def read(self, table: Table, name: str, default: Any) -> Any:
        found = super().read(table, name, default)
        if not isinstance(found, list):
            return found
        for position, each in enumerate(found):
            try:
                self.accept_one(each)
            except ValueError as error:
                table.refuse(name, shown(each), str(error), position)
            else:
                if each in found[:position]:
                    table.refuse(name, f"{shown(each)} twice", "each only once", position)
        return tuple(each for each in found if isinstance(each, str))


class SomeOf(ListOf, frozen=True):
    """Some of a closed set of words."""

    @property
    def allowed(self) -> str:
        return f"a list of some of {', '.join(map(str, self.among))}"

    def accept_one(self, value: Any) -> str:
        if isinstance(value, str) and value in self.among:
            return value
        raise ValueError(nearest(value if isinstance(value, str) else "", map(str, self.among)))


class Ids(ListOf, frozen=True):
    """A list of ids. A single one needs no brackets."""

    least: int = 1
    shape: str = ID_SHAPE

    @property
    def allowed(self) -> str:
        return "an id or a list of ids"

    def accept(self, value: Any) -> list[Any]:
        if isinstance(value, str):
            return [self.accept_one(value)]
        return super().accept(value)

    def accept_one(self, value: Any) -> str:
        if isinstance(value, str) and re.fullmatch(ID, value):
            return value
        raise ValueError(self.shape)


class Texts(Text, frozen=True):
    """A table with a text for some of a closed set of words."""

    type: ClassVar[str] = "object"

    @property
    def allowed(self) -> str:
        return f"a table: {' or '.join(map(str, self.among))} = a text of at most {self.limit} characters"

    def read(self, table: Table, name: str, default: Any) -> Any:  # noqa: ARG002 (a `Key` is asked so)
        below, text = table.table(name), Text(self.about, required=True, limit=self.limit)
        words = [str(each) for each in self.among if below.get(str(each)) is not None]
        texts = {word: text.read(below, word, "") for word in words}
        below.close()
        return {word: written for word, written in texts.items() if written}


class Section(Key, frozen=True):
    """A table, or a list of tables."""

    of: Any = None
    """The struct that declares its keys; left out, it is the type of the field, or else the struct around the field."""
    is_list: bool = False

    type: ClassVar[str] = "object"

    @property
    def allowed(self) -> str:
        return "any number of tables" if self.is_list else "a table"
