"""Which function answers which request: `@serves("post", "/v1/invoices/{}/pay")` above it. The path must be one of the SDK's."""

from __future__ import annotations

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from tests.stripe import resources
from tests.stripe.operations import Operation, operations
from tests.stripe.world import Json, World


@dataclass(frozen=True)
class Call:
    """One request, after it was checked."""

    world: World
    ids: tuple[str, ...]
    """From the path."""
    params: Json
    tree: Json
    """What `expand` names."""


Handler = Callable[[Call], Json]
"""Answers a stored dict, or a page of stored dicts: `rendering` makes the answer of it."""
_HANDLERS: dict[tuple[str, str], Handler] = {}


def serves(verb: str, path: str) -> Callable[[Handler], Handler]:
    if (verb, path) not in operations():
        raise KeyError(f"{verb} {path}: the SDK has no such request")

    def register(handler: Handler) -> Handler:
        _HANDLERS[verb, path] = handler
        return handler

    return register


@cache
def _load() -> None:
    for module in pkgutil.iter_modules(resources.__path__):
        importlib.import_module(f"{resources.__name__}.{module.name}")


@cache
def _by_length() -> dict[tuple[str, int], list[tuple[tuple[str, str], list[str]]]]:
    """The operations by their verb and how many parts their path has."""
    _load()
    found: dict[tuple[str, int], list[tuple[tuple[str, str], list[str]]]] = defaultdict(list)
    for verb, pattern in operations():
        wanted = pattern.split("/")
        found[verb, len(wanted)].append(((verb, pattern), wanted))
    return found


def found(verb: str, path: str) -> tuple[Operation, Handler | None, tuple[str, ...]] | None:
    """The operation, its handler, if the stand-in has one, and the ids in the path. Fixed paths win over ids."""
    parts = path.split("/")
    best: tuple[int, tuple[str, str], tuple[str, ...]] | None = None
    for named, wanted in _by_length().get((verb, len(parts)), ()):
        if all(w in ("{}", p) for w, p in zip(wanted, parts, strict=True)):
            ids = tuple(part for want, part in zip(wanted, parts, strict=True) if want == "{}")
            if best is None or len(ids) < best[0]:
                best = len(ids), named, ids
    return None if best is None else (operations()[best[1]], _HANDLERS.get(best[1]), best[2])
