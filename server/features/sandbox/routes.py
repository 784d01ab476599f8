"""The ledger's stand-in for a payment provider's page: a card or a bank account is added here, or a payment confirmed.

It behaves as a hosted page would. The address is unguessable, belongs to one customer of one brand, lapses and is used
once (`billing.ledger.sandbox`); the browser must also be logged in as that customer. What is typed is compared with
the public test numbers and dropped: no form that comes back, no log-in in between, no error and no row ever has it.

It is there only where the ledger does the billing: a brand with a real provider sends its customers to that one.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from litestar import Response, get, post

from server.access import sessions
from server.access.sessions import LoggedIn
from server.billing import By, Money, NotFound, PaymentMethod, Refused
from server.billing.ledger import sandbox as provider_sessions
from server.billing.ledger.ledger import Ledger
from server.billing.ledger.sandbox import KEEPS, LIVE, ProviderSession
from server.features.sandbox import cards, views
from server.features.sandbox.cards import Card
from server.portal import Portal
from server.rendering.views import View
from server.web.cookies import NoSession, token_of
from server.web.forms import Form, read_form
from server.web.responding import AnyRequest, go, show

Answer = Response[str] | Response[bytes]


@dataclass(frozen=True, slots=True)
class Visit:
    """One request to the page, by the customer that it belongs to."""

    request: AnyRequest
    portal: Portal
    billing: Ledger
    customer: LoggedIn
    now: datetime
    token: str
    seen: ProviderSession | None

    def show(self, view: View, status: int = 200) -> Answer:
        return show(
            self.request, self.portal, view, account=self.customer.account, address=self.customer.address, status=status
        )

    def over(self) -> Answer:
        return self.show(views.Over(), 404)

    def form(self, seen: ProviderSession) -> Answer:
        said = seen.data
        mistakes = tuple(views.CardMistake(*each.split(":")) for each in said.get("mistakes", "").split())
        replaced = self.customer.account.payment_method(seen.subject)
        view = views.setup(
            self.token,
            seen.return_to,
            replaced,
            mistakes=mistakes,
            declined=said.get("declined", ""),
            exp=said.get("exp", ""),
        )
        return self.show(view)

    async def again(
        self, seen: ProviderSession, *, declined: str = "", exp: str = "", mistakes: CardMistakes = ()
    ) -> Answer:
        """The form once more, by a redirect: a browser keeps what was posted beside a page that answers a post itself,
        to send it again, and a number must not stay there."""
        words = " ".join(f"{each.field}:{each.reason}" for each in mistakes)
        await self.move(seen, "open", mistakes=words, declined=declined, exp=exp)
        return go(self.request, self.portal.paths.sandbox(self.token))

    @property
    def by(self) -> By:
        """The key is the visit's own: sent twice, or from two tabs, it acts once."""
        features, key = self.customer.features(self.portal), f"visit-{_method_id(self.token)}"
        return By(self.customer.customer_id, features, self.now, key, self.customer.browser)

    async def move(self, seen: ProviderSession, state: str, **data: str) -> bool:
        """To another state; False: another tab was quicker."""
        return await self.portal.store.write(
            lambda transaction: provider_sessions.move(
                transaction, self.portal.name, self.token, seen, state=state, now=self.now, **data
            )
        )


CardMistakes = tuple[views.CardMistake, ...]


async def visit(request: AnyRequest, portal: Portal, token: str) -> Visit:
    """Raises `NotFound` where the brand has a provider of its own, and `NoSession`, which keeps no word of the form."""
    if portal.brand.config.billing.backend != "ledger" or not isinstance(portal.billing, Ledger):
        raise NotFound
    now = portal.clock()
    found = await sessions.find(portal, token_of(request, portal), now)
    if not isinstance(found, LoggedIn):
        raise NoSession(found)
    request.state.customer = found
    seen = await provider_sessions.find(portal.store, portal.name, found.customer_id, token, now)
    return Visit(request, portal, portal.billing, found, now, token, seen)


@get("/sandbox/{visit_id:str}")
async def page(request: AnyRequest, portal: Portal, visit_id: str) -> Answer:
    it = await visit(request, portal, visit_id)
    if it.seen is None or it.seen.state not in LIVE:
        return it.over()
    if it.seen.kind == "payment" or it.seen.state == "confirming":
        return _question(it, it.seen)
    return it.form(it.seen)


@post("/sandbox/{visit_id:str}", status_code=200)
async def add(request: AnyRequest, portal: Portal, visit_id: str) -> Answer:
    it = await visit(request, portal, visit_id)
    if it.seen is None or it.seen.kind != "setup":
        return it.over()
    if it.seen.state == "done":
        return _added(it, it.seen)
    card, exp, mistakes = _typed(await read_form(request), it.now)
    if card is None or mistakes:
        return await it.again(it.seen, exp=_date(exp), mistakes=mistakes)
    if card.outcome == "confirm":
        month, year = exp or (0, 0)
        kept = {"note": card.note, "last4": card.last4, "month": str(month), "year": str(year)}
        await it.move(it.seen, "confirming", **kept)
        return go(request, portal.paths.sandbox_confirm(visit_id))
    if card.outcome:
        return await it.again(it.seen, declined=card.outcome, exp=_date(exp))
    return await _keep(it, it.seen, card, exp)


@get("/sandbox/{visit_id:str}/confirm")
async def question(request: AnyRequest, portal: Portal, visit_id: str) -> Answer:
    it = await visit(request, portal, visit_id)
    if it.seen is None or it.seen.state not in LIVE:
        return it.over()
    if it.seen.kind == "setup" and it.seen.state != "confirming":
        return go(request, portal.paths.sandbox(visit_id))
    return _question(it, it.seen)


@post("/sandbox/{visit_id:str}/confirm", status_code=200)
async def confirm(request: AnyRequest, portal: Portal, visit_id: str) -> Answer:
    it = await visit(request, portal, visit_id)
    outcome = (await read_form(request)).get("outcome")
    if it.seen is None:
        return it.over()
    if it.seen.state in LIVE and outcome not in ("complete", "fail"):
        return _question(it, it.seen)
    answer = _paid if it.seen.kind == "payment" else _set_up
    return await answer(it, it.seen, succeeded=outcome == "complete")


def _question(it: Visit, seen: ProviderSession) -> Answer:
    data = seen.data
    amount = Money(int(data["amount"]), data["currency"]) if "amount" in data else None
    view = views.Confirm(it.token, seen.return_to, data.get("brand", "visa"), data.get("last4", ""), amount)
    return it.show(view)


async def _set_up(it: Visit, seen: ProviderSession, *, succeeded: bool) -> Answer:
    """The bank's answer about a card. Where it says no, another one may be typed."""
    if seen.state == "done":
        return _added(it, seen)
    if seen.state != "confirming":
        return go(it.request, it.portal.paths.sandbox(it.token))
    card = cards.by_last4("card", seen.data["note"], seen.data["last4"])
    if card is None or not succeeded:
        return await it.again(seen, declined="authentication_failed")
    return await _keep(it, seen, card, (int(seen.data["month"]), int(seen.data["year"])))


async def _paid(it: Visit, seen: ProviderSession, *, succeeded: bool) -> Answer:
    """The bank's answer about a payment. Whatever it is, the invoice's own page says what came of it."""
    if seen.state in LIVE:
        with suppress(Refused):  # another payment took its place
            await it.billing.payment_confirmed(it.by, seen, succeeded=succeeded)
        await it.move(seen, "done")
    return go(it.request, seen.return_to)


async def _keep(it: Visit, seen: ProviderSession, card: Card, exp: tuple[int, int] | None) -> Answer:
    """The bank is content."""
    month, year = exp or (0, 0)
    method = PaymentMethod(
        _method_id(it.token), card.kind, it.now, card.brand, card.last4, month, year, behavior=card.behavior
    )
    as_default = KEEPS not in seen.data
    await it.billing.add_payment_method(it.by, method, replaces=seen.subject, as_default=as_default)
    await it.move(seen, "done")
    return _added(it, seen)


def _added(it: Visit, seen: ProviderSession) -> Answer:
    return go(it.request, f"{seen.return_to}/{_method_id(it.token)}/added")


def _method_id(token: str) -> str:
    return "pm_" + provider_sessions.hash_of(token).hex()[:24]


def _typed(form: Form, now: datetime) -> tuple[Card | None, tuple[int, int] | None, CardMistakes]:
    """What was typed, as one of our numbers, and what has to be corrected. The texts themselves end here."""
    if form.get("method") == "sepa_debit":
        account = cards.find_iban(form.get("iban"))
        reason = "not_a_test_number" if form.get("iban").strip() else "missing"
        return account, None, () if account else (views.CardMistake("iban", reason),)
    card, exp = cards.find_card(form.get("cardnumber")), cards.expiry(form.get("exp"))
    mistakes = []
    if card is None:
        reason = "not_a_test_number" if form.get("cardnumber").strip() else "missing"
        mistakes.append(views.CardMistake("cardnumber", reason))
    if exp is None:
        mistakes.append(views.CardMistake("exp", "not_a_date" if form.get("exp").strip() else "missing"))
    elif cards.is_past(*exp, now):
        mistakes.append(views.CardMistake("exp", "past"))
    if not form.get("cvc").strip():
        mistakes.append(views.CardMistake("cvc", "missing"))
    elif not cards.is_cvc(form.get("cvc"), card):
        mistakes.append(views.CardMistake("cvc", "not_a_code"))
    return card, exp, tuple(mistakes)


def _date(exp: tuple[int, int] | None) -> str:
    return f"{exp[0]:02}/{exp[1] % 100:02}" if exp else ""


handlers = (page, add, question, confirm)
