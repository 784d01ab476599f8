"""The structs that declare the keys of a file: read from a table, strictly, and walked over key by key.

    read(PortalConfig, table)   ->  a PortalConfig; what is wrong is noted in the table's list of mistakes
    entries(PortalConfig)       ->  every key that there is: its path, its declaration, its default, Stripe's path

A field of such a struct has a `Key` in its annotation, or its type is such a struct: then it is a table, or, as a tuple,
a list of tables. A field without either is refused when the struct is first used, so no key can go undeclared.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar, cast, get_args, get_origin

import msgspec
from msgspec.structs import replace

from server.brands.reading.keys import Key, Section
from server.brands.reading.tables import Table


class Keys(msgspec.Struct, frozen=True):
    """One table of a file. Its fields declare the keys."""

    def check(self, table: Table) -> None:
        """Refuses what fits each key alone and does not fit together."""


AnyKeys = TypeVar("AnyKeys", bound=Keys)


class Field(msgspec.Struct, frozen=True):
    name: str
    written: str
    """The name in the file, which is another one where Python keeps the word for itself (`from`)."""
    key: Key
    default: Any
    below: type[Keys] | None
    is_list: bool


class Entry(msgspec.Struct, frozen=True):
    """One key, as the reference, `config import`, an API or a form needs it."""

    path: str
    """Such as `features.subscription_update.products[].product`; `[]` for each table of a list, `<tag>` for a language."""
    key: Key
    default: Any
    stripe: str
    """Its path in Stripe's `billing_portal.configuration`; empty where Stripe has no such key."""
    below: type[Keys] | None = None
    """The struct of the keys below it, where it is a table."""


@cache
def fields(kind: type[Keys]) -> tuple[Field, ...]:
    """The declared keys of one table, in their order."""
    return tuple(_field(kind, each) for each in msgspec.structs.fields(kind))


def _field(kind: type[Keys], info: msgspec.structs.FieldInfo) -> Field:
    annotation, *extras = get_args(info.type) if hasattr(info.type, "__metadata__") else (info.type,)
    is_list = get_origin(annotation) is tuple
    inner = get_args(annotation)[0] if is_list else annotation
    below = inner if isinstance(inner, type) and issubclass(inner, Keys) else None
    key = next((each for each in extras if isinstance(each, Key)), Section("") if below else None)
    if key is None:
        raise TypeError(f"{kind.__name__}.{info.name} has no Key in its annotation")
    if isinstance(key, Section):
        key = replace(key, of=key.of or below or kind, is_list=is_list)
    if info.default_factory is not msgspec.NODEFAULT:
        default = info.default_factory()
    else:
        default = key.blank if info.default is msgspec.NODEFAULT else info.default
    return Field(info.name, info.encode_name, key, default, below, is_list and below is not None)


def read(kind: type[AnyKeys], table: Table) -> AnyKeys:
    """The table as a struct, to be used only where no mistake was noted."""
    is_empty = not any(values for _, values in table.layers)
    if is_empty and kind in _OF_NOTHING:
        return cast("AnyKeys", _OF_NOTHING[kind])
    mistakes_before = len(table.mistakes)
    values: dict[str, Any] = {}
    for field in fields(kind):
        if field.below is None:
            default = values[field.key.like] if field.key.like else field.default
            values[field.name] = field.key.read(table, field.written, default)
        elif field.is_list:
            values[field.name] = tuple(read(field.below, each) for each in table.tables(field.written))
        elif field.below in _OF_NOTHING and field.written not in table:
            table.ask([field.written])
            values[field.name] = _OF_NOTHING[field.below]
        else:
            values[field.name] = read(field.below, table.table(field.written))
    table.close()
    made = kind(**values)
    made.check(table)
    if is_empty and len(table.mistakes) == mistakes_before:
        _OF_NOTHING[kind] = made
    return made


_OF_NOTHING: dict[type[Keys], Keys] = {}
"""What is read from a table that is not there, which most are."""


def given(kind: type[Keys], table: Table, *, per_language: bool = False) -> dict[str, Any]:
    """The keys that the table has, without any default; with `per_language`, only those that a language may have."""
    chosen = [each for each in fields(kind) if each.key.per_language or not per_language]
    table.ask(each.written for each in chosen)
    there = [each for each in chosen if each.key.required or each.written in table]
    values = {each.name: each.key.read(table, each.written, each.default) for each in there}
    return {each.name: values[each.name] for each in there if each.written in table}


def entries(kind: type[Keys], path: str = "", stripe: str = "") -> Iterator[Entry]:
    """Every key of a file and of the tables in it, each table before its keys."""
    for field in fields(kind):
        here = f"{path}{field.written}{'[]' if field.is_list else ''}"
        named = f"{stripe}.{here.rpartition('.')[2]}" if stripe and not field.key.own else ""
        theirs = field.key.stripe or named
        below = field.key.of if isinstance(field.key, Section) else None
        yield Entry(here, field.key, field.default, theirs, below)
        if below and below is not kind:
            yield from entries(below, f"{here}.", theirs)
