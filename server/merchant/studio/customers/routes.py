"""Customers: who they are, and what became of them.

| URL below `/_studio/b/<brand>` | right | does |
|---|---|---|
| `GET /customers?q=` | `customers` | looks for a part of a name, an address or an id |
| `GET /customers/<id>` | `customers` | one customer: log-in, mails, sessions, history |
"""

from __future__ import annotations

from litestar import get

from server.access import directory, other_sessions, sessions
from server.access.directory import Candidate
from server.billing import Account, Activity, NotFound
from server.features.entries import Entry, entry_of
from server.formats.email import EmailMistake, canonical
from server.mail import outbox
from server.merchant import searching
from server.merchant.studio.customers import views
from server.merchant.studio.place import Studio
from server.merchant.studio.visit import Answer, Operator, show
from server.portal import Portal
from server.store import moment
from server.web.responding import AnyRequest

LONGEST = 200
"""Letters that may be looked for."""
_MAILS = 20
_DONE = frozenset({"ended", "gone", "all", "disabled", "enabled"})


@get("/b/{brand_name:str}/customers", right="customers")
async def search(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    typed = request.query_params.get("q", "").strip()[:LONGEST]
    found = await searching.search(studio.store, operator.brand, typed) if typed else None
    return show(request, views.Search(found))


@get("/b/{brand_name:str}/customers/{customer_id:str}", right="customers")
async def customer(request: AnyRequest, studio: Studio, operator: Operator, customer_id: str) -> Answer:
    portal, candidate = await found(studio, operator, customer_id)
    account = await directory.account_of(studio.store, portal.name, customer_id)
    address = canonical(candidate.email)
    mails = await outbox.about(
        studio.store, portal.name, "" if isinstance(address, EmailMistake) else address, _MAILS, customer_id
    )
    by_billing, by_operator = await directory.disabled_by(studio.store, portal.name, customer_id)
    done = request.query_params.get("done", "")
    view = views.Customer(
        await searching.explained(studio.store, portal.name, candidate),
        tuple(mails),
        tuple(await _sessions(portal, customer_id)),
        tuple(_entries(await portal.billing.history(customer_id), account)),
        tuple(await searching.switched_off(studio.store, portal.name, customer_id)),
        by_billing,
        by_operator,
        account.as_of if account else None,
        done if done in _DONE else "",
    )
    return show(request, view)


async def found(studio: Studio, operator: Operator, customer_id: str) -> tuple[Portal, Candidate]:
    """The customer of the operator's brand. Raises `NotFound`, also for another brand's."""
    portal = studio.portals.get(operator.brand)
    candidate = await directory.find(studio.store, operator.brand, customer_id)
    if portal is None or candidate is None:
        raise NotFound
    return portal, candidate


async def _sessions(portal: Portal, customer_id: str) -> list[other_sessions.Open]:
    rows = await sessions.open_of(portal, customer_id, portal.clock())
    return [
        other_sessions.Open(
            other_sessions.name_of(portal, customer_id, bytes(id_hash)), browser, kind, moment(began), moment(seen)
        )
        for id_hash, browser, kind, began, seen in rows
    ]


def _entries(activities: list[Activity], account: Account | None) -> list[Entry]:
    return [entry_of(each, account) for each in activities] if account else []


handlers = (search, customer)
