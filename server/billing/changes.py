"""What a customer may change, what it would mean, and the change itself. Pure: `now` is a parameter, nothing is stored.

A page asks `may_cancel` and `cancellation`; the change asks the same functions again before it does anything. The words
of a `Refusal`:

    not_found                  no such subscription in this account
    disabled_by_configuration  the brand does not offer it
    ended                      it is over already
    already_ending             its end is decided
    nothing_to_resume          no end is decided
    unknown_status             the billing side uses a status that we do not know: nothing is risked
"""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Protocol

import msgspec
from msgspec.structs import replace

from server.billing import Refusal
from server.billing.amounts import Bill, bill, exclusive, is_metered, rounded, shares
from server.billing.invoicing import issue
from server.billing.money import Money
from server.billing.renewals import settled, with_subscription
from server.billing.types import ALIVE, ENDED, Account, Invoice, InvoiceLine, InvoiceTax, Item, Subscription

_MICROSECOND = timedelta(microseconds=1)
_NO_PERIOD = frozenset({"incomplete", "paused"})
"""Nothing is paid and nothing runs in these: a cancellation has no period's end to wait for."""


class CancelRule(Protocol):
    """`[features.subscription_cancel]` of the brand."""

    @property
    def enabled(self) -> bool: ...
    @property
    def mode(self) -> str: ...
    @property
    def proration_behavior(self) -> str: ...


class Cancellation(msgspec.Struct, frozen=True):
    """What a cancellation at this moment means."""

    at_once: bool
    ends_at: datetime
    """When everything of it stops; with `at_once`, now."""
    credit: Money | None = None
    """What the unused time is worth, taxes included: it goes to the customer's balance. None: nothing."""
    lines: tuple[InvoiceLine, ...] = ()
    """The lines of that credit."""


def may_cancel(subscription: Subscription, rule: CancelRule, now: datetime) -> Refusal | None:
    """Why it cannot be canceled; None: it can."""
    refused = _over(subscription, now)
    if refused:
        return refused
    if not rule.enabled:
        return Refusal("disabled_by_configuration")
    if subscription.status not in ALIVE:
        return Refusal("unknown_status")
    return Refusal("already_ending") if subscription.cancel_at else None


def may_resume(subscription: Subscription, rule: CancelRule, now: datetime) -> Refusal | None:
    """Why its end cannot be taken back; None: it can."""
    refused = _over(subscription, now)
    if refused:
        return refused
    if not rule.enabled:
        return Refusal("disabled_by_configuration")
    return None if subscription.cancel_at else Refusal("nothing_to_resume")


def _over(subscription: Subscription, now: datetime) -> Refusal | None:
    come = subscription.cancel_at is not None and subscription.cancel_at <= now
    return Refusal("ended") if subscription.status in ENDED or come else None


def cancel(account: Account, subscription_id: str, rule: CancelRule, now: datetime) -> Account | Refusal:
    """The account after the cancellation. Ended already or ending already: the same account, unchanged."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    refused = may_cancel(subscription, rule, now)
    if refused:
        return account if refused.reason in ("ended", "already_ending") else refused
    if not _is_at_once(subscription, rule, now):
        end = subscription.current_period_end_at
        changed = replace(subscription, cancel_at_period_end=True, cancel_at=end, canceled_at=now)
        return settled(with_subscription(account, changed))
    credit = _unused(account, subscription, rule, now)
    if credit:
        account, invoice = issue(account, subscription, credit, now, "subscription_update")
        subscription = replace(subscription, latest_invoice=invoice.id)
    changed = replace(subscription, status="canceled", canceled_at=now, ended_at=now)
    return settled(with_subscription(account, changed))


def resume(account: Account, subscription_id: str, rule: CancelRule, now: datetime) -> Account | Refusal:
    """The account without the end that was decided. No end is decided: the same account, unchanged."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        return Refusal("not_found")
    refused = may_resume(subscription, rule, now)
    if refused:
        return account if refused.reason == "nothing_to_resume" else refused
    changed = replace(subscription, cancel_at_period_end=False, cancel_at=None, canceled_at=None)
    return settled(with_subscription(account, changed))


def cancellation(account: Account, subscription_id: str, rule: CancelRule, now: datetime) -> Cancellation:
    """What `cancel` would do now. Ask `may_cancel` first: this takes it for granted."""
    subscription = account.subscription(subscription_id)
    if subscription is None:
        raise LookupError(subscription_id)
    if not _is_at_once(subscription, rule, now):
        return Cancellation(at_once=False, ends_at=subscription.current_period_end_at)
    credit = _unused(account, subscription, rule, now)
    if credit is None:
        return Cancellation(at_once=True, ends_at=now)
    return Cancellation(at_once=True, ends_at=now, credit=-credit.total, lines=credit.lines)


def _is_at_once(subscription: Subscription, rule: CancelRule, now: datetime) -> bool:
    waits = subscription.status not in _NO_PERIOD and subscription.current_period_end_at > now
    return rule.mode == "immediately" or not waits


def _unused(account: Account, subscription: Subscription, rule: CancelRule, now: datetime) -> Bill | None:
    """The credit for the rest of the paid periods, as a bill of negative lines; None where there is none.

    Only what was paid is credited: not a trial, not an open invoice, and not an invoice that was refunded or credited
    already. Where the invoice of the period is not at hand, the price and today's discounts and taxes stand for it.
    """
    if rule.proration_behavior != "create_prorations" or subscription.status != "active":
        return None
    lines: list[InvoiceLine] = []
    taxes: list[InvoiceTax] = []
    for item in subscription.items:
        rest = _rest(item, now)
        paid = _paid_for(account, subscription, item) if rest and not is_metered(item.price) else None
        if paid is None:
            continue
        net, whole, taxed = paid
        amount = rounded(Fraction(net) * rest)
        if amount <= 0:
            continue
        lines.append(_credit_line(subscription, item, amount, now))
        share = Fraction(amount, whole)
        taxes += [
            replace(each, amount=Money(-rounded(each.amount.amount * share), subscription.currency)) for each in taxed
        ]
    if not lines:
        return None
    subtotal = sum(line.amount.amount for line in lines)
    return Bill(
        lines=tuple(lines),
        net=tuple(line.amount.amount for line in lines),
        discounts=(),
        taxes=_together(taxes),
        subtotal=Money(subtotal, subscription.currency),
        total=Money(subtotal + exclusive(taxes), subscription.currency),
    )


def _rest(item: Item, now: datetime) -> Fraction:
    """How much of the item's period is still to come, between 0 and 1; to the microsecond."""
    whole = item.current_period_end_at - item.current_period_start_at
    left = item.current_period_end_at - max(now, item.current_period_start_at)
    if whole <= timedelta(0) or left <= timedelta(0):
        return Fraction(0)
    return Fraction(left // _MICROSECOND, whole // _MICROSECOND)


def _paid_for(
    account: Account, subscription: Subscription, item: Item
) -> tuple[int, int, tuple[InvoiceTax, ...]] | None:
    """What the item's period cost after discounts, the net of the whole invoice, and its taxes. None: was not paid."""
    for invoice in account.invoices:
        for index, line in enumerate(invoice.lines):
            if _is_for(line, subscription, item):
                return _net_of(invoice, index) if _stands(invoice) else None
    charge = bill(subscription, subscription.items, item.current_period_start_at)
    net = charge.net[subscription.items.index(item)]
    return (net, sum(charge.net), charge.taxes) if net > 0 else None


def _is_for(line: InvoiceLine, subscription: Subscription, item: Item) -> bool:
    return (
        line.subscription == subscription.id
        and line.price == item.price.id
        and line.period_start_at == item.current_period_start_at
        and not line.proration
    )


def _stands(invoice: Invoice) -> bool:
    returned = invoice.credited or any(payment.refunded for payment in invoice.payments)
    return invoice.status == "paid" and not returned


def _net_of(invoice: Invoice, index: int) -> tuple[int, int, tuple[InvoiceTax, ...]] | None:
    amounts = [line.amount.amount for line in invoice.lines]
    off = sum(each.amount.amount for each in invoice.discounts)
    net = amounts[index] - shares(off, amounts)[index]
    whole = sum(amounts) - off
    return (net, whole, invoice.taxes) if net > 0 and whole > 0 else None


def _credit_line(subscription: Subscription, item: Item, amount: int, now: datetime) -> InvoiceLine:
    return InvoiceLine(
        id=f"il_{subscription.id}_unused_{item.id}",
        description=item.price.product_name,
        amount=Money(-amount, subscription.currency),
        quantity=item.quantity,
        period_start_at=now,
        period_end_at=item.current_period_end_at,
        proration=True,
        price=item.price.id,
        subscription=subscription.id,
    )


def _together(taxes: list[InvoiceTax]) -> tuple[InvoiceTax, ...]:
    """The taxes of all lines, one entry a rate."""
    found: dict[tuple[str, bool], InvoiceTax] = {}
    for each in taxes:
        key = (each.label, each.inclusive)
        found[key] = replace(each, amount=found[key].amount + each.amount) if key in found else each
    return tuple(found.values())
