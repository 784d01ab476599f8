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
from server.billing.ledger.sums import paying
from server.features.invoices import pay_views, views
from server.portal import Portal
from server.web import asking
from server.web.asking import Page
from server.web.forms import Form, read_form
from server.web.responding import AnyRequest, go


@get("/my/invoices/{invoice_id:str}/pay")
async def confirm_pay(request: AnyRequest, portal: Portal, customer: LoggedIn, invoice_id: str) -> Page:
    it = await _asked(request, portal, customer, invoice_id, Form({}))
    return it.cannot(looking=True) or it.form_page()


@post("/my/invoices/{invoice_id:str}/pay", status_code=200)
async def pay(request: AnyRequest, portal: Portal, customer: LoggedIn, invoice_id: str) -> Page:
    it = await _asked(request, portal, customer, invoice_id, await read_form(request))
    if impossible := it.of_another() or it.cannot():
        return impossible
    method = it.chosen
    mistake = pay_views.mistake_in(it.account, method, it.now) or ("" if it.key else "again")
    if mistake:
        return it.form_page(mistake=mistake, status=422)
    it.repeatable("invoice_pay", invoice_id, {"method": method}, see="invoice")
    try:
        done = await portal.billing.pay(
            customer.customer_id, invoice_id, method, key=it.key, now=it.now, browser=customer.browser
        )
    except Refused as refused:
        it = await _asked(request, portal, customer, invoice_id, it.form)
        return it.cannot() or it.form_page(refusal=refused.reason, status=409)
    if done.payment.status == "paid":
        return go(request, portal.paths.invoice_paid(invoice_id))
    if done.confirm_at:
        return go(request, done.confirm_at)
    return it.form_page(of=done.invoice, account=done.account, just_tried=True, status=409)


@post("/my/invoices/{invoice_id:str}/pay/add", status_code=200)
async def pay_add(request: AnyRequest, portal: Portal, customer: LoggedIn, invoice_id: str) -> Page:
    """To the provider's page for another payment method, which leads back here."""
    it = await _asked(request, portal, customer, invoice_id, await read_form(request))
    if impossible := it.of_another() or it.cannot():
        return impossible
    back = portal.paths.invoice_pay(invoice_id)
    return go(request, await portal.billing.setup(customer.customer_id, return_to=back, now=it.now))


@get("/my/invoices/{invoice_id:str}/pay/{method_id:str}/added")
async def pay_added(request: AnyRequest, portal: Portal, customer: LoggedIn, invoice_id: str, method_id: str) -> Page:
    """Back from the provider's page with a new payment method."""
    it = await _asked(request, portal, customer, invoice_id, Form({"method": method_id}))
    if it.account.payment_method(method_id) is None:
        raise NotFound
    return it.cannot(looking=True) or it.form_page(added=True)


@dataclass(frozen=True, slots=True)
class _Asked(asking.Asked):
    """One request about the payment of one invoice."""

    invoice: Invoice

    @property
    def chosen(self) -> str:
        return self.form.get("method")[:255]

    def cannot(self, *, looking: bool = False) -> Page | None:
        """The invoice as it stands, where there is nothing to pay."""
        refusal = paying.may_pay(self.invoice)
        if refusal is None:
            return None
        if refusal.reason != "already_paid":
            return self.show(views.detail(self.invoice, self.now, refusal.reason), status=200 if looking else 409)
        if looking:
            return self.show(views.paid(self.invoice, self.account, self.now))
        return go(self.request, self.portal.paths.invoice_paid(self.invoice.id))

    def form_page(
        self, *, of: Invoice | None = None, account: Account | None = None, status: int = 200, **said: Any
    ) -> Page:
        """`of` and `account`: as they are after a try."""
        account, features, key = account or self.account, self.features, asking.fresh_key()
        view = pay_views.confirm_pay(
            account, of or self.invoice, features, self.now, key=key, chosen=self.chosen, **said
        )
        return self.show(view, status=status)


async def _asked(request: AnyRequest, portal: Portal, customer: LoggedIn, invoice_id: str, form: Form) -> _Asked:
    """Raises `NotFound`, also for another customer's invoice and where the brand shows no invoices."""
    if not portal.brand.portal.features.invoice_history.enabled:
        raise NotFound
    found = await portal.billing.invoice(customer.customer_id, invoice_id)
    return _Asked(request, portal, customer, portal.clock(), form, found)


handlers = (confirm_pay, pay, pay_add, pay_added)
