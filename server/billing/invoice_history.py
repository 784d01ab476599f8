"""The ledger's invoices, looked for: by time through the index, by status inside the documents of one customer."""

from __future__ import annotations

from collections.abc import Mapping

from server.billing import InvoiceFilter, rows
from server.billing.model.documents import invoice_head
from server.store import Store, micros

_PIECE = 200
"""So many invoices are looked at in one statement when a status is looked for."""


async def newest(
    store: Store, whose: Mapping[str, object], before: str, limit: int, only: InvoiceFilter
) -> list[bytes]:
    """The documents of the newest invoices before that one; `whose` names brand and customer."""
    since = micros(only.since_at) if only.since_at else rows.EVER[0]
    until = micros(only.until_at) if only.until_at else rows.EVER[1]
    values = {**whose, "since": since, "until": until, "limit": limit}
    if before:
        found = await store.read(rows.OLDER_INVOICES, {**values, "before": before})
    else:
        found = await store.read(rows.NEWEST_INVOICES, values)
    return [document for (document,) in found]


async def with_status(
    store: Store, whose: Mapping[str, object], before: str, limit: int, only: InvoiceFilter
) -> list[bytes]:
    """The same with one status, piece by piece until enough are found. Reading the status alone takes 1 µs an invoice."""
    found: list[bytes] = []
    while len(found) < limit:
        piece = await newest(store, whose, before, _PIECE, only)
        heads = [invoice_head(document) for document in piece]
        found += [each for each, head in zip(piece, heads, strict=True) if head.status == only.status]
        if len(piece) < _PIECE:
            break
        before = heads[-1].id
    return found[:limit]
