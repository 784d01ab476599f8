"""The payment methods: looking at them, adding one, choosing the default, removing one, ending a subscription's own.

Adding leads to the provider's page and back; nothing of a card is typed here. Every change is a form with its customer
and its key: a page of another account changes nothing, and the same form sent twice acts once. What it did is shown in
the list, in place or as a page.
"""

from __future__ import annotations

from dataclasses import dataclass

from litestar import get, post

from server.access.sessions import LoggedIn
from server.billing import Account, NotFound, PaymentMethod, Subscription, Unpin
from server.billing.rules import methods
from server.features.payment_methods import views
from server.portal import Portal
from server.web import visit
from server.web.responding import AnyRequest, go
from server.web.visit import Answer, fresh_key


@dataclass(frozen=True, slots=True)
class Visit(visit.Visit):
    @property
    def is_offered(self) -> bool:
        return self.features.payment_method_update.enabled

    def method(self, method_id: str) -> PaymentMethod:
        """Raises `NotFound`, also for another customer's."""
        found = self.account.payment_method(method_id)
        if found is None:
            raise NotFound
        return found

    def subscription(self, subscription_id: str) -> Subscription:
        found = self.account.subscription(subscription_id)
        if found is None:
            raise NotFound
        return found

    def list(
        self, announcement: str = "", *, refusal: str = "", account: Account | None = None, status: int = 200
    ) -> Answer:
        """Every method as it is now, and what was just done."""
        shown, key = account or self.account, fresh_key()
        view = views.listing(shown, self.features, self.now, key=key, announcement=announcement, refusal=refusal)
        return self.show(view, account=account, status=status)

    def may_repeat(self, action: str, subject: str, fields: dict[str, str] | None = None) -> None:
        self.repeatable(action, subject, fields, see="payment_methods")


@get("/my/payment-methods")
async def payment_methods(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    return Visit.looking(request, portal, customer).list()


@get("/my/payment-methods/add")
async def before_adding(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    return _before_adding(Visit.looking(request, portal, customer), None)


@post("/my/payment-methods/add", status_code=200)
async def add(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Answer:
    return await _begin(await Visit.posting(request, portal, customer), None)


@get("/my/payment-methods/{method_id:str}/replace")
async def before_replacing(request: AnyRequest, portal: Portal, customer: LoggedIn, method_id: str) -> Answer:
    it = Visit.looking(request, portal, customer)
    return _before_adding(it, it.method(method_id))


@post("/my/payment-methods/{method_id:str}/replace", status_code=200)
async def replace(request: AnyRequest, portal: Portal, customer: LoggedIn, method_id: str) -> Answer:
    it = await Visit.posting(request, portal, customer)
    return await _begin(it, it.method(method_id))


@get("/my/payment-methods/{method_id:str}/added")
async def added(request: AnyRequest, portal: Portal, customer: LoggedIn, method_id: str) -> Answer:
    it = Visit.looking(request, portal, customer)
    if it.account.customer.default_payment_method == method_id and (end := await it.finished("payment_method_update")):
        return end
    return it.show(views.added(it.account, it.method(method_id), it.now, key=fresh_key()))


@get("/my/payment-methods/returned/{session_id:str}")
async def returned(request: AnyRequest, portal: Portal, customer: LoggedIn, session_id: str) -> Answer:
    """Back from a provider's page that knows its own session only. Opened again, it changes nothing more."""
    it = Visit.looking(request, portal, customer)
    method_id = await portal.billing.returned(it.by, session_id)
    return go(request, portal.paths.payment_method_added(method_id))


@get("/my/payment-methods/{method_id:str}/default")
async def confirm_default(request: AnyRequest, portal: Portal, customer: LoggedIn, method_id: str) -> Answer:
    it = Visit.looking(request, portal, customer)
    method = it.method(method_id)
    return _cannot_be_default(it, method, looking=True) or _before_default(it, method)


@post("/my/payment-methods/{method_id:str}/default", status_code=200)
async def set_default(request: AnyRequest, portal: Portal, customer: LoggedIn, method_id: str) -> Answer:
    it = await Visit.posting(request, portal, customer)
    method, everywhere = it.method(method_id), it.form.get("everywhere") == "yes"
    if refused := _cannot_be_default(it, method):
        return refused
    if not it.key:
        return _before_default(it, method, again=True)
    it.may_repeat("payment_method_default", method.id, {"everywhere": "yes"} if everywhere else {})
    account = await portal.billing.set_default(it.by, method.id, everywhere=everywhere)
    done = account.customer.default_payment_method == method.id
    end = await it.finished("payment_method_update") if done else None
    return end or it.list(("everywhere" if everywhere else "default") if done else "stale", account=account)


@get("/my/payment-methods/{method_id:str}/remove")
async def confirm_remove(request: AnyRequest, portal: Portal, customer: LoggedIn, method_id: str) -> Answer:
    it = Visit.looking(request, portal, customer)
    return it.show(views.confirm_remove(it.account, it.method(method_id), it.features, it.now, key=fresh_key()))


@post("/my/payment-methods/{method_id:str}/remove", status_code=200)
async def remove(request: AnyRequest, portal: Portal, customer: LoggedIn, method_id: str) -> Answer:
    it = await Visit.posting(request, portal, customer)
    method = it.account.payment_method(method_id)
    if method is None and it.key and await _was_removed(it, method_id):
        return it.list("removed")
    method = it.method(method_id)
    refusal = methods.may_remove(it.account, method.id, it.features, it.now)
    if refusal or not it.key:
        view = views.confirm_remove(it.account, method, it.features, it.now, key=fresh_key(), again=not it.key)
        return it.show(view, status=409 if refusal else 422)
    it.may_repeat("payment_method_remove", method.id)
    account = await portal.billing.remove_payment_method(it.by, method.id)
    return it.list("stale" if account.payment_method(method.id) else "removed", account=account)


@get("/my/subscriptions/{subscription_id:str}/unpin")
async def confirm_unpin(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Answer:
    it = Visit.looking(request, portal, customer)
    found = it.subscription(subscription_id)
    if not found.default_payment_method:
        return it.list("stale")
    return it.show(views.confirm_unpin(it.account, found, it.features, it.now, key=fresh_key()))


@post("/my/subscriptions/{subscription_id:str}/unpin", status_code=200)
async def unpin(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Answer:
    it = await Visit.posting(request, portal, customer)
    found = it.subscription(subscription_id)
    if not found.default_payment_method:
        return it.list("unpinned")
    refusal = methods.may_unpin(it.account, found.id, it.features)
    if refusal or not it.key:
        view = views.confirm_unpin(it.account, found, it.features, it.now, key=fresh_key(), again=not it.key)
        return it.show(view, status=409 if refusal else 422)
    it.may_repeat("subscription_unpin", found.id)
    account = (await portal.billing.apply(it.by, found.id, Unpin())).account
    changed = account.subscription(found.id)
    return it.list("stale" if changed and changed.default_payment_method else "unpinned", account=account)


def _before_adding(it: Visit, replaced: PaymentMethod | None, *, mistake: str = "") -> Answer:
    if refused := methods.may_add(it.account, it.features, replaced.id if replaced else ""):
        return it.list("refused", refusal=refused.reason)
    view = views.add(it.account, replaced, key=fresh_key(), mistake=mistake)
    return it.show(view, status=422 if mistake else 200)


async def _begin(it: Visit, replaced: PaymentMethod | None) -> Answer:
    if refused := methods.may_add(it.account, it.features, replaced.id if replaced else ""):
        return it.list("refused", refusal=refused.reason, status=409)
    if not it.key:
        return _before_adding(it, replaced, mistake="again")
    url = await it.portal.billing.setup(
        it.by,
        return_to=it.portal.paths.payment_methods,
        replaces=replaced.id if replaced else "",
        as_default=it.as_default,
    )
    return it.leave(url, back=it.portal.paths.payment_methods)


def _before_default(it: Visit, method: PaymentMethod, *, again: bool = False) -> Answer:
    everywhere = it.form.get("everywhere") == "yes"
    view = views.confirm_default(it.account, method, key=fresh_key(), everywhere=everywhere, again=again)
    return it.show(view, status=422 if again else 200)


def _cannot_be_default(it: Visit, method: PaymentMethod, *, looking: bool = False) -> Answer | None:
    refusal = methods.may_set_default(it.account, method.id, it.features, it.now)
    return it.list("refused", refusal=refusal.reason, status=200 if looking else 409) if refusal else None


async def _was_removed(it: Visit, method_id: str) -> bool:
    """Whether the customer's own history has it: the form was sent twice, or from a page that was out of date."""
    latest = await it.portal.billing.history(it.customer.customer_id)
    return any(each.kind == "payment_method.removed" and each.subject == method_id for each in latest)


handlers = (
    payment_methods,
    before_adding,
    add,
    before_replacing,
    replace,
    added,
    returned,
    confirm_default,
    set_default,
    confirm_remove,
    remove,
    confirm_unpin,
    unpin,
)
