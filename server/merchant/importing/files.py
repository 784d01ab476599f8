"""`python -m server import BRAND FILE…`: fills the ledger from Stripe-shaped JSON. Here is the work behind the command.

All files of one call are one import: everything is read first (`reading`, `staging`), so files and records may come in
any order; then references are resolved customer by customer and everything is written in one transaction. A bad record,
a reference that leads nowhere, test data for a live brand: `ImportRefused` names each with its file, line and JSON path,
and nothing of any file is kept. With `leave_out`, broken records are left out instead, and named in what is returned.

The same export again changes nothing, also where the ledger has moved on since (a renewal, a cancellation): a record
counts only when it differs from the one that was imported last. A record that differs takes the place of what is there.

What fell due until `billed_until` was billed by the former billing side (`handover`). A dry run does all of it and takes it
back. The directory's row of each customer goes along; the metadata `portal_disabled: "true"` switches a customer off.
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
from server.brands.dunning import STANDARD, Dunning
from server.merchant.importing.catalog import Catalog
from server.merchant.importing.merging import Merging
from server.merchant.importing.reading import ImportRefused, Lists, Place, Problems, records
from server.merchant.importing.report import Imported, Notes
from server.merchant.importing.rows import Rows
from server.merchant.importing.staging import Staging
from server.store import Store, Transaction

__all__ = ["ImportRefused", "Imported", "Options", "Progress", "import_files", "import_records"]

Progress = Callable[[str, int, int], None]
"""Told what is being done (a file's path, or `writing`), how much of it is done, and how much there is."""
_TRIES = 3
_EVERY = 500


class Options(msgspec.Struct, frozen=True):
    """What the merchant chose for an import."""

    billed_until: datetime | None = None
    """Until when others billed; None: until the moment of the import."""
    leave_out: bool = False
    """Broken records are left out, and the rest is imported."""
    without_automatic_tax: bool = False
    """The ledger may bill what Stripe would have added a tax to."""
    is_dry: bool = False
    """Nothing is kept: what would happen is told."""
    dunning: Dunning = STANDARD
    """When the ledger tries an open invoice again."""


_BY_DEFAULT = Options()


class _DryRun(Exception):
    """Takes back what a dry run wrote."""

    def __init__(self, done: Imported) -> None:
        self.done = done


def no_progress(what: str, done: int, whole: int) -> None:  # noqa: ARG001 (the parameters of Progress)
    return


async def import_files(
    store: Store,
    brand: str,
    files: Sequence[Path],
    *,
    live: bool | None,
    now: datetime,
    options: Options = _BY_DEFAULT,
    progress: Progress = no_progress,
) -> Imported:
    """Import these files together. `live`: whether the brand's link is for live data; None: it has no link yet.

    Raises `ImportRefused`, and `StoreUnavailable` where the database is away; nothing was changed then.
    """
    lists, problems = Lists(), Problems(options.leave_out)
    staging = Staging(live, problems, Notes(), without_automatic_tax=options.without_automatic_tax)
    try:
        for file in files:
            try:
                _read(file, staging, lists, progress)
            except ImportRefused as error:
                problems.add(error, is_fatal=True)
        done = await _write(store, brand, staging, now, options, progress=progress)
        return replace(done, unfinished=lists.unfinished())
    finally:
        staging.close()


def _read(file: Path, staging: Staging, lists: Lists, progress: Progress) -> None:
    whole = file.stat().st_size if file.is_file() else 0
    for number, (place, record, position) in enumerate(records(file, lists, staging.problems)):
        staging.add(place, record)
        if number % _EVERY == 0:
            progress(str(file), position, whole)
    progress(str(file), whole, whole)


async def import_records(
    store: Store,
    brand: str,
    found: Iterable[dict[str, Any]],
    *,
    now: datetime,
    source: str = "records",
    options: Options = _BY_DEFAULT,
) -> Imported:
    """Import records that are in memory, as if they were the lines of a file of that name."""
    problems = Problems(options.leave_out)
    staging = Staging(None, problems, Notes(), without_automatic_tax=options.without_automatic_tax)
    try:
        for number, record in enumerate(found, 1):
            staging.add(Place(Path(source), number), record)
        return await _write(store, brand, staging, now, options, progress=no_progress)
    finally:
        staging.close()


async def _write(
    store: Store, brand: str, staging: Staging, now: datetime, options: Options, *, progress: Progress
) -> Imported:
    whole = staging.count()
    read = staging.snapshot()

    def work(transaction: Transaction) -> Imported:
        staging.restore(read)
        done = _import(Rows(transaction, brand), staging, now, options, lambda done: progress("writing", done, whole))
        if options.is_dry:
            raise _DryRun(done)
        return done

    for _ in range(_TRIES):
        try:
            return await store.write(work)
        except _DryRun as dry:
            return dry.done
        except rows.Conflict:
            # A customer changed something in between; what was staged still counts.
            continue
    raise ImportRefused("customers keep changing their accounts while the import writes; try again at a quieter time")


def _import(into: Rows, staging: Staging, now: datetime, options: Options, progress: Callable[[int], None]) -> Imported:
    catalog = Catalog(staging, into, staging.notes)
    catalog.write()
    staging.detach(lambda method: (into.imported("payment_method", method) or ("",))[0])
    until = options.billed_until or now
    merging = Merging(into, catalog, staging, now, until, dunning=options.dunning)
    outcome: Counter[str] = Counter()
    for done, together in enumerate(staging.by_owner()):
        outcome[merging.merge(together)] += 1
        if done % _EVERY == 0:
            progress(done)
    unused = _unused(staging)
    staging.problems.check()
    into.flush()
    progress(sum(outcome.values()))
    return Imported(
        new=outcome["new"],
        changed=outcome["changed"],
        unchanged=outcome["unchanged"],
        unreachable=len(merging.unreachable),
        objects=dict(merging.objects),
        ignored=dict(staging.ignored + unused),
        kinds=staging.notes.kinds,
        named=staging.notes.named,
        unreachable_ids=tuple(merging.unreachable),
        carried=merging.carried,
        billed_until=until,
        broken=tuple(staging.problems.found),
        is_dry=options.is_dry,
        coming=tuple(merging.coming),
    )


def _unused(staging: Staging) -> Counter[str]:
    """How many charges and refunds belong to no invoice of these files; what they gave back is not in the ledger then."""
    unused: Counter[str] = Counter()
    for kind, count, gave, first in staging.charges.unused():
        unused[kind] += count
        if gave:
            why = "gives money back, and no invoice in these files names it: import the invoices again beside it"
            staging.notes.name(kind, why, first, count)
    return unused
