"""Adding, choosing and removing payment methods, and what a subscription pins. Pure. The rule is `rules.methods`."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from server.billing.model.account import ENDED, Account, PaymentMethod, Subscription
from server.billing.model.errors import Refusal
from server.billing.rules.methods import may_add, may_remove, may_set_default, may_unpin, successor
from server.brands.features import Features


def add(
    account: Account, method: PaymentMethod, features: Features, replaces: str = "", *, as_default: bool = True
) -> Account | Refusal:
    """The account with the method, which is the default now if it is to be, or if there was none. With `replaces` it takes the place of that one wherever it
    is charged, and that one goes; it is then the default only if that one was, or if there was none.
    """
    if account.payment_method(method.id):
        return account
    old = account.payment_method(replaces)
    # The one to be replaced may be gone by now: the new one is kept all the same.
    refused = may_add(account, features, replaces if old else "")
    if refused:
        return refused
    default = account.customer.default_payment_method
    takes = as_default if old is None else default == old.id
    if takes or account.payment_method(default) is None:
        default = method.id
    kept = tuple(each for each in account.payment_methods if old is None or each.id != old.id)
    subscriptions = account.subscriptions if old is None else _pinned(account, old.id, method.id)
    return _with_default(replace(account, payment_methods=(method, *kept), subscriptions=subscriptions), default)


def set_default(
    account: Account, method_id: str, features: Features, now: datetime, *, everywhere: bool = False
) -> Account | Refusal:
    """The account with that default; `everywhere`: no subscription names another one any more."""
    refused = may_set_default(account, method_id, features, now)
    if refused:
        return refused
    if everywhere:
        free = (
            each if each.status in ENDED else replace(each, default_payment_method="") for each in account.subscriptions
        )
        account = replace(account, subscriptions=tuple(free))
    return _with_default(account, method_id)


def remove(account: Account, method_id: str, features: Features, now: datetime) -> Account | Refusal:
    """The account without it: what it was charged for goes to the default, and the default to `successor`."""
    refused = may_remove(account, method_id, features, now)
    if refused:
        return refused
    heir = successor(account, method_id, now)
    kept = tuple(each for each in account.payment_methods if each.id != method_id)
    subscriptions = _pinned(account, method_id, "")
    return _with_default(replace(account, payment_methods=kept, subscriptions=subscriptions), heir.id if heir else "")


def unpin(account: Account, subscription_id: str, features: Features) -> Account | Refusal:
    """The account in which the subscription is charged to the default. It is so already: unchanged."""
    refused = may_unpin(account, subscription_id, features)
    if refused:
        return refused
    free = (
        replace(each, default_payment_method="") if each.id == subscription_id else each
        for each in account.subscriptions
    )
    return replace(account, subscriptions=tuple(free))


def _pinned(account: Account, old: str, new: str) -> tuple[Subscription, ...]:
    return tuple(
        replace(each, default_payment_method=new) if each.default_payment_method == old else each
        for each in account.subscriptions
    )


def _with_default(account: Account, method_id: str) -> Account:
    return replace(account, customer=replace(account.customer, default_payment_method=method_id))
