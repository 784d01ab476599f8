"""What a period costs: quantities, discounts and taxes, in exact fractions, rounded once where Stripe rounds.

`bill` is the only place that adds up a charge: an invoice, the next charge on a page and the credit for unused time are
all made from a `Bill`, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

import msgspec
from msgspec.structs import replace

from server.billing.model.account import (
    Coupon,
    Discount,
    InvoiceDiscount,
    InvoiceLine,
    InvoiceTax,
    Item,
    LineTax,
    Pending,
    PhaseItem,
    Price,
    Subscription,
    TaxRate,
)
from server.billing.model.amounts import exact_amount, is_metered, rounded, shares
from server.billing.model.periods import add_months, part_of
from server.formats.money import Money


class Bill(msgspec.Struct, frozen=True):
    """A charge before anybody paid: `total` is the net amounts and the exclusive taxes."""

    lines: tuple[InvoiceLine, ...]
    net: tuple[int, ...]
    """What is left of each line after the discounts."""
    discounts: tuple[InvoiceDiscount, ...]
    taxes: tuple[InvoiceTax, ...]
    subtotal: Money
    total: Money


def bill(subscription: Subscription, items: Sequence[Item], at: datetime, pending: Sequence[Pending] = ()) -> Bill:
    """What these items cost for their current periods, charged at `at`, and what waited for it. Usage that was never
    reported costs nothing."""
    lines = tuple(_line(subscription, item, at, index) for index, item in enumerate(items))
    count, net = len(items), [line.amount.amount for line in lines] + [each.line.amount.amount for each in pending]
    products = [each.price.product for each in items] + [each.product for each in pending]
    discounts = []
    for each, places in _in_order(subscription, items, pending):
        if is_running(each, at) and (items or each.coupon.duration != "once"):
            off = take_off(each.coupon, products, places, net, subscription.currency)
            label = each.coupon.name or each.promotion_code or each.coupon.id
            discounts.append(InvoiceDiscount(label=label, amount=Money(off, subscription.currency)))
    lines, taxes = _taxed(subscription, items, lines, net[:count])
    period = Bill(
        lines=lines,
        net=tuple(net[:count]),
        discounts=tuple(each for each in discounts if items or each.amount),
        taxes=taxes,
        subtotal=Money(sum(line.amount.amount for line in lines), subscription.currency),
        total=Money(sum(net[:count]) + exclusive(taxes), subscription.currency),
    )
    return _joined(
        period, [_left_of(each, net[count + index]) for index, each in enumerate(pending)], period.total.currency
    )


def rates_of(subscription: Subscription, item: Item | PhaseItem) -> tuple[TaxRate, ...]:
    """The rates that an item is taxed with; none for a customer who is exempt, or who owes the tax."""
    if subscription.tax_exempt:
        return ()
    return item.tax_rates or subscription.default_tax_rates


def _in_order(
    subscription: Subscription, items: Sequence[Item], pending: Sequence[Pending]
) -> list[tuple[Discount, Sequence[int]]]:
    """Each discount with the lines that it may be taken off: those of an item come before the subscription's, which is
    taken off what waited, too, where that says so."""
    own: list[tuple[Discount, Sequence[int]]] = [
        (each, (index,)) for index, item in enumerate(items) for each in item.discounts
    ]
    waited = (index for index, each in enumerate(pending, len(items)) if each.is_discountable)
    among = (*range(len(items)), *waited)
    return [*own, *((each, among) for each in subscription.discounts)] if among else own


def _left_of(waits: Pending, net: int) -> Pending:
    """What waited, with what the discounts took off its line and the tax on the rest."""
    line, currency = waits.line, waits.line.amount.currency
    if net == line.amount.amount:
        return waits
    rates = [TaxRate(each.label, each.percentage, inclusive=each.inclusive) for each in waits.taxes]
    taxes = tuple(
        replace(old, amount=new.amount) for old, new in zip(waits.taxes, taxes_on(net, rates, currency), strict=True)
    )
    return replace(
        waits, line=replace(line, discount=line.amount - Money(net, currency), taxes=line_taxes(taxes)), taxes=taxes
    )


def _line(subscription: Subscription, item: Item, at: datetime, index: int) -> InvoiceLine:
    metered = is_metered(item.price)
    quantity = 0 if metered else item.quantity
    part = part_of(subscription, item)
    cost = Fraction(0) if metered else exact_amount(item.price, quantity) * part
    return InvoiceLine(
        id=f"il_{subscription.id}_{at:%Y%m%d%H%M%S}_{index}",
        description=item.price.product_name,
        amount=Money(rounded(cost, subscription.currency), subscription.currency),
        quantity=quantity,
        unit_amount=item.price.unit_amount if part == 1 else "",
        period_start_at=item.current_period_start_at,
        period_end_at=item.current_period_end_at,
        price=item.price.id,
        subscription=subscription.id,
    )


def _taxed(
    subscription: Subscription, items: Sequence[Item], lines: Sequence[InvoiceLine], net: Sequence[int]
) -> tuple[tuple[InvoiceLine, ...], tuple[InvoiceTax, ...]]:
    """The lines with what the discounts took off each and its part of every tax, and the taxes of them all. Items of
    the same rates are taxed together; the parts add up to the tax."""
    together: dict[tuple[TaxRate, ...], list[int]] = {}
    for index, item in enumerate(items):
        together.setdefault(rates_of(subscription, item), []).append(index)
    own: list[list[InvoiceTax]] = [[] for _ in lines]
    whole: list[InvoiceTax] = []
    for rates, places in together.items():
        weights = [net[index] for index in places]
        for tax in taxes_on(sum(weights), rates, subscription.currency):
            whole.append(tax)
            for index, part in zip(places, shares(tax.amount.amount, weights, subscription.currency), strict=True):
                own[index].append(replace(tax, amount=Money(part, subscription.currency)))
    taxed = [
        replace(line, discount=line.amount - Money(left, subscription.currency) or None, taxes=line_taxes(taxes))
        for line, left, taxes in zip(lines, net, own, strict=True)
    ]
    return tuple(taxed), _together(whole)


def line_taxes(taxes: Sequence[InvoiceTax]) -> tuple[LineTax, ...]:
    """The taxes of a single line, as the line carries them."""
    return tuple(LineTax(each.amount, each.percentage, each.inclusive) for each in taxes)


def exact_net(
    subscription: Subscription, price: Price, quantity: int, at: datetime, own: Sequence[Discount] = ()
) -> Fraction:
    """What a whole period of this quantity costs after the discounts that run on, exact: the item's `own` first. One
    that counts for a single invoice waits for the invoice of a whole period."""
    net = exact_amount(price, quantity)
    for each in (*own, *subscription.discounts):
        coupon = each.coupon
        if coupon.duration == "once" or not is_running(each, at):
            continue
        if coupon.products and price.product not in coupon.products:
            continue
        if coupon.percent_off:
            net -= net * Fraction(coupon.percent_off) / 100
        elif coupon.amount_off and coupon.amount_off.currency == subscription.currency:
            net -= coupon.amount_off.amount
        net = max(net, Fraction(0))
    return net


def _joined(charge: Bill, pending: Sequence[Pending], currency: str) -> Bill:
    """One bill of what waited and of a charge; the taxes of all of it, one entry a rate."""
    lines = tuple(each.line for each in pending) + charge.lines
    left = (each.line.amount - each.line.discount if each.line.discount else each.line.amount for each in pending)
    net = tuple(each.amount for each in left) + charge.net
    taxes = [tax for each in pending for tax in each.taxes] + list(charge.taxes)
    return Bill(
        lines=lines,
        net=net,
        discounts=charge.discounts,
        taxes=_together(taxes),
        subtotal=Money(sum(line.amount.amount for line in lines), currency),
        total=Money(sum(net) + exclusive(taxes), currency),
    )


def _together(taxes: Sequence[InvoiceTax]) -> tuple[InvoiceTax, ...]:
    found: dict[tuple[str, bool], InvoiceTax] = {}
    for each in taxes:
        key = (each.label, each.inclusive)
        found[key] = replace(each, amount=found[key].amount + each.amount) if key in found else each
    return tuple(found.values())


def is_running(discount: Discount, at: datetime) -> bool:
    end = discount.end_at
    if end is None and discount.coupon.duration == "repeating" and discount.start_at:
        end = add_months(discount.start_at, discount.coupon.duration_in_months)
    return (end is None or at < end) and (discount.start_at is None or discount.start_at <= at)


def take_off(coupon: Coupon, products: Sequence[str], among: Sequence[int], net: list[int], currency: str) -> int:
    """Take the coupon off what is left of these lines, and say how much it was."""
    places = [index for index in among if not coupon.products or products[index] in coupon.products]
    left = sum(net[index] for index in places)
    if coupon.percent_off:
        off = rounded(left * Fraction(coupon.percent_off) / 100, currency)
    elif coupon.amount_off and coupon.amount_off.currency == currency:
        off = rounded(Fraction(coupon.amount_off.amount), currency)
    else:
        off = 0
    off = min(off, left)
    for index, share in zip(places, shares(off, [net[index] for index in places], currency), strict=True):
        net[index] -= share
    return off


def taxes_on(net: int, rates: Sequence[TaxRate], currency: str) -> tuple[InvoiceTax, ...]:
    """The tax of each rate: inclusive ones are inside the net amount, exclusive ones come on top."""
    inside = sum((Fraction(rate.percentage) for rate in rates if rate.inclusive), Fraction(0))
    base = Fraction(net) * 100 / (100 + inside)
    return tuple(
        InvoiceTax(
            label=f"{rate.display_name} {rate.percentage}%".strip(),
            amount=Money(rounded(base * Fraction(rate.percentage) / 100, currency), currency),
            inclusive=rate.inclusive,
            percentage=rate.percentage,
        )
        for rate in rates
    )


def exclusive(taxes: Sequence[InvoiceTax]) -> int:
    return sum(tax.amount.amount for tax in taxes if not tax.inclusive)
