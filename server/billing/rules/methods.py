"""What may be done with payment methods, and which one is charged. Pure.

The words of a `Refusal`:

    not_found                  no such payment method or subscription in this account
    disabled_by_configuration  the brand does not offer it
    too_many_methods           as many as are kept
    method_expired             it cannot be charged any more, so it is not chosen
    last_method                a subscription is alive and no other method that works would be left
    no_default                 there is no default to go back to
    ended                      the subscription is over
"""

from __future__ import annotations

from datetime import datetime

from server.billing.model.account import ENDED, Account, PaymentMethod, Subscription
from server.billing.model.errors import Refusal
from server.billing.model.periods import renews_at
from server.brands.features import Features

MOST = 25
"""At most this many for one customer: an account is one document."""


def may_add(account: Account, features: Features, replaces: str = "") -> Refusal | None:
    """Why none can be added (`replaces`: in the place of that one); None: one can."""
    if not features.payment_method_update.enabled:
        return Refusal("disabled_by_configuration")
    if replaces and account.payment_method(replaces) is None:
        return Refusal("not_found")
    if not replaces and len(account.payment_methods) >= MOST:
        return Refusal("too_many_methods")
    return None


def may_set_default(account: Account, method_id: str, features: Features, now: datetime) -> Refusal | None:
    method = account.payment_method(method_id)
    if method is None:
        return Refusal("not_found")
    if not features.payment_method_update.enabled:
        return Refusal("disabled_by_configuration")
    return Refusal("method_expired") if is_expired(method, now) else None


def may_remove(account: Account, method_id: str, features: Features, now: datetime) -> Refusal | None:
    method = account.payment_method(method_id)
    if method is None:
        return Refusal("not_found")
    if not features.payment_method_update.enabled:
        return Refusal("disabled_by_configuration")
    left = [each for each in account.payment_methods if each.id != method_id]
    works = any(not is_expired(each, now) for each in left)
    if works or (left and is_expired(method, now)) or not is_needed(account):
        return None
    return Refusal("last_method")


def may_unpin(account: Account, subscription_id: str, features: Features) -> Refusal | None:
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    if not features.payment_method_update.enabled:
        return Refusal("disabled_by_configuration")
    if subscription.status in ENDED:
        return Refusal("ended")
    return None if account.payment_method(account.customer.default_payment_method) else Refusal("no_default")


def successor(account: Account, method_id: str, now: datetime) -> PaymentMethod | None:
    """Which one is the default once this one is gone: the default that there is, else the newest that works, else the
    newest. None: no other one is left."""
    left = [each for each in account.payment_methods if each.id != method_id]
    default = account.customer.default_payment_method
    found = [each for each in left if each.id == default]
    if found:
        return found[0]
    ranked = sorted(left, key=lambda each: (not is_expired(each, now), each.created_at, each.id))
    return ranked[-1] if ranked else None


def is_needed(account: Account) -> bool:
    """Whether something may still be charged: a subscription that is not over, also one that will end."""
    return any(each.status not in ENDED for each in account.subscriptions)


def is_expired(method: PaymentMethod, now: datetime) -> bool:
    """A card is good until the end of the month that it names."""
    return bool(method.exp_year) and (method.exp_year, method.exp_month) < (now.year, now.month)


def pinned_by(account: Account, method_id: str) -> tuple[Subscription, ...]:
    """The subscriptions that are not over and name this one, whatever the default is."""
    return tuple(
        each for each in account.subscriptions if each.default_payment_method == method_id and each.status not in ENDED
    )


def method_of(account: Account, subscription: Subscription) -> PaymentMethod | None:
    """What a charge of this subscription is taken from."""
    return account.payment_method(subscription.default_payment_method or account.customer.default_payment_method)


def will_charge(account: Account, subscription: Subscription) -> PaymentMethod | None:
    """What it is charged to next; None: nothing, as it ends before or is paused for good, or there is nothing to charge."""
    begins, ends = renews_at(subscription), subscription.cancel_at
    is_over = begins is None or (ends is not None and ends <= begins)
    is_still = bool(subscription.pause_behavior) and subscription.pause_resumes_at is None
    if subscription.collection_method == "send_invoice" or (
        subscription.status != "past_due" and (is_over or is_still)
    ):
        return None
    return method_of(account, subscription)
