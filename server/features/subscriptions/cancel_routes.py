"""Canceling a subscription: the offer before it, the cancellation, the question why after it, and taking it back."""

from __future__ import annotations

from litestar import get, post

from server.access.sessions import LoggedIn
from server.billing import (
    Cancel,
    Cancellation,
    NotFound,
    Refusal,
    Resume,
    Retain,
    RetentionOffer,
    Stale,
    Subscription,
    Tell,
)
from server.billing.model.account import ENDED
from server.billing.rules.canceling import may_cancel, may_resume, may_tell
from server.features.subscriptions import cancel_views as views
from server.features.subscriptions.views import feedback_of, mistake_in
from server.features.subscriptions.visit import Answer, Visit, fresh_key
from server.portal import Portal
from server.web.responding import AnyRequest

_ALREADY = frozenset({"already_ending", "ended"})


@get("/my/subscriptions/{subscription_id:str}/cancel")
async def confirm_cancel(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Answer:
    it = _offered(Visit.looking(request, portal, customer))
    found = it.find(subscription_id)
    made = await _offer(it, found) if request.query_params.get("offer") != "declined" else None
    if made:
        return it.show(views.offer(found, it.account, made, it.now, key=fresh_key()))
    return await _before(it, found)


@post("/my/subscriptions/{subscription_id:str}/retain", status_code=200)
async def retain(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Answer:
    it = _offered(await Visit.posting(request, portal, customer))
    found = it.find(subscription_id)
    made = await _offer(it, found)
    if made is None and not found.retained:
        return it.card(found, "refused", refusal="no_offer", status=409)
    if made and not it.key:
        return it.show(views.offer(found, it.account, made, it.now, key=fresh_key(), again=True), status=422)
    if made is None:
        return it.card(found, "retained" if not found.cancel_at else "stale")
    shown = it.form.get("fingerprint")
    it.may_repeat("subscription_retain", found, {"fingerprint": shown})
    answer = await portal.billing.apply(it.by, found.id, Retain(), shown=shown)
    account, changed = answer.account, it.find(found.id, answer.account)
    if isinstance(answer, Stale) and isinstance(answer.preview, RetentionOffer):
        view = views.offer(changed, account, answer.preview, it.now, key=fresh_key(), again=True)
        return it.show(view, account=account, status=409)
    stays = bool(changed.retained and not changed.cancel_at)
    end = await it.finished("subscription_cancel") if stays else None
    return end or it.card(changed, "retained" if stays else "stale", account=account)


@post("/my/subscriptions/{subscription_id:str}/cancel", status_code=200)
async def cancel(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Answer:
    it = _offered(await Visit.posting(request, portal, customer))
    found = it.find(subscription_id)
    refusal = may_cancel(found, it.features.subscription_cancel, it.now)
    if refusal:
        return _cannot(it, found, refusal)
    if not it.key:
        return await _before(it, found, again=True)
    shown = it.form.get("fingerprint")
    it.may_repeat("subscription_cancel", found, {"fingerprint": shown})
    answer = await portal.billing.apply(it.by, found.id, Cancel(), shown=shown)
    account, changed = answer.account, it.find(found.id, answer.account)
    if isinstance(answer, Stale) and isinstance(answer.preview, Cancellation):
        view = views.confirm_cancel(changed, account, answer.preview, it.now, key=fresh_key(), stale=True)
        return it.show(view, account=account, status=409)
    done = "ended" if changed.status in ENDED else "ends" if changed.cancel_at else "stale"
    why = feedback_of(changed, it.features, it.now) if done != "stale" else None
    end = await it.finished("subscription_cancel") if done != "stale" else None
    return end or it.card(changed, done, account=account, feedback=why)


@get("/my/subscriptions/{subscription_id:str}/feedback")
async def ask_feedback(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Answer:
    it = _offered(Visit.looking(request, portal, customer))
    found = it.find(subscription_id)
    return it.card(found, "", feedback=feedback_of(found, it.features, it.now))


@post("/my/subscriptions/{subscription_id:str}/feedback", status_code=200)
async def feedback(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Answer:
    it = _offered(await Visit.posting(request, portal, customer))
    found, rule = it.find(subscription_id), it.features.subscription_cancel
    if may_tell(found, it.features, it.now):
        return it.card(found, "thanks" if found.feedback else "stale")
    reason, comment = it.form.get("reason"), it.form.get("comment").replace("\r\n", "\n").strip()
    mistake = mistake_in(reason, comment, rule.cancellation_reason.options) or ("" if it.key else "again")
    if mistake:
        again = feedback_of(found, it.features, it.now, chosen=reason, comment=comment, mistake=mistake)
        return it.card(found, "", feedback=again, status=422)
    comment = comment if reason == "other" else ""
    it.may_repeat("subscription_feedback", found, {"reason": reason, "comment": comment})
    account = (await portal.billing.apply(it.by, found.id, Tell(reason, comment))).account
    return it.card(it.find(found.id, account), "thanks", account=account)


@post("/my/subscriptions/{subscription_id:str}/resume", status_code=200)
async def resume(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Answer:
    it = _offered(await Visit.posting(request, portal, customer))
    found = it.find(subscription_id)
    refusal = may_resume(found, it.features.subscription_cancel, it.now)
    if refusal and refusal.reason == "nothing_to_resume":
        return it.card(found, "nothing_to_resume")
    if refusal:
        return it.card(found, "refused", refusal=refusal.reason, status=409)
    if not it.key:
        return it.card(found, "stale", status=422)
    it.may_repeat("subscription_resume", found)
    account = (await portal.billing.apply(it.by, found.id, Resume())).account
    changed = it.find(found.id, account)
    # An old key says nothing about now: what it stood for may have been undone since.
    done = "stale" if changed.status in ENDED or changed.cancel_at else "resumed"
    return it.card(changed, done, account=account)


async def _before(it: Visit, found: Subscription, *, again: bool = False) -> Answer:
    """The page before a cancellation, or why there is none."""
    ending = await it.portal.billing.preview(it.by, found.id, Cancel())
    if isinstance(ending, Refusal):
        return _cannot(it, found, ending, looking=True)
    view = views.confirm_cancel(found, it.account, ending, it.now, key=fresh_key(), again=again)
    return it.show(view, status=422 if again else 200)


def _cannot(it: Visit, found: Subscription, refusal: Refusal, *, looking: bool = False) -> Answer:
    if refusal.reason in _ALREADY:
        return it.card(found, "already", refusal=refusal.reason if looking else "")
    return it.card(found, "refused", refusal=refusal.reason, status=200 if looking else 409)


async def _offer(it: Visit, found: Subscription) -> RetentionOffer | None:
    if not it.features.subscription_cancel.retention.coupon:
        return None
    made = await it.portal.billing.preview(it.by, found.id, Retain())
    return None if isinstance(made, Refusal) else made


def _offered(it: Visit) -> Visit:
    if not it.features.subscription_cancel.enabled:
        raise NotFound
    return it


handlers = (confirm_cancel, retain, cancel, ask_feedback, feedback, resume)
