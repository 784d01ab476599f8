"""A change of plan that waits for the period's end, or for its payment, is taken back. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from server.billing.ledger.events.renewals import settled, with_subscription
from server.billing.ledger.sums.awaiting import given_up
from server.billing.model.account import Account
from server.billing.model.errors import Refusal
from server.billing.rules.plans import may_undo
from server.brands.features import Features


def undo(account: Account, subscription_id: str, features: Features, now: datetime) -> Account | Refusal:
    """The account without the change that was to come. Nothing was to come: the same account, unchanged."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    refused = may_undo(subscription, features, now)
    if refused:
        return account if refused.reason == "nothing_scheduled" else refused
    if subscription.awaiting:
        return given_up(account, subscription_id)
    return settled(with_subscription(account, replace(subscription, scheduled=None)))
