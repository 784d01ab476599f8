"""Whether a subscription may be paused, for how long, and whether a pause may be ended. Pure.

A pause lets the running period end and then asks for no money for some periods. The words of a `Refusal`:

    disabled_by_configuration, ended, ending, not_active, already_paused, sent_invoice, not_recurring,
    scheduled_by_business, too_many_cycles, not_paused, paused_by_business
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.billing.model.account import ENDED, Subscription
from server.billing.model.errors import Refusal
from server.billing.model.periods import next_end, renews_at
from server.brands.features import Features

_BY_BUSINESS = frozenset({"pause_requested", "system"})


class PauseLength(msgspec.Struct, frozen=True):
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
    elif subscription.schedule:
        reason = (
            "scheduled_by_business"  # its phases begin on their day, and one that begins in a pause would cost nothing
        )
    return Refusal(reason) if reason else None


def pauses(subscription: Subscription, features: Features, now: datetime) -> tuple[PauseLength, ...]:
    """The pauses to choose from, the shortest first."""
    begins = renews_at(subscription)
    if begins is None or may_pause(subscription, features, now):
        return ()
    first = min(subscription.items, key=lambda each: each.current_period_end_at)
    found, end = [], begins
    for cycles in range(1, features.subscription_pause.max_cycles + 1):
        end = next_end(subscription.billing_cycle_anchor_at, first.price.recurring, end) or end
        found.append(PauseLength(cycles, begins, end))
    return tuple(found)


def begins_at(subscription: Subscription) -> datetime | None:
    """When a customer's pause begins, once the period is over that was running when it was asked for; None: it has begun,
    or there is none."""
    asked_at = subscription.paused_at
    if asked_at is None or any(each.current_period_start_at > asked_at for each in subscription.items):
        return None
    return renews_at(subscription)


def is_paused(subscription: Subscription) -> bool:
    """Whether a pause has begun."""
    return subscription.status == "paused" or bool(subscription.pause_behavior and begins_at(subscription) is None)


def may_unpause(subscription: Subscription, features: Features, now: datetime) -> Refusal | None:
    """Why there is no pause to end; None: there is. One that the business made is not the customer's to end; one that a
    trial ended in, for want of something to charge, always is."""
    reason = ""
    if subscription.status in ENDED or (subscription.cancel_at and subscription.cancel_at <= now):
        reason = "ended"
    elif subscription.status == "paused" and subscription.paused_why in _BY_BUSINESS:
        reason = "paused_by_business"
    elif subscription.status == "paused":
        reason = "sent_invoice" if subscription.collection_method == "send_invoice" else ""
    elif not subscription.pause_behavior:
        reason = "not_paused"
    elif subscription.paused_at is None:
        reason = "paused_by_business"
    elif not features.subscription_pause.enabled:
        reason = "disabled_by_configuration"
    return Refusal(reason) if reason else None
