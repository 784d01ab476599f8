"""What a customer sees of a subscription, what may be done with it, and why not.

    Card            one subscription, with what happened to it: the target of every change
    List            every subscription
    History         what was done, when, from which browser
    cancel_views    the pages around a cancellation

Nothing here is decided twice: whether something may be canceled or taken back is `billing.changes`' answer, the same
that the change itself will ask for again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import msgspec

from server.billing import Account, Activity, Discount, Money, PaymentMethod, Price, Subscription, Upcoming, changes
from server.billing.types import ENDED
from server.rendering import View
from server.themes import Features

BADGES = (
    {"active": "good", "trialing": "info"}
    | dict.fromkeys(("ending", "collection_paused", "paused", "incomplete"), "warn")
    | dict.fromkeys(("past_due", "unpaid"), "bad")
    | dict.fromkeys(("canceled", "incomplete_expired"), "quiet")
)
"""The states that templates have words for, and the kind of their badge."""

ACTIVITIES = frozenset(
    {"login", "logout", "logout.everywhere", "subscription.canceled", "subscription.resumed", "subscription.ended"}
)


class Line(msgspec.Struct, frozen=True):
    price: Price
    quantity: int = 1
    has_quantity: bool = False
    """The quantity says something: more than one, or units with a name."""


class Debt(msgspec.Struct, frozen=True):
    """The open invoice of a subscription that is behind."""

    invoice: str
    """Its id."""
    amount: Money
    failure: str = ""
    """Why the last payment failed: a decline code, or empty."""
    next_attempt_at: datetime | None = None


class Entry(msgspec.Struct, frozen=True):
    """One line of the history."""

    at: datetime
    kind: str
    """One of `ACTIVITIES`, or `other`."""
    word: str = ""
    """The billing side's own word for it."""
    subscription: str = ""
    """The id of the subscription, where it still is one of this customer's."""
    name: str = ""
    """What that subscription is called."""
    browser: str = ""


class Card(View, frozen=True):
    """One subscription: price, state, what comes next and what can be done."""

    id: str
    customer: str
    """Goes along with every form: a page of another account must not change this one."""
    name: str
    state: str
    """A key of `BADGES`, or `other`."""
    word: str
    """The billing side's own word for the status."""
    badge: str
    lines: tuple[Line, ...]
    more_items: int = 0
    """Items beside the one that gave the name."""
    next_charge: Upcoming | None = None
    """None: nothing will be charged, or we do not know."""
    ends_at: datetime | None = None
    """When it will end; None: it goes on, or has ended already."""
    ended_at: datetime | None = None
    trial_ends_at: datetime | None = None
    paused_until: datetime | None = None
    discounts: tuple[Discount, ...] = ()
    """Those that still count."""
    method: PaymentMethod | None = None
    """What it is paid with."""
    method_is_pinned: bool = False
    """This subscription names its own, whatever the default is."""
    method_problem: bool = False
    """It should be charged automatically and there is nothing to charge."""
    by_invoice: bool = False
    days_until_due: int = 0
    has_schedule: bool = False
    """A later change has been arranged by the business."""
    debt: Debt | None = None
    may_cancel: bool = False
    may_resume: bool = False
    why_not: str = ""
    """Why it cannot be canceled: a reason of `billing.changes`."""
    key: str = ""
    """The idempotency key of the form that takes the end back."""
    history: tuple[Entry, ...] = ()
    announcement: str = ""
    """What was just done: `ends`, `ended`, `resumed`, `already`, `nothing_to_resume`, `stale`, `refused`, or nothing."""
    refusal: str = ""
    """Why it was refused, where it was."""


class List(View, frozen=True):
    running: tuple[Card, ...] = ()
    ended: tuple[Card, ...] = ()


class History(View, frozen=True):
    """What was done in this account, newest first."""

    here: ClassVar[str] = "history"

    entries: tuple[Entry, ...] = ()


def card(
    subscription: Subscription,
    account: Account,
    features: Features,
    now: datetime,
    *,
    key: str = "",
    activities: Sequence[Activity] = (),
) -> Card:
    rule = features.subscription_cancel
    forbidden = changes.may_cancel(subscription, rule, now)
    alive = subscription.status not in ENDED
    ends_at = subscription.cancel_at if alive else None
    method = account.payment_method(subscription.default_payment_method or account.customer.default_payment_method)
    by_invoice = subscription.collection_method == "send_invoice"
    state = state_of(subscription)
    return Card(
        id=subscription.id,
        customer=account.customer.id,
        name=name_of(subscription),
        state=state,
        word=subscription.status,
        badge=BADGES.get(state, "quiet"),
        lines=tuple(_line(each.price, each.quantity) for each in subscription.items),
        more_items=more_items_of(subscription),
        next_charge=next_charge_of(subscription, account),
        ends_at=ends_at,
        ended_at=subscription.ended_at if not alive else None,
        trial_ends_at=subscription.trial_end_at if subscription.status == "trialing" else None,
        paused_until=subscription.pause_resumes_at if alive else None,
        discounts=tuple(each for each in subscription.discounts if alive and (not each.end_at or each.end_at > now)),
        method=method if alive and not by_invoice else None,
        method_is_pinned=bool(subscription.default_payment_method),
        method_problem=alive and not by_invoice and method is None,
        by_invoice=alive and by_invoice,
        days_until_due=subscription.days_until_due,
        has_schedule=alive and bool(subscription.schedule),
        debt=debt_of(subscription, account),
        may_cancel=forbidden is None,
        may_resume=changes.may_resume(subscription, rule, now) is None,
        why_not=forbidden.reason if forbidden and alive and ends_at is None else "",
        key=key,
        history=tuple(_entry(each, account) for each in activities if each.subject == subscription.id),
    )


def listing(account: Account, features: Features, now: datetime, *, key: str = "") -> List:
    """`key` is fresh for this page; each card's form gets one of its own from it."""
    cards = [
        card(each, account, features, now, key=f"{key}-{place}") for place, each in enumerate(account.subscriptions)
    ]
    return List(
        running=tuple(each for each in cards if not is_over(each)),
        ended=tuple(each for each in cards if is_over(each)),
    )


def history(account: Account, activities: Sequence[Activity]) -> History:
    return History(entries=tuple(_entry(each, account) for each in activities))


def name_of(subscription: Subscription) -> str:
    """What the subscription is called: its own description, or its first product."""
    price = subscription.items[0].price if subscription.items else None
    return subscription.description or (price.product_name or price.nickname or price.product if price else "")


def state_of(subscription: Subscription) -> str:
    """The state in the templates' words: an end that is decided or a pause stands before `active`."""
    if subscription.status in {"active", "trialing"}:
        if subscription.cancel_at is not None:
            return "ending"
        if subscription.pause_behavior:
            return "collection_paused"
    return subscription.status if subscription.status in BADGES else "other"


def is_over(each: Card) -> bool:
    return each.state in {"canceled", "incomplete_expired"}


def debt_of(subscription: Subscription, account: Account) -> Debt | None:
    """The newest open invoice of a subscription that is behind with a payment."""
    if subscription.status not in {"past_due", "unpaid", "incomplete"}:
        return None
    unpaid = (each for each in account.invoices if each.subscription == subscription.id and each.status == "open")
    invoice = next(unpaid, None)
    if invoice is None:
        return None
    failures = [each.failure for each in sorted(invoice.payments, key=lambda each: each.at) if each.failure]
    return Debt(invoice.id, invoice.amount_due, failures[-1] if failures else "", invoice.next_attempt_at)


def more_items_of(subscription: Subscription) -> int:
    return 0 if subscription.description else max(len(subscription.items) - 1, 0)


def next_charge_of(subscription: Subscription, account: Account) -> Upcoming | None:
    return next((each for each in account.upcoming if each.subscription == subscription.id), None)


def _line(price: Price, quantity: int) -> Line:
    metered = price.recurring is not None and price.recurring.usage == "metered"
    return Line(price, quantity, has_quantity=not metered and (quantity != 1 or bool(price.unit_label)))


def _entry(activity: Activity, account: Account) -> Entry:
    subscription = account.subscription(activity.subject)
    return Entry(
        at=activity.at,
        kind=activity.kind if activity.kind in ACTIVITIES else "other",
        word=activity.kind,
        subscription=subscription.id if subscription else "",
        name=name_of(subscription) if subscription else "",
        browser=activity.browser,
    )
