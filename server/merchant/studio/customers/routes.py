"""Customers: who they are, and what became of them.

| URL below `/_studio/b/<brand>` | right | does |
|---|---|---|
| `GET /customers?q=` | `customers` | looks for a part of a name, an address or an id |
| `GET /customers/<id>` | `customers` | one customer: log-in, mails, sessions, history |
| `POST /customers/<id>` | `customers` | `do`: `end` a session, `end_all`, `disable`, `enable`; needs a passkey shown a moment ago |
"""

from __future__ import annotations

from litestar import get, post
from litestar.exceptions import ClientException

from server.access import directory, known_browsers, other_sessions, sessions
from server.access.directory import Candidate
from server.billing import Account, Activity, NotFound
from server.features.entries import Entry, entry_of
from server.formats.email import EmailMistake, canonical
from server.mail import outbox
from server.merchant import searching
from server.merchant.studio import history
from server.merchant.studio import sessions as operator_sessions
from server.merchant.studio.customers import views
from server.merchant.studio.place import Studio, start_of
from server.merchant.studio.settings.views import told
from server.merchant.studio.visit import Answer, Operator, posted, show
from server.portal import Portal
from server.store import Transaction, moment
from server.web.responding import AnyRequest, go

LONGEST = 200
"""Letters that may be looked for."""
_MAILS = 20
_DONE = frozenset({"ended", "gone", "all_ended", "disabled", "enabled"})
_VERBS = frozenset({"end", "end_all", "disable", "enable"})


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
        tuple(map(told, await history.about_customer(studio.store, portal.name, customer_id))),
        done if done in _DONE else "",
    )
    return show(request, view)


@post("/b/{brand_name:str}/customers/{customer_id:str}", status_code=200, right="customers")
async def change(request: AnyRequest, studio: Studio, operator: Operator, customer_id: str) -> Answer:
    form = await posted(request)
    portal, _ = await found(studio, operator, customer_id)
    verb, name, now = form.get("do"), form.get("session"), studio.clock()
    if verb not in _VERBS:
        raise ClientException

    def work(transaction: Transaction) -> str:
        operator_sessions.require_passkey(transaction, studio, operator.session, now)
        what, done = _changed(transaction, portal, customer_id, verb, name)
        if what:
            data = {"customer": customer_id}
            history.note(transaction, what, data, operator=operator.address, brand=portal.name, now=now)
        return done

    done = await studio.store.write(work)
    return go(request, f"{start_of(operator.brand)}/customers/{customer_id}?done={done}")


def _changed(transaction: Transaction, portal: Portal, customer_id: str, verb: str, name: str) -> tuple[str, str]:
    """Do it; the act for the history, empty where it was so already, and what the page says."""
    if verb == "end":
        ended = other_sessions.end_named(transaction, portal, customer_id, name)
        return ("session_ended", "ended") if ended else ("", "gone")
    if verb in {"end_all", "disable"}:  # the next log-in is told by mail, from whichever browser
        ended = sessions.end_all(transaction, portal.name, customer_id) > 0
        known_browsers.forget(transaction, portal, customer_id)
        if verb == "end_all":
            return ("sessions_ended", "all_ended") if ended else ("", "gone")
    disabled = verb == "disable"
    changed = directory.set_disabled(transaction, portal.name, customer_id, disabled=disabled)
    done = "disabled" if disabled else "enabled"
    return (f"customer_{done}" if changed else "", done)


async def found(studio: Studio, operator: Operator, customer_id: str) -> tuple[Portal, Candidate]:
    """The customer of the operator's brand. Raises `NotFound`, also for another brand's."""
    portal = studio.portals().get(operator.brand)
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


handlers = (search, customer, change)
