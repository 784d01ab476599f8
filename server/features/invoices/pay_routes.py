"""Paying an invoice: the page with the amount and the ways to pay it, the payment itself, another card on the way.

A payment that worked leads to the invoice, one that the bank wants confirmed to the provider's page, one that failed
back to the form with the reason. The form carries two hidden fields: `customer`, so that a page of another account pays
nothing here, and `key`, so that the same form sent twice pays once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import get, post

from server.access.sessions import LoggedIn
from server.billing import Account, Invoice, NotFound, Refused
from server.billing.rules import paying
from server.features.invoices import pay_views, views
from server.features.invoices.visit import Answer, Visit, fresh_key
from server.portal import Portal
from server.web.responding import AnyRequest, go


@get("/my/invoices/{invoice_id:str}/pay")
async def confirm_pay(request: AnyRequest, portal: Portal, customer: LoggedIn, invoice_id: str) -> Answer:
    visit = await Visit.looking(request, portal, customer).after_the_bank(invoice_id)
    it = await _Payment.begin(visit, invoice_id)
    return it.cannot(looking=True) or it.form_page()


@post("/my/invoices/{invoice_id:str}/pay", status_code=200)
async def pay(request: AnyRequest, portal: Portal, customer: LoggedIn, invoice_id: str) -> Answer:
    visit = await Visit.posting(request, portal, customer)
    it = await _Payment.begin(visit, invoice_id, visit.form.get("method"))
    if impossible := it.cannot():
        return impossible
    mistake = pay_views.mistake_in(visit.account, it.chosen, visit.now) or ("" if visit.key else "again")
    if mistake:
        return it.form_page(mistake=mistake, status=422)
    visit.repeatable("invoice_pay", invoice_id, {"method": it.chosen}, see="invoice")
    try:
        done = await portal.billing.pay(visit.by, invoice_id, it.chosen)
    except Refused as refused:
        it = await _Payment.begin(visit, invoice_id, it.chosen)
        return it.cannot() or it.form_page(refusal=refused.reason, status=409)
    if done.payment.status == "paid":
        return go(request, portal.paths.invoice_paid(invoice_id))
    if done.confirm_at:
        return visit.leave(done.confirm_at, back=portal.paths.invoice_pay(invoice_id))
    return it.form_page(of=done.invoice, account=done.account, just_tried=True, status=409)


@post("/my/invoices/{invoice_id:str}/pay/add", status_code=200)
async def pay_add(request: AnyRequest, portal: Portal, customer: LoggedIn, invoice_id: str) -> Answer:
    """To the provider's page for another payment method, which leads back here."""
    it = await _Payment.begin(await Visit.posting(request, portal, customer), invoice_id)
    if impossible := it.cannot():
        return impossible
    back = portal.paths.invoice_pay(invoice_id)
    url = await portal.billing.setup(it.visit.by, return_to=back, as_default=it.visit.as_default)
    return it.visit.leave(url, back=back)


@get("/my/invoices/{invoice_id:str}/pay/returned/{session_id:str}")
async def pay_returned(
    request: AnyRequest, portal: Portal, customer: LoggedIn, invoice_id: str, session_id: str
) -> Answer:
    """Back from a provider's page that knows its own session only, to `pay_added`."""
    it = await _Payment.begin(Visit.looking(request, portal, customer), invoice_id)
    method_id = await portal.billing.returned(it.visit.by, session_id)
    return go(request, portal.paths.invoice_pay_added(invoice_id, method_id))


@get("/my/invoices/{invoice_id:str}/pay/{method_id:str}/added")
async def pay_added(request: AnyRequest, portal: Portal, customer: LoggedIn, invoice_id: str, method_id: str) -> Answer:
    """Back from the provider's page with a new payment method."""
    it = await _Payment.begin(Visit.looking(request, portal, customer), invoice_id, method_id)
    if it.visit.account.payment_method(method_id) is None:
        raise NotFound
    return it.cannot(looking=True) or it.form_page(added=True)


@dataclass(frozen=True, slots=True)
class _Payment:
    """The payment of one invoice that a request is about."""

    visit: Visit
    invoice: Invoice
    chosen: str
    """The payment method that the customer chose, or empty."""

    @classmethod
    async def begin(cls, visit: Visit, invoice_id: str, chosen: str = "") -> _Payment:
        """Raises `NotFound`, also for another customer's invoice."""
        return cls(visit, await visit.invoice(invoice_id), chosen[:255])

    def cannot(self, *, looking: bool = False) -> Answer | None:
        """The invoice as it is, where there is nothing to pay."""
        visit, refusal = self.visit, paying.may_pay(self.invoice)
        if refusal is None:
            return None
        if refusal.reason != "already_paid":
            return visit.show(views.detail(self.invoice, visit.now, refusal.reason), status=200 if looking else 409)
        if looking:
            return visit.show(views.paid(self.invoice, visit.account, visit.now))
        return go(visit.request, visit.portal.paths.invoice_paid(self.invoice.id))

    def form_page(
        self, *, of: Invoice | None = None, account: Account | None = None, status: int = 200, **said: Any
    ) -> Answer:
        """`of` and `account`: as they are after a try."""
        visit, account = self.visit, account or self.visit.account
        view = pay_views.confirm_pay(
            account, of or self.invoice, visit.features, visit.now, key=fresh_key(), chosen=self.chosen, **said
        )
        return visit.show(view, status=status)


handlers = (confirm_pay, pay, pay_add, pay_returned, pay_added)
