"""The invoices: one page of the list, one invoice, and its documents."""

from __future__ import annotations

from typing import Any

from litestar import Response, get

from server.billing import Invoice, InvoicePage, NotFound
from server.documents import Printer
from server.invoices import views
from server.portal import Portal
from server.responding import AnyRequest, locale_for, save, show
from server.sessions import LoggedIn


@get("/my/invoices")
async def invoices(request: AnyRequest, portal: Portal, customer: LoggedIn, before: str = "") -> Response[str]:
    """`before` is the cursor that an earlier page named. The newest page stands in the account already."""
    _offered(portal)
    account = customer.account
    if before:
        page = await portal.billing.invoices(customer.customer_id, before=before)
    else:
        older = account.invoices[-1].id if account.has_older_invoices and account.invoices else ""
        page = InvoicePage(account.invoices, before=older)
    view = views.listing(page, portal.clock(), before)
    return show(request, portal, view, account=account, address=customer.address)


@get("/my/invoices/{invoice_id:str}")
async def invoice(request: AnyRequest, portal: Portal, customer: LoggedIn, invoice_id: str) -> Response[str]:
    _offered(portal)
    found = await portal.billing.invoice(customer.customer_id, invoice_id)
    view = views.detail(found, portal.clock())
    return show(request, portal, view, account=customer.account, address=customer.address)


@get("/my/invoices/{invoice_id:str}/pdf")
async def pdf(request: AnyRequest, portal: Portal, customer: LoggedIn, invoice_id: str) -> Response[Any]:
    return await _document(request, portal, customer, "invoice", invoice_id)


@get("/my/invoices/{invoice_id:str}/receipt")
async def receipt(request: AnyRequest, portal: Portal, customer: LoggedIn, invoice_id: str) -> Response[Any]:
    return await _document(request, portal, customer, "receipt", invoice_id)


async def _document(
    request: AnyRequest, portal: Portal, customer: LoggedIn, kind: str, invoice_id: str
) -> Response[Any]:
    _offered(portal)
    found = await portal.billing.invoice(customer.customer_id, invoice_id)
    if not (views.has_receipt(found) if kind == "receipt" else views.has_document(found)):
        raise NotFound
    locale = locale_for(request, portal, customer.account)
    body = await _printed(request, portal, kind, locale, found)
    return save(body, views.file_name(kind, found), "application/pdf")


async def _printed(request: AnyRequest, portal: Portal, kind: str, locale: str, found: Invoice) -> bytes:
    printer: Printer = request.app.state.printer
    return await printer.pdf(
        portal.renderer,
        kind,
        locale,
        country=found.customer_address.country,
        at=found.created_at,
        view=views.detail(found, portal.clock()),
    )


def _offered(portal: Portal) -> None:
    if not portal.brand.portal.features.invoice_history.enabled:
        raise NotFound


handlers = (invoices, invoice, pdf, receipt)
