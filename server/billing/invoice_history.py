"""A customer's invoices in the store: by time through the index, by status inside the documents."""

from __future__ import annotations

from collections.abc import Mapping

from server.billing import Invoice, InvoiceFilter, InvoicePage, NotFound, rows
from server.billing.model.documents import decode_invoice, invoice_head
from server.store import Store, micros

_PIECE = 200
"""One statement looks at this many invoices for those of a status."""


async def page(
    store: Store, whose: Mapping[str, object], *, before: str, limit: int, only: InvoiceFilter | None
) -> InvoicePage:
    """As `Invoices.invoices` of the port. `whose` names brand and customer."""
    wanted = only or InvoiceFilter()
    look = with_status if wanted.status else newest
    found = await look(store, whose, before, limit + 1, wanted)
    if before and not found and only is None:
        # Only an invoice that has older ones is ever handed out as a cursor.
        raise NotFound
    invoices = tuple(decode_invoice(document) for document in found[:limit])
    return InvoicePage(invoices=invoices, before=invoices[-1].id if len(found) > limit else "")


async def one(store: Store, whose: Mapping[str, object], invoice_id: str) -> Invoice:
    """Raises `NotFound`, also for another customer's."""
    found = await store.read(rows.ONE_INVOICE, {**whose, "id": invoice_id})
    if not found:
        raise NotFound
    return decode_invoice(found[0][0])


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
