"""Every invoice of a customer: those of the copy, and the older ones, which are fetched when somebody asks for them."""

from __future__ import annotations

from collections.abc import Sequence

from server.billing import LATEST_INVOICES, Catalog, Invoice, InvoiceFilter, InvoicePage, Unavailable, invoice_history
from server.billing.stripe import copies, fetching
from server.billing.stripe.accounts import StripeAccounts
from server.brands.features import Features


class StripeInvoices(StripeAccounts):
    async def invoices(
        self, customer_id: str, *, before: str = "", limit: int = LATEST_INVOICES, only: InvoiceFilter | None = None
    ) -> InvoicePage:
        whose = self._whose(customer_id)
        found = await invoice_history.page(self.store, whose, before=before, limit=limit, only=only)
        if found.before or not await self._fetch_older(customer_id):
            return found
        return await invoice_history.page(self.store, whose, before=before, limit=limit, only=only)

    async def invoice(self, customer_id: str, invoice_id: str) -> Invoice:
        return await invoice_history.one(self.store, self._whose(customer_id), invoice_id)

    async def catalog(self, features: Features, prices: Sequence[str] = ()) -> Catalog:
        return await self.copied_catalog.read(features, prices)

    async def _fetch_older(self, customer_id: str) -> bool:
        """Add a page of what Stripe has beyond the copy; whether there was one. With Stripe away the copy is all."""
        oldest = await copies.oldest(self.store, self.brand, customer_id)
        if not oldest:
            return False
        try:
            older, more = await fetching.older_invoices(self.client, self.copied_catalog, customer_id, oldest)
        except Unavailable:
            return False
        await copies.keep_older(self.store, self.brand, customer_id, older, has_more=more)
        return True
