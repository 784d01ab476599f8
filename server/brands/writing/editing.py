"""Edit single keys of a TOML text as a person would: everything else stays as it is, to the byte.

    edited(text, {"features.subscription_cancel.mode": "immediately", "site.url": None}, order=…)  ->  the new text

A value of None takes the key out. Only the places of the keys are replaced in the text, so comments, order, spaces and line
ends of the rest cannot change. What a person would write:

- a list that goes over several lines is edited element by element; a list of tables (`[[…]]`) table by table;
- a table that was written with dotted keys (`retention.coupon`) gets dotted keys; a table below one of `[features]` too;
- of a table that is taken out the keys go and the header stays, for its comments would then describe another; an element of a list of tables is removed with
  the comments inside it and directly above it;
- the comment at the end of a line that is taken out stays, on that line.

The result is read again by `tomllib`, whose parser knows nothing of this one: it must mean what was asked for, and hold the
same comments in the same order. Otherwise `NotEdited` is raised, with the lines to write by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from server.brands.reading.locating import layout_of
from server.brands.reading.parsing import loads
from server.brands.writing.splicing import Splicer
from server.brands.writing.values import is_tables, meaning, written_key, written_value


class NotEdited(Exception):
    """The text cannot be edited so that it means what was asked for; nothing was changed."""

    def __init__(self, reason: str, changes: Mapping[str, Any]) -> None:
        self.lines = by_hand(changes)
        """What to write by hand, as TOML."""
        super().__init__(reason)


def edited(text: str, changes: Mapping[str, Any], *, order: Sequence[str] = ()) -> str:
    """The text with these keys changed; `order` are the tables of the first level as the file should have them. A table as
    the value of a key adds its keys to those that are there. Raises `NotEdited`."""
    leaves = dict(_leaves(changes))
    try:
        values = loads(text)
        leaves = dict(each for path, value in leaves.items() for each in _as_held(values, path, value))
        meant = _meant(values, leaves)
        splicer = Splicer(text, tuple(order))
        for path, value in leaves.items():
            splicer.set(path, value)
        found = loads(splicer.text)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise NotEdited(f"what cannot be edited ({str(error)[:120]})", changes) from None
    if meaning(found) != meaning(meant):
        raise NotEdited("a text in which this change would mean something else", changes)
    if not _keeps_comments(text, splicer):
        raise NotEdited("a text in which this change would lose or move a comment", changes)
    return splicer.text


def by_hand(changes: Mapping[str, Any]) -> str:
    """The changes as lines of TOML with whole dotted keys; what is to be taken out is a comment."""
    return "".join(
        f"{_by_hand('.'.join(map(written_key, path.split('.'))), value)}\n" for path, value in changes.items()
    )


def _by_hand(key: str, value: Any) -> str:
    try:
        return f"# without {key}" if value is None else f"{key} = {written_value(value)}"
    except TypeError as error:
        return f"# {key}: {error}"


Keys = tuple[str, ...]


def _leaves(changes: Mapping[str, Any], before: Keys = ()) -> list[tuple[Keys, Any]]:
    found: list[tuple[Keys, Any]] = []
    for key, value in changes.items():
        path = (*before, key) if before else tuple(key.split("."))
        found += _leaves(value, path) if isinstance(value, dict) else [(path, value)]
    return found


def _as_held(values: Any, path: Keys, value: Any) -> Iterator[tuple[Keys, Any]]:
    """A list of tables that is to be empty is taken out: there is no `[[…]]` for none. Of a table, its keys are."""
    held = values
    for key in path:
        held = held.get(key) if isinstance(held, dict) else None
    if value is None and isinstance(held, dict):
        for key in held:
            yield from _as_held(values, (*path, key), None)
    else:
        yield path, None if value == [] and is_tables(held) else value


def _meant(values: dict[str, Any], leaves: Mapping[Keys, Any]) -> dict[str, Any]:
    meant = deepcopy(values)
    for path, value in leaves.items():
        table = meant
        for key in path[:-1]:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                raise TypeError(f"{'.'.join(path)}: {key} is not a table")
        if value is None:
            table.pop(path[-1], None)
        elif isinstance(table.get(path[-1]), dict):
            raise TypeError(f"{'.'.join(path)} is a table")
        else:
            table[path[-1]] = value
    return meant


def _keeps_comments(text: str, splicer: Splicer) -> bool:
    before = [comment for _, comment in layout_of(text).comments]
    after = [comment for _, comment in layout_of(splicer.text).comments]
    if splicer.was_reordered or splicer.dropped:
        return Counter(after) == Counter(before) - Counter(splicer.dropped)
    return after == before
