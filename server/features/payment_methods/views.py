"""What a customer sees of their payment methods: which is charged by default, which subscription names which, and the
pages before something is changed.

List             every method, with what can be done
Add              the page before the provider's, for one more or in the place of another
Added            what was added, and what is charged to it now
ConfirmDefault   the page before another default
ConfirmRemove    the page before one goes, or why it cannot go
ConfirmUnpin     the page before a subscription is charged to the default again
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.billing import Account, Money, PaymentMethod, Subscription
from server.billing.model.names import more_items_of, name_of
from server.billing.rules import methods, paying
from server.brands import Features
from server.rendering.views import View


class Pin(msgspec.Struct, frozen=True):
    """A running subscription that names a payment method of its own."""

    id: str
    name: str
    method: PaymentMethod | None = None
    """The one that it names; None where that is what it is shown beside."""
    more_items: int = 0
    """How many more products it holds than the one of its name."""


class MethodRow(msgspec.Struct, frozen=True):
    """One payment method."""

    method: PaymentMethod
    is_default: bool = False
    """Charged for every subscription that names no other."""
    expiry: str = ""
    """`expired`, `soon` (this month or the next one), or empty."""
    is_charged: bool = False
    """A subscription will be charged to it though it expires."""
    failure: str = ""
    """Why the last charge to it failed of an invoice that is still to be paid: a decline code; empty: none did."""
    pinned_by: tuple[Pin, ...] = ()
    """The running subscriptions that are paid with this one, whatever the default is."""
    may_set_default: bool = False
    asks: bool = False
    """A subscription names another one: the page before asks whether it is to change too."""


class Debt(msgspec.Struct, frozen=True):
    """An invoice that waits for its payment."""

    invoice: str
    number: str
    due: Money
    subscription: str = ""
    """The name of what it is for."""
    next_attempt_at: datetime | None = None
    """When it is charged again by itself."""


class List(View, frozen=True):
    """Every payment method, the default first."""

    customer: str = ""
    """Goes along with every form: a page of another account must not change this one."""
    key: str = ""
    """Where the keys of the forms begin: sent twice, each acts once."""
    rows: tuple[MethodRow, ...] = ()
    may_add: bool = False
    is_full: bool = False
    """As many as are kept: one has to go before another comes."""
    has_default: bool = False
    announcement: str = ""
    """What was just done: `default`, `everywhere`, `removed`, `unpinned`, `stale`, `refused`, or nothing."""
    refusal: str = ""
    """Why it was not done: a reason of `billing.rules.methods`."""
    debts: tuple[Debt, ...] = ()
    """After another default was chosen: what did not go through before, and can be paid now."""


class Add(View, frozen=True):
    customer: str
    key: str
    replaced: PaymentMethod | None = None
    """The method that goes once the new one is there."""
    has_default: bool = False
    """There is one already, so it is asked whether the new one becomes it."""
    is_default: bool = False
    """That one is the default."""
    pinned_by: tuple[Pin, ...] = ()
    mistake: str = ""
    """`again`: the form was out of date, or nothing."""


class Added(View, frozen=True):
    customer: str
    key: str
    method: PaymentMethod
    is_default: bool = False
    others: tuple[Pin, ...] = ()
    """The running subscriptions that go on being charged to another one."""
    pinned_by: tuple[Pin, ...] = ()
    """Those that name this one."""
    debts: tuple[Debt, ...] = ()
    """What did not go through before, and can be paid with it now."""


class ConfirmDefault(View, frozen=True):
    customer: str
    key: str
    method: PaymentMethod
    others: tuple[Pin, ...] = ()
    """The running subscriptions that name another one."""
    everywhere: bool = False
    """They are to be charged to it too."""
    again: bool = False
    """The form came without a valid key: it is asked once more, and nothing was changed."""


class ConfirmRemove(View, frozen=True):
    customer: str
    key: str
    method: PaymentMethod
    is_default: bool = False
    heir: PaymentMethod | None = None
    """Which one is the default afterwards; None: there is none."""
    heir_expired: bool = False
    pinned_by: tuple[Pin, ...] = ()
    """The running subscriptions that go back to the default."""
    refusal: str = ""
    """Why it cannot be removed: a reason of `billing.rules.methods`; empty: it can."""
    again: bool = False


class ConfirmUnpin(View, frozen=True):
    customer: str
    key: str
    subscription: Pin
    default: PaymentMethod | None = None
    default_expired: bool = False
    refusal: str = ""
    again: bool = False


def listing(
    account: Account, features: Features, now: datetime, *, key: str, announcement: str = "", refusal: str = ""
) -> List:
    default = account.customer.default_payment_method
    ordered = sorted(account.payment_methods, key=lambda each: each.id != default)
    why_not = methods.may_add(account, features)
    return List(
        customer=account.customer.id,
        key=key,
        rows=tuple(_row(method, account, features, now) for method in ordered),
        may_add=why_not is None,
        is_full=why_not is not None and why_not.reason == "too_many_methods",
        has_default=account.payment_method(default) is not None,
        announcement=announcement,
        refusal=refusal,
        debts=_debts(account, now) if announcement in ("default", "everywhere") else (),
    )


def add(account: Account, replaced: PaymentMethod | None, *, key: str, mistake: str = "") -> Add:
    return Add(
        customer=account.customer.id,
        key=key,
        replaced=replaced,
        has_default=account.payment_method(account.customer.default_payment_method) is not None,
        is_default=replaced is not None and replaced.id == account.customer.default_payment_method,
        pinned_by=_pins(account, replaced.id) if replaced else (),
        mistake=mistake,
    )


def _debts(account: Account, now: datetime) -> tuple[Debt, ...]:
    """The invoices that were to be charged and are still open; one that is sent only where a payment of it failed."""
    names = {each.id: name_of(each) for each in account.subscriptions}
    return tuple(
        Debt(
            each.id,
            each.number,
            each.amount_due,
            names.get(each.subscription, ""),
            each.next_attempt_at if each.next_attempt_at and each.next_attempt_at > now else None,
        )
        for each in account.invoices
        if each.status == "open" and each.amount_due.amount > 0 and (each.payments or each.due_at is None)
    )


def added(account: Account, method: PaymentMethod, now: datetime, *, key: str) -> Added:
    return Added(
        customer=account.customer.id,
        key=key,
        method=method,
        is_default=method.id == account.customer.default_payment_method,
        others=_others(account, method.id),
        pinned_by=_pins(account, method.id),
        debts=_debts(account, now),
    )


def confirm_default(
    account: Account, method: PaymentMethod, *, key: str, everywhere: bool = False, again: bool = False
) -> ConfirmDefault:
    others = _others(account, method.id)
    return ConfirmDefault(account.customer.id, key, method, others, everywhere=everywhere, again=again)


def confirm_remove(
    account: Account, method: PaymentMethod, features: Features, now: datetime, *, key: str, again: bool = False
) -> ConfirmRemove:
    heir, refused = methods.successor(account, method.id, now), methods.may_remove(account, method.id, features, now)
    return ConfirmRemove(
        customer=account.customer.id,
        key=key,
        method=method,
        is_default=method.id == account.customer.default_payment_method,
        heir=heir,
        heir_expired=heir is not None and methods.is_expired(heir, now),
        pinned_by=_pins(account, method.id),
        refusal=refused.reason if refused else "",
        again=again,
    )


def confirm_unpin(
    account: Account, found: Subscription, features: Features, now: datetime, *, key: str, again: bool = False
) -> ConfirmUnpin:
    refused = methods.may_unpin(account, found.id, features)
    default = account.payment_method(account.customer.default_payment_method)
    return ConfirmUnpin(
        customer=account.customer.id,
        key=key,
        subscription=_pin(account, found),
        default=default,
        default_expired=default is not None and methods.is_expired(default, now),
        refusal=refused.reason if refused else "",
        again=again,
    )


def expiry(method: PaymentMethod, now: datetime) -> str:
    """`expired`, `soon` or empty. A card is good until the end of the month that it names."""
    if not method.exp_year or not method.exp_month:
        return ""
    months_left = (method.exp_year - now.year) * 12 + method.exp_month - now.month
    if months_left < 0:
        return "expired"
    return "soon" if months_left <= 1 else ""


def _row(method: PaymentMethod, account: Account, features: Features, now: datetime) -> MethodRow:
    is_default = method.id == account.customer.default_payment_method
    return MethodRow(
        method=method,
        is_default=is_default,
        expiry=(mark := expiry(method, now)),
        is_charged=bool(mark) and any(methods.will_charge(account, each) == method for each in account.subscriptions),
        failure=_failure(account, method),
        pinned_by=_pins(account, method.id),
        may_set_default=not is_default and methods.may_set_default(account, method.id, features, now) is None,
        asks=bool(_others(account, method.id)),
    )


def _failure(account: Account, method: PaymentMethod) -> str:
    tried = [paying.last_try(each) for each in account.invoices if each.status == "open" and paying.is_owed(each)]
    for last in tried:
        if last and last.status == "failed" and last.method == paying.name_of(method) and last.at > method.created_at:
            return last.failure or "generic_decline"
    return ""


def _pins(account: Account, method_id: str) -> tuple[Pin, ...]:
    found = methods.pinned_by(account, method_id)
    return tuple(Pin(each.id, name_of(each), more_items=more_items_of(each)) for each in found)


def _others(account: Account, method_id: str) -> tuple[Pin, ...]:
    """Who names another method than this one."""
    found = (methods.pinned_by(account, each.id) for each in account.payment_methods if each.id != method_id)
    return tuple(_pin(account, each) for pinned in found for each in pinned)


def _pin(account: Account, subscription: Subscription) -> Pin:
    method = account.payment_method(subscription.default_payment_method)
    return Pin(subscription.id, name_of(subscription), method, more_items_of(subscription))
