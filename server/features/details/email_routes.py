"""Changing the e-mail address, in a session that the business' server made and whose configuration allows it.

| URL | does |
|---|---|
| `GET /my/details/email` | the form for the new address |
| `POST /my/details/email` | a code to the new address, then the form for it |
| `GET /my/details/email/code` | that form, also after the mail app was in between; with `letters` for a code of letters |
| `POST /my/details/email/code` | tries the code; a right one changes the address |

`access.email_changes` says what a code proves; in every other session these are not found.
"""

from __future__ import annotations

import logging
import math

from litestar import get, post
from msgspec.structs import replace

from server import telemetry
from server.access import email_changes, passcodes
from server.access.email_changes import Proved
from server.access.limits import Limits
from server.access.passcodes import Asking, OfSession
from server.access.sessions import LoggedIn
from server.features.details.email_views import ConfirmEmail, EditEmail
from server.features.details.visit import Answer, Visit, fresh_key
from server.formats.email import EmailMistake, canonical
from server.portal import Portal
from server.web import cookies
from server.web.client_address import browser_of, client_of
from server.web.responding import AnyRequest, go, go_in_place

_log = logging.getLogger(__name__)


@get("/my/details/email")
async def edit_email(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    it = Visit.looking(request, portal, customer).may_change_email()
    return it.show(_form(it))


@post("/my/details/email", status_code=200)
async def ask_code(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    it = (await Visit.posting(request, portal, customer)).may_change_email()
    typed = it.typed("email")[:254]
    address = canonical(typed)
    if not it.key:
        return it.show(_form(it, email=typed, again="out_of_date"), status=422)
    if isinstance(address, EmailMistake):
        return it.show(_form(it, email=typed, mistake=address.value), status=422)
    if address in (canonical(it.account.customer.email), customer.address):
        return it.show(_form(it, email=typed, mistake="same"), status=422)
    found = await email_changes.waiting(portal, customer, it.now)
    if _is_fresh(it, found) and found and found.challenge.address == address:
        return go_in_place(portal.paths.details_email_code)
    return await _send(it, address)


@get("/my/details/email/code")
async def code_page(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    it = Visit.looking(request, portal, customer).may_change_email()
    found = await email_changes.waiting(portal, customer, it.now)
    if found is None or found.is_proved:
        return go_in_place(portal.paths.details_email)
    if not found.challenge.is_live:
        return it.show(_form(it, email=found.challenge.address, lapsed=True))
    view = _code_form(it, found)
    return it.show(replace(view, letters=True) if "letters" in request.query_params else view)


@post("/my/details/email/code", status_code=200)
async def try_code(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    it = (await Visit.posting(request, portal, customer)).may_change_email()
    found = await email_changes.waiting(portal, customer, it.now)
    if found is None or not (found.challenge.is_live or found.is_proved):
        address = found.challenge.address if found else ""
        return it.show(_form(it, email=address, lapsed=True), status=422)
    if it.form.get("step") == "resend":
        return await _resend(it, found)
    code = passcodes.normalized(it.form.get("code"))
    if not found.is_proved and not (code and it.key):
        return _mistake(it, found, "no_code" if it.form.get("code").strip() else "empty")
    client, limits, change = (
        client_of(it.request, it.portal.settings),
        _limits(request),
        email_changes.change_of(customer),
    )
    proved = await portal.store.write(
        lambda transaction: email_changes.prove(
            transaction, portal, limits, change, code=code, client=client, now=it.now
        )
    )
    if isinstance(proved, Proved):
        return await _change(it, proved)
    if not proved.tries_left:
        return it.show(_form(it, email=found.challenge.address, lapsed=True), status=422)
    return _mistake(it, found, "wrong", tries_left=proved.tries_left)


async def _change(it: Visit, proved: Proved) -> Answer:
    """The address was proved in this session. Where the billing side is away, the same may be asked for again, without the code."""
    it.may_repeat("details_email_code", "")
    await it.portal.billing.change_email(replace(it.by, key=proved.key), proved.address)
    # The page's head shows the address too, so the whole page is loaded.
    return await it.finished("customer_update") or go(it.request, it.portal.paths.details_email_saved)


async def _send(it: Visit, address: str) -> Answer:
    request, portal, limits = it.request, it.portal, _limits(it.request)
    asking = Asking(
        address=address,
        client=client_of(it.request, it.portal.settings),
        browser=browser_of(request),
        mark=cookies.token_of(request, portal, "browser"),
        language=it.language,
        change=email_changes.change_of(it.customer),
    )
    asked = await portal.store.write(lambda transaction: passcodes.ask(transaction, portal, limits, asking, it.now))
    if not asked.is_sent:
        telemetry.refused(_log, "limit_reached", "somebody asks too often", path=request.url.path)
    return go_in_place(portal.paths.details_email_code)


async def _resend(it: Visit, found: OfSession) -> Answer:
    return _mistake(it, found, "too_soon") if _is_fresh(it, found) else await _send(it, found.challenge.address)


def _mistake(it: Visit, found: OfSession, mistake: str, *, tries_left: int = passcodes.TRIES) -> Answer:
    view = _code_form(it, found)
    letters = view.letters or any(each.isalpha() for each in it.form.get("code"))
    answer = it.show(
        replace(view, mistake=mistake, tries_left=tries_left, letters=letters),
        status=429 if mistake == "too_soon" else 422,
    )
    if mistake == "too_soon":
        answer.headers["Retry-After"] = str(max(math.ceil((view.may_resend_at - it.now).total_seconds()), 1))
    return answer


def _form(it: Visit, *, email: str = "", mistake: str = "", lapsed: bool = False, again: str = "") -> EditEmail:
    own = it.account.customer
    return EditEmail(
        customer=own.id, key=fresh_key(), again=again, email=email, old=own.email, mistake=mistake, lapsed=lapsed
    )


def _code_form(it: Visit, found: OfSession) -> ConfirmEmail:
    challenge = found.challenge
    return ConfirmEmail(
        customer=it.account.customer.id,
        key=fresh_key(),
        address=challenge.address,
        sent_at=challenge.sent_at,
        may_resend_at=_limits(it.request).may_resend_at(challenge.sent_at),
        letters=challenge.letters,
    )


def _is_fresh(it: Visit, found: OfSession | None) -> bool:
    if found is None or not found.challenge.is_live:
        return False
    return it.now < _limits(it.request).may_resend_at(found.challenge.sent_at)


def _limits(request: AnyRequest) -> Limits:
    limits: Limits = request.app.state.limits
    return limits


handlers = (edit_email, ask_code, code_page, try_code)
