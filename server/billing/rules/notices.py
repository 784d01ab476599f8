"""What a customer is told by mail of what happened to the account: read off the account before and after. Pure.

| kind | told when | sent until |
|---|---|---|
| `invoice` | an invoice to be paid by hand was made (`sent`); it was not paid in time (`overdue`) | 31 days later |
| `receipt` | money was taken; nothing to pay gives none | 31 days later |
| `payment_failed` | a charge failed that nobody was present for | 31 days later |
| `payment_action_required` | the same, and the bank wants the customer to confirm | 31 days later |
| `subscription_canceled` | it was canceled and `ends` later; it `ended`; a cancellation was taken back (`kept`) | 31 days later, `ends` until then |
| `plan_changed` | at once (`now`); put off (`scheduled`); that was taken back (`kept`) | 31 days later, `scheduled` until then |
| `trial_ending`, `renewal_reminder`, `card_expiring` | see `reminders` | it comes true |

A payment that fails while the customer looks at the page gives no mail: the page says it. A change that was announced
and takes effect gives none either: the receipt of that day shows it.

`of_a_command` is for what a customer did, `happened` for what came by itself; each backend writes what they say into the
outbox in the transaction that stores the account. An event's name is made of what happened and to what, so the same event has
the same name whoever finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from server.billing.model.account import ENDED, Account, Invoice, Subscription, Upcoming
from server.billing.model.notices import LINES_IN_A_MAIL, Event, Notice
from server.billing.rules.dunning import last_of_all
from server.billing.rules.methods import method_of
from server.billing.rules.paying import asked_for, in_all
from server.brands.dunning import STANDARD, Dunning
from server.formats.money import Money

FRESH = timedelta(days=31)
"""How long after it happened something is still worth a mail: an account that nobody looked at for months gets the last
month's."""


Charged = Callable[[Account, Subscription], Upcoming | None]
"""What a subscription charges next, as the backend knows it."""


def of_a_command(before: Account, after: Account, now: datetime, charged: Charged) -> list[Notice]:
    """Of what a customer did a moment ago."""
    found = [
        notice
        for old, new in _subscriptions(before, after)
        for notice in _asked(before, after, (old, new), now, charged)
    ]
    return [*found, *_invoices(before, after, now, present=True)]


def of_moves(before: Account, after: Account, now: datetime, charged: Charged) -> list[Notice]:
    """Of changes that waited for a payment which worked a moment ago."""
    return [each for each in of_a_command(before, after, now, charged) if each.kind == "plan_changed"]


def happened(
    before: Account, after: Account, at: datetime, made: Iterable[Invoice] = (), dunning: Dunning = STANDARD
) -> list[Notice]:
    """Of what came by itself at that moment. `made`: the invoices that changed; an old one may be gone from the account
    now that it is paid."""
    found = []
    charged = list(_invoices(before, after, at, made, present=False, dunning=dunning))
    for old, new in _subscriptions(before, after):
        if _has_ended(old, new):
            found.append(_ended(before, after, new, at))
        if old.status == "active" and new.status == "past_due" and new.collection_method == "send_invoice":
            late = next((each for each in after.invoices if each.id == new.latest_invoice), None)
            if late is not None and late.status == "open" and late.due_at == at:
                event = Event(at, "overdue", invoice=shortened(late), subscription=new)
                found.append(Notice("invoice", f"overdue {late.id}", at + FRESH, event))
        if (old.status, new.status) == ("past_due", "unpaid") and not charged:
            # The last try was left out: the method had been refused for good, or there is none.
            found += _stopped(after, new, at)
    return [*found, *charged]


def _stopped(after: Account, subscription: Subscription, at: datetime) -> Iterator[Notice]:
    latest = next((each for each in after.invoices if each.id == subscription.latest_invoice), None)
    if latest is not None and latest.status == "open":
        method, shown = method_of(after, subscription), shortened(latest)
        event = Event(at, invoice=shown, subscription=subscription, method=method, after_last="unpaid")
        yield Notice("payment_failed", f"unpaid {latest.id} last", at + FRESH, event)


def of_invoice(
    old: Invoice | None, new: Invoice, account: Account, at: datetime, *, present: bool, dunning: Dunning = STANDARD
) -> Notice | None:
    """Of an invoice that was made, paid or tried in vain. `present`: the customer did it and saw what came of it."""
    subscription = account.subscription(new.subscription)
    method = method_of(account, subscription) if subscription else None
    event = Event(at, invoice=shortened(new), subscription=subscription, method=method)
    until = at + FRESH
    if new.status == "paid":
        was_paid = old is not None and old.status == "paid"
        return None if was_paid or new.amount_paid.amount <= 0 else Notice("receipt", f"receipt {new.id}", until, event)
    if new.status != "open":
        return None
    if new.due_at is not None:
        return Notice("invoice", f"invoice {new.id}", until, replace(event, state="sent")) if old is None else None
    tries = len(new.payments)
    if present or (old is not None and tries <= len(old.payments)):
        return None
    failure = new.payments[-1].failure if new.payments else ""
    kind = "payment_action_required" if failure == "authentication_required" else "payment_failed"
    event = replace(
        event, after_last=_after_last(old, new, subscription, dunning), last_try_at=last_of_all(new, dunning)
    )
    return Notice(kind, f"unpaid {new.id} {tries}", until, event)


def _after_last(old: Invoice | None, new: Invoice, subscription: Subscription | None, dunning: Dunning) -> str:
    """What the last failure does, or has done. An older invoice of a subscription that is in order does nothing to it."""
    status = subscription.status if subscription else ""
    if new.next_attempt_at:
        return dunning.after_last if status == "past_due" else ""
    was_last = not dunning.retry_days or (old is not None and old.next_attempt_at is not None)
    done = {"cancel": "canceled"}.get(dunning.after_last, dunning.after_last)
    return dunning.after_last if was_last and status == done else ""


def shortened(invoice: Invoice) -> Invoice:
    """The invoice with as many lines as a mail shows."""
    more = invoice.has_more_lines or len(invoice.lines) > LINES_IN_A_MAIL
    return replace(invoice, lines=invoice.lines[:LINES_IN_A_MAIL], has_more_lines=more)


def _invoices(
    before: Account,
    after: Account,
    at: datetime,
    made: Iterable[Invoice] = (),
    *,
    present: bool,
    dunning: Dunning = STANDARD,
) -> Iterator[Notice]:
    known = {each.id: each for each in before.invoices}
    held = {each.id for each in after.invoices}
    for new in (*(each for each in made if each.id not in held), *reversed(after.invoices)):
        old = known.get(new.id)
        # A change that was shown on a page is dated as it was shown, so a new invoice may be a little older than `at`.
        if old != new:
            notice = of_invoice(old, new, after, at, present=present, dunning=dunning)
            if notice:
                yield notice


def _asked(
    before: Account, after: Account, changed: tuple[Subscription, Subscription], now: datetime, charged: Charged
) -> Iterable[Notice]:
    old, new = changed
    if _has_ended(old, new):
        return [_ended(before, after, new, now)]
    found = []
    event = Event(now, subscription=new, before=old, upcoming=charged(after, new), method=method_of(after, new))
    stamp = now.isoformat()
    if new.cancel_at and not old.cancel_at:
        until = min(now + FRESH, new.cancel_at)
        ends = replace(event, state="ends", debt=in_all(asked_for(after, new)))
        found.append(Notice("subscription_canceled", f"ends {new.id} {stamp}", until, ends))
    elif old.cancel_at and not new.cancel_at:
        kept = replace(event, state="kept")
        found.append(Notice("subscription_canceled", f"kept {new.id} {stamp}", now + FRESH, kept))
    if new.scheduled and new.scheduled != old.scheduled:
        until = min(now + FRESH, new.scheduled.at)
        later = replace(event, state="scheduled")
        found.append(Notice("plan_changed", f"scheduled {new.id} {stamp}", until, later))
    elif _plan(old) != _plan(new):
        known = {each.id for each in before.invoices}
        made = next((each for each in after.invoices if each.subscription == new.id and each.id not in known), None)
        moved = replace(event, state="now", invoice=shortened(made) if made else None)
        found.append(Notice("plan_changed", f"changed {new.id} {stamp}", now + FRESH, moved))
    elif old.scheduled and not new.scheduled and not new.cancel_at:
        kept = replace(event, state="kept")
        found.append(Notice("plan_changed", f"unscheduled {new.id} {stamp}", now + FRESH, kept))
    return found


def _ended(before: Account, after: Account, subscription: Subscription, at: datetime) -> Notice:
    debt = in_all(asked_for(after, subscription))
    event = Event(at, "ended", subscription=subscription, credit=_credit(before, after), debt=debt)
    return Notice("subscription_canceled", f"ended {subscription.id}", at + FRESH, event)


def _credit(before: Account, after: Account) -> Money | None:
    if after.balance is None:
        return None
    had = before.balance.amount if before.balance and before.balance.currency == after.balance.currency else 0
    given = had - after.balance.amount
    return Money(given, after.balance.currency) if given > 0 else None


def _subscriptions(before: Account, after: Account) -> Iterator[tuple[Subscription, Subscription]]:
    for old in before.subscriptions:
        new = after.subscription(old.id)
        if new is not None and new != old:
            yield old, new


def _has_ended(old: Subscription, new: Subscription) -> bool:
    """One that was never begun (`incomplete_expired`) does not end."""
    return old.status not in ENDED and new.status == "canceled"


def _plan(subscription: Subscription) -> list[tuple[str, int]]:
    return [(each.price.id, each.quantity) for each in subscription.items]
