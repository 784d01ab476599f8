"""A line of the history, as the page of it and the card of a subscription show it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from server.billing import Account, Activity, Money, PaymentMethod
from server.billing.model.names import name_of

ACTIVITIES = frozenset(
    {
        *("login", "logout", "logout.everywhere", "session.ended", "session.others_ended", "account.switched"),
        *("subscription.canceled", "subscription.resumed", "subscription.ended", "subscription.retained"),
        *("subscription.feedback", "subscription.changed", "subscription.change_scheduled"),
        *("subscription.change_awaits", "subscription.unpaid"),
        *("subscription.change_undone", "subscription.change_applied", "subscription.paused"),
        *("subscription.unpaused", "subscription.restarted", "subscription.unpinned"),
        *("payment_method.added", "payment_method.default", "payment_method.removed"),
        *("invoice.paid", "invoice.payment_failed", "invoice.payment_action_required"),
        *("invoice.charge_failed", "invoice.charge_paid"),
        *("customer.updated", "customer.email_changed", "customer.tax_id_added", "customer.tax_id_removed"),
        *("customer.tax_id_verified", "customer.tax_id_unverified"),
        *("reminder.off", "reminder.on"),
    }
)
"""The activities that templates have words for."""


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
    before: str = ""
    """For a change of plan: what it was."""
    after: str = ""
    """For a change of plan: what it is, or will be."""
    quantity: str = ""
    """How many since, where that was changed."""
    method: PaymentMethod | None = None
    """The payment method that it was about, as it was then: its kind, brand and last four digits."""
    invoice: str = ""
    """The id of the invoice that it was about."""
    number: str = ""
    """That invoice's number."""
    details: tuple[str, ...] = ()
    """Which billing details changed: `name`, `phone`, `address`, `shipping`."""
    amount: Money | None = None
    """What was paid, or was to be."""


def entry_of(activity: Activity, account: Account) -> Entry:
    subscription, said = account.subscription(activity.subject), activity.data
    before, after = said.get("before", ""), said.get("after", "")
    quantity = said.get("quantity_after", "")
    return Entry(
        at=activity.at,
        kind=activity.kind if activity.kind in ACTIVITIES else "other",
        word=activity.kind,
        details=tuple(said.get("fields", "").split()),
        subscription=subscription.id if subscription else "",
        name=name_of(subscription) if subscription else "",
        browser=activity.browser,
        before=before if before != after else "",
        after=after,
        quantity=quantity if quantity != said.get("quantity_before", "") else "",
        method=PaymentMethod(
            activity.subject, said["method_kind"], activity.at, said.get("method_brand", ""), said.get("last4", "")
        )
        if "method_kind" in said
        else None,
        **_paid(activity),
    )


def _paid(activity: Activity) -> dict[str, Any]:
    """What an activity says of an invoice, by the names of the entry's fields."""
    if not activity.kind.startswith("invoice."):
        return {}
    said, amount = activity.data, activity.data.get("amount", "")
    paid = Money(int(amount), said["currency"]) if amount.isdigit() and "currency" in said else None
    return {"invoice": activity.subject, "number": said.get("number", ""), "amount": paid}
