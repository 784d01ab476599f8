"""Paying an invoice at Stripe. A payment that failed is an answer, not a refusal: the invoice then says why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from msgspec.structs import replace

from server.billing import Activity, By, Invoice, Paying, Payment, Refused, rows
from server.billing.model import history
from server.billing.rules.paying import MOST_TRIES, last_try, may_pay
from server.billing.stripe.invoices import StripeInvoices
from server.billing.stripe.operations import Operations, Step, Wanted
from server.store import micros

_TRIED = frozenset({"payment_failed", "payment_needs_confirmation"})
_CONFIRM = "authentication_required"
_WINDOW = timedelta(hours=1)


class StripePayments(StripeInvoices, Operations):
    async def pay(self, by: By, invoice_id: str, payment_method_id: str) -> Paying:
        wanted = Wanted("invoice.paid", invoice_id, (payment_method_id,))
        is_new = await self._begun(by, wanted) is None
        try:
            await self.once(by, wanted, lambda: self._payment(by, invoice_id, payment_method_id))
        except Refused as refused:
            if refused.reason not in _TRIED:
                raise
            return await self._tried(by, invoice_id, refused, is_new=is_new)
        invoice = await self.invoice(by.customer_id, invoice_id)
        account = await self.account(by.customer_id, by.now)
        return Paying(account, invoice, _payment_of(invoice))

    async def _payment(self, by: By, invoice_id: str, method_id: str) -> Sequence[Step]:
        account = await self.refetch(by.customer_id, by.now)
        invoice = await self.invoice(by.customer_id, invoice_id)
        refused = may_pay(invoice)
        if refused:
            raise Refused(refused.reason, refused.detail)
        if account.payment_method(method_id) is None:
            raise Refused("payment_method_missing")
        since = {"brand": self.brand, "customer": by.customer_id, "since": micros(by.now - _WINDOW)}
        if (await self.store.read(rows.FAILED_PAYMENTS, since))[0][0] >= MOST_TRIES:
            raise Refused("too_many_tries")
        return [Step(f"/v1/invoices/{invoice_id}/pay", {"payment_method": method_id, "off_session": False})]

    async def _tried(self, by: By, invoice_id: str, refused: Refused, *, is_new: bool) -> Paying:
        """What came of a payment that did not work; the bank's page, where it waits for the customer."""
        account = await self._refetched(by)
        invoice = await self.invoice(by.customer_id, invoice_id)
        payment, confirm_at = _payment_of(invoice), ""
        if invoice.status == "paid":  # since: the same form again
            return Paying(account, invoice, payment)
        waits = refused.reason == "payment_needs_confirmation"
        if waits:
            # Stripe's hosted page of the invoice, asked for at this moment: it is kept nowhere.
            raw = await self.client.get(f"/v1/invoices/{invoice_id}")
            confirm_at = self._hosted(raw.get("hosted_invoice_url"))
            payment = replace(payment, status="open", failure=_CONFIRM)
        else:
            payment = replace(payment, status="failed", failure=payment.failure or refused.detail)
        if is_new:
            kind = "invoice.payment_action_required" if waits else "invoice.payment_failed"
            line = Activity(by.now, kind, invoice_id, history.of_payment(invoice, payment), by.browser)
            await self.store.write(lambda transaction: rows.add_activity(transaction, self.brand, by.customer_id, line))
        return Paying(account, invoice, payment, confirm_at)


def _payment_of(invoice: Invoice) -> Payment:
    """The last one; where Stripe has not listed it yet, one of what is due."""
    found = last_try(invoice)
    if found is not None:
        return found
    amount = invoice.amount_paid if invoice.status == "paid" else invoice.amount_due
    return Payment(id="", status=invoice.status, amount=amount, at=invoice.paid_at or invoice.created_at)
