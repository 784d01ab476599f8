"""The parameters of a request, read strictly by their declaration: the same structs and the same reader as `portal.toml`.

A form brings text; `typed` turns it into what each declaration takes. Then `read` refuses an unknown parameter at every
depth, a missing one and one that is not allowed, and the first such mistake becomes Stripe's error with its `param`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, TypeVar

from server.brands.reading import declared
from server.brands.reading.declared import Field, Keys
from server.brands.reading.keys import Flag, Key, ListOf, Number, Pattern, Whole
from server.brands.reading.mistakes import Mistake
from server.brands.reading.tables import MISSING, UNKNOWN, Document, Table
from server.features.api.errors import ApiError

AnyKeys = TypeVar("AnyKeys", bound=Keys)
MOST_METADATA = 50


class TextMap(Key, frozen=True):
    """Stripe's `metadata`: texts by names of one's own."""

    type: ClassVar[str] = "object"

    @property
    def allowed(self) -> str:
        return f"at most {MOST_METADATA} texts of at most 500 characters, each under a name of at most 40"

    def accept(self, value: Any) -> dict[str, str]:
        if isinstance(value, dict) and len(value) <= MOST_METADATA:
            texts = all(isinstance(each, str) and len(each) <= 500 for each in value.values())
            if texts and all(0 < len(name) <= 40 for name in value):
                return dict(value)
        raise ValueError(self.allowed)


class Page(Keys, frozen=True):
    """What every list takes."""

    limit: Annotated[int, Whole("how many objects the page has at most", bounds=(1, 100))] = 10
    starting_after: Annotated[
        str, Pattern("the id of the object before the page", pattern=r"\w{1,255}", shape="an id")
    ] = ""
    ending_before: Annotated[
        str, Pattern("the id of the object after the page", pattern=r"\w{1,255}", shape="an id")
    ] = ""


def read(kind: type[AnyKeys], values: dict[str, Any]) -> AnyKeys:
    """The parameters as a struct. Raises `ApiError` for the first that is wrong."""
    return checked(kind, typed(kind, values))


def checked(kind: type[AnyKeys], values: dict[str, Any], at: tuple[str, ...] = ()) -> AnyKeys:
    """The same for values that are typed already; `at`: where they stand among the parameters."""
    mistakes: list[Mistake] = []
    made = declared.read(kind, Table([(Document.of(values), values)], mistakes))
    if mistakes:
        raise refused(mistakes[0], at)
    return made


_OF_TOML = {
    r"tables, each under \[\[.*\]\]": "a list of hashes",
    r"a table( \[\w+\])?": "a hash",
    "a text in quotes": "a text",
}


def _in_a_form(words: str) -> str:
    """What the reader calls by the names of a file."""
    return next((said for toml, said in _OF_TOML.items() if re.fullmatch(toml, words)), words)


def refused(mistake: Mistake, at: tuple[str, ...] = ()) -> ApiError:
    """A mistake of the strict reader in Stripe's words."""
    names = [*at, *re.findall(r"[^.\[\]]+", mistake.key)]
    param = names[0] + "".join(f"[{each}]" for each in names[1:])
    if mistake.found == UNKNOWN:
        return ApiError(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)
    if mistake.found == MISSING:
        return ApiError(f"Missing required param: {param}.", code="parameter_missing", param=param)
    words = f"Invalid {param}: found {_in_a_form(mistake.found)}; allowed: {_in_a_form(mistake.allowed)}"
    return ApiError(words, code="parameter_invalid", param=param)


def typed(kind: type[Keys], values: dict[str, Any]) -> dict[str, Any]:
    """The texts of a form as what the declarations take; what does not fit stays as it is, to be refused by its name.
    An empty text is None: the parameter is as good as left out, or taken away. Only a flag has nothing to take away, and what is
    on where nothing is said must not come on by that."""
    by_name = {each.written: each for each in declared.fields(kind)}
    return {name: _typed(by_name.get(name), value) for name, value in values.items()}


def _typed(field: Field | None, value: Any) -> Any:
    if field is None:
        return value
    if value == "" and not isinstance(field.key, Flag):
        return ([] if field.is_list else {}) if field.below else None
    if isinstance(field.key, ListOf) or field.is_list:
        value = _listed(value)
        if field.below and isinstance(value, list):
            return [typed(field.below, each) if isinstance(each, dict) else each for each in value]
        return value
    if field.below:
        return typed(field.below, value) if isinstance(value, dict) else value
    return _plain(field, value)


def _plain(field: Field, value: Any) -> Any:
    if isinstance(field.key, Flag) and value in ("true", "false"):
        return value == "true"
    if isinstance(field.key, Whole | Number) and isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    return value


def _listed(value: Any) -> Any:
    """A hash by numbers as the list that it stands for."""
    if isinstance(value, dict) and all(key.isascii() and key.isdecimal() and len(key) < 6 for key in value):
        return [value[key] for key in sorted(value, key=int)]
    return value
