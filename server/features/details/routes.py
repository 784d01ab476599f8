"""The billing details page, and everything that the portal knows to take along. Nothing is changed in this file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from litestar import Response, get

from server.access import declarations, email_changes, known_browsers, sessions
from server.access.sessions import LoggedIn
from server.billing import Activity, Invoice, InvoicePage, NotFound
from server.billing.model.invoice import with_taxable
from server.features.details import edit_routes, email_routes, exports, tax_routes, views
from server.mail import outbox, reminder_choices
from server.portal import Portal
from server.web.responding import AnyRequest, save, show

_PIECE = 100
"""How many invoices, or lines of the history, an export reads at a time."""
_MOST_MAILS = 1_000


@get("/my/details")
async def details(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Response[str]:
    rule = customer.features(portal).customer_update
    if not rule.enabled:
        raise NotFound
    may_change = email_changes.may_change(portal, customer)
    saved = "email" if may_change and request.query_params.get("saved") == "email" else ""
    view = views.details(customer.account, rule, saved=saved, may_change_email=may_change)
    return show(request, portal, view, account=customer.account, address=customer.address)


@get("/my/details/export")
async def export(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Response[Any]:
    """Whatever the brand's features are: it is the customer's own. The first pages are read before anything is sent,
    so a failure is still told."""
    now = portal.clock()
    head = {
        "exported_at": now,
        "brand": portal.name,
        **exports.of_account(customer.account),
        "sessions": await sessions.known(portal, customer.customer_id),
        "known_browsers": await known_browsers.all_of(portal, customer.customer_id),
        "reminders_off": await _reminders_off(portal, customer),
        "mails": await _mails(portal, customer),
        "declarations": await _declarations(portal, customer),
    }
    invoices = await portal.billing.invoices(customer.customer_id, limit=_PIECE)
    lines = await portal.billing.history(customer.customer_id, limit=_PIECE)
    lists = {"invoices": _invoices(portal, customer, invoices), "activity": _history(portal, customer, lines)}
    name = f"{portal.name}-{now:%Y-%m-%d}.json"
    return await save(request, exports.as_json(head, lists), name, "application/json")


async def _mails(portal: Portal, customer: LoggedIn) -> list[dict[str, Any]]:
    found = await outbox.about(portal.store, portal.name, customer.address, _MOST_MAILS, customer.customer_id)
    return [{"kind": each.kind, "created_at": each.created_at, "state": each.state} for each in found]


async def _declarations(portal: Portal, customer: LoggedIn) -> list[dict[str, Any]]:
    """What was declared with this address without logging in, and what became of it."""
    found = await declarations.of_address(portal.store, portal.name, customer.address)
    return [
        {
            "id": each.id,
            "at": each.declaration.at,
            **exports.plain(each.said),
            "state": each.state,
            "proved_at": each.proved_at,
            "decided_at": each.decided_at,
            "answer": each.answer,
        }
        for each in found
    ]


async def _reminders_off(portal: Portal, customer: LoggedIn) -> list[dict[str, Any]]:
    found = await reminder_choices.switched_off(portal.store, portal.name, customer.customer_id)
    return [{"kind": kind, "since": at} for kind, at in found.items()]


async def _invoices(portal: Portal, customer: LoggedIn, first: InvoicePage) -> AsyncIterator[tuple[Invoice, ...]]:
    """Each tax with what it is a tax on, as its page says."""
    page = first
    yield tuple(map(with_taxable, page.invoices))
    while page.before:
        page = await portal.billing.invoices(customer.customer_id, before=page.before, limit=_PIECE)
        yield tuple(map(with_taxable, page.invoices))


async def _history(portal: Portal, customer: LoggedIn, first: list[Activity]) -> AsyncIterator[list[Activity]]:
    page, read = first, len(first)
    yield page
    while len(page) == _PIECE:
        page = await portal.billing.history(customer.customer_id, limit=_PIECE, skip=read)
        read += len(page)
        yield page


handlers = (details, export, *edit_routes.handlers, *email_routes.handlers, *tax_routes.handlers)
