"""`python -m server import BRAND FILE…`: fills the ledger from Stripe-shaped JSON. Here is the work behind the command.

All files of one call are one import: everything is read first (`import_reading`, `import_staging`), so files and
records may come in any order; then references are resolved customer by customer and everything is written in one
transaction. A bad record, a reference that leads nowhere, test data for a live brand: `ImportRefused` names the file,
the line and the JSON path, and nothing of any file is kept.

The same export again changes nothing, also where the ledger has moved on since (a renewal, a cancellation): a record
counts only when it differs from the one that was imported last. A record that differs takes the place of what is there.

The directory's row of each customer goes along; the metadata `portal_disabled: "true"` switches a customer off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from server.billing import rows
from server.merchant.importing.merging import Catalog, Merging
from server.merchant.importing.reading import ImportRefused, Lists, Place, records
from server.merchant.importing.rows import Rows
from server.merchant.importing.staging import Staging
from server.store import Store, Transaction

__all__ = ["ImportRefused", "Imported", "Progress", "import_files", "import_records"]

Progress = Callable[[str, int, int], None]
"""Told what is being done (a file's path, or `writing`), how much of it is done, and how much there is."""
_TRIES = 3
_EVERY = 500


class Imported(msgspec.Struct, frozen=True):
    """What an import did. Counts are of customers, except `objects` and `ignored`."""

    new: int
    changed: int
    unchanged: int
    unreachable: int
    """Have no address that a mail could reach: they cannot log in."""
    objects: dict[str, int]
    """How many of each kind were new or changed."""
    ignored: dict[str, int]
    """Kinds of records that the portal does not use."""
    unfinished: tuple[str, ...] = ()
    """Lists whose last page is in none of the files, see `Lists`."""


def no_progress(what: str, done: int, whole: int) -> None:  # noqa: ARG001 (the parameters of Progress)
    return


async def import_files(
    store: Store,
    brand: str,
    files: Sequence[Path],
    *,
    live: bool | None,
    now: datetime,
    progress: Progress = no_progress,
) -> Imported:
    """Import these files together. `live`: whether the brand's link is for live data; None: it has no link yet.

    Raises `ImportRefused`, and `StoreUnavailable` where the database is away; nothing was changed then.
    """
    staging, lists = Staging(live), Lists()
    try:
        for file in files:
            whole = file.stat().st_size if file.is_file() else 0
            for number, (place, record, position) in enumerate(records(file, lists)):
                staging.add(place, record)
                if number % _EVERY == 0:
                    progress(str(file), position, whole)
            progress(str(file), whole, whole)
        done = await _write(store, brand, staging, now, progress)
        return replace(done, unfinished=lists.unfinished())
    finally:
        staging.close()


async def import_records(
    store: Store, brand: str, found: Iterable[dict[str, Any]], *, now: datetime, source: str = "records"
) -> Imported:
    """Import records that are in memory, as if they were the lines of a file of that name."""
    staging = Staging(None)
    try:
        for number, record in enumerate(found, 1):
            staging.add(Place(Path(source), number), record)
        return await _write(store, brand, staging, now, no_progress)
    finally:
        staging.close()


async def _write(store: Store, brand: str, staging: Staging, now: datetime, progress: Progress) -> Imported:
    whole = staging.count()

    def work(transaction: Transaction) -> Imported:
        return _import(Rows(transaction, brand), staging, now, lambda done: progress("writing", done, whole))

    for _ in range(_TRIES):
        try:
            return await store.write(work)
        except rows.Conflict:
            # A customer changed something in between; what was staged still stands.
            continue
    raise ImportRefused("customers keep changing their accounts while the import writes; try again at a quieter time")


def _import(into: Rows, staging: Staging, now: datetime, progress: Callable[[int], None]) -> Imported:
    catalog = Catalog(staging, into)
    catalog.write()
    merging = Merging(into, catalog, now)
    outcome: Counter[str] = Counter()
    for done, together in enumerate(staging.by_owner()):
        outcome[merging.merge(together)] += 1
        if done % _EVERY == 0:
            progress(done)
    into.flush()
    progress(sum(outcome.values()))
    return Imported(
        new=outcome["new"],
        changed=outcome["changed"],
        unchanged=outcome["unchanged"],
        unreachable=merging.unreachable,
        objects=dict(merging.objects),
        ignored=dict(staging.ignored),
    )
