"""A customer's pause at Stripe and its end; an ended subscription that begins again.

The pause is `pause_collection`: the running period goes on, and the invoices of the periods after it are void. Stripe's own
pause credits the time that is left, which the page does not say; one that is there all the same (`status` `paused`) ends
by Stripe's `resume`. That the customer made this pause, and as what a subscription began again, stands in metadata.

What is charged is refused where the payment fails (`error_if_incomplete`). Where the bank wants to ask the customer, it is
asked for again so that its invoice waits (`allow_incomplete`): the subscription is `past_due`, a new one `incomplete`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from server.billing.model.account import Price
from server.billing.model.change import Charge, NewStart, Restarts, Unpausing
from server.billing.model.errors import Refusal
from server.billing.model.periods import next_end
from server.billing.rules.methods import method_of
from server.billing.rules.pausing import may_pause, may_unpause, pauses
from server.billing.rules.restarting import may_restart, prices_to_restart
from server.billing.stripe import mapping_previews
from server.billing.stripe.asking import Asking, Planned
from server.billing.stripe.canceling import given_up
from server.billing.stripe.methods import whose
from server.billing.stripe.operations import Step

MOST_PRICES = 4
"""At which prices a subscription may begin again: each is one preview."""
BEFORE = timedelta(minutes=1)
"""Collection begins again so long before the period that is paid: at the same moment its invoice could be void, too."""
_ANEW: dict[str, Any] = {"billing_cycle_anchor": {"type": "now"}, "proration_behavior": "none"}
"""A period begins now and is paid, with nothing given back for one that nobody paid."""


async def pause(it: Asking) -> Planned | Refusal:
    refused = may_pause(it.subscription, it.features, it.by.now)
    if refused:
        return refused
    chosen = next(
        (each for each in pauses(it.subscription, it.features, it.by.now) if each.cycles == it.action.cycles), None
    )
    if chosen is None:
        return Refusal("too_many_cycles", str(it.features.subscription_pause.max_cycles))
    ends = int((chosen.resumes_at - BEFORE).timestamp())
    params = {
        "pause_collection": {"behavior": "void", "resumes_at": ends},
        "metadata": {"postern_paused_at": str(it.seconds), "postern_paused_until": str(ends)},
    }
    return Planned((*given_up(it.subscription), Step(it.path, params)))


async def unpause(it: Asking) -> Planned | Refusal:
    refused = may_unpause(it.subscription, it.features, it.by.now)
    if refused:
        return refused
    collects = {"pause_collection": "", "metadata": {"postern_paused_at": "", "postern_paused_until": ""}}
    charge, step, waits = None, Step(it.path, collects), Step(it.path, collects)
    if it.subscription.status == "paused":
        charge = _charge(it, await it.previewed(subscription_details={"resume_at": "now", **_ANEW}))
        step, waits = _of_both(f"{it.path}/resume", _ANEW, "resume_on_payment_success", "resume_on_payment_attempt")
    elif _is_unpaid(it):
        charge = _charge(it, await it.previewed(subscription_details=_ANEW))
        step, waits = _of_both(it.path, {**collects, **_ANEW}, "error_if_incomplete", "allow_incomplete")
    method = method_of(it.account, it.subscription)
    seen = it.subscription.status, mapping_previews.seen_of(charge, method)
    return Planned((step,), (waits,) if charge else (), preview=Unpausing(charge, method), seen=seen)


def _of_both(path: str, params: dict[str, Any], *behaviors: str) -> tuple[Step, ...]:
    return tuple(Step(path, {**params, "payment_behavior": each}) for each in behaviors)


def _is_unpaid(it: Asking) -> bool:
    """Whether nobody paid for the running period: its invoice was void in the pause. The invoice of a change that was given
    up is void, too, but not of that period."""
    begun = {each.current_period_start_at for each in it.subscription.items}
    latest = (each for each in it.account.invoices if each.id == it.subscription.latest_invoice)
    return any(
        each.status in ("void", "uncollectible") and any(line.period_start_at in begun for line in each.lines)
        for each in latest
    )


def _charge(it: Asking, raw: dict[str, Any] | None) -> Charge | None:
    found = mapping_previews.charge(raw, it.known) if raw else None
    return found if found and found.lines else None


async def restart(it: Asking) -> Planned | Refusal:
    refused = may_restart(it.account, it.subscription, it.features)
    if refused:
        return refused
    method = method_of(it.account, it.subscription)
    options: list[NewStart] = []
    steps: tuple[Step, ...] = ()
    waits: tuple[Step, ...] = ()
    seen: tuple[object, ...] = ()
    for price in prices_to_restart(it.subscription, it.catalog, it.features)[:MOST_PRICES]:
        charge = await _first_charge(it, price)
        if charge is None:
            continue
        numbers = mapping_previews.seen_of(charge, method)
        action = type(it.action)(price.id)
        ends_at = next_end(it.at, price.recurring, it.at) or it.at
        options.append(NewStart(price, _quantity(it), charge, ends_at, it.page(action).of(it.at, *numbers)))
        if price.id == it.action.price:
            steps, waits = (_begun(it, price, each) for each in ("error_if_incomplete", "allow_incomplete"))
            seen = numbers
    if not options or (it.action.price and not steps):
        return Refusal("price_not_offered")
    return Planned(steps, waits, preview=Restarts(tuple(options), method), seen=seen)


def _quantity(it: Asking) -> int:
    return max(it.subscription.items[0].quantity, 1)


def _sold(it: Asking, price: Price) -> dict[str, Any]:
    """What is said of the new subscription to the preview and to the request alike."""
    item: dict[str, Any] = {"price": price.id, "quantity": _quantity(it)}
    rates = [each.id for each in it.subscription.items[0].tax_rates]
    default_rates = [each.id for each in it.subscription.default_tax_rates]
    return {
        "items": [{**item, "tax_rates": rates} if rates else item],
        **({"default_tax_rates": default_rates} if default_rates else {}),
    }


def _taxed(it: Asking) -> dict[str, Any]:
    return {"automatic_tax": {"enabled": True}} if it.subscription.automatic_tax else {}


async def _first_charge(it: Asking, price: Price) -> Charge | None:
    asked = {**whose(it.by.customer_id), "subscription_details": _sold(it, price), **_taxed(it)}
    return _charge(it, await it.client.invoice_preview(**asked))


def _begun(it: Asking, price: Price, behavior: str) -> tuple[Step, ...]:
    old, pinned = it.subscription, it.account.payment_method(it.subscription.default_payment_method)
    params = {
        **whose(it.by.customer_id),
        **_sold(it, price),
        **_taxed(it),
        **({"default_payment_method": pinned.id} if pinned else {}),
        **({"description": old.description} if old.description else {}),
        "metadata": {"postern_restarts": old.id},
        "payment_behavior": behavior,
    }
    return (
        Step("/v1/subscriptions", params),
        Step(it.path, {"metadata": {"postern_restarted_as": "{0.id}"}}),
    )
