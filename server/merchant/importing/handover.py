"""The moment of handing over: what fell due until then was billed by the former billing side. Pure.

A subscription comes as it was when it was exported. Its periods are carried on to the one that runs at that moment, and
further where an invoice of the same customer covers a later one; ends, trials, pauses and phases of the time before
are taken as done. Nothing is billed, mailed or tried for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from server.billing.ledger.events.ending import without_method
from server.billing.ledger.events.renewals import with_lasting
from server.billing.ledger.sums.phases import begun_by
from server.billing.ledger.sums.upcoming import ends_with_trial, next_period
from server.billing.model.account import ENDED, Account, Invoice, Item, Subscription
from server.billing.model.periods import renews_at
from server.billing.rules.dunning import next_try
from server.billing.rules.paying import BEHIND
from server.brands.dunning import Dunning

_MOST = 40_000
"""Periods at most: those of a subscription of each day in a century."""


def handed_over(account: Account, found: Subscription, invoices: Sequence[Invoice], until: datetime) -> Subscription:
    """The subscription as the ledger takes it over at `until`. `invoices`: those of the customer that are known."""
    found = _paid_up(found, invoices)
    if found.status in ENDED or found.status == "incomplete":
        return found  # one that was not paid for in time expires when the ledger looks, and its invoice is void
    own = [each for each in invoices if each.status not in ("draft", "void")]
    for _ in range(_MOST):
        at = renews_at(found)
        if found.cancel_at and found.cancel_at <= until and (at is None or found.cancel_at <= at):
            return _ended(found, found.cancel_at)
        if at is None or (at > until and not _is_done(found, at, own)):
            break
        found = _renewed(account, begun_by(found, at), at)
        if found.status in ENDED:
            return found
    found = begun_by(found, until)
    if found.pause_behavior and found.pause_resumes_at and found.pause_resumes_at <= until:
        found = replace(found, pause_behavior="", pause_resumes_at=None, paused_at=None)
    return _overdue(found, own, until)


def _renewed(account: Account, found: Subscription, at: datetime) -> Subscription:
    if ends_with_trial(account, found):
        return without_method(found, at)
    renewed, items = next_period(found, at)
    if found.status == "trialing":
        renewed = replace(renewed, status="active")
    return with_lasting(renewed, at, {each.id for each in items})


def _ended(found: Subscription, at: datetime) -> Subscription:
    asked = found.canceled_at or at
    return replace(found, status="canceled", ended_at=at, canceled_at=asked, scheduled=None, phases=())


def _is_done(found: Subscription, at: datetime, invoices: Sequence[Invoice]) -> bool:
    """Whether an invoice covers what would be billed at that moment."""
    _, due = next_period(found, at)
    return bool(due) and all(any(_covers(each, found, item, at) for each in invoices) for item in due)


def _covers(invoice: Invoice, found: Subscription, item: Item, at: datetime) -> bool:
    return any(
        (line.subscription or invoice.subscription) == found.id
        and not line.proration
        and line.price in ("", item.price.id)
        and line.period_start_at is not None
        and line.period_end_at is not None
        and line.period_start_at <= at < line.period_end_at
        for line in invoice.lines
    )


def _paid_up(found: Subscription, invoices: Sequence[Invoice]) -> Subscription:
    """The newest invoice decides whether it is behind, and that one may be paid by now, here or elsewhere."""
    latest = next((each for each in invoices if each.id == found.latest_invoice), None)
    return replace(found, status="active") if latest and latest.status == "paid" and found.status in BEHIND else found


def _overdue(found: Subscription, invoices: Sequence[Invoice], until: datetime) -> Subscription:
    """A sent invoice that was not paid in time: the status says so without a word to the customer."""
    latest = next((each for each in invoices if each.id == found.latest_invoice), None)
    if found.status != "active" or found.collection_method != "send_invoice" or latest is None:
        return found
    is_late = latest.status == "open" and latest.due_at is not None and latest.due_at <= until
    return replace(found, status="past_due") if is_late else found


def is_tried(account: Account, invoice: Invoice) -> bool:
    """Whether the ledger tries this invoice by itself: those of a running subscription that is charged."""
    found = account.subscription(invoice.subscription)
    return found is not None and found.status not in ENDED and found.collection_method != "send_invoice"


def with_next_try(invoice: Invoice, until: datetime, dunning: Dunning) -> Invoice:
    """A try of the time before is not made up for: the next one of the schedule is the next."""
    if invoice.next_attempt_at and invoice.next_attempt_at <= until:
        return replace(invoice, next_attempt_at=next_try(invoice, dunning, until))
    return invoice
