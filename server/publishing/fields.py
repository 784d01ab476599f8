"""The structs that templates read, with the sentence under each field: the designers' reference, read from the source.

A docstring under a field is thrown away when Python compiles the class, so the source is parsed.
"""

from __future__ import annotations

import ast
import inspect
import types
import typing
from collections.abc import Iterable, Iterator
from functools import lru_cache

import msgspec


class Field(msgspec.Struct, frozen=True):
    name: str
    type: str
    """As the source writes it."""
    default: str
    """As the source writes it; empty: it must be given."""
    about: str


def label(kind: type) -> str:
    """A short name that is the kind's alone, such as `invoices.List`."""
    return f"{kind.__module__.removeprefix('server.').removesuffix('.views')}.{kind.__name__}"


def fields_of(kind: type[msgspec.Struct]) -> list[Field]:
    """The fields of a struct in their order, those of its bases first, then its properties."""
    found: dict[str, Field] = {}
    for each in reversed(kind.__mro__):
        if each.__module__.startswith("server."):
            found |= {field.name: field for field in _written(each)}
    return list(found.values())


def reachable(kinds: Iterable[type]) -> list[type[msgspec.Struct]]:
    """The structs among these and in their fields, however deep, each once and sorted by name."""
    seen: dict[type[msgspec.Struct], None] = {}
    waiting = list(kinds)
    while waiting:
        kind = waiting.pop()
        if kind not in seen:
            seen[kind] = None
            waiting += [inner for hint in typing.get_type_hints(kind).values() for inner in _structs(hint)]
    return sorted(seen, key=lambda each: (each.__name__, each.__module__))


def _structs(hint: object) -> Iterator[type[msgspec.Struct]]:
    if isinstance(hint, type) and not isinstance(hint, types.GenericAlias) and issubclass(hint, msgspec.Struct):
        yield hint
    for inner in typing.get_args(hint):
        yield from _structs(inner)


@lru_cache(maxsize=256)
def _written(kind: type) -> tuple[Field, ...]:
    tree = ast.parse(inspect.getsource(kind)).body[0]
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    found = []
    for statement, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            written = ast.unparse(statement.annotation)
            if not written.startswith("ClassVar"):
                default = ast.unparse(statement.value) if statement.value else ""
                found.append(Field(statement.target.id, written, default, _sentence(after)))
        elif isinstance(statement, ast.FunctionDef) and any(
            ast.unparse(d) == "property" for d in statement.decorator_list
        ):
            written = ast.unparse(statement.returns) if statement.returns else ""
            found.append(Field(statement.name, written, "worked out", ast.get_docstring(statement) or ""))
    return tuple(found)


def _sentence(statement: ast.stmt | None) -> str:
    """The text, if the statement is nothing but a text."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    return inspect.cleandoc(value.value) if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
