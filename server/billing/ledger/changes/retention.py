"""The coupon that is offered before a cancellation, and the reasons that are asked after it. Pure.

    no_offer    no coupon is offered, or it gives nothing here, or it was taken before

and the words of `rules.canceling`: where nothing may be canceled, nothing is offered.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from server.billing.ledger.events.renewals import settled, with_subscription
from server.billing.ledger.sums.upcoming import upcoming_of
from server.billing.model.account import Account, Catalog, Coupon, Subscription, Upcoming
from server.billing.model.change import Plan, RetentionOffer, Tell
from server.billing.model.errors import Refusal
from server.billing.model.fingerprint import Fingerprint
from server.billing.rules.canceling import LONGEST_COMMENT, may_cancel, may_tell
from server.billing.rules.discounts import changes_nothing, discount_of, in_currency, why_no_coupon
from server.brands.features import Features


def offer(
    account: Account, subscription_id: str, catalog: Catalog, *, features: Features, page: Fingerprint, now: datetime
) -> RetentionOffer | Refusal:
    """What is offered before this cancellation."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    refused = may_cancel(subscription, features.subscription_cancel, now)
    coupon = catalog.coupons.get(features.subscription_cancel.retention.coupon)
    if refused:
        return refused
    if coupon is None or subscription.retained == coupon.id or not _counts(subscription, coupon, now):
        return Refusal("no_offer")
    coupon = in_currency(coupon, subscription.currency) or coupon
    before, after = upcoming_of(account, subscription), upcoming_of(account, _kept(subscription, coupon, now))
    if changes_nothing(subscription, before, after):
        return Refusal("no_offer")
    return RetentionOffer(coupon, before, after, page.of(now, *_seen(coupon, before, after)))


def retain_as_shown(
    account: Account, subscription_id: str, catalog: Catalog, *, features: Features, page: Fingerprint, now: datetime
) -> Account | RetentionOffer | Refusal:
    """The account with the coupon instead of a cancellation. Taken already: the same account, unchanged. An offer: it
    would be this one by now, and nothing is given."""
    subscription = account.subscription(subscription_id)
    if (
        subscription
        and subscription.retained
        and subscription.retained == features.subscription_cancel.retention.coupon
    ):
        return account
    offered = offer(account, subscription_id, catalog, features=features, page=page, now=now)
    if isinstance(offered, Refusal) or subscription is None:
        return offered
    if not page.fits(*_seen(offered.coupon, offered.before, offered.after)):
        return offered
    return settled(with_subscription(account, _kept(subscription, offered.coupon, now)))


def _seen(coupon: Coupon, before: Upcoming | None, after: Upcoming | None) -> tuple[object, ...]:
    """How often others took the coupon changes nothing in this offer."""
    return replace(coupon, times_redeemed=0), before, after


def _counts(subscription: Subscription, coupon: Coupon, now: datetime) -> bool:
    """It takes something off at least one item."""
    return any(
        why_no_coupon(subscription, Plan(each.price, each.quantity), coupon, now) is None for each in subscription.items
    )


def _kept(subscription: Subscription, coupon: Coupon, now: datetime) -> Subscription:
    discounts = (*subscription.discounts, discount_of(coupon, now))
    return replace(subscription, discounts=discounts, retained=coupon.id)


def tell(account: Account, subscription_id: str, told: Tell, features: Features, now: datetime) -> Account | Refusal:
    """The account with the reason (a word of the configuration) and the comment. Told already: unchanged."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    reason, comment = told.reason, told.comment.strip()
    refused = may_tell(subscription, features, now)
    if refused:
        return account if subscription.feedback else refused
    if reason not in features.subscription_cancel.cancellation_reason.options:
        return Refusal("unknown_reason")
    if len(comment) > LONGEST_COMMENT:
        return Refusal("comment_too_long", str(LONGEST_COMMENT))
    return with_subscription(account, replace(subscription, feedback=reason, comment=comment))
