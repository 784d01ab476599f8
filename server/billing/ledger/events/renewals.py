"""What happens by itself in the ledger: periods end and are charged, trials end, subscriptions end. Pure.

`bring_up_to_date` finds the earliest thing that is due, does it at its own moment, and looks again. What is done depends
on the account and on that moment alone, never on `now`; so catching up once is the same as having looked every day.

    remind    a reminder of something that comes (`reminders`)
    end       the end that was decided has come               canceled
    expire    nobody finished an incomplete subscription      incomplete_expired, after 23 hours; its open invoice is void
    unpause   collection begins again
    change    a change that was put off takes effect         the period that begins with it is charged at the new price
    overdue   a sent invoice was not paid in time             past_due
    retry     an open invoice is to be charged once more      paid, or a failed try; nothing more is arranged then
    renew     a period or a trial is over                     an invoice; active, or past_due where the charge fails
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from server.billing.ledger.events.notices import happened
from server.billing.ledger.events.reminders import notices as reminded
from server.billing.ledger.events.reminders import to_come
from server.billing.ledger.sums.bills import Bill, bill, is_running, joined
from server.billing.ledger.sums.invoicing import is_claimed, issue, voided, with_invoices
from server.billing.ledger.sums.paying import pay
from server.billing.ledger.sums.upcoming import (
    begun_by,
    changes_at,
    ends_with_trial,
    next_period,
    settled,
    with_subscription,
)
from server.billing.model.account import ALIVE, Account, Basis, Discount, Invoice, Item, Subscription
from server.billing.model.change import Paying
from server.billing.model.notices import Notice
from server.billing.model.periods import renews_at
from server.billing.rules.methods import method_of

__all__ = [
    "AT_ONCE",
    "CaughtUp",
    "Event",
    "bring_up_to_date",
    "catch_up",
    "due_at",
    "next_event",
    "settle_last",
    "settled",
    "with_lasting",
    "with_subscription",
    "without_method",
]

AT_ONCE = 500
"""So many events in one call at most; the account stays due after that and is brought further by the next call."""
_UNFINISHED = timedelta(hours=23)
# Reminders first: they speak of what is about to happen, and `Account.as_of` then says that they are done.
_ORDER = ("remind", "end", "expire", "unpause", "change", "overdue", "retry", "renew")


class Event(msgspec.Struct, frozen=True, order=True):
    at: datetime
    order: int
    subscription: str

    @property
    def kind(self) -> str:
        return _ORDER[self.order]


class CaughtUp(msgspec.Struct, frozen=True):
    account: Account
    invoices: tuple[Invoice, ...]
    """Those that came into being or changed on the way, as it happened."""
    notices: tuple[Notice, ...]
    """What the customer is told of it, oldest first."""


def bring_up_to_date(account: Account, now: datetime) -> tuple[Account, tuple[Invoice, ...]]:
    """The account as it is at `now`, and the invoices that came into being or changed on the way."""
    done = catch_up(account, now)
    return done.account, done.invoices


def catch_up(account: Account, now: datetime) -> CaughtUp:
    """The same with what the customer is told."""
    made: list[Invoice] = []
    notices: list[Notice] = []
    before, looked_at = account, now
    for number in range(AT_ONCE + 1):
        event = next_event(account)
        if event is None or event.at > now:
            break
        if number == AT_ONCE:
            looked_at = account.as_of
            break
        changed, invoices = _happen(account, event)
        is_reminder = event.kind == "remind"
        notices += reminded(account, event.at) if is_reminder else happened(account, changed, event.at, invoices)
        made += invoices
        account = replace(changed, as_of=max(account.as_of, event.at))
    if account is not before:
        account = settled(account)
    return CaughtUp(replace(account, as_of=looked_at), tuple(made), tuple(notices))


def due_at(account: Account) -> datetime | None:
    """When something next happens by itself."""
    event = next_event(account)
    return event.at if event else None


def next_event(account: Account) -> Event | None:
    events = [event for each in account.subscriptions for event in _events(each, account)]
    events += [Event(at=each.at, order=_ORDER.index("remind"), subscription="") for each in to_come(account)]
    return min(events, default=None)


def _events(subscription: Subscription, account: Account) -> Iterator[Event]:
    if subscription.status not in ALIVE:
        return
    moments = {
        "end": subscription.cancel_at,
        "expire": subscription.created_at + _UNFINISHED if subscription.status == "incomplete" else None,
        "unpause": subscription.pause_resumes_at if subscription.pause_behavior else None,
        "change": changes_at(subscription),
        "overdue": _overdue_at(subscription, account),
        "retry": min((at for at, _ in _tried_again(subscription, account)), default=None),
        "renew": renews_at(subscription),
    }
    for order, kind in enumerate(_ORDER):
        moment = moments.get(kind)
        if moment is not None:
            yield Event(at=moment, order=order, subscription=subscription.id)


def _overdue_at(subscription: Subscription, account: Account) -> datetime | None:
    if subscription.status != "active" or subscription.collection_method != "send_invoice":
        return None
    latest = next((each for each in account.invoices if each.id == subscription.latest_invoice), None)
    return latest.due_at if latest and latest.status == "open" else None


def _happen(account: Account, event: Event) -> tuple[Account, tuple[Invoice, ...]]:
    if event.kind == "remind":
        return account, ()
    subscription = next(each for each in account.subscriptions if each.id == event.subscription)
    if event.kind == "renew":
        return _renew(account, subscription, event.at)
    if event.kind == "end":
        return _end(account, subscription, event.at)
    if event.kind == "retry":
        return _retry(account, subscription, event.at)
    if event.kind == "expire":
        return _expire(account, subscription, event.at)
    if event.kind == "change":
        changed = begun_by(subscription, event.at)
    elif event.kind == "unpause":
        changed = replace(subscription, pause_behavior="", pause_resumes_at=None, paused_at=None)
    else:
        changed = replace(subscription, status="past_due")
    return with_subscription(account, changed), ()


def _expire(account: Account, subscription: Subscription, at: datetime) -> tuple[Account, tuple[Invoice, ...]]:
    """It never began, so nothing is owed for it."""
    made = []
    for each in account.invoices:
        if each.subscription == subscription.id and each.status == "open":
            account, void = voided(account, each)
            made.append(void)
    changed = replace(subscription, status="incomplete_expired", ended_at=at)
    return with_subscription(account, changed), tuple(made)


def _tried_again(subscription: Subscription, account: Account) -> Iterator[tuple[datetime, Invoice]]:
    if subscription.collection_method == "send_invoice" or subscription.pause_behavior:
        return
    for each in account.invoices:
        if each.subscription == subscription.id and each.status == "open" and each.next_attempt_at:
            yield each.next_attempt_at, each


def _retry(account: Account, subscription: Subscription, at: datetime) -> tuple[Account, tuple[Invoice, ...]]:
    found = next(each for when, each in _tried_again(subscription, account) if when == at)
    invoice = replace(found, next_attempt_at=None)
    method = method_of(account, subscription)
    payment_id = f"inpay_{invoice.id.removeprefix('in_')}_{len(invoice.payments)}"
    made = pay(account, invoice, method.id, payment_id=payment_id, now=at, present=False) if method else None
    if isinstance(made, Paying):
        return made.account, (made.invoice,)
    return with_invoices(account, (invoice,)), (invoice,)


def _end(account: Account, subscription: Subscription, at: datetime) -> tuple[Account, tuple[Invoice, ...]]:
    """It is over; what still waited for an invoice gets one of its own."""
    made: tuple[Invoice, ...] = ()
    if subscription.pending:
        last = joined(None, subscription.pending, subscription.currency)
        account, subscription = settle_last(account, subscription, last, at)
        made = tuple(each for each in account.invoices if each.id == subscription.latest_invoice)
    asked = subscription.canceled_at or at
    changed = replace(subscription, status="canceled", ended_at=at, canceled_at=asked, scheduled=None, phases=())
    return with_subscription(account, changed), made


def settle_last(account: Account, subscription: Subscription, last: Bill, at: datetime) -> tuple[Account, Subscription]:
    """The last invoice of a subscription that ends. It is collected during a pause too: there is no later one."""
    account, invoice = issue(account, replace(subscription, pause_behavior=""), last, at, "subscription_update")
    return account, replace(subscription, pending=(), latest_invoice=invoice.id)


def _renew(account: Account, subscription: Subscription, at: datetime) -> tuple[Account, tuple[Invoice, ...]]:
    """The next period begins. Nothing is billed while unpaid or while drafts are kept (Stripe's `keep_as_draft`)."""
    status = subscription.status
    if ends_with_trial(account, subscription):
        return with_subscription(account, without_method(subscription, at)), ()
    renewed, items = next_period(subscription, at)
    if status == "trialing":
        renewed = replace(renewed, status="active")
    if not items or status == "unpaid" or subscription.pause_behavior == "keep_as_draft":
        return with_subscription(account, _unbilled(renewed, items)), ()
    charge: Bill = bill(renewed, items, at)
    if not renewed.pause_behavior:
        # Nobody is asked for a voided invoice, so what waits must not be lost in one.
        charge = joined(charge, renewed.pending, renewed.currency)
        renewed = replace(renewed, pending=())
    account, invoice = issue(account, renewed, charge, at, "subscription_cycle")
    if invoice.status == "open" and renewed.collection_method != "send_invoice":
        renewed = replace(renewed, status="past_due")
    elif invoice.status == "paid":
        renewed = replace(renewed, status="active")
    if is_claimed(invoice):
        renewed = with_lasting(renewed, at, {each.id for each in items})
    else:  # a coupon that counts once waits for an invoice that somebody pays
        renewed = _unbilled(renewed, items)
    return with_subscription(account, replace(renewed, latest_invoice=invoice.id)), (invoice,)


def without_method(subscription: Subscription, at: datetime) -> Subscription:
    """A trial is over and there is nothing to charge: what the business chose for that."""
    if subscription.trial_without_method == "pause":
        return replace(subscription, status="paused")
    return replace(subscription, status="canceled", canceled_at=at, ended_at=at, scheduled=None, phases=())


def _lasting(discounts: tuple[Discount, ...], at: datetime) -> tuple[Discount, ...]:
    """The discounts that are left after an invoice at `at`."""
    return tuple(each for each in discounts if each.coupon.duration != "once" and is_running(each, at))


def with_lasting(subscription: Subscription, at: datetime, billed: set[str] | None = None) -> Subscription:
    """The subscription after an invoice at `at` of these items (None: of all), with the discounts that are left."""
    items = (
        replace(each, discounts=_lasting(each.discounts, at)) if billed is None or each.id in billed else each
        for each in subscription.items
    )
    return replace(subscription, items=tuple(items), discounts=_lasting(subscription.discounts, at))


def _unbilled(subscription: Subscription, items: list[Item]) -> Subscription:
    """Nobody pays for this period, so nothing of it is ever credited."""
    fresh = {each.id for each in items}
    found = (replace(each, basis=Basis(net="0")) if each.id in fresh else each for each in subscription.items)
    return replace(subscription, items=tuple(found))
