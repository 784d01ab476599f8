"""What happens by itself in the ledger: periods end and are charged, trials end, subscriptions end. Pure.

`bring_up_to_date` finds the earliest thing that is due, does it at its own moment, and looks again. What is done depends
on the account and on that moment alone, never on `now`; so catching up once is the same as having looked every day.

    remind    a reminder of something that comes (`reminders`)
    end       the end that was decided has come               canceled
    expire    nobody finished an incomplete subscription      incomplete_expired, after 23 hours; its open invoice is void
              nobody paid for a change that waited            the change is given up; its invoice is void
    unpause   collection begins again
    change    a change that was put off takes effect         the period that begins with it is charged at the new price
    overdue   a sent invoice was not paid in time             past_due
    retry     an open invoice is to be charged once more      paid, or a failed try and what follows it (`dunning`)
    renew     a period or a trial is over                     an invoice; active, or past_due where the charge fails
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from server.billing.ledger.events import dunning as tries
from server.billing.ledger.events.ending import ended, never_begun, without_method
from server.billing.ledger.events.reminders import notices as reminded
from server.billing.ledger.events.reminders import to_come
from server.billing.ledger.sums.awaiting import given_up
from server.billing.ledger.sums.bills import bill, is_running
from server.billing.ledger.sums.invoicing import as_kept, is_claimed, issue
from server.billing.ledger.sums.phases import begun_at, begun_by, changes_at, invoiced_by
from server.billing.ledger.sums.upcoming import (
    ends_with_trial,
    next_period,
    settled,
    with_subscription,
)
from server.billing.model import history
from server.billing.model.account import ALIVE, Account, Basis, Discount, Invoice, Item, Subscription
from server.billing.model.notices import Notice
from server.billing.model.periods import renews_at
from server.billing.model.port import Activity
from server.billing.rules.notices import happened
from server.brands.dunning import STANDARD, Dunning

__all__ = [
    "AT_ONCE",
    "CaughtUp",
    "Event",
    "bring_up_to_date",
    "catch_up",
    "due_at",
    "next_event",
    "settled",
    "with_lasting",
    "with_subscription",
]

AT_ONCE = 500
"""At most this many events in one call; the account is still due after that, and the next call goes on."""
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
    lines: tuple[Activity, ...] = ()
    """What the history says of it that the account does not show afterwards."""


def bring_up_to_date(
    account: Account, now: datetime, dunning: Dunning = STANDARD
) -> tuple[Account, tuple[Invoice, ...]]:
    """The account as it is at `now`, and the invoices that came into being or changed on the way."""
    done = catch_up(account, now, dunning)
    return done.account, done.invoices


def catch_up(account: Account, now: datetime, dunning: Dunning = STANDARD) -> CaughtUp:
    """The same with what the customer is told."""
    made: list[Invoice] = []
    notices: list[Notice] = []
    lines: list[Activity] = []
    before, looked_at = account, now
    for number in range(AT_ONCE + 1):
        event = next_event(account)
        if event is None or event.at > now:
            break
        if number == AT_ONCE:
            looked_at = account.as_of
            break
        changed = _happen(account, event, dunning)
        if event.kind == "remind":
            notices += reminded(account, event.at)
        else:
            notices += happened(account, changed, event.at, dunning=dunning)
            lines += history.stopped(account, changed, event.at)
        made += _changed(account, changed)
        account = replace(as_kept(changed), as_of=max(account.as_of, event.at))
    if account is not before:
        account = settled(account)
    return CaughtUp(replace(account, as_of=looked_at), tuple(made), tuple(notices), tuple(lines))


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
        "expire": _expires_at(subscription),
        "unpause": subscription.pause_resumes_at if subscription.pause_behavior else None,
        "change": changes_at(subscription),
        "overdue": _overdue_at(subscription, account),
        "retry": min((at for at, _ in tries.tries_to_come(subscription, account)), default=None),
        "renew": renews_at(subscription),
    }
    for order, kind in enumerate(_ORDER):
        moment = moments.get(kind)
        if moment is not None:
            yield Event(at=moment, order=order, subscription=subscription.id)


def _expires_at(subscription: Subscription) -> datetime | None:
    if subscription.status == "incomplete":
        return subscription.created_at + _UNFINISHED
    return subscription.awaiting.until if subscription.awaiting else None


def _overdue_at(subscription: Subscription, account: Account) -> datetime | None:
    if subscription.status != "active" or subscription.collection_method != "send_invoice":
        return None
    latest = next((each for each in account.invoices if each.id == subscription.latest_invoice), None)
    return latest.due_at if latest and latest.status == "open" else None


def _changed(before: Account, after: Account) -> list[Invoice]:
    """The invoices of the account that are new or other ones."""
    same = {each.id: each for each in before.invoices}
    return [each for each in reversed(after.invoices) if same.get(each.id) != each]


def _happen(account: Account, event: Event, dunning: Dunning) -> Account:
    """The account after the event, with every invoice of it."""
    if event.kind == "remind":
        return account
    subscription = next(each for each in account.subscriptions if each.id == event.subscription)
    if event.kind == "renew":
        return _renew(account, subscription, event.at, dunning)
    if event.kind == "retry":
        return tries.try_again(account, subscription, event.at, dunning)
    if event.kind == "expire":
        if subscription.awaiting:
            return given_up(account, subscription.id)
        return never_begun(account, subscription, event.at)
    if event.kind == "end":
        account = ended(account, subscription, event.at)
    elif event.kind == "change":
        account = _change(account, subscription, event.at, dunning)
    elif event.kind == "unpause":
        begun = replace(subscription, pause_behavior="", pause_resumes_at=None, paused_at=None)
        account = with_subscription(account, begun)
    else:
        account = with_subscription(account, replace(subscription, status="past_due"))
    return account


def _change(account: Account, subscription: Subscription, at: datetime, dunning: Dunning) -> Account:
    """What was put off takes effect; a phase within a running period may be invoiced at once."""
    changed = begun_by(subscription, at, account)
    charge = invoiced_by(subscription, changed, at)
    if charge is None:
        return with_subscription(account, changed)
    account, invoice = issue(account, changed, charge, at, "subscription_update")
    known = {each.basis for each in subscription.items}
    items = (
        replace(each, basis=replace(each.basis, invoice=invoice.id)) if each.basis and each.basis not in known else each
        for each in changed.items
    )
    changed = replace(changed, items=tuple(items), pending=(), latest_invoice=invoice.id)
    if fresh := {each.id for each in begun_at(changed, at)}:
        changed = with_lasting(changed, at, fresh)
    if invoice.status == "paid":
        changed = replace(changed, status="active")
    if invoice.status != "open" or changed.collection_method == "send_invoice":
        return with_subscription(account, changed)
    account = with_subscription(account, replace(changed, status="past_due"))
    return tries.arranged(account, invoice, at, dunning)


def _renew(account: Account, subscription: Subscription, at: datetime, dunning: Dunning) -> Account:
    """The next period begins. Nothing is billed while unpaid or while drafts are kept (Stripe's `keep_as_draft`)."""
    status = subscription.status
    if ends_with_trial(account, subscription):
        return with_subscription(account, without_method(subscription, at))
    renewed, items = next_period(subscription, at)
    if status == "trialing":
        renewed = replace(renewed, status="active")
    if not items or status == "unpaid" or subscription.pause_behavior == "keep_as_draft":
        return with_subscription(account, _unbilled(renewed, items))
    # Nobody is asked for a voided invoice, so what waits must not be lost in one.
    waits = () if renewed.pause_behavior else renewed.pending
    charge = bill(renewed, items, at, waits)
    renewed = replace(renewed, pending=renewed.pending if renewed.pause_behavior else ())
    account, invoice = issue(account, renewed, charge, at, "subscription_cycle")
    if invoice.status == "open" and renewed.collection_method != "send_invoice":
        renewed = replace(renewed, status="past_due")
    elif invoice.status == "paid":
        renewed = replace(renewed, status="active")
    if is_claimed(invoice):
        renewed = with_lasting(renewed, at, {each.id for each in items})
    else:  # a coupon that counts once waits for an invoice that somebody pays
        renewed = _unbilled(renewed, items)
    account = with_subscription(account, replace(renewed, latest_invoice=invoice.id))
    if invoice.status == "open" and renewed.collection_method != "send_invoice":
        account = tries.arranged(account, invoice, at, dunning)
    return account


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
