"""Pause, and the end of a pause. Pure.

A pause lets the running period end and then asks for no money for some periods: their invoices are void. It ends by
itself (`renewals`) or before, when the customer wants; inside a period that nobody paid, a new one begins then.

    disabled_by_configuration, ended, ending, not_active, already_paused, sent_invoice, not_recurring, too_many_cycles
    not_paused, paused_by_business, and those of `charging` where a payment fails
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from server.billing import Refusal
from server.billing.ledger.events.renewals import lasting, settled, with_subscription
from server.billing.ledger.sums.charging import charge_of, mark_of, method_of, why_unpaid
from server.billing.ledger.sums.invoicing import issue
from server.billing.ledger.sums.upcoming import renews_at
from server.billing.model.account import ENDED, Account, Invoice, Item, Subscription
from server.billing.model.amounts import bill, joined
from server.billing.model.change import Charge
from server.billing.model.periods import next_end
from server.billing.model.shown import SHOWN_OTHERWISE, are_alike
from server.brands.features import Features


class Pause(msgspec.Struct, frozen=True):
    """A pause that may be chosen."""

    cycles: int
    begins_at: datetime
    """When the running period ends."""
    resumes_at: datetime
    """When money is asked for again."""


def may_pause(subscription: Subscription, features: Features, now: datetime) -> Refusal | None:
    """Why it cannot be paused; None: it can."""
    reason = ""
    if subscription.status in ENDED or (subscription.cancel_at and subscription.cancel_at <= now):
        reason = "ended"
    elif not features.subscription_pause.enabled:
        reason = "disabled_by_configuration"
    elif subscription.pause_behavior:
        reason = "already_paused"
    elif subscription.status != "active":
        reason = "not_active"
    elif subscription.cancel_at:
        reason = "ending"
    elif subscription.collection_method == "send_invoice":
        reason = "sent_invoice"
    elif renews_at(subscription) is None:
        reason = "not_recurring"
    return Refusal(reason) if reason else None


def pauses(subscription: Subscription, features: Features, now: datetime) -> tuple[Pause, ...]:
    """The pauses to choose from, the shortest first."""
    begins = renews_at(subscription)
    if begins is None or may_pause(subscription, features, now):
        return ()
    first = min(subscription.items, key=lambda each: each.current_period_end_at)
    found, end = [], begins
    for cycles in range(1, features.subscription_pause.max_cycles + 1):
        end = next_end(subscription.billing_cycle_anchor_at, first.price.recurring, end) or end
        found.append(Pause(cycles, begins, end))
    return tuple(found)


def pause(account: Account, subscription_id: str, cycles: int, features: Features, now: datetime) -> Account | Refusal:
    """The account with the pause. Paused already: the same account, unchanged."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    refused = may_pause(subscription, features, now)
    if refused:
        return account if refused.reason == "already_paused" else refused
    chosen = next((each for each in pauses(subscription, features, now) if each.cycles == cycles), None)
    if chosen is None:
        return Refusal("too_many_cycles", str(features.subscription_pause.max_cycles))
    paused = replace(subscription, pause_behavior="void", pause_resumes_at=chosen.resumes_at, paused_at=now)
    return settled(with_subscription(account, paused))


def may_unpause(subscription: Subscription, features: Features, now: datetime) -> Refusal | None:
    """Why there is no pause to end; None: there is. One that the business made is not the customer's to end; one that a
    trial ended in, for want of something to charge, always is."""
    reason = ""
    if subscription.status in ENDED or (subscription.cancel_at and subscription.cancel_at <= now):
        reason = "ended"
    elif subscription.status == "paused":
        reason = "sent_invoice" if subscription.collection_method == "send_invoice" else ""
    elif not subscription.pause_behavior:
        reason = "not_paused"
    elif subscription.paused_at is None:
        reason = "paused_by_business"
    elif not features.subscription_pause.enabled:
        reason = "disabled_by_configuration"
    return Refusal(reason) if reason else None


def unpausing(account: Account, subscription: Subscription, now: datetime) -> Charge | None:
    """What ending the pause charges now; None: nothing, since the running period is paid."""
    _, invoice = _unpaused(account, subscription, now)
    return charge_of(invoice) if invoice else None


def unpause(account: Account, subscription_id: str, features: Features, now: datetime) -> Account | Refusal:
    """The account without the pause. Not paused: the same account, unchanged."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    refused = may_unpause(subscription, features, now)
    if refused:
        return account if refused.reason == "not_paused" else refused
    after, invoice = _unpaused(account, subscription, now)
    return why_unpaid(invoice) or after


def mark_of_unpausing(account: Account, subscription: Subscription, now: datetime) -> str:
    """Goes back with the form that ends the pause: what would be charged otherwise is not."""
    return mark_of(unpausing(account, subscription, now), method_of(account, subscription), now)


def unpause_as_shown(
    account: Account, subscription_id: str, features: Features, *, token: str, now: datetime
) -> Account | Refusal:
    """`unpause`, where it charges what was shown under this token."""
    subscription = account.subscription(subscription_id)
    may = subscription is not None and may_unpause(subscription, features, now) is None
    if subscription and may and not are_alike(token, mark_of_unpausing(account, subscription, now)):
        return Refusal(SHOWN_OTHERWISE)
    return unpause(account, subscription_id, features, now)


def _unpaused(account: Account, subscription: Subscription, now: datetime) -> tuple[Account, Invoice | None]:
    status = "active" if subscription.status == "paused" else subscription.status
    running = replace(subscription, status=status, pause_behavior="", pause_resumes_at=None, paused_at=None)
    fresh = _begun(account, subscription, now)
    if not fresh:
        return settled(with_subscription(account, running)), None
    by_id = {each.id: each for each in fresh}
    items = tuple(by_id.get(each.id, each) for each in running.items)
    running = replace(running, items=items, billing_cycle_anchor_at=now, pending=())
    charge = joined(bill(running, fresh, now), subscription.pending, running.currency)
    account, invoice = issue(account, running, charge, now, "subscription_update")
    running = replace(running, discounts=lasting(running.discounts, now), latest_invoice=invoice.id)
    return settled(with_subscription(account, running)), invoice


def _begun(account: Account, subscription: Subscription, now: datetime) -> list[Item]:
    """The items whose running period nobody paid, each with a period that begins now."""
    latest = next((each for each in account.invoices if each.id == subscription.latest_invoice), None)
    if subscription.status == "paused":
        items = list(subscription.items)
    elif latest is None or latest.status not in {"void", "uncollectible"}:
        return []
    else:
        items = [each for each in subscription.items if each.current_period_start_at == latest.created_at]
    ends = [next_end(now, each.price.recurring, now) or each.current_period_end_at for each in items]
    return [
        replace(each, current_period_start_at=now, current_period_end_at=end, basis=None)
        for each, end in zip(items, ends, strict=True)
    ]
