"""The ledger against the oracle (`tests/support/public_rules.py`) where nobody does anything: periods and renewals."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from server.billing import Coupon, Discount, Money, Recurring, TaxRate
from server.billing.ledger.events.renewals import bring_up_to_date
from server.billing.model.account import Item
from tests.support.ledger_accounts import CARD, account, day, subscription
from tests.support.plans import CURRENCIES, often, price_of
from tests.support.public_rules import Sale, bill, nth_end, runs

STARTS = st.sampled_from((0, 30, 27, 30 + 28 + 31 + 29, 424, 423, 58)) | st.integers(0, 1500)
MOMENTS = st.builds(
    lambda days, seconds: day(2027, 1, 1) + timedelta(days=days, seconds=seconds),
    STARTS,
    st.sampled_from((0, 1, 86_399)),
)
INTERVALS = st.sampled_from(
    (*(("month", 1),) * 4, ("month", 3), ("month", 7), ("year", 1), ("year", 2), ("week", 1), ("week", 3), ("day", 1), ("day", 17))
)  # fmt: skip
RATES = st.lists(
    st.builds(
        lambda percentage, inclusive: TaxRate(f"txr_{percentage}_{inclusive}", percentage, "Tax", inclusive),
        st.sampled_from(("19", "7", "8.875", "0", "5.3")),
        st.booleans(),
    ),
    max_size=2,
    unique_by=lambda each: each.percentage,
).map(tuple)


@settings(max_examples=often(40), deadline=None)
@given(MOMENTS, INTERVALS, st.booleans())
def test_periods_end_when_their_anchor_says(start, interval, trial):
    """From any day, the 31st and leap days among them; a trial's end is the anchor of what follows it."""
    recurring = Recurring(*interval)
    sold = price_of(1, "EUR", interval, "1200", "per_unit")
    anchor = start + timedelta(days=14) if trial else start
    first = anchor if trial else nth_end(start, recurring, 1)
    it = subscription(
        Item("si_1", sold, start, first), created_at=start, billing_cycle_anchor_at=start,
        **({"status": "trialing", "trial_start_at": start, "trial_end_at": anchor} if trial else {}),
    )  # fmt: skip
    it = account(it, payment_methods=(replace(CARD, exp_year=9999),))
    expected = [nth_end(anchor, recurring, n) for n in range(1, 15)]
    _, made = bring_up_to_date(it, expected[-1])
    periods = [(each.created_at, each.period_start_at, each.period_end_at) for each in made]
    ends = [anchor, *expected] if trial else expected
    assert periods[:13] == [(begun, begun, end) for begun, end in pairwise(ends)][:13]


def discounts_of(draw, start, currency, name):
    found = []
    for number in range(draw(st.integers(0, 2))):
        worth = draw(st.sampled_from(({"percent_off": "50"}, {"percent_off": "33.3"}, {"percent_off": "12.5"}, {"percent_off": "100"},
                                      {"amount_off": Money(700, currency)}, {"amount_off": Money(7, "USD")})))  # fmt: skip
        duration = draw(st.sampled_from(("forever", "once", "repeating")))
        products = draw(st.sampled_from(((), (), ("prod_1",)))) if duration != "once" else ()
        ends = {"start_at": start, "end_at": nth_end(start, Recurring("month"), 2)} if duration == "repeating" else {}
        coupon = Coupon(f"{name}{number}", duration=duration, products=products, **worth)
        found.append(Discount(f"di_{name}{number}", coupon, **ends))
    return tuple(found)


@st.composite
def sales(draw):
    """A subscription of one to three items with whatever may change what it costs."""
    start, currency = draw(MOMENTS), draw(st.sampled_from(CURRENCIES))
    items = []
    for n in range(draw(st.integers(1, 3))):
        interval = draw(INTERVALS) if n else ("month", 1)
        shape = draw(st.sampled_from(("per_unit", "graduated", "volume", "packages")))
        sold = price_of(
            n, currency, interval, draw(st.sampled_from(("0", "1", "999", "33.5", "0.7", "4999.99"))), shape
        )
        items.append(
            Item(
                f"si_{n}",
                sold,
                start,
                nth_end(start, sold.recurring, 1),
                draw(st.integers(0, 14)),
                discounts=discounts_of(draw, start, currency, f"i{n}") if draw(st.booleans()) else (),
                tax_rates=draw(RATES) if draw(st.booleans()) else (),
            )
        )
    return subscription(
        *items, currency=currency, created_at=start, billing_cycle_anchor_at=start, default_tax_rates=draw(RATES),
        discounts=discounts_of(draw, start, currency, "s"), tax_exempt=draw(st.sampled_from(("", "", "reverse", "exempt"))),
    )  # fmt: skip


def shown(invoice):
    """What the document of an invoice says, in minor units."""
    assert invoice.adds_up, invoice.gap
    return {
        "at": invoice.created_at,
        "lines": [each.amount.amount for each in invoice.lines],
        "net": [each.amount.amount - (each.discount.amount if each.discount else 0) for each in invoice.lines],
        "line taxes": [[tax.amount.amount for tax in each.taxes] for each in invoice.lines],
        "subtotal": invoice.subtotal.amount,
        "discounts": [each.amount.amount for each in invoice.discounts if each.amount.amount],
        "taxes": {(each.percentage, each.inclusive): each.amount.amount for each in invoice.taxes},
        "total": invoice.total.amount,
    }


def said(at, made):
    return {
        "at": at,
        "lines": [each.amount for each in made.lines],
        "net": [each.net for each in made.lines],
        "line taxes": [[tax.amount for tax in each.taxes] for each in made.lines],
        "subtotal": made.subtotal,
        "discounts": [each for each in made.discounts if each],
        "taxes": made.taxes,
        "total": made.total,
    }


def renewals(it, until):
    """What each moment until then is invoiced, and when."""
    begun = {each.id: 1 for each in it.items}
    once = {}
    while True:
        ends = {each.id: nth_end(it.billing_cycle_anchor_at, each.price.recurring, begun[each.id]) for each in it.items}
        at = min(ends.values())
        if at > until:
            return
        due = [each for each in it.items if ends[each.id] == at]

        def counting(discounts, at=at):
            return [each for each in discounts if runs(each, at) and each.id not in once]

        rates = {each.id: () if it.tax_exempt else each.tax_rates or it.default_tax_rates for each in due}
        sold = [Sale(each.price, each.quantity, counting(each.discounts), rates[each.id]) for each in due]
        shared = counting(it.discounts)
        yield at, bill(sold, shared, at)
        used = [*shared, *(each for one in sold for each in one.discounts)]
        once.update({each.id: at for each in used if each.coupon.duration == "once"})
        begun |= {each.id: begun[each.id] + 1 for each in due}


@settings(max_examples=often(60), deadline=None)
@given(sales(), st.integers(31, 150))
def test_every_renewal_costs_what_the_rules_say(it, days):
    until = it.created_at + timedelta(days=days)
    _, made = bring_up_to_date(replace(account(it), as_of=it.created_at), until)
    assert [shown(each) for each in made] == [said(*each) for each in renewals(it, until)]
