"""What Stripe's JSON looks like, read from the annotations of the installed SDK: nothing here knows a field by name.

`fields_of` lists the fields of one class, for `rendering`. `checked` holds a value against an annotation, at every
depth: an unknown field, a missing one or one of another type raises `Misfit` with its path. What a form brings is text;
with `form` it is also turned into the type that the annotation asks for.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import typing_extensions

from stripe import ListObject, SearchResultObject, StripeObject
from stripe._request_options import RequestOptions
from stripe._stripe_object import UntypedStripeObject

Check = Callable[[Any], Any]
_PAGE = {"object": str, "data": list, "has_more": bool, "url": str}
_OPTIONS = frozenset(RequestOptions.__annotations__)


class Misfit(Exception):
    """A value is not what the SDK's types say."""

    def __init__(self, problem: str, path: tuple[str, ...] = ()) -> None:
        self.problem, self.path = problem, path

    def __str__(self) -> str:
        return f"{'.'.join(self.path) or 'the object'}: {self.problem}"

    def under(self, key: str) -> Misfit:
        return Misfit(self.problem, (key, *self.path))


@dataclass(frozen=True)
class Field:
    """One field of an object: may it be null, and which objects are in it."""

    optional: bool
    many: Literal["", "list", "page", "map"]
    target: type[StripeObject] | None
    """The class of the object in it; None: a plain value."""
    by_id: bool
    """The id is sent unless the request expands the field."""


@cache
def names_of(module: str) -> dict[str, Any]:
    """What an annotation in this module may name, with what is imported for type checkers only."""
    names = dict(vars(importlib.import_module(module)))
    head = re.split(r"\n(?=@|class )", inspect.getsource(importlib.import_module(module)), maxsplit=1)[0]
    for node in ast.walk(ast.parse(head)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("stripe"):
            found = importlib.import_module(node.module or "")
            names |= {alias.asname or alias.name: getattr(found, alias.name) for alias in node.names}
    return names


def resolved(hint: Any, home: str) -> Any:
    """The annotation itself, where it was written as text."""
    if isinstance(hint, ForwardRef):
        hint = hint.__forward_arg__
    return eval(hint, names_of(home)) if isinstance(hint, str) else hint  # noqa: S307 - the SDK's own text


def _arms(hint: Any, home: str) -> list[Any]:
    """The members of a union, flat; a single hint is its own only arm."""
    hint = resolved(hint, home)
    if get_origin(hint) in (Union, types.UnionType):
        return [arm for part in get_args(hint) for arm in _arms(part, home)]
    return [hint]


@cache
def annotations_of(cls: type) -> dict[str, Any]:
    return {name: hint for name, hint in cls.__annotations__.items() if get_origin(hint) is not typing.ClassVar}


@cache
def fields_of(cls: type[StripeObject]) -> dict[str, Field]:
    return {name: _field(hint, cls.__module__) for name, hint in annotations_of(cls).items()}


def _field(hint: Any, home: str) -> Field:
    arms = _arms(hint, home)
    optional, by_id = type(None) in arms, str in arms
    for arm in arms:
        origin, inner = get_origin(arm), get_args(arm)
        if origin is UntypedStripeObject and _is_object(resolved(inner[0], home)):
            return Field(optional, "map", None, False)
        if origin is list or origin in (ListObject, SearchResultObject):
            within = _field(inner[0], home)
            return Field(optional, "list" if origin is list else "page", within.target, within.by_id)
    targets = [arm for arm in arms if _is_object(arm)]
    return Field(optional, "", targets[0] if targets else None, by_id)


def _is_object(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, StripeObject) and hint is not UntypedStripeObject


def checked(value: Any, hint: Any, home: str, *, form: bool = False) -> Any:
    """The value, of the type that the hint says. Raises `Misfit`."""
    return _check(hint, home, form)(value)


@cache
def _of_class(cls: type, form: bool) -> Check:
    """Compiled when it is first used: the classes name each other in circles."""
    compiled: list[Check] = []

    def check(value: Any) -> Any:
        if not compiled:
            compiled.append(_of_params(cls) if typing_extensions.is_typeddict(cls) else _of_object(cls))
        return compiled[0](value)

    return check


def _check(hint: Any, home: str, form: bool) -> Check:  # noqa: PLR0911 - a table of kinds
    arms = _arms(hint, home)
    if len(arms) > 1:
        null = type(None)
        return _of_union([_check(arm, home, form) for arm in arms if arm is not null], null in arms)
    hint = arms[0]
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return _of_literal(inner, form)
    if origin is list:
        return _of_list(_check(inner[0], home, form))
    if origin in (dict, UntypedStripeObject):
        return _of_dict(_check(inner[-1], home, form))
    if origin in (ListObject, SearchResultObject):
        return _of_page(_check(inner[0], home, form))
    if hint is Any:
        return lambda value: value
    if _is_object(hint) or typing_extensions.is_typeddict(hint):
        return _of_class(hint, form)
    if hint in (UntypedStripeObject, dict, dict[str, Any]):
        return _of_dict(lambda value: value)
    return _of_plain(hint, form)


def _of_union(checks: list[Check], may_be_null: bool) -> Check:
    def check(value: Any) -> Any:
        if value is None and may_be_null:
            return None
        closest: Misfit | None = None
        for each in checks:
            try:
                return each(value)
            except Misfit as misfit:
                if closest is None or len(misfit.path) > len(closest.path):
                    closest = misfit
        raise closest or Misfit("nothing is allowed here")

    return check


def _of_literal(allowed: tuple[Any, ...], form: bool) -> Check:
    known = frozenset(allowed)

    def check(value: Any) -> Any:
        if form and value == "true" and True in known:
            return True
        if isinstance(value, (str, bool, int)) and value in known:
            return value
        raise Misfit(f"is {value!r}; allowed is one of {', '.join(map(repr, allowed[:8]))}")

    return check


def _of_list(check_item: Check) -> Check:
    def check(value: Any) -> Any:
        if not isinstance(value, list):
            raise Misfit(f"is {_kind(value)}; it must be a list")
        return [_at(str(index), check_item, item) for index, item in enumerate(value)]

    return check


def _of_dict(check_item: Check) -> Check:
    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Misfit(f"is {_kind(value)}; it must be a hash")
        return {key: _at(key, check_item, item) for key, item in value.items()}

    return check


def _of_page(check_item: Check) -> Check:
    data = _of_list(check_item)

    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Misfit(f"is {_kind(value)}; it must be a list object")
        for key, kind in _PAGE.items():
            if not isinstance(value.get(key), kind):
                raise Misfit(f"is {_kind(value.get(key))}; it must be {kind.__name__}", (key,))
        if unknown := set(value) - {*_PAGE, "next_page", "total_count"}:
            raise Misfit("is not known", (min(unknown),))
        return {**value, "data": _at("data", data, value["data"])}

    return check


def _of_params(cls: Any) -> Check:
    hints = {name: hint for name, hint in cls.__annotations__.items() if name not in _OPTIONS}
    checks = {name: _check(_bare(hint), cls.__module__, True) for name, hint in hints.items()}
    required = {name for name, hint in hints.items() if get_origin(hint) is not typing_extensions.NotRequired}

    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Misfit(f"is {_kind(value)}; it must be a hash")
        return _hash(value, checks, required)

    return check


def _bare(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is typing_extensions.NotRequired else hint


def _of_object(cls: type) -> Check:
    hints = annotations_of(cls)
    checks = {name: _check(hint, cls.__module__, False) for name, hint in hints.items()}
    required = {name for name, field in fields_of(cls).items() if not field.optional}

    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Misfit(f"is {_kind(value)}; it must be a {cls.__name__}")
        currency = value.get("currency")
        if isinstance(currency, str) and not currency.islower():  # the type says no more than that it is text
            raise Misfit(f"is {currency!r}; it must be in small letters", ("currency",))
        named = getattr(cls, "OBJECT_NAME", None)
        if named and value.get("object") != named:
            raise Misfit(f"is {value.get('object')!r}; it must be {named!r}", ("object",))
        return _hash(value, checks, {"id", "object"} if value.get("deleted") and "deleted" in checks else required)

    return check


def _hash(value: dict[str, Any], checks: dict[str, Check], required: set[str]) -> dict[str, Any]:
    if missing := required - value.keys():
        raise Misfit("is missing", (min(missing),))
    if unknown := value.keys() - checks.keys():
        raise Misfit("is not known", (min(unknown),))
    return {key: _at(key, checks[key], item) for key, item in value.items()}


def _of_plain(hint: Any, form: bool) -> Check:
    def check(value: Any) -> Any:
        fitting = _from_form(value, hint) if form else value
        if hint is Decimal and isinstance(fitting, str):
            return fitting
        if isinstance(fitting, bool) != (hint is bool) or not isinstance(
            fitting, (int, float) if hint is float else hint
        ):
            raise Misfit(f"is {_kind(value)}; it must be {'null' if hint is type(None) else hint.__name__}")
        return fitting

    return check


def _from_form(value: Any, hint: Any) -> Any:
    """The value of a form's text, or the text itself where it is none of that type."""
    if not isinstance(value, str) or hint is str:
        return value
    if hint is bool:
        return {"true": True, "false": False}.get(value, value)
    try:
        if hint is Decimal:
            return str(Decimal(value))
        return hint(value) if hint in (int, float) else value
    except (ValueError, InvalidOperation):
        return value


def _at(key: str, check: Check, value: Any) -> Any:
    try:
        return check(value)
    except Misfit as misfit:
        raise misfit.under(key) from None


def _kind(value: Any) -> str:
    if isinstance(value, (str, int, float)):
        return repr(value)[:80]
    return {dict: "a hash", list: "a list", type(None): "null"}.get(type(value), type(value).__name__)
