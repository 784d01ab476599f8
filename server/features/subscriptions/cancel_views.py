"""What a customer sees around a cancellation.

ConfirmCancel   the page before it: what ends, when, what it costs
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from server.billing import ACTIVE, Account, Cancellation, Coupon, Invoice, Money, RetentionOffer, Subscription, Upcoming
from server.billing.model.names import more_items_of, name_of
from server.billing.rules import pausing, paying
from server.features.subscriptions.part_views import Debt, debt_in, next_charge_of
from server.rendering.views import View


class Offer(View, frozen=True):
    """A discount for a customer who stays. Accepted, it keeps the subscription; declined, the page before follows."""

    id: str
    customer: str
    key: str
    name: str
    coupon: Coupon
    more_items: int = 0
    before: Upcoming | None = None
    """What would be charged next without it."""
    after: Upcoming | None = None
    """What will be charged next with it."""
    debt: Debt | None = None
    """What stays to be paid all the same."""
    fingerprint: str = ""
    """Goes back with the form: where the coupon would be another one by then, none is given."""
    again: bool = False
    """The form came without a valid key: it is asked once more, and nothing was changed."""


class ConfirmCancel(View, frozen=True):
    """The page before a cancellation."""

    id: str
    customer: str
    name: str
    key: str
    """The idempotency key of this form: sent twice, it cancels once."""
    at_once: bool
    ends_at: datetime
    more_items: int = 0
    fingerprint: str = ""
    """Goes back with the form: where it would be another cancellation by then, nothing is canceled."""
    credit: Money | None = None
    """What goes to the balance: with `at_once` for the time that was paid and not used."""
    set_off: Money | None = None
    """What comes off the invoices that are still open."""
    due: Money | None = None
    """What changes within the period still cost, on a last invoice when it ends."""
    in_trial: bool = False
    unpaid: bool = False
    """It has not started, is paused, or is behind: no paid time is lost."""
    works: bool = True
    """It can be used until it ends."""
    next_charge: Upcoming | None = None
    """What would have been charged next."""
    by_invoice: bool = False
    """It would have been asked for by an invoice."""
    debt: Debt | None = None
    """What stays to be paid then."""
    again: bool = False
    """The form came without a valid key: it is asked once more, and nothing was changed."""
    stale: bool = False
    """The numbers changed since the page was shown; nothing was canceled."""


def confirm_cancel(
    subscription: Subscription,
    account: Account,
    ending: Cancellation,
    now: datetime,
    *,
    key: str,
    again: bool = False,
    stale: bool = False,
) -> ConfirmCancel:
    return ConfirmCancel(
        id=subscription.id,
        customer=account.customer.id,
        name=name_of(subscription),
        more_items=more_items_of(subscription),
        key=key,
        at_once=ending.at_once,
        ends_at=ending.ends_at,
        fingerprint=ending.fingerprint,
        credit=ending.credit,
        set_off=ending.set_off,
        due=ending.due,
        in_trial=subscription.status == "trialing",
        unpaid=subscription.status not in ("active", "trialing"),
        works=works(subscription),
        next_charge=next_charge_of(subscription, account),
        by_invoice=subscription.collection_method == "send_invoice",
        debt=debt_in(_left(_owed(subscription, account), ending.set_off), now),
        again=again,
        stale=stale,
    )


def works(subscription: Subscription) -> bool:
    """Whether the customer has what it is for at the moment."""
    return subscription.status in ACTIVE and not pausing.is_paused(subscription)


def _owed(subscription: Subscription, account: Account) -> tuple[Invoice, ...]:
    """What the customer is asked for, also while nothing is late; of one that is behind, what was written off, too. What never
    began leaves nothing to pay."""
    if subscription.status == "incomplete":
        return ()
    find = paying.owed if subscription.status in paying.BEHIND else paying.asked_for
    return find(account, subscription)


def _left(owed: Sequence[Invoice], set_off: Money | None) -> list[Invoice]:
    """What is left of these invoices after that much came off them, the newest first."""
    if set_off is None:
        return list(owed)
    found, rest = [], set_off.amount
    for each in owed:
        off = min(rest, each.amount_due.amount) if each.currency == set_off.currency else 0
        rest -= off
        found.append(replace(each, amount_due=each.amount_due - Money(off, each.currency)))
    return [each for each in found if each.amount_due]


def offer(
    subscription: Subscription,
    account: Account,
    made: RetentionOffer,
    now: datetime,
    *,
    key: str,
    again: bool = False,
) -> Offer:
    return Offer(
        id=subscription.id,
        customer=account.customer.id,
        key=key,
        name=name_of(subscription),
        more_items=more_items_of(subscription),
        coupon=made.coupon,
        before=made.before,
        after=made.after,
        debt=debt_in(_owed(subscription, account), now),
        fingerprint=made.fingerprint,
        again=again,
    )
