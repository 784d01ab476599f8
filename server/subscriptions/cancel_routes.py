"""Canceling a subscription, and taking that back."""

from __future__ import annotations

from litestar import get, post

from server.billing import NotFound, changes
from server.billing.types import ENDED
from server.portal import Portal
from server.responding import AnyRequest
from server.sessions import LoggedIn
from server.subscriptions import cancel_views as views
from server.subscriptions.asking import Asked, Page, asked, find_in, fresh_key, looked_at

_ALREADY = frozenset({"already_ending", "ended"})


@get("/my/subscriptions/{subscription_id:str}/cancel")
async def confirm_cancel(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Page:
    it = _offered(looked_at(request, portal, customer))
    found = it.find(subscription_id)
    refusal = changes.may_cancel(found, it.features.subscription_cancel, it.now)
    if refusal:
        announcement = "already" if refusal.reason in _ALREADY else "refused"
        return it.card(found, announcement, refusal=refusal.reason)
    return it.show(views.confirm_cancel(found, it.account, it.features, it.now, key=fresh_key()))


@post("/my/subscriptions/{subscription_id:str}/cancel", status_code=200)
async def cancel(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Page:
    it = _offered(await asked(request, portal, customer))
    if of_another := it.of_another():
        return of_another
    found = it.find(subscription_id)
    refusal = changes.may_cancel(found, it.features.subscription_cancel, it.now)
    if refusal and refusal.reason in _ALREADY:
        return it.card(found, "already")
    if refusal:
        return it.card(found, "refused", refusal=refusal.reason, status=409)
    if not it.key:
        again = views.confirm_cancel(found, it.account, it.features, it.now, key=fresh_key(), again=True)
        return it.show(again, status=422)
    it.may_repeat("subscription_cancel", found)
    account = await portal.billing.cancel(
        customer.customer_id, found.id, key=it.key, now=it.now, browser=customer.browser
    )
    changed = find_in(account, found.id)
    done = "ended" if changed.status in ENDED else "ends" if changed.cancel_at else "stale"
    return it.card(changed, done, account=account)


@post("/my/subscriptions/{subscription_id:str}/resume", status_code=200)
async def resume(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Page:
    it = _offered(await asked(request, portal, customer))
    if of_another := it.of_another():
        return of_another
    found = it.find(subscription_id)
    refusal = changes.may_resume(found, it.features.subscription_cancel, it.now)
    if refusal and refusal.reason == "nothing_to_resume":
        return it.card(found, "nothing_to_resume")
    if refusal:
        return it.card(found, "refused", refusal=refusal.reason, status=409)
    if not it.key:
        return it.card(found, "stale", status=422)
    it.may_repeat("subscription_resume", found)
    account = await portal.billing.resume(
        customer.customer_id, found.id, key=it.key, now=it.now, browser=customer.browser
    )
    changed = find_in(account, found.id)
    # An old key says nothing about now: what it stood for may have been undone since.
    done = "stale" if changed.status in ENDED or changed.cancel_at else "resumed"
    return it.card(changed, done, account=account)


def _offered(it: Asked) -> Asked:
    if not it.features.subscription_cancel.enabled:
        raise NotFound
    return it


handlers = (confirm_cancel, cancel, resume)
