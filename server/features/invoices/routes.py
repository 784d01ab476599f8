"""The invoices: one page of the list, one invoice, its documents, and a year of them to take along."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Response, get
from msgspec.structs import replace

from server.access.sessions import LoggedIn
from server.billing import CreditNote, Invoice, InvoiceFilter, InvoicePage, NotFound
from server.billing.electronic import Statement, statement
from server.features.invoices import credit_note_views, exports, factur_x, pay_routes, views
from server.features.invoices.visit import Visit
from server.portal import Portal
from server.rendering.printing.printer import Printer
from server.web.languages import locale_for
from server.web.responding import AnyRequest, lead_to, save, show

_PIECE = 100
"""How many invoices a download reads at a time."""


@get("/my/invoices")
async def invoices(
    request: AnyRequest, portal: Portal, customer: LoggedIn, *, before: str = "", year: str = "", status: str = ""
) -> Response[str]:
    """`before` is the cursor that an earlier page named. The newest page is in the account already."""
    _offered(portal, customer)
    account, zone = customer.account, _zone(portal)
    chosen = views.choice(account, zone, year, status)
    if chosen != views.Choice():
        page = await portal.billing.invoices(customer.customer_id, before=before, only=chosen.only(zone))
    elif before:
        page = await portal.billing.invoices(customer.customer_id, before=before)
    else:
        latest = account.latest_invoices
        page = InvoicePage(latest, before=latest[-1].id if account.has_older_invoices and latest else "")
    is_newest = not before and chosen == views.Choice()
    debts = account.older_debts if is_newest else ()
    view = views.listing(page, portal.clock(), before, chosen, views.years(account, zone), debts=debts)
    return show(request, portal, view, account=account, address=customer.address)


@get("/my/invoices/csv")
async def csv(request: AnyRequest, portal: Portal, customer: LoggedIn, year: str = "") -> Response[Any]:
    only = _year(portal, customer, year)
    body = exports.as_csv(await _until(portal, customer, only), _zone(portal), only)
    return await save(request, body, views.export_name(year, "csv"), "text/csv")


@get("/my/invoices/zip")
async def zip_(request: AnyRequest, portal: Portal, customer: LoggedIn, year: str = "") -> Response[Any]:
    """The documents of a year; a text among them says which invoices have none here, and why."""
    only = _year(portal, customer, year)
    files = _documents(request, portal, customer, await _until(portal, customer, only), only)
    return await save(request, exports.as_zip(files), views.export_name(year, "zip"), "application/zip")


@get("/my/invoices/{invoice_id:str}")
async def invoice(
    request: AnyRequest, portal: Portal, customer: LoggedIn, invoice_id: str, *, paid: str = "", document: str = ""
) -> Response[str]:
    """`paid`: where a payment led to, which says so if it is; `document`: `none` where the billing side has none of it."""
    it = await Visit.looking(request, portal, customer).after_the_bank(invoice_id)
    found = await it.invoice(invoice_id)
    just_paid = paid and found.status == "paid"
    view = views.paid(found, it.account, it.now) if just_paid else views.detail(found, it.now)
    if document == "none" and found.hosted:
        view = replace(view, announcement="no_document")
    business = portal.brand.config.business
    return it.show(views.payable(views.electronic(view, business), business, ""))


@get("/my/invoices/{invoice_id:str}/pdf")
async def pdf(request: AnyRequest, portal: Portal, customer: LoggedIn, invoice_id: str) -> Response[Any]:
    _offered(portal, customer)
    found = await portal.billing.invoice(customer.customer_id, invoice_id)
    if found.hosted:
        return await _elsewhere(portal, customer, found, "invoice")
    if not views.has_document(found):
        raise NotFound
    body = partial(_printed, request, portal, customer, found)
    return await save(request, body, views.file_name("invoice", found), "application/pdf")


@get("/my/invoices/{invoice_id:str}/receipt")
async def receipt(request: AnyRequest, portal: Portal, customer: LoggedIn, invoice_id: str) -> Response[Any]:
    _offered(portal, customer)
    found = await portal.billing.invoice(customer.customer_id, invoice_id)
    if found.hosted:
        return await _elsewhere(portal, customer, found, "receipt")
    if not views.has_receipt(found):
        raise NotFound
    body = partial(_printed, request, portal, customer, found, "receipt")
    return await save(request, body, views.file_name("receipt", found), "application/pdf")


@get("/my/invoices/{invoice_id:str}/credit-notes/{note_id:str}")
async def credit_note(
    request: AnyRequest, portal: Portal, customer: LoggedIn, invoice_id: str, note_id: str
) -> Response[str]:
    _offered(portal, customer)
    found = await portal.billing.invoice(customer.customer_id, invoice_id)
    view = credit_note_views.of(found, note_id)
    return show(request, portal, view, account=customer.account, address=customer.address)


@get("/my/invoices/{invoice_id:str}/credit-notes/{note_id:str}/pdf")
async def credit_note_pdf(
    request: AnyRequest, portal: Portal, customer: LoggedIn, invoice_id: str, note_id: str
) -> Response[Any]:
    _offered(portal, customer)
    found = await portal.billing.invoice(customer.customer_id, invoice_id)
    view = credit_note_views.of(found, note_id)
    if found.hosted:
        return await _elsewhere(portal, customer, found, note_id)
    if not view.has_document:
        raise NotFound
    body = partial(_printed_note, request, portal, customer, view)
    return await save(request, body, credit_note_views.file_name(view.note), "application/pdf")


async def _elsewhere(portal: Portal, customer: LoggedIn, found: Invoice, kind: str) -> Response[bytes]:
    """To the billing side's own document: a link that was asked for just now, and is kept nowhere."""
    url = await portal.billing.document(customer.customer_id, found.id, kind)
    return lead_to(url or portal.paths.invoice_without(found.id))


async def _printed(
    request: AnyRequest, portal: Portal, customer: LoggedIn, found: Invoice, kind: str = "invoice"
) -> bytes:
    """The invoice as a PDF, with the electronic invoice inside where there is one, or its receipt."""
    printer: Printer = request.app.state.printer
    business, locale = portal.brand.config.business, locale_for(request, portal, customer.account)
    said = statement(found, business) if kind == "invoice" else None
    return await printer.pdf(
        portal.renderer,
        kind,
        locale,
        country=found.customer_address.country,
        at=found.created_at,
        electronic=partial(factur_x.xml, said, _zone(portal)) if isinstance(said, Statement) else None,
        view=views.payable(views.detail(found, portal.clock()), business, _pay_url(portal, locale, found)),
    )


async def _printed_note(
    request: AnyRequest, portal: Portal, customer: LoggedIn, view: credit_note_views.CreditNote
) -> bytes:
    printer: Printer = request.app.state.printer
    locale, country = locale_for(request, portal, customer.account), view.invoice.customer_address.country
    return await printer.pdf(
        portal.renderer, "credit_note", locale, country=country, at=view.note.created_at, view=view
    )


def _pay_url(portal: Portal, locale: str, found: Invoice) -> str:
    """The page to pay it on, as a link from elsewhere: who is not logged in gets there through log-in."""
    return portal.origin + portal.renderer.paths_in(locale).invoice_pay(found.id)


async def _until(portal: Portal, customer: LoggedIn, only: InvoiceFilter) -> AsyncIterator[tuple[Invoice, ...]]:
    """All invoices up to the end of what is wanted: a credit note may be of a later year than its invoice. The first page
    is asked for before anything is sent: a failure is still told."""
    older = InvoiceFilter(until_at=only.until_at)
    first = await portal.billing.invoices(customer.customer_id, limit=_PIECE, only=older)
    return _pages(portal, customer, older, first)


async def _pages(
    portal: Portal, customer: LoggedIn, only: InvoiceFilter, page: InvoicePage
) -> AsyncIterator[tuple[Invoice, ...]]:
    yield page.invoices
    while page.before:
        page = await portal.billing.invoices(customer.customer_id, before=page.before, limit=_PIECE, only=only)
        yield page.invoices


async def _documents(
    request: AnyRequest,
    portal: Portal,
    customer: LoggedIn,
    pages: AsyncIterator[tuple[Invoice, ...]],
    only: InvoiceFilter,
) -> AsyncIterator[tuple[str, Any, bytes]]:
    zone = _zone(portal)
    left_out: list[tuple[Invoice | CreditNote, str]] = []
    async for page in pages:
        for each in page:
            is_wanted = only.is_within(each.created_at)
            if is_wanted and views.has_document(each):
                content = await _printed(request, portal, customer, each)
                yield views.file_name("invoice", each), each.created_at.astimezone(zone), content
            elif is_wanted:
                left_out.append((each, "hosted" if each.hosted else views.withheld(each)))
            dated = (note for note in each.credit_notes if only.is_within(note.created_at))
            for note in map(partial(credit_note_views.shown, each), dated):
                if note.has_document and not each.hosted:
                    content = await _printed_note(request, portal, customer, note)
                    yield credit_note_views.file_name(note.note), note.note.created_at.astimezone(zone), content
                else:
                    left_out.append((note.note, note.withheld or "hosted"))
    if left_out:
        locale = locale_for(request, portal, customer.account)
        words = portal.renderer.text("documents/left_out.txt", locale, left_out=left_out)
        yield "README.txt", portal.clock().astimezone(zone), words.replace("\n", "\r\n").encode("utf-8-sig")


def _year(portal: Portal, customer: LoggedIn, year: str) -> InvoiceFilter:
    """Without a year, all of them. Raises `NotFound` for one that is not offered."""
    _offered(portal, customer)
    zone = _zone(portal)
    chosen = views.choice(customer.account, zone, year, "")
    if year and not chosen.year:
        raise NotFound
    return chosen.only(zone)


def _zone(portal: Portal) -> ZoneInfo:
    return ZoneInfo(portal.brand.config.site.timezone)


def _offered(portal: Portal, customer: LoggedIn) -> None:
    if not customer.features(portal).invoice_history.enabled:
        raise NotFound


handlers = (invoices, csv, zip_, invoice, pdf, receipt, credit_note, credit_note_pdf, *pay_routes.handlers)
