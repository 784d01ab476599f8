"""Whether a subscription may be canceled, and whether its end may be taken back. Pure. The words of a `Refusal`:

not_found                  no such subscription in this account
disabled_by_configuration  the brand does not offer it
ended                      it is over already
already_ending             its end is decided
nothing_to_resume          no end is decided
not_asked                  nobody is asked for the reasons of this cancellation
unknown_reason, comment_too_long    about the reasons
unknown_status             the billing side uses a status that we do not know: nothing is risked
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from server.billing.model.account import ALIVE, ENDED, Subscription
from server.billing.model.errors import Refusal
from server.brands.features import Features

LONGEST_COMMENT = 500
"""Characters, as at Stripe."""
_NO_PERIOD = frozenset({"incomplete", "paused"})
"""Nothing is paid and nothing runs in these: a cancellation has no period's end to wait for."""
_ASKED_FOR = timedelta(days=1)
"""How long after a cancellation at once its reasons are asked."""


class CancelRule(Protocol):
    """`[features.subscription_cancel]` of the brand."""

    @property
    def enabled(self) -> bool: ...
    @property
    def mode(self) -> str: ...
    @property
    def proration_behavior(self) -> str: ...


def may_cancel(subscription: Subscription, rule: CancelRule, now: datetime) -> Refusal | None:
    """Why it cannot be canceled; None: it can."""
    refused = _over(subscription, now)
    if refused:
        return refused
    if not rule.enabled:
        return Refusal("disabled_by_configuration")
    if subscription.status not in ALIVE:
        return Refusal("unknown_status")
    return Refusal("already_ending") if subscription.cancel_at else None


def is_at_once(subscription: Subscription, rule: CancelRule, now: datetime) -> bool:
    """Whether a cancellation ends it now, and not when its period ends."""
    waits = subscription.status not in _NO_PERIOD and subscription.current_period_end_at > now
    return rule.mode == "immediately" or not waits


def may_resume(subscription: Subscription, rule: CancelRule, now: datetime) -> Refusal | None:
    """Why its end cannot be taken back; None: it can."""
    refused = _over(subscription, now)
    if refused:
        return refused
    if not rule.enabled:
        return Refusal("disabled_by_configuration")
    return None if subscription.cancel_at else Refusal("nothing_to_resume")


def _over(subscription: Subscription, now: datetime) -> Refusal | None:
    come = subscription.cancel_at is not None and subscription.cancel_at <= now
    return Refusal("ended") if subscription.status in ENDED or come else None


def may_tell(subscription: Subscription, features: Features, now: datetime) -> Refusal | None:
    """Why nobody is asked for the reasons of this cancellation; None: they are asked."""
    asks = features.subscription_cancel.enabled and features.subscription_cancel.cancellation_reason.enabled
    asked_at, over = subscription.canceled_at, subscription.status in ENDED
    recent = asked_at is not None and (not over or now - asked_at <= _ASKED_FOR)
    decided = over or subscription.cancel_at is not None
    return None if asks and recent and decided and not subscription.feedback else Refusal("not_asked")
