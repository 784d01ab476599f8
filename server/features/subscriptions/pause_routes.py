"""Pausing a subscription, ending a pause early, and beginning an ended subscription again."""

from __future__ import annotations

from litestar import get, post

from server.access.sessions import LoggedIn
from server.billing import NotFound, Pause, Refusal, Restart, Restarts, Stale, Subscription, Unpause, Unpausing
from server.billing.rules import pausing, restarting
from server.features.subscriptions import pause_views as views
from server.features.subscriptions.visit import Answer, Visit, fresh_key
from server.portal import Portal
from server.web.responding import AnyRequest


@get("/my/subscriptions/{subscription_id:str}/pause")
async def confirm_pause(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Answer:
    it = _pausing_offered(Visit.looking(request, portal, customer))
    found = it.find(subscription_id)
    return _cannot_pause(it, found, looking=True) or _before_pause(it, found)


@post("/my/subscriptions/{subscription_id:str}/pause", status_code=200)
async def pause(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Answer:
    it = _pausing_offered(await Visit.posting(request, portal, customer))
    found, cycles = it.find(subscription_id), _cycles(it)
    if refused := _cannot_pause(it, found):
        return refused
    if cycles not in {each.cycles for each in pausing.pauses(found, it.features, it.now)}:
        return _before_pause(it, found, mistake="too_many_cycles")
    if not it.key:
        return _before_pause(it, found, mistake="again")
    it.may_repeat("subscription_pause", found, {"cycles": str(cycles)})
    account = (await portal.billing.apply(it.by, found.id, Pause(cycles))).account
    changed = it.find(found.id, account)
    end = await it.finished("subscription_pause") if changed.paused_at else None
    return end or it.card(changed, "paused" if changed.paused_at else "stale", account=account)


@get("/my/subscriptions/{subscription_id:str}/unpause")
async def confirm_unpause(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Answer:
    it = Visit.looking(request, portal, customer)
    found = it.find(subscription_id)
    return _cannot_unpause(it, found, looking=True) or await _before_unpause(it, found)


@post("/my/subscriptions/{subscription_id:str}/unpause", status_code=200)
async def unpause(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Answer:
    it = await Visit.posting(request, portal, customer)
    found = it.find(subscription_id)
    if refused := _cannot_unpause(it, found):
        return refused
    if not it.key:
        return await _before_unpause(it, found, again=True)
    shown = it.form.get("fingerprint")
    it.may_repeat("subscription_unpause", found, {"fingerprint": shown})
    answer = await portal.billing.apply(it.by, found.id, Unpause(), shown=shown)
    account, changed = answer.account, it.find(found.id, answer.account)
    if isinstance(answer, Stale) and isinstance(answer.preview, Unpausing):
        view = views.confirm_unpause(changed, account, answer.preview, key=fresh_key(), stale=True)
        return it.show(view, account=account, status=409)
    if changed.status == "past_due" and not changed.pause_behavior:
        return await it.to_the_bank(changed.latest_invoice, changed, account)
    done = "pause_undone" if pausing.begins_at(found) else "unpaused"
    return it.card(changed, "stale" if changed.paused_at else done, account=account)


@get("/my/subscriptions/{subscription_id:str}/restart")
async def confirm_restart(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Answer:
    it = _restart_offered(Visit.looking(request, portal, customer))
    found = it.find(subscription_id)
    return _cannot_restart(it, found, looking=True) or await _before_restart(it, found)


@post("/my/subscriptions/{subscription_id:str}/restart", status_code=200)
async def restart(request: AnyRequest, portal: Portal, customer: LoggedIn, subscription_id: str) -> Answer:
    it = _restart_offered(await Visit.posting(request, portal, customer))
    found, price = it.find(subscription_id), it.form.get("price")[:200]
    if refused := _cannot_restart(it, found):
        return refused
    if not it.key:
        return await _before_restart(it, found, mistake="again")
    shown = it.form.get(f"fingerprint-{price}")
    it.may_repeat("subscription_restart", found, {"price": price, f"fingerprint-{price}": shown})
    answer = await portal.billing.apply(it.by, found.id, Restart(price), shown=shown)
    account = answer.account
    if isinstance(answer, Stale) and isinstance(answer.preview, Restarts):
        view = views.confirm_restart(
            found, account, answer.preview, it.now, key=fresh_key(), chosen=price, mistake="stale"
        )
        return it.show(view, account=account, status=409)
    begun = account.subscription(it.find(found.id, account).restarted_as)
    if begun and begun.status == "incomplete":
        return await it.to_the_bank(begun.latest_invoice, begun, account)
    return it.card(begun or found, "restarted" if begun else "stale", account=account)


def _before_pause(it: Visit, found: Subscription, *, mistake: str = "") -> Answer:
    pauses = pausing.pauses(found, it.features, it.now)
    view = views.confirm_pause(found, it.account, pauses, key=fresh_key(), chosen=_cycles(it), mistake=mistake)
    return it.show(view, status=422 if mistake else 200)


async def _before_unpause(it: Visit, found: Subscription, *, again: bool = False) -> Answer:
    meant = await it.portal.billing.preview(it.by, found.id, Unpause())
    if isinstance(meant, Refusal):
        return it.card(found, "refused", refusal=meant.reason, status=409)
    view = views.confirm_unpause(found, it.account, meant, key=fresh_key(), again=again)
    return it.show(view, status=422 if again else 200)


async def _before_restart(it: Visit, found: Subscription, *, mistake: str = "") -> Answer:
    restarts = await it.portal.billing.preview(it.by, found.id, Restart())
    if isinstance(restarts, Refusal):
        return it.card(found, "refused", refusal=restarts.reason, status=409)
    chosen = it.form.get("price")
    view = views.confirm_restart(found, it.account, restarts, it.now, key=fresh_key(), chosen=chosen, mistake=mistake)
    return it.show(view, status=422 if mistake else 200)


def _cannot_pause(it: Visit, found: Subscription, *, looking: bool = False) -> Answer | None:
    refusal = pausing.may_pause(found, it.features, it.now)
    if refusal is None:
        return None
    if refusal.reason == "already_paused":
        return it.card(found, "already_paused")
    return it.card(found, "refused", refusal=refusal.reason, status=200 if looking else 409)


def _cannot_unpause(it: Visit, found: Subscription, *, looking: bool = False) -> Answer | None:
    refusal = pausing.may_unpause(found, it.features, it.now)
    if refusal is None:
        return None
    if refusal.reason == "not_paused":
        return it.card(found, "nothing_to_resume")
    return it.card(found, "refused", refusal=refusal.reason, status=200 if looking else 409)


def _cannot_restart(it: Visit, found: Subscription, *, looking: bool = False) -> Answer | None:
    refusal = restarting.may_restart(it.account, found, it.features)
    if refusal is None:
        return None
    if refusal.reason == "not_ended":
        return it.card(found, "stale")
    begun = it.account.subscription(found.restarted_as)
    if refusal.reason == "already_restarted" and begun:
        return it.card(begun, "already_restarted")
    return it.card(found, "refused", refusal=refusal.reason, status=200 if looking else 409)


def _cycles(it: Visit) -> int:
    typed = it.form.get("cycles")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 2 else 0


def _pausing_offered(it: Visit) -> Visit:
    if not it.features.subscription_pause.enabled:
        raise NotFound
    return it


def _restart_offered(it: Visit) -> Visit:
    if not it.features.subscription_restart.enabled:
        raise NotFound
    return it


handlers = (confirm_pause, pause, confirm_unpause, unpause, confirm_restart, restart)
