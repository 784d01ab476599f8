"""Changing the plan, the quantity, or adding a promotion code: choose, see what it means, confirm; and taking a
change back that waits.

Three steps at two URLs. What was chosen travels in the forms, so that nothing is kept between them; the preview's
fingerprint goes along, and a change whose numbers are not those of the page is not made: the new page is shown instead.
"""

from __future__ import annotations

from dataclasses import replace

from litestar import get, post

from server.access.sessions import LoggedIn
from server.billing import Account, Move, NotFound, PlanChange, Price, Refusal, Refused, Stale, Subscription, UndoMove
from server.billing.rules import plans
from server.billing.rules.canceling import may_cancel
from server.features.subscriptions import change_views as views
from server.features.subscriptions.visit import Answer, Visit, fresh_key
from server.portal import Portal
from server.web.forms import Form
from server.web.responding import AnyRequest

_WORDS = ("price", "quantity", "promotion_code")


@get(["/my/subscriptions/{subscription_id:str}/change", "/my/subscriptions/{subscription_id:str}/change/confirm"])
async def choose_plan(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Answer:
    it = _offered(Visit.looking(request, portal, customer))
    flow = it.flow
    if flow and flow.type == "subscription_update_confirm" and flow.subscription == subscription_id:
        quantity = "" if flow.quantity is None else str(flow.quantity)
        chosen = {"price": flow.price, "quantity": quantity, "promotion_code": flow.code}
        return await _before(replace(it, form=Form(chosen)), it.find(subscription_id))
    # Who comes back from the page before a change finds what they had chosen.
    words = (request.query_params.get(name, "") for name in _WORDS)
    return await _choose(it, it.find(subscription_id), views.Typed(*words))


@post("/my/subscriptions/{subscription_id:str}/change", status_code=200)
async def confirm_change(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Answer:
    it = _offered(await Visit.posting(request, portal, customer))
    return await _before(it, it.find(subscription_id))


@post("/my/subscriptions/{subscription_id:str}/change/confirm", status_code=200)
async def change(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Answer:
    it = _offered(await Visit.posting(request, portal, customer))
    found, wanted = it.find(subscription_id), views.wanted(_typed(it))
    if not it.key or isinstance(wanted, views.ChangeMistake):
        return await _before(it, found, again=True)
    shown = it.form.get("fingerprint")
    it.may_repeat("subscription_change_confirm", found, views.fields_of(wanted, shown))
    try:
        done = await portal.billing.apply(it.by, found.id, wanted, shown=shown)
    except Refused as refused:
        # What can be corrected in the form is shown there; the rest is for `responding`.
        return await _refused(it, found, refused)
    changed = it.find(found.id, done.account)
    if isinstance(done, Stale) and isinstance(done.preview, PlanChange):
        view = views.confirm_change(changed, done.account, done.preview, wanted, key=fresh_key(), stale=True)
        return it.show(view, account=done.account, status=409)
    outcome = views.outcome(changed, wanted)
    if outcome == "change_awaits" and changed.awaiting and it.features.invoice_history.enabled:
        return await it.to_the_bank(changed.awaiting.invoice, changed, done.account)
    end = (
        await it.finished("subscription_update", "subscription_update_confirm") if outcome != "change_awaits" else None
    )
    return end or it.card(changed, outcome, account=done.account)


@post("/my/subscriptions/{subscription_id:str}/change/undo", status_code=200)
async def undo_change(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Answer:
    it = await Visit.posting(request, portal, customer)
    found = it.find(subscription_id)
    refusal = plans.may_undo(found, it.features, it.now)
    if refusal and refusal.reason == "nothing_scheduled":
        return it.card(found, "nothing_to_resume")
    if refusal:
        return it.card(found, "refused", refusal=refusal.reason, status=409)
    if not it.key:
        return it.card(found, "stale", status=422)
    it.may_repeat("subscription_change_undo", found)
    account = (await portal.billing.apply(it.by, found.id, UndoMove())).account
    changed = it.find(found.id, account)
    done = "change_given_up" if found.awaiting else "change_undone"
    return it.card(changed, "stale" if changed.scheduled or changed.awaiting else done, account=account)


async def _choose(
    it: Visit, found: Subscription, typed: views.Typed | None = None, mistake: views.ChangeMistake | None = None
) -> Answer:
    """The form, with what was typed and what of it has to be corrected; or why there is nothing to choose."""
    options: tuple[plans.Option, ...] = ()
    forbidden: tuple[Price, ...] = ()
    refusal = plans.may_change(found, it.features, it.now)
    if refusal is None:
        catalog = await it.portal.billing.catalog(it.features)
        options = plans.options(found, catalog, it.features, it.now)
        forbidden = plans.forbidden(found, catalog, it.features, it.now)
        if not options and not plans.may_use_code(it.features):
            refusal = Refusal("nothing_to_change_to")
    if refusal:
        return _cannot(it, found, it.account, refusal.reason)
    view = views.choose_plan(
        found, it.account, options, it.features, it.now, typed=typed, mistake=mistake, forbidden=forbidden
    )
    return it.show(view, status=422 if mistake else 200)


def _cannot(it: Visit, found: Subscription, account: Account, reason: str) -> Answer:
    ends = may_cancel(found, it.features.subscription_cancel, it.now) is None
    return it.show(views.cannot_choose(found, account, reason, may_cancel=ends), account=account)


async def _before(it: Visit, found: Subscription, *, again: bool = False) -> Answer:
    typed = _typed(it)
    wanted = views.wanted(typed)
    if isinstance(wanted, views.ChangeMistake):
        return await _choose(it, found, typed, wanted)
    preview = await it.portal.billing.preview(it.by, found.id, wanted)
    if views.needs_more(found, wanted, preview):
        wanted = Move(price=wanted.price, code=wanted.code)
        preview = await it.portal.billing.preview(it.by, found.id, wanted)
    if isinstance(preview, Refusal):
        return await _mend(it, found, preview)
    view = views.confirm_change(found, it.account, preview, wanted, key=fresh_key(), again=again)
    return it.show(view, status=422 if again else 200)


async def _mend(it: Visit, found: Subscription, refusal: Refusal) -> Answer:
    """The form again with what has to be corrected, or why nothing can be changed."""
    mistake = views.mistake_of(refusal)
    if mistake:
        return await _choose(it, found, _typed(it), mistake)
    if refusal.reason == "not_found":
        raise NotFound
    return _cannot(it, found, it.account, refusal.reason)


async def _refused(it: Visit, found: Subscription, refused: Refused) -> Answer:
    if refused.reason == "no_change":
        return it.card(found, "stale")
    if refused.reason in views.FIELDS:
        return await _mend(it, found, Refusal(refused.reason, refused.detail))
    raise refused


def _typed(it: Visit) -> views.Typed:
    words = (it.form.get(name) for name in _WORDS)
    return views.Typed(*words)


def _offered(it: Visit) -> Visit:
    if not it.features.subscription_update.enabled:
        raise NotFound
    return it


handlers = (choose_plan, confirm_change, change, undo_change)
