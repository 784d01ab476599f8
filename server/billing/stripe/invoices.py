"""Every invoice of a customer: those of the copy, and the older ones, which are fetched when somebody asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from server.billing import (
    LATEST_INVOICES,
    Catalog,
    Invoice,
    InvoiceFilter,
    InvoicePage,
    NotFound,
    Unavailable,
    invoice_history,
)
from server.billing.stripe import copies, fetching
from server.billing.stripe.accounts import StripeAccounts
from server.billing.stripe.reading import part
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

    async def document(self, customer_id: str, invoice_id: str, kind: str) -> str:
        found = await self.invoice(customer_id, invoice_id)  # theirs, or NotFound
        if kind == "invoice":
            return self._hosted((await self.client.get(f"/v1/invoices/{invoice_id}")).get("invoice_pdf"))
        if kind in [each.id for each in found.credit_notes]:
            return self._hosted((await self.client.get(f"/v1/credit_notes/{kind}")).get("pdf"))
        expand = ["data.payment.payment_intent.latest_charge"]
        paid = await self.client.list("/v1/invoice_payments", invoice=invoice_id, status="paid", expand=expand)
        charges = [part(each, "payment", "payment_intent", "latest_charge") for each in paid["data"]]
        return next((url for each in charges if (url := self._hosted(each.get("receipt_url")))), "")

    def _hosted(self, url: object) -> str:
        """The URL, if it leads to Stripe: nobody is sent anywhere else."""
        parts = urlsplit(url) if isinstance(url, str) else None
        if parts is None or parts.hostname is None:
            return ""
        is_stripes = parts.scheme == "https" and f".{parts.hostname}".endswith(".stripe.com")
        return str(url) if is_stripes or parts.netloc == urlsplit(self.client.base).netloc else ""

    async def catalog(self, features: Features, prices: Sequence[str] = ()) -> Catalog:
        return await self.copied_catalog.read(features, prices)

    async def promotion_code(self, id_: str) -> str:
        try:
            found = await self.client.get(f"/v1/promotion_codes/{id_}")
        except NotFound:
            return ""
        return str(found.get("code") or "")

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
