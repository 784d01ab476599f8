"""The embedded billing backend: accounts as documents in the store, changed by pure functions.

accounts          reading and writing an account: versions, idempotency keys, what is due
subscriptions     the verbs about subscriptions
methods, details, payments    the other verbs
invoice_history   the pages of an invoice history
rows              the statements
"""

from __future__ import annotations

from server.billing import LATEST_INVOICES, Invoice, InvoiceFilter, InvoicePage, invoice_history
from server.billing.ledger.details import LedgerDetails
from server.billing.ledger.methods import LedgerMethods
from server.billing.ledger.payments import LedgerPayments
from server.billing.ledger.subscriptions import LedgerSubscriptions


class Ledger(LedgerSubscriptions, LedgerMethods, LedgerDetails, LedgerPayments):
    """One brand's billing in the store."""

    async def invoices(
        self, customer_id: str, *, before: str = "", limit: int = LATEST_INVOICES, only: InvoiceFilter | None = None
    ) -> InvoicePage:
        return await invoice_history.page(self.store, self._whose(customer_id), before=before, limit=limit, only=only)

    async def invoice(self, customer_id: str, invoice_id: str) -> Invoice:
        return await invoice_history.one(self.store, self._whose(customer_id), invoice_id)

    async def document(self, customer_id: str, invoice_id: str, kind: str) -> str:  # noqa: ARG002 (the port's)
        """It has none: the portal makes them."""
        return ""
