"""What a period costs and when it ends, from what Stripe documents and from our own decisions: an oracle for the ledger.

Nothing here is read off the ledger's code, and nothing of it is used; only the structs that both describe a sale with
(`server.billing`) are the same. Sums are exact fractions until a line, a discount or a tax is written down.

Sources: Stripe's pages on the billing cycle, prorations, pricing models, coupons and tax rates; `docs/decisions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from server.billing import Coupon, Discount, Price, Recurring, TaxRate

GRAINS = {"ISK": 100, "UGX": 100, "BHD": 10, "JOD": 10, "KWD": 10, "OMR": 10, "TND": 10}
"""Stripe counts more digits of these than anybody can pay: the last ones are zero."""


def to_unit(exact: Fraction, currency: str) -> int:
    """To the nearest amount that can be paid, a half away from zero."""
    grain = GRAINS.get(currency, 1)
    nearest = int(abs(exact) / grain + Fraction(1, 2)) * grain
    return nearest if exact > 0 else -nearest


def nth_end(anchor: datetime, recurring: Recurring, number: int) -> datetime:
    """When the period with this number ends; the first one begins at the anchor and has the number 1.

    Months and years keep the anchor's day; where a month is too short, its last day counts, and the anchor's comes back
    in the next one. Stripe's example: 31 January, 28 February, 31 March.
    """
    steps = recurring.count * number
    if recurring.interval in ("day", "week"):
        return anchor + steps * timedelta(days=1 if recurring.interval == "day" else 7)
    months = anchor.month - 1 + steps * (12 if recurring.interval == "year" else 1)
    first = anchor.replace(year=anchor.year + months // 12, month=months % 12 + 1, day=1)
    return max(each for each in (first + timedelta(days=n) for n in range(anchor.day)) if each.month == first.month)


def rest(at: datetime, start: datetime, end: datetime) -> Fraction:
    """How much of a period is left, by the second."""
    seconds = (end - max(at, start)).total_seconds(), (end - start).total_seconds()
    return Fraction(int(seconds[0]), int(seconds[1]))


def listed(price: Price, quantity: int) -> Fraction:
    """What this quantity costs for a whole period."""
    if price.recurring is not None and price.recurring.usage == "metered":
        return Fraction(0)  # nobody reported any use
    if price.billing_scheme != "tiered":
        packages = Fraction(quantity, price.package_size)
        whole = -(-packages.numerator // packages.denominator) if price.package_round == "up" else int(packages)
        return whole * Fraction(price.unit_amount or 0)
    costs = [(each.up_to, Fraction(each.unit_amount or 0), Fraction(each.flat_amount or 0)) for each in price.tiers]
    if price.tiers_mode == "volume":
        _, unit, flat = next(each for each in costs if each[0] is None or quantity <= each[0])
        return quantity * unit + flat
    # Graduated: a unit costs what its own tier says, and each tier that is entered its flat amount; the first one always.
    total = costs[0][2]
    for unit_number in range(1, quantity + 1):
        place = next(n for n, each in enumerate(costs) if each[0] is None or unit_number <= each[0])
        total += costs[place][1]
        entered = place > 0 and unit_number == (costs[place - 1][0] or 0) + 1
        total += costs[place][2] if entered else 0
    return total


def runs(discount: Discount, at: datetime) -> bool:
    """Whether it counts for what is invoiced at this moment."""
    return (discount.start_at is None or discount.start_at <= at) and (discount.end_at is None or at < discount.end_at)


def is_for(coupon: Coupon, price: Price) -> bool:
    return not coupon.products or price.product in coupon.products


@dataclass
class Tax:
    """What one rate takes."""

    rate: TaxRate
    amount: int


@dataclass
class Line:
    """A line of an invoice: `amount` is before discounts and without exclusive tax."""

    amount: int
    off: int = 0
    taxes: list[Tax] = field(default_factory=list)
    start: datetime | None = None
    end: datetime | None = None

    @property
    def net(self) -> int:
        return self.amount - self.off


@dataclass
class Sale:
    """An item as an invoice bills it."""

    price: Price
    quantity: int = 1
    discounts: Sequence[Discount] = ()
    rates: Sequence[TaxRate] = ()
    part: Fraction = Fraction(1)
    """Of a whole period."""


@dataclass
class Bill:
    lines: list[Line]
    discounts: list[int] = field(default_factory=list)
    """What each discount takes off, in their order."""

    @property
    def subtotal(self) -> int:
        return sum(each.amount for each in self.lines)

    @property
    def taxes(self) -> dict[tuple[str, bool], int]:
        """By percentage and whether it is inside the price."""
        found: dict[tuple[str, bool], int] = {}
        for each in (tax for line in self.lines for tax in line.taxes):
            key = each.rate.percentage, each.rate.inclusive
            found[key] = found.get(key, 0) + each.amount
        return found

    @property
    def total(self) -> int:
        on_top = sum(amount for (_, inclusive), amount in self.taxes.items() if not inclusive)
        return self.subtotal - sum(self.discounts) + on_top


def bill(sales: Sequence[Sale], shared: Sequence[Discount], at: datetime) -> Bill:
    """What these items cost together. An item's own discounts come first, each off what the one before left; a discount
    is rounded once, and what it takes off several lines is shared out by what they still cost."""
    currency = sales[0].price.currency
    made = Bill([Line(to_unit(listed(each.price, each.quantity) * each.part, currency)) for each in sales])
    ordered = [(each, [n]) for n, sale in enumerate(sales) for each in sale.discounts]
    ordered += [(each, list(range(len(sales)))) for each in shared]
    for discount, among in ordered:
        if not runs(discount, at):
            continue
        lines = [made.lines[n] for n in among if is_for(discount.coupon, sales[n].price)]
        taken = _off(discount.coupon, sum(each.net for each in lines), [sales[n] for n in among])
        made.discounts.append(taken)
        _share(taken, lines, currency)
    _tax(made.lines, [sale.rates for sale in sales], currency)
    return made


def _tax(lines: Sequence[Line], rates: Sequence[Sequence[TaxRate]], currency: str) -> None:
    """A rate is rounded once an invoice, on all that it is for (as EN 16931 asks, BR-CO-17), and shared out by the lines."""
    alike: dict[tuple[str, ...], list[Line]] = {}
    for line, its in zip(lines, rates, strict=True):
        alike.setdefault(tuple(each.id for each in its), []).append(line)
    known = {tuple(each.id for each in its): its for its in rates}
    for key, among in alike.items():
        whole = sum(each.net for each in among)
        for tax in taxed(Fraction(whole), known[key], currency):
            seen = given = 0
            for line in among:
                seen += line.net
                until = to_unit(Fraction(tax.amount * seen, whole), currency) if whole else 0
                line.taxes.append(Tax(tax.rate, until - given))
                given = until


def _off(coupon: Coupon, left: int, sales: Sequence[Sale]) -> int:
    if coupon.percent_off:
        return to_unit(left * Fraction(coupon.percent_off) / 100, sales[0].price.currency)
    if coupon.amount_off is None or coupon.amount_off.currency != sales[0].price.currency:
        return 0
    return min(to_unit(Fraction(coupon.amount_off.amount), sales[0].price.currency), left)


def _share(taken: int, lines: Sequence[Line], currency: str) -> None:
    """By what each line still costs; which line gets the odd unit is nobody's rule, here it is the next one in order."""
    whole, seen, given = sum(each.net for each in lines), 0, 0
    for each in lines:
        seen += each.net
        until = to_unit(Fraction(taken * seen, whole), currency) if whole else 0
        each.off += until - given
        given = until


def taxed(net: Fraction, rates: Sequence[TaxRate], currency: str) -> list[Tax]:
    """Inclusive taxes are inside, all of them at once; exclusive ones come on top of what is left without those."""
    inside = sum((Fraction(each.percentage) for each in rates if each.inclusive), Fraction(0))
    base = net * 100 / (100 + inside)
    return [Tax(each, to_unit(base * Fraction(each.percentage) / 100, currency)) for each in rates]


def exact_net(price: Price, quantity: int, discounts: Sequence[Discount], at: datetime) -> Fraction:
    """A whole period after the discounts that last, before anything is rounded."""
    left = listed(price, quantity)
    for each in discounts:
        if not runs(each, at) or each.coupon.duration == "once" or not is_for(each.coupon, price):
            continue
        if each.coupon.percent_off:
            left -= left * Fraction(each.coupon.percent_off) / 100
        elif each.coupon.amount_off and each.coupon.amount_off.currency == price.currency:
            left -= min(left, Fraction(each.coupon.amount_off.amount))
    return left
