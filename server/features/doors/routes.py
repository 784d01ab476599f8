"""What anybody may declare without logging in: that a contract ends, or that they withdraw from it.

| URL | does |
|---|---|
| `POST /doors/{kind}` | the form of the static page: says what is wrong with it, shows it once more where the law wants that, writes it down |
| `GET /doors/received/{token}` | what was declared, and when; for whoever declared it |
| `GET /doors/received/{token}/pdf` | the same to keep |
| `GET /doors/proof/{token}` | the link of the confirmation: a page with a button; scanners of mails follow links, so it changes nothing |
| `POST /doors/proof/{token}` | the address is proved: what can be done at once is done, see `applying` |

A declaration counts from the moment it is written down, whoever made it; a stranger's ends nothing by itself. No answer before the
proof depends on whether the address is a customer's.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Response, get, post
from msgspec.structs import replace

from server.access import declarations
from server.access.declarations import PAGE, PROOF, Case, Content, Declared
from server.access.limits import Limits
from server.billing import NotFound
from server.features.doors import applying, views
from server.features.doors.views import LONGEST, Mistake, Typed
from server.formats.email import EmailMistake, canonical
from server.portal import Portal
from server.rendering.printing.printer import Printer
from server.store import Transaction, posting
from server.web import languages
from server.web.client_address import browser_of, client_of
from server.web.forms import read_form
from server.web.responding import AnyRequest, lead_to, save, show

Answer = Response[str] | Response[bytes]
FARTHEST = timedelta(days=3 * 366)
"""No contract is canceled for a day after that."""
PATIENCE = timedelta(minutes=30)
"""For so long the merchant is not told of what may still be done by itself."""
CONFIRMED_WITHIN = timedelta(days=3)
"""For so long a mail server may be away."""


@post("/doors/{kind:str}", status_code=200)
async def declare(request: AnyRequest, portal: Portal, kind: str) -> Answer:
    _is_open(portal, kind)
    form, now = await read_form(request), portal.clock()
    request.state.language = form.get("language")
    typed = Typed(**{name: form.get(name).replace("\r\n", "\n") for name in Typed.__struct_fields__})
    verb, locale = form.get("do"), languages.locale_for(request, portal)
    if verb == "edit":
        return show(request, portal, views.Declare(kind, typed))
    said, mistakes = read(kind, typed, locale, _today(portal, now))
    if mistakes:
        return show(request, portal, views.Declare(kind, typed, mistakes), status=422)
    if portal.brand.config.doors.is_reviewed(kind, locale) and verb != "send":
        return show(request, portal, views.Review(said, typed))
    declared = await _written_down(request, portal, said, now)
    token = declarations.token(portal.settings, portal.name, declared.case.id, PAGE)
    mailed = "" if declared.is_mailed else "?mailed=no"
    return lead_to(f"{portal.paths.declared(token)}{mailed}")


@get("/doors/received/{token:str}")
async def received(request: AnyRequest, portal: Portal, token: str) -> Answer:
    case = await _case(portal, token, PAGE)
    request.state.language = case.said.locale
    is_mailed = "mailed" not in request.query_params
    return show(request, portal, views.received(case, token, is_mailed=is_mailed))


@get("/doors/received/{token:str}/pdf")
async def pdf(request: AnyRequest, portal: Portal, token: str) -> Response[Any]:
    case = await _case(portal, token, PAGE)
    limits, client, now = request.app.state.limits, client_of(request, portal.settings), portal.clock()
    await portal.store.write(lambda it: limits.use_client(it, portal.name, "document", client, now))
    body = partial(printed, request.app.state.printer, portal, case)
    return await save(request, body, f"{case.said.kind}-{case.declaration.at:%Y-%m-%d}.pdf", "application/pdf")


@get("/doors/proof/{token:str}")
async def before_proof(request: AnyRequest, portal: Portal, token: str) -> Answer:
    case = await _case(portal, token, PROOF)
    return await _proof(request, portal, case, token, case.state if case.proved_at else "")


@post("/doors/proof/{token:str}", status_code=200)
async def prove(request: AnyRequest, portal: Portal, token: str) -> Answer:
    case, now = await _case(portal, token, PROOF), portal.clock()
    await portal.store.write(lambda it: declarations.prove(it, portal.name, case.id, now))
    if case.state == "open" and (ending := await applying.apply(portal, case, browser_of(request), now)):
        await portal.store.write(
            lambda it: declarations.apply(
                it, portal.name, case.id, subscription=ending.subscription, ends_at=ending.ends_at, now=now
            )
        )
    case = await _case(portal, token, PROOF)
    return await _proof(request, portal, case, token, case.state)


def read(kind: str, typed: Typed, locale: str, today: datetime) -> tuple[Content, tuple[Mistake, ...]]:
    """What the form says, and what is wrong with it."""
    mistakes = [Mistake(name, "missing") for name in ("name", "contract") if not getattr(typed, name).strip()]
    address = canonical(typed.email)
    if isinstance(address, EmailMistake):
        mistakes.append(Mistake("email", "missing" if address is EmailMistake.EMPTY else address.value))
    said = Content(kind, typed.name.strip(), str(address), typed.contract.strip(), locale=locale)
    if kind == "cancel":
        is_for_cause, has_date = typed.how == "cause", typed.when == "date"
        if typed.how not in ("ordinary", "cause"):
            mistakes.append(Mistake("how", "missing"))
        if is_for_cause and not typed.reason.strip():
            mistakes.append(Mistake("reason", "missing"))
        on = views.date_in(typed.date) if has_date else None
        if typed.when not in ("earliest", "date"):
            mistakes.append(Mistake("when", "missing"))
        if has_date and (why := _wrong_date(typed.date, today)):
            mistakes.append(Mistake("date", why))
        said = replace(said, how=typed.how, reason=typed.reason.strip(), on=on)
    long = [Mistake(name, "long") for name, most in LONGEST.items() if len(getattr(typed, name).strip()) > most]
    order = Typed.__struct_fields__
    return said, tuple(sorted([*mistakes, *long], key=lambda each: order.index(each.field)))


def _wrong_date(typed: str, today: datetime) -> str:
    on = views.date_in(typed)
    if on is None:
        return "no_date"
    return "past" if on < today.date() else "far" if on > (today + FARTHEST).date() else ""


async def printed(printer: Printer, portal: Portal, case: Case) -> bytes:
    """The declaration to keep, in the language that it was made in."""
    country, at = portal.brand.config.business.address.country, case.declaration.at
    return await printer.pdf(portal.renderer, "declaration", _locale(portal, case), country=country, at=at, case=case)


def _locale(portal: Portal, case: Case) -> str:
    spoken = portal.brand.config.site.locales
    return case.said.locale if case.said.locale in spoken else spoken[0]


async def _written_down(request: AnyRequest, portal: Portal, said: Content, now: datetime) -> Declared:
    limits: Limits = request.app.state.limits
    client, days = client_of(request, portal.settings), portal.brand.config.doors.answer_days

    def work(transaction: Transaction) -> Declared:
        made = declarations.declare(transaction, portal.name, limits, said, client=client, days=days, now=now)
        if made.is_new:
            _tell(transaction, portal, made, now)
        return made

    return await portal.store.write(work)


def _tell(transaction: Transaction, portal: Portal, made: Declared, now: datetime) -> None:
    """Confirm it to the declarant at once, and tell the merchant of what nobody has proved by then."""
    data, brand = declarations.told(made.case), portal.name
    if made.is_mailed:
        posting.enqueue(
            transaction, brand=brand, customer_id="", kind="declaration", data=data, now=now,
            expires_at=now + CONFIRMED_WITHIN, waited_for=True,
        )  # fmt: skip
    posting.enqueue(
        transaction, brand=brand, customer_id="", kind="declaration_waits", data=data, now=now,
        expires_at=made.case.due_at + CONFIRMED_WITHIN, event=declarations.event_of(made.case.id),
        not_before=now + PATIENCE,
    )  # fmt: skip


async def _proof(request: AnyRequest, portal: Portal, case: Case, token: str, outcome: str) -> Answer:
    request.state.language = case.said.locale
    view = views.Prove(token, case.said, case.declaration.at, case.due_at, outcome)
    if outcome == "applied":
        view = await applying.told(portal, case, view)
    return show(request, portal, view)


async def _case(portal: Portal, token: str, purpose: str) -> Case:
    """Raises `NotFound`."""
    id_ = declarations.id_in(portal.settings, portal.name, token, purpose)
    case = await declarations.find(portal.store, portal.name, id_) if id_ else None
    if case is None:
        raise NotFound
    return case


def _today(portal: Portal, now: datetime) -> datetime:
    return now.astimezone(ZoneInfo(portal.brand.config.site.timezone))


def _is_open(portal: Portal, kind: str) -> None:
    if not portal.brand.config.doors.opens(kind):
        raise NotFound


for_anybody = (declare, received, pdf, before_proof, prove)
