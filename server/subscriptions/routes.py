"""The subscriptions: looking at them, canceling one, and taking that back.

A change goes: read the form, ask the rule, ask the billing side, show the card as it stands now. The rule is asked
again by the billing side, inside its transaction; what it refuses or leaves open is an exception, see `responding`.
"""

from __future__ import annotations

import re
import secrets

from litestar import Response, get, post
from msgspec.structs import replace

from server.billing import Account, NotFound, Subscription, changes
from server.billing.types import ENDED
from server.forms import Form, read_form
from server.portal import Portal
from server.problems.views import OtherCustomer, Repeat
from server.rendering import View
from server.responding import AnyRequest, repeatable, show
from server.sessions import LoggedIn
from server.subscriptions import views
from server.themes import Features

_KEY = re.compile(r"[A-Za-z0-9_-]{16,128}")
_ALREADY = frozenset({"already_ending", "ended"})


@get("/my/subscriptions")
async def subscriptions(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Response[str]:
    view = views.listing(customer.account, _features(portal), portal.clock(), key=_fresh_key())
    return _show(request, portal, customer, view)


@get("/my/history")
async def history(request: AnyRequest, portal: Portal, customer: LoggedIn) -> Response[str]:
    view = views.history(customer.account, await portal.billing.history(customer.customer_id))
    return _show(request, portal, customer, view)


@get("/my/subscriptions/{subscription_id:str}")
async def subscription(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Response[str]:
    found = _find(customer.account, subscription_id)
    activities = await portal.billing.history(customer.customer_id)
    now, key = portal.clock(), _fresh_key()
    view = views.card(found, customer.account, _features(portal), now, key=key, activities=activities)
    return _show(request, portal, customer, view)


@get("/my/subscriptions/{subscription_id:str}/cancel")
async def confirm_cancel(
    request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str
) -> Response[str]:
    _offered(portal)
    found = _find(customer.account, subscription_id)
    now, features = portal.clock(), _features(portal)
    refusal = changes.may_cancel(found, features.subscription_cancel, now)
    if refusal:
        announcement = "already" if refusal.reason in _ALREADY else "refused"
        return _card(request, portal, customer, found, announcement, refusal=refusal.reason)
    view = views.confirm_cancel(found, customer.account, features, now, key=_fresh_key())
    return _show(request, portal, customer, view)


@post("/my/subscriptions/{subscription_id:str}/cancel", status_code=200)
async def cancel(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Response[str]:
    _offered(portal)
    form = await read_form(request)
    if _is_of_another(form, customer):
        return _show(request, portal, customer, OtherCustomer(), status=409)
    found = _find(customer.account, subscription_id)
    now, features = portal.clock(), _features(portal)
    refusal = changes.may_cancel(found, features.subscription_cancel, now)
    if refusal and refusal.reason in _ALREADY:
        return _card(request, portal, customer, found, "already")
    if refusal:
        return _card(request, portal, customer, found, "refused", refusal=refusal.reason, status=409)
    key = _key_of(form)
    if not key:
        again = views.confirm_cancel(found, customer.account, features, now, key=_fresh_key(), again=True)
        return _show(request, portal, customer, again, status=422)
    repeatable(request, Repeat("subscription_cancel", found.id, key, customer.customer_id))
    account = await portal.billing.cancel(customer.customer_id, found.id, key=key, now=now, browser=customer.browser)
    changed = _find(account, found.id)
    done = "ended" if changed.status in ENDED else "ends" if changed.cancel_at else "stale"
    return _card(request, portal, customer, changed, done, account=account)


@post("/my/subscriptions/{subscription_id:str}/resume", status_code=200)
async def resume(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Response[str]:
    _offered(portal)
    form = await read_form(request)
    if _is_of_another(form, customer):
        return _show(request, portal, customer, OtherCustomer(), status=409)
    found = _find(customer.account, subscription_id)
    now = portal.clock()
    refusal = changes.may_resume(found, _features(portal).subscription_cancel, now)
    if refusal and refusal.reason == "nothing_to_resume":
        return _card(request, portal, customer, found, "nothing_to_resume")
    if refusal:
        return _card(request, portal, customer, found, "refused", refusal=refusal.reason, status=409)
    key = _key_of(form)
    if not key:
        return _card(request, portal, customer, found, "stale", status=422)
    repeatable(request, Repeat("subscription_resume", found.id, key, customer.customer_id))
    account = await portal.billing.resume(customer.customer_id, found.id, key=key, now=now, browser=customer.browser)
    changed = _find(account, found.id)
    # An old key says nothing about now: what it stood for may have been undone since.
    done = "stale" if changed.status in ENDED or changed.cancel_at else "resumed"
    return _card(request, portal, customer, changed, done, account=account)


def _show(
    request: AnyRequest,
    portal: Portal,
    customer: LoggedIn,
    view: View,
    *,
    account: Account | None = None,
    status: int = 200,
) -> Response[str]:
    account = account or customer.account
    return show(request, portal, view, account=account, address=customer.address, status=status)


def _card(
    request: AnyRequest,
    portal: Portal,
    customer: LoggedIn,
    found: Subscription,
    announcement: str,
    *,
    refusal: str = "",
    account: Account | None = None,
    status: int = 200,
) -> Response[str]:
    """The subscription as it stands, and what was just done to it. `account` is the changed one."""
    now, account = portal.clock(), account or customer.account
    view = views.card(found, account, _features(portal), now, key=_fresh_key())
    view = replace(view, announcement=announcement, refusal=refusal)
    return _show(request, portal, customer, view, account=account, status=status)


def _find(account: Account, subscription_id: str) -> Subscription:
    found = account.subscription(subscription_id)
    if found is None:
        raise NotFound
    return found


def _offered(portal: Portal) -> None:
    if not _features(portal).subscription_cancel.enabled:
        raise NotFound


def _is_of_another(form: Form, customer: LoggedIn) -> bool:
    """The form was made for another account: another tab has logged in to this one since."""
    return form.get("customer") not in ("", customer.customer_id)


def _key_of(form: Form) -> str:
    """The idempotency key, where the form is whole: a form without its customer is one of nobody's pages."""
    key = form.get("key")
    return key if form.get("customer") and _KEY.fullmatch(key) else ""


def _fresh_key() -> str:
    return secrets.token_urlsafe(16)


def _features(portal: Portal) -> Features:
    return portal.brand.portal.features


handlers = (subscriptions, history, subscription, confirm_cancel, cancel, resume)
