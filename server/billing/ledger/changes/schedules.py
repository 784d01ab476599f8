"""A change that was put off until the period ends: whether and how it is taken back. Pure. `renewals` makes it come true.

nothing_scheduled, ended, disabled_by_configuration, not_found    the words of a `Refusal`
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from server.billing import Refusal
from server.billing.ledger.events.renewals import settled, with_subscription
from server.billing.model.account import ENDED, Account, Subscription
from server.brands.features import Features


def may_undo(subscription: Subscription, features: Features, now: datetime) -> Refusal | None:
    """Why there is nothing that could be taken back; None: there is."""
    scheduled = subscription.scheduled
    if subscription.status in ENDED:
        return Refusal("ended")
    if scheduled is None or scheduled.at <= now:
        return Refusal("nothing_scheduled")
    return None if features.subscription_update.enabled else Refusal("disabled_by_configuration")


def undo(account: Account, subscription_id: str, features: Features, now: datetime) -> Account | Refusal:
    """The account without the change that was to come. Nothing was to come: the same account, unchanged."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    refused = may_undo(subscription, features, now)
    if refused:
        return account if refused.reason == "nothing_scheduled" else refused
    return settled(with_subscription(account, replace(subscription, scheduled=None)))
