"""One request about the invoices: refused where the configuration shows none."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

import msgspec

from server.billing import Invoice, Unavailable
from server.billing.rules.paying import waiting
from server.web import visit
from server.web.visit import Answer, fresh_key

__all__ = ["Answer", "Visit", "fresh_key"]


@dataclass(frozen=True, slots=True)
class Visit(visit.Visit):
    @property
    def is_offered(self) -> bool:
        return self.features.invoice_history.enabled

    async def invoice(self, invoice_id: str) -> Invoice:
        """Raises `NotFound`, also for another customer's."""
        return await self.portal.billing.invoice(self.customer.customer_id, invoice_id)

    async def after_the_bank(self, invoice_id: str) -> Visit:
        """With the account as it is now, where a payment of the invoice waits for the customer: they may come from their
        bank, whose page tells us nothing. With the billing side away, as it was."""
        if waiting(await self.invoice(invoice_id)) is None:
            return self
        with suppress(Unavailable):
            account = await self.portal.billing.refetch(self.customer.customer_id, self.now)
            return replace(self, customer=msgspec.structs.replace(self.customer, account=account))
        return self
