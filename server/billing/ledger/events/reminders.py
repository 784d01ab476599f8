"""What a customer is reminded of, and when: moments that follow from the account alone. Pure.

| kind | moment | not, where |
|---|---|---|
| `trial_ending` | 7 days before the end, as Stripe; never before half of a short trial is over | it ends with the trial, or nothing is charged then |
| `renewal_reminder` | 45, 30, 15 and 7 days before a period of a year or longer is charged again; the brand wants one of them | it ends by then, or nothing is charged |
| `card_expiring` | 09:00 UTC on the first day of the card's last month | no subscription is charged to it after that month |

A moment that has passed never comes again: reminders after `Account.as_of` are still to come, the others were told or are
not wanted any more. So an account that was imported or changed a moment ago is not reminded of what lies behind it, and
catching up once gives the reminders of every day in between. All days of `renewal_reminder` are moments whatever a brand
has chosen: when an account is looked at does not hang on its configuration.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from server.billing.ledger.sums.upcoming import upcoming_of
from server.billing.model.account import Account, PaymentMethod, Recurring, Subscription
from server.billing.model.names import name_of
from server.billing.model.notices import Event, Notice
from server.billing.model.periods import add_months, renews_at
from server.billing.rules.methods import method_of
from server.brands.mail_switches import RENEWAL_DAYS

TRIAL_LEAD = timedelta(days=7)


class Reminder(msgspec.Struct, frozen=True):
    """One that is to come."""

    at: datetime
    kind: str
    subject: str
    """The id of the subscription or of the payment method."""
    until: datetime
    """When what it speaks of comes true."""
    days: int = 0


def to_come(account: Account) -> list[Reminder]:
    """Those after the moment that the account was last looked at."""
    return [each for each in _all(account) if each.at > account.as_of]


def notices(account: Account, at: datetime) -> list[Notice]:
    """The mails of every reminder of this one moment."""
    made = (_notice(account, each) for each in to_come(account) if each.at == at)
    return [each for each in made if each]


def _all(account: Account) -> Iterator[Reminder]:
    for each in account.subscriptions:
        yield from _of_subscription(each)
    for method in account.payment_methods:
        yield from _of_card(account, method)


def _of_subscription(subscription: Subscription) -> Iterator[Reminder]:
    at = renews_at(subscription)
    if at is None or (subscription.cancel_at and subscription.cancel_at <= at):
        return
    if subscription.status == "trialing":
        begun = subscription.trial_start_at or subscription.created_at
        lead = min(TRIAL_LEAD, max(at - begun, timedelta(0)) / 2)
        yield Reminder(at - lead, "trial_ending", subscription.id, at)
    elif subscription.status == "active" and any(
        is_long(each.price.recurring) for each in subscription.items if each.current_period_end_at == at
    ):
        for days in RENEWAL_DAYS:
            yield Reminder(at - timedelta(days=days), "renewal_reminder", subscription.id, at, days)


def is_long(recurring: Recurring | None) -> bool:
    """A year or longer: long enough to have forgotten it."""
    months = {"month": 1, "year": 12}.get(recurring.interval, 0) * recurring.count if recurring else 0
    return months >= 12


def _of_card(account: Account, method: PaymentMethod) -> Iterator[Reminder]:
    if method.kind != "card" or not (1 <= method.exp_month <= 12 and 1970 < method.exp_year < 9000):
        return
    first = datetime(method.exp_year, method.exp_month, 1, tzinfo=UTC)
    if _charged_after(account, method, add_months(first, 1)):
        yield Reminder(first + timedelta(hours=9), "card_expiring", method.id, add_months(first, 1))


def _charged_after(account: Account, method: PaymentMethod, at: datetime) -> list[Subscription]:
    return [
        each
        for each in account.subscriptions
        if renews_at(each) is not None
        and each.collection_method != "send_invoice"
        and method_of(account, each) == method
        and not (each.cancel_at and each.cancel_at <= at)
    ]


def _notice(account: Account, reminder: Reminder) -> Notice | None:
    name = f"{reminder.kind} {reminder.subject} {reminder.until.isoformat()}"
    if reminder.kind == "card_expiring":
        method = account.payment_method(reminder.subject)
        names = tuple(name_of(each) for each in _charged_after(account, method, reminder.until)) if method else ()
        return Notice(reminder.kind, name, reminder.until, Event(reminder.at, method=method, names=names))
    subscription = account.subscription(reminder.subject)
    upcoming = upcoming_of(account, subscription) if subscription else None
    if subscription is None or upcoming is None or not upcoming.total or upcoming.total.amount <= 0:
        return None
    event = Event(reminder.at, subscription=subscription, upcoming=upcoming, method=method_of(account, subscription))
    return Notice(reminder.kind, name, reminder.until, event, reminder.days)
