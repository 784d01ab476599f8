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
    Price,
    Subscription,
    TaxRate,
)
from server.billing.model.amounts import amount_of, exact_amount, is_metered, rounded, shares
from server.billing.model.periods import add_months
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


def bill(subscription: Subscription, items: Sequence[Item], at: datetime) -> Bill:
    """What these items cost for their current periods, charged at `at`. Usage that was never reported costs nothing."""
    lines = tuple(_line(subscription, item, at, index) for index, item in enumerate(items))
    net = [line.amount.amount for line in lines]
    discounts = []
    for each in subscription.discounts:
        if is_running(each, at):
            off = _take_off(each.coupon, items, net, subscription.currency)
            label = each.coupon.name or each.promotion_code or each.coupon.id
            discounts.append(InvoiceDiscount(label=label, amount=Money(off, subscription.currency)))
    taxes = taxes_on(sum(net), subscription.default_tax_rates, subscription.currency)
    return Bill(
        lines=_taxed(lines, net, taxes),
        net=tuple(net),
        discounts=tuple(discounts),
        taxes=taxes,
        subtotal=Money(sum(line.amount.amount for line in lines), subscription.currency),
        total=Money(sum(net) + exclusive(taxes), subscription.currency),
    )


def _line(subscription: Subscription, item: Item, at: datetime, index: int) -> InvoiceLine:
    metered = is_metered(item.price)
    quantity = 0 if metered else item.quantity
    return InvoiceLine(
        id=f"il_{subscription.id}_{at:%Y%m%d%H%M%S}_{index}",
        description=item.price.product_name,
        amount=Money(0 if metered else amount_of(item.price, quantity), subscription.currency),
        quantity=quantity,
        unit_amount=item.price.unit_amount,
        period_start_at=item.current_period_start_at,
        period_end_at=item.current_period_end_at,
        price=item.price.id,
        subscription=subscription.id,
    )


def _taxed(lines: Sequence[InvoiceLine], net: Sequence[int], taxes: Sequence[InvoiceTax]) -> tuple[InvoiceLine, ...]:
    """The lines with what the discounts took off each, and its part of every tax: the parts add up to the tax."""
    parts = [shares(each.amount.amount, net) for each in taxes]
    found = []
    for index, (line, left) in enumerate(zip(lines, net, strict=True)):
        off = line.amount - Money(left, line.amount.currency)
        own = [
            replace(tax, amount=Money(part[index], tax.amount.currency)) for tax, part in zip(taxes, parts, strict=True)
        ]
        found.append(replace(line, discount=off or None, taxes=line_taxes(own)))
    return tuple(found)


def line_taxes(taxes: Sequence[InvoiceTax]) -> tuple[LineTax, ...]:
    """The taxes of a single line, as the line carries them."""
    return tuple(LineTax(each.amount, each.percentage, each.inclusive) for each in taxes)


def exact_net(subscription: Subscription, price: Price, quantity: int, at: datetime) -> Fraction:
    """What a whole period of so many units costs after the discounts that run on, exact. One that counts for a single
    invoice waits for the invoice of a whole period."""
    net = exact_amount(price, quantity)
    for each in subscription.discounts:
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


def joined(charge: Bill | None, pending: Sequence[Pending], currency: str) -> Bill:
    """One bill of what waited and of a charge; the taxes of all of it, one entry a rate."""
    lines = tuple(each.line for each in pending) + (charge.lines if charge else ())
    net = tuple(each.line.amount.amount for each in pending) + (charge.net if charge else ())
    taxes = [tax for each in pending for tax in each.taxes] + list(charge.taxes if charge else ())
    return Bill(
        lines=lines,
        net=net,
        discounts=charge.discounts if charge else (),
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


def _take_off(coupon: Coupon, items: Sequence[Item], net: list[int], currency: str) -> int:
    """Take the coupon off what is left of the lines, and say how much it was."""
    places = [index for index, item in enumerate(items) if not coupon.products or item.price.product in coupon.products]
    left = sum(net[index] for index in places)
    if coupon.percent_off:
        off = rounded(left * Fraction(coupon.percent_off) / 100)
    elif coupon.amount_off and coupon.amount_off.currency == currency:
        off = coupon.amount_off.amount
    else:
        off = 0
    off = min(off, left)
    for index, share in zip(places, shares(off, [net[index] for index in places]), strict=True):
        net[index] -= share
    return off


def taxes_on(net: int, rates: Sequence[TaxRate], currency: str) -> tuple[InvoiceTax, ...]:
    """The tax of each rate: inclusive ones are inside the net amount, exclusive ones come on top."""
    inside = sum((Fraction(rate.percentage) for rate in rates if rate.inclusive), Fraction(0))
    base = Fraction(net) * 100 / (100 + inside)
    return tuple(
        InvoiceTax(
            label=f"{rate.display_name} {rate.percentage}%".strip(),
            amount=Money(rounded(base * Fraction(rate.percentage) / 100), currency),
            inclusive=rate.inclusive,
            percentage=rate.percentage,
        )
        for rate in rates
    )


def exclusive(taxes: Sequence[InvoiceTax]) -> int:
    return sum(tax.amount.amount for tax in taxes if not tax.inclusive)
