"""What an operator has changed in the studio and not yet written: kept by the store, for 30 days, so that a closed tab, an
ended session or a conflict loses nothing.

A draft holds the keys that were touched, never the whole form, each with what the file held when it was touched first.
Where the file holds something else by now, somebody changed the same key meanwhile: that is a `Conflict`, and the operator
chooses. The last ten writes of the studio into a brand's files are kept too, to be undone.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from server.brands.writing.values import meaning, written_value
from server.merchant.studio import history
from server.store import Row, Store, Transaction, micros, moment

KEPT_WRITES = 10
MOST_UPLOADS = 40
"""At most this many uploads of an operator are kept for a brand; the oldest go."""

_FIND = "SELECT changes, changed_at FROM studio_draft WHERE operator = :operator AND brand = :brand"
# Makes the row where there is none, and keeps it to this transaction until its end: of two tabs, the second waits.
_TAKE = """
INSERT INTO studio_draft (operator, brand, changes, changed_at) VALUES (:operator, :brand, :nothing, :now)
ON CONFLICT (operator, brand) DO UPDATE SET operator = :operator RETURNING changes, changed_at"""
_KEEP = """
INSERT INTO studio_draft (operator, brand, changes, changed_at) VALUES (:operator, :brand, :changes, :now)
ON CONFLICT (operator, brand) DO UPDATE SET changes = :changes, changed_at = :now"""
_DROP = "DELETE FROM studio_draft WHERE operator = :operator AND brand = :brand"
_UPLOADS = "SELECT name, content FROM studio_upload WHERE operator = :operator AND brand = :brand ORDER BY name"
_UPLOAD = """
INSERT INTO studio_upload (operator, brand, name, content, uploaded_at) VALUES (:operator, :brand, :name, :content, :now)
ON CONFLICT (operator, brand, name) DO UPDATE SET uploaded_at = :now"""
_DROP_OLDEST = """
DELETE FROM studio_upload WHERE operator = :operator AND brand = :brand AND name NOT IN
 (SELECT name FROM studio_upload WHERE operator = :operator AND brand = :brand
   ORDER BY uploaded_at DESC, name LIMIT :most)"""
_DROP_UPLOADS = "DELETE FROM studio_upload WHERE operator = :operator AND brand = :brand"
_WRITE = """
INSERT INTO studio_write (id, brand, operator, written_at, files) VALUES (:id, :brand, :operator, :now, :files)"""
_DROP_WRITES = """
DELETE FROM studio_write WHERE brand = :brand AND id NOT IN
 (SELECT id FROM studio_write WHERE brand = :brand ORDER BY written_at DESC, id LIMIT :most)"""
_WRITES = """
SELECT id, operator, written_at, files FROM studio_write WHERE brand = :brand ORDER BY written_at DESC, id"""


class Change(msgspec.Struct, frozen=True):
    value: Any
    """What the key is to hold, as TOML has it; None: the key is left out. It may be what the reader refuses."""
    was: Any
    """What the file held when the key was touched first; None: nothing."""


class Draft(msgspec.Struct, frozen=True):
    operator: str
    brand: str
    changes: dict[str, Change] = {}
    """By the path of the key, such as `features.subscription_cancel.mode`."""
    changed_at: datetime | None = None
    """None: nothing is kept."""

    @property
    def values(self) -> dict[str, Any]:
        """What each touched key is to hold; None: it is left out."""
        return {path: each.value for path, each in self.changes.items()}


class Conflict(msgspec.Struct, frozen=True):
    """A key that the operator touched, and that holds something else in the file since."""

    path: str
    mine: Any
    """None: the key is left out."""
    theirs: Any
    """None: the file does not hold it."""


class Write(msgspec.Struct, frozen=True):
    """One write of the studio into a brand's files."""

    id: str
    operator: str
    at: datetime
    files: dict[str, tuple[str, str]]
    """The text of each file that was changed, before and after, by the file's name."""


async def find(store: Store, operator: str, brand: str) -> Draft:
    return _draft(operator, brand, await store.read(_FIND, {"operator": operator, "brand": brand}))


async def keep(
    store: Store, operator: str, brand: str, *, touched: Mapping[str, Any], held: Mapping[str, Any], now: datetime
) -> Draft:
    """Add what was touched to the draft. `touched` is what `forms.touched` answered; `held` are the values of the files
    now. A key that is to hold what its file holds is no change."""

    def merge(draft: Draft) -> dict[str, Change]:
        changes = dict(draft.changes)
        for path, value in touched.items():
            was = changes[path].was if path in changes else value_at(held, path)
            changes[path] = Change(_kept(value), was)
            if _is_same(value, value_at(held, path)):
                del changes[path]
        return changes

    return await _edit(store, operator, brand, merge, now)


async def settle(
    store: Store, draft: Draft, *, mine: Iterable[str], theirs: Iterable[str], held: Mapping[str, Any], now: datetime
) -> Draft:
    """Decide conflicts: `mine` are written over what the file holds now, `theirs` are no longer changed."""
    given_up, chosen = set(theirs), set(mine)

    def decide(draft: Draft) -> dict[str, Change]:
        kept = {path: each for path, each in draft.changes.items() if path not in given_up}
        mine_now = {
            path: Change(kept[path].value, value_at(held, path)) for path in chosen & set(kept)
        }  # from here on, only a newer change of the file is a conflict
        return kept | mine_now

    return await _edit(store, draft.operator, draft.brand, decide, now)


async def drop(store: Store, operator: str, brand: str) -> None:
    """Forget all that the operator changed and did not write."""

    def work(transaction: Transaction) -> None:
        for sql in (_DROP, _DROP_UPLOADS):
            transaction.count(sql, {"operator": operator, "brand": brand})

    await store.write(work)


def conflicts(draft: Draft, held: Mapping[str, Any]) -> tuple[Conflict, ...]:
    """What is in the way of writing the draft over files that hold these values now."""
    found = ((path, each, value_at(held, path)) for path, each in draft.changes.items())
    return tuple(
        Conflict(path, each.value, theirs)
        for path, each, theirs in found
        if not _is_same(theirs, each.was) and not _is_same(theirs, each.value)
    )


def value_at(values: Mapping[str, Any], path: str) -> Any:
    """What files with these values hold at a path; None: nothing."""
    found: Any = values
    for key in path.split("."):
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return _kept(found)


def _kept(value: Any) -> Any:
    """A value as the store keeps it. A date, or a number that is none or too large, is in no key of ours: it is kept as the
    text of the file."""
    if isinstance(value, list):
        return [_kept(each) for each in value]
    if isinstance(value, dict):
        return {key: _kept(each) for key, each in value.items()}
    if value is None or isinstance(value, str | bool) or (isinstance(value, int) and abs(value) < 2**63):
        return value
    return value if isinstance(value, float) and math.isfinite(value) else written_value(value)


def _is_same(one: Any, other: Any) -> bool:
    return bool(meaning(_kept(one)) == meaning(_kept(other)))


async def upload(store: Store, operator: str, brand: str, name: str, *, content: bytes, now: datetime) -> None:
    """Keep a picture or font for the draft, whose changes name it."""
    key = {"operator": operator, "brand": brand}

    def work(transaction: Transaction) -> None:
        transaction.count(_UPLOAD, {**key, "name": name, "content": content, "now": micros(now)})
        transaction.count(_DROP_OLDEST, {**key, "most": MOST_UPLOADS})

    await store.write(work)


async def uploads(store: Store, operator: str, brand: str) -> dict[str, bytes]:
    rows = await store.read(_UPLOADS, {"operator": operator, "brand": brand})
    return {name: bytes(content) for name, content in rows}


async def note_write(
    store: Store,
    operator: str,
    brand: str,
    files: Mapping[str, tuple[str, str]],
    *,
    now: datetime,
    ends_draft: bool = True,
) -> str:
    """Keep what was written, to be undone; with `ends_draft`, the draft is done. Answers the id of the write."""
    row = {"id": secrets.token_hex(8), "brand": brand, "operator": operator, "now": micros(now)}

    def work(transaction: Transaction) -> None:
        transaction.count(_WRITE, {**row, "files": msgspec.msgpack.encode(dict(files))})
        transaction.count(_DROP_WRITES, {"brand": brand, "most": KEPT_WRITES})
        history.note(transaction, "files_written", {"files": sorted(files)}, operator=operator, brand=brand, now=now)
        for sql in (_DROP, _DROP_UPLOADS) if ends_draft else ():
            transaction.count(sql, {"operator": operator, "brand": brand})

    await store.write(work)
    return str(row["id"])


async def writes(store: Store, brand: str) -> tuple[Write, ...]:
    """The last ten writes of the studio, newest first."""
    rows = await store.read(_WRITES, {"brand": brand})
    return tuple(
        Write(id_, operator, moment(at), msgspec.msgpack.decode(files, type=dict[str, tuple[str, str]]))
        for id_, operator, at, files in rows
    )


def _draft(operator: str, brand: str, rows: list[Row]) -> Draft:
    if not rows:
        return Draft(operator, brand)
    changes = msgspec.msgpack.decode(rows[0][0], type=dict[str, Change])
    return Draft(operator, brand, changes, moment(rows[0][1]))


async def _edit(
    store: Store, operator: str, brand: str, edit: Callable[[Draft], dict[str, Change]], now: datetime
) -> Draft:
    """Read, edit and keep in one transaction: of two tabs, none loses what the other touched."""
    key = {"operator": operator, "brand": brand}
    nothing = msgspec.msgpack.encode({})

    def work(transaction: Transaction) -> Draft:
        rows = transaction.run(_TAKE, {**key, "nothing": nothing, "now": micros(now)})
        changes = edit(_draft(operator, brand, rows))
        if not changes:
            transaction.count(_DROP, key)
            return Draft(operator, brand)
        transaction.count(_KEEP, {**key, "changes": msgspec.msgpack.encode(changes), "now": micros(now)})
        return Draft(operator, brand, changes, now)

    return await store.write(work)
