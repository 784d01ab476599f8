"""The embedded billing backend: accounts as documents in the store, changed by pure functions.

accounts          reading and writing an account: versions, idempotency keys, what is due
subscriptions     the verbs about subscriptions
methods, details, payments    the other verbs
invoice_history   the pages of an invoice history
rows              the statements
"""

from __future__ import annotations

from server.billing import LATEST_INVOICES, Invoice, InvoiceFilter, InvoicePage, NotFound, invoice_history, rows
from server.billing.ledger.details import LedgerDetails
from server.billing.ledger.methods import LedgerMethods
from server.billing.ledger.payments import LedgerPayments
from server.billing.ledger.subscriptions import LedgerSubscriptions
from server.billing.model.documents import decode_invoice


class Ledger(LedgerSubscriptions, LedgerMethods, LedgerDetails, LedgerPayments):
    """One brand's billing in the store."""

    async def invoices(
        self, customer_id: str, *, before: str = "", limit: int = LATEST_INVOICES, only: InvoiceFilter | None = None
    ) -> InvoicePage:
        wanted = only or InvoiceFilter()
        look = invoice_history.with_status if wanted.status else invoice_history.newest
        found = await look(self.store, self._whose(customer_id), before, limit + 1, wanted)
        if before and not found and only is None:
            # Only an invoice that has older ones is ever handed out as a cursor.
            raise NotFound
        invoices = tuple(decode_invoice(document) for document in found[:limit])
        return InvoicePage(invoices=invoices, before=invoices[-1].id if len(found) > limit else "")

    async def invoice(self, customer_id: str, invoice_id: str) -> Invoice:
        found = await self.store.read(rows.ONE_INVOICE, {**self._whose(customer_id), "id": invoice_id})
        if not found:
            raise NotFound
        return decode_invoice(found[0][0])
