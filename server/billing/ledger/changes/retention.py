"""What goes with a cancellation: the coupon that is offered before it, and the reasons that are asked after it. Pure.

    no_offer                                       no coupon is offered, or it gives nothing here, or it was taken before
    not_asked, unknown_reason, comment_too_long    about the reasons

and those of `changes.may_cancel`, without which there is nothing to offer.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from server.billing import Refusal
from server.billing.ledger.changes.canceling import may_cancel
from server.billing.ledger.events.renewals import settled, with_subscription
from server.billing.ledger.sums.upcoming import upcoming_of
from server.billing.model.account import ENDED, Account, Catalog, Coupon, Subscription, Upcoming
from server.billing.model.change import Plan
from server.billing.rules.discounts import discount_of, why_no_coupon
from server.brands.features import Features

LONGEST_COMMENT = 500
"""Characters, as at Stripe."""
_ASKED_FOR = timedelta(days=1)
"""So long after a cancellation at once its reasons are asked."""


class Offer(msgspec.Struct, frozen=True):
    """A coupon for who stays."""

    coupon: Coupon
    before: Upcoming | None
    """The next charge without it."""
    after: Upcoming | None
    """The next charge with it."""


def offer(subscription: Subscription, catalog: Catalog, features: Features, now: datetime) -> Offer | None:
    """What is offered before this cancellation; None: nothing is."""
    coupon = catalog.coupons.get(features.subscription_cancel.retention.coupon)
    if may_cancel(subscription, features.subscription_cancel, now) or coupon is None:
        return None
    if subscription.retained == coupon.id or not _counts(subscription, coupon, now):
        return None
    kept = _kept(subscription, coupon, now)
    return Offer(coupon, upcoming_of(subscription), upcoming_of(kept))


def retain(
    account: Account, subscription_id: str, catalog: Catalog, features: Features, now: datetime
) -> Account | Refusal:
    """The account with the coupon instead of a cancellation. Taken already: the same account, unchanged."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    coupon = features.subscription_cancel.retention.coupon
    if coupon and subscription.retained == coupon:
        return account
    refused = may_cancel(subscription, features.subscription_cancel, now)
    offered = offer(subscription, catalog, features, now)
    if refused or offered is None:
        return refused or Refusal("no_offer")
    return settled(with_subscription(account, _kept(subscription, offered.coupon, now)))


def _counts(subscription: Subscription, coupon: Coupon, now: datetime) -> bool:
    """It takes something off at least one item."""
    return any(
        why_no_coupon(subscription, Plan(each.price, each.quantity), coupon, now) is None for each in subscription.items
    )


def _kept(subscription: Subscription, coupon: Coupon, now: datetime) -> Subscription:
    discounts = (*subscription.discounts, discount_of(coupon, now))
    return replace(subscription, discounts=discounts, retained=coupon.id)


def may_tell(subscription: Subscription, features: Features, now: datetime) -> Refusal | None:
    """Why nobody is asked for the reasons of this cancellation; None: they are asked."""
    asks = features.subscription_cancel.enabled and features.subscription_cancel.cancellation_reason.enabled
    asked_at, over = subscription.canceled_at, subscription.status in ENDED
    recent = asked_at is not None and (not over or now - asked_at <= _ASKED_FOR)
    decided = over or subscription.cancel_at is not None
    return None if asks and recent and decided and not subscription.feedback else Refusal("not_asked")


def tell(
    account: Account, subscription_id: str, told: tuple[str, str], features: Features, now: datetime
) -> Account | Refusal:
    """The account with the reason (a word of the configuration) and the comment. Told already: unchanged."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    reason, comment = told[0], told[1].strip()
    refused = may_tell(subscription, features, now)
    if refused:
        return account if subscription.feedback else refused
    if reason not in features.subscription_cancel.cancellation_reason.options:
        return Refusal("unknown_reason")
    if len(comment) > LONGEST_COMMENT:
        return Refusal("comment_too_long", str(LONGEST_COMMENT))
    return with_subscription(account, replace(subscription, feedback=reason, comment=comment))
