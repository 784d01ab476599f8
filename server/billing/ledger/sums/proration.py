"""What time is worth within a period: the credit for what was paid and is not used, the charge for the rest of it.

Fractions to the microsecond, exact until the line: each line is rounded once, half a minor unit away from zero. A charge
is taxed by the rates of its moment; a credit gives back in proportion what its time was billed with, as at Stripe.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

import msgspec
from msgspec.structs import replace

from server.billing.ledger.sums.bills import Bill, bill, exact_net, line_taxes, rates_of, taxes_on
from server.billing.model.account import Account, Basis, Invoice, InvoiceLine, InvoiceTax, Item, Pending, Subscription
from server.billing.model.amounts import exact_amount, is_metered, rounded, shares
from server.formats.minor_units import smallest
from server.formats.money import Money

_MICROSECOND = timedelta(microseconds=1)


class Worth(msgspec.Struct, frozen=True):
    """What was paid for an item's running period."""

    net: Fraction
    """For the whole period, after discounts, in minor units."""
    invoice: str = ""
    taxes: tuple[InvoiceTax, ...] | None = None
    """What it was billed with; None: the subscription's rates count."""
    whole: int = 0
    """The net amount that those taxes are of."""
    limit: Fraction | None = None
    """No credit is more than this: what was paid for the period and was not given back. None: nothing says."""


def rest_of(item: Item, at: datetime) -> Fraction:
    """How much of the item's period is still to come, between 0 and 1; to the microsecond."""
    whole = item.current_period_end_at - item.current_period_start_at
    left = item.current_period_end_at - max(at, item.current_period_start_at)
    if whole <= timedelta(0) or left <= timedelta(0):
        return Fraction(0)
    return Fraction(left // _MICROSECOND, whole // _MICROSECOND)


def credit_for(
    account: Account, subscription: Subscription, item: Item, at: datetime, *, goes_on: bool = False
) -> Pending | None:
    """The credit for the rest of the item's period; None where there is nothing to credit. `goes_on`: see `worth_of`."""
    worth = worth_of(account, subscription, item, goes_on=goes_on)
    if worth is None:
        return None
    amount, step = rounded(worth.net * rest_of(item, at), subscription.currency), smallest(subscription.currency)
    if worth.limit is not None:
        amount = min(amount, int(worth.limit) // step * step)
    if amount <= 0:
        return None
    if worth.taxes is None:
        taxes = taxes_on(-amount, rates_of(subscription, item), subscription.currency)
    else:
        share = Fraction(-amount, worth.whole)
        taxes = tuple(
            replace(
                each, amount=Money(rounded(each.amount.amount * share, subscription.currency), subscription.currency)
            )
            for each in worth.taxes
        )
    return _pending(_line(subscription, item, -amount, at, "unused"), taxes)


def charge_for(subscription: Subscription, item: Item, at: datetime) -> Pending:
    """The charge for the rest of the item's period at its price, after the discounts that run on."""
    rest = rest_of(item, at)
    net = exact_net(subscription, item.price, item.quantity, at, item.discounts) * rest
    amount = rounded(net, subscription.currency)
    off = rounded(exact_amount(item.price, item.quantity) * rest, subscription.currency) - amount
    taxes = taxes_on(amount, rates_of(subscription, item), subscription.currency)
    line = _line(subscription, item, amount, at, "rest")
    return _pending(replace(line, included_discount=Money(off, subscription.currency) or None), taxes)


def _pending(line: InvoiceLine, taxes: tuple[InvoiceTax, ...]) -> Pending:
    return Pending(line=replace(line, taxes=line_taxes(taxes)), taxes=taxes)


def worth_of(account: Account, subscription: Subscription, item: Item, *, goes_on: bool = False) -> Worth | None:
    """What was paid for the item's running period. None: nothing, or all of it was given back.

    A trial is worth nothing. An open invoice is worth nothing to
    who leaves; where the subscription goes on, it is still owed in full, and its credit keeps the same time from being
    charged twice. Where the invoice of the period is not at hand, the price and today's discounts and taxes take its place.
    """
    found = _worth_of(account, subscription, item, goes_on)
    limit = _paid_for(account, subscription, item, goes_on) if found else None
    if found is None or limit is None:
        return found
    return replace(found, limit=limit) if limit >= 1 else None


def _worth_of(account: Account, subscription: Subscription, item: Item, goes_on: bool) -> Worth | None:
    is_billed = subscription.status == "active" or (goes_on and subscription.status == "past_due")
    if not is_billed or is_metered(item.price):
        return None
    if item.basis is not None:
        paid = next((each for each in account.invoices if each.id == item.basis.invoice), None)
        net = Fraction(item.basis.net)
        if net <= 0 or (paid and not _stands(paid, goes_on)):
            return None
        # A rate that changed since does not change what was billed.
        billed = _worth_in(paid, line) if paid and (line := _whole_in(paid, subscription, item)) else None
        return billed if billed and billed.net == net else Worth(net, item.basis.invoice)
    for invoice in _newest_first(account):
        for line in invoice.lines:
            if _is_for(line, subscription, item):
                return _worth_in(invoice, line) if _stands(invoice, goes_on) else None
    charge = bill(subscription, subscription.items, item.current_period_start_at)
    index = subscription.items.index(item)
    whole = charge.net[index]
    return Worth(Fraction(whole), "", _taxes_of(charge.lines[index], charge), whole) if whole > 0 else None


def basis_of(worth: Worth | None) -> Basis:
    """What a period stays worth where a change does not charge for it."""
    return Basis(net=str(worth.net), invoice=worth.invoice) if worth else Basis(net="0")


def _is_for(line: InvoiceLine, subscription: Subscription, item: Item) -> bool:
    return line.price == item.price.id and _is_whole(line, subscription, item)


def _is_whole(line: InvoiceLine, subscription: Subscription, item: Item) -> bool:
    starts = line.period_start_at == item.current_period_start_at
    return line.subscription == subscription.id and starts and not line.proration


def _whole_in(invoice: Invoice, subscription: Subscription, item: Item) -> InvoiceLine | None:
    """The line that billed the period of a changed item, whose price may be another by now. It is alone in its
    subscription."""
    return next((each for each in invoice.lines if _is_whole(each, subscription, item)), None)


def _stands(invoice: Invoice, goes_on: bool) -> bool:
    return invoice.status == "paid" or (goes_on and invoice.status == "open")


def _paid_for(account: Account, subscription: Subscription, item: Item, goes_on: bool) -> Fraction | None:
    """What was paid for the item's running period in all, without what went back: earlier credits, refunds and credit
    notes. None: the invoice that says so is not at hand."""
    total = Fraction(sum(each.line.amount.amount for each in subscription.pending if _is_about(each.line, item)))
    newest = _newest_first(account)
    if item.basis and item.basis.invoice not in {"", *(each.id for each in newest)}:
        return None
    for invoice in newest:
        found = [each for each in invoice.lines if each.subscription == subscription.id and _is_about(each, item)]
        first = [each for each in found if not each.proration and each.period_start_at == item.current_period_start_at]
        if found and _stands(invoice, goes_on):
            total += sum(_net(invoice, each) for each in first or found) * (1 - _returned(invoice))
        if first:
            return total
    return None


def _newest_first(account: Account) -> list[Invoice]:
    """Those of one moment by their numbers: `ABC-10000` comes after `ABC-9999`."""
    return sorted(
        account.invoices, key=lambda each: (each.created_at, len(each.number), each.number, each.id), reverse=True
    )


def _is_about(line: InvoiceLine, item: Item) -> bool:
    """A changed item is alone in its subscription, so its earlier prices belong to it, too."""
    is_its_price = item.basis is not None or line.price == item.price.id
    return is_its_price and line.period_end_at == item.current_period_end_at


def _returned(invoice: Invoice) -> Fraction:
    """Which part of an invoice was given back, or was taken off before it was paid."""
    if invoice.total.amount <= 0:
        return Fraction(0)
    refunded, credited = invoice.refunded.amount, invoice.credited.amount if invoice.credited else 0
    given = refunded + credited - min(_refunded_by_notes(invoice, credited), refunded)
    return min(Fraction(given, invoice.total.amount), Fraction(1))


def _refunded_by_notes(invoice: Invoice, credited: int) -> int:
    """How much of the credit notes went back as a refund: the same money, which is not counted twice.

    As at Stripe, a credit note says so itself. Where the notes are not at hand, all that they gave after the payment
    counts as refunded; what they took off before it was never paid.
    """
    issued = [each for each in invoice.credit_notes if each.status != "void"]
    if sum(each.total.amount for each in issued) == credited:
        return sum(each.refunded.amount for each in issued if each.refunded)
    applied = invoice.balance_applied.amount if invoice.balance_applied else 0
    asked = max(invoice.total.amount + applied, 0)
    before = max(asked - invoice.amount_paid.amount - invoice.amount_due.amount, 0)
    return max(credited - before, 0)


def _net(invoice: Invoice, line: InvoiceLine) -> int:
    """What the invoice's discounts left of the line. Prorated lines had theirs taken off before they came to it."""
    if line.proration:
        return line.amount.amount
    lines = [each for each in invoice.lines if not each.proration]
    off = invoice.discounted.amount
    if sum(each.discount.amount for each in lines if each.discount) == off:
        return line.amount.amount - (line.discount.amount if line.discount else 0)
    return line.amount.amount - shares(off, [each.amount.amount for each in lines], invoice.currency)[lines.index(line)]


def _worth_in(invoice: Invoice, line: InvoiceLine) -> Worth | None:
    """What the invoice billed with this line."""
    net, lines = _net(invoice, line), [each for each in invoice.lines if not each.proration]
    whole = sum(each.amount.amount for each in lines) - invoice.discounted.amount
    if net <= 0 or whole <= 0:
        return None
    own = _taxes_of(line, invoice)
    if own is not None:
        return Worth(Fraction(net), invoice.id, own, net)
    return Worth(Fraction(net), invoice.id, invoice.taxes if len(lines) == len(invoice.lines) else None, whole)


def _taxes_of(line: InvoiceLine, of: Invoice | Bill) -> tuple[InvoiceTax, ...] | None:
    """The taxes of one line by their names; None: the lines do not say them."""
    named = {(each.percentage, each.inclusive): replace(each, taxable=None) for each in of.taxes}
    rates = {(each.percentage, each.inclusive) for one in of.lines for each in one.taxes}
    if rates != named.keys():
        return None
    return tuple(replace(named[each.percentage, each.inclusive], amount=each.amount) for each in line.taxes)


def _line(subscription: Subscription, item: Item, amount: int, at: datetime, what: str) -> InvoiceLine:
    return InvoiceLine(
        id=f"il_{subscription.id}_{at:%Y%m%d%H%M%S%f}_{what}_{item.id}",
        description=item.price.product_name,
        amount=Money(amount, subscription.currency),
        quantity=item.quantity,
        unit_amount=item.price.unit_amount if what == "rest" else "",
        period_start_at=at,
        period_end_at=item.current_period_end_at,
        proration=True,
        price=item.price.id,
        subscription=subscription.id,
    )
