"""What a made-up brand sells and allows, and accounts that bought it: for hand-made cases and for generated ones."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import replace

from server.billing import (
    Account,
    Catalog,
    Coupon,
    Discount,
    Invoice,
    Money,
    Move,
    Price,
    PromotionCode,
    Recurring,
    Subscription,
    TaxRate,
    Tier,
)
from server.billing.ledger.changes.planning import Terms
from server.billing.ledger.sums.bills import bill
from server.billing.ledger.sums.invoicing import issue
from server.billing.ledger.sums.upcoming import settled, with_subscription
from server.billing.model.periods import next_end
from server.brands.features import (
    AdjustableQuantity,
    Features,
    Product,
    Retention,
    Rule,
    Schedule,
    SubscriptionCancel,
    SubscriptionPause,
    SubscriptionRestart,
    SubscriptionUpdate,
)
from tests.support.ledger_accounts import CARD, MARCH, account, day, item, subscription

ALL = ("price", "quantity", "promotion_code")
FREELY = AdjustableQuantity(enabled=True, minimum=0, maximum=500)


def offered(*prices: Price, limits: AdjustableQuantity = FREELY, **update: Any) -> Features:
    """Features that allow every move between these prices."""
    products: dict[str, list[str]] = {}
    for each in prices:
        products.setdefault(each.product, []).append(each.id)
    sold = tuple(Product(product, tuple(ids), limits) for product, ids in products.items())
    fields = {"enabled": True, "default_allowed_updates": ALL, "products": sold} | update
    return Features(subscription_update=SubscriptionUpdate(**fields))


def terms(*prices: Price, codes: Iterable[PromotionCode] = (), coupons: Iterable[Coupon] = (), **update: Any) -> Terms:
    """These prices in the catalog and in the configuration; `update` are keys of `subscription_update`."""
    catalog = Catalog(
        prices={each.id: each for each in prices}, coupons={each.id: each for each in coupons}, codes=tuple(codes)
    )
    return Terms(catalog, offered(*prices, **update))


def bought(price: Price, quantity: int = 1, at: datetime = MARCH, **more: Any) -> Account:
    """An account whose subscription began at `at` and was paid then, as the ledger does it."""
    end = next_end(at, price.recurring, at) or at
    whole = {"currency": price.currency, "created_at": at, "billing_cycle_anchor_at": at}
    found = subscription(item(at, end, quantity, price=price), **(whole | more))
    return paid(account(), found, at)


def paid(holder: Account, found: Subscription, at: datetime) -> Account:
    """The account with this subscription and the invoice of its first period."""
    holder, invoice = issue(holder, found, bill(found, found.items, at), at, "subscription_create")
    found = replace(found, latest_invoice=invoice.id)
    return settled(replace(holder, subscriptions=(*holder.subscriptions, found)))


def only(it: Account) -> Subscription:
    (found,) = it.subscriptions
    return found


def lines(invoice: Invoice) -> list[int]:
    return [each.amount.amount for each in invoice.lines]


def often(examples: int) -> int:
    """So many examples in the profile that judges a change; more where a search asks for more."""
    return examples * settings.default.max_examples // 100


# --- generated ------------------------------------------------------------------------------------------------------

CURRENCIES = ("EUR", "JPY", "KWD", "ISK")
INTERVALS = (*(("month", 1),) * 6, ("year", 1), ("year", 1), ("week", 1), ("month", 3), ("day", 1))
"""Mostly the same, so that most moves stay within a period."""
_AMOUNTS = ("0", "1", "999", "1200", "1200", "33.5", "0.7", "4999.99", "120000")


def price_of(number: int, currency: str, interval: tuple[str, int], amount: str, shape: str) -> Price:
    """A price of one of the four shapes."""
    recurring = Recurring(*interval)
    whole = Price(f"price_{number}", f"prod_{number % 3}", f"Plan {number}", currency, amount, recurring)
    tiers = (Tier(3, amount, "100"), Tier(10, "33.3"), Tier(None, "20.25", "7"))
    if shape == "packages":
        return replace(whole, package_size=5)
    if shape in ("graduated", "volume"):
        return replace(whole, unit_amount="", billing_scheme="tiered", tiers_mode=shape, tiers=tiers)
    return whole


@st.composite
def catalogs(draw: st.DrawFn) -> list[Price]:
    currency = draw(st.sampled_from(CURRENCIES))
    shapes = st.sampled_from(("per_unit", "per_unit", "graduated", "volume", "packages"))
    return [
        price_of(n, currency, draw(st.sampled_from(INTERVALS)), draw(st.sampled_from(_AMOUNTS)), draw(shapes))
        for n in range(draw(st.integers(2, 4)))
    ]


@st.composite
def all_terms(draw: st.DrawFn, prices: list[Price]) -> Terms:
    currency = prices[0].currency
    coupons = [
        Coupon("half", percent_off="50", duration="forever"),
        Coupon("third", percent_off="33.3", duration="repeating", duration_in_months=2),
        Coupon("all", percent_off="100", duration="once"),
        Coupon("some", amount_off=Money(700, currency), duration="forever", products=("prod_1",)),
    ]
    made = terms(
        *prices,
        coupons=coupons,
        codes=[PromotionCode(f"promo_{each.id}", each.id.upper(), each.id) for each in coupons],
        proration_behavior=draw(st.sampled_from(("create_prorations", "always_invoice", "none"))),
        billing_cycle_anchor=draw(st.sampled_from(("unchanged", "unchanged", "unchanged", "now"))),
        trial_update_behavior=draw(st.sampled_from(("end_trial", "continue_trial"))),
        schedule_at_period_end=Schedule(
            draw(
                st.sampled_from(
                    ((), (), ("decreasing_item_amount",), ("shortening_interval", "decreasing_item_amount"))
                )
            )
        ),
        rules=draw(st.sampled_from(((), (), (), (Rule(("prod_0",), ("prod_1",), "period_end"),)))),
    )
    cancel = draw(
        st.sampled_from(
            (
                SubscriptionCancel(mode="immediately", proration_behavior="create_prorations"),
                SubscriptionCancel(mode="immediately"),
                SubscriptionCancel(),
            )
        )
    )
    retention = Retention(draw(st.sampled_from(("", "half", "third", "all", "some"))))
    features = replace(
        made.features,
        subscription_cancel=replace(cancel, retention=retention),
        subscription_pause=SubscriptionPause(enabled=True, max_cycles=3),
        subscription_restart=SubscriptionRestart(enabled=True),
    )
    return Terms(made.catalog, features)


@st.composite
def accounts(draw: st.DrawFn, prices: list[Price]) -> Account:
    """One subscription, paid or in its trial, on any day of two years: month ends and a leap day among them."""
    start = day(2027, 1, 1) + timedelta(days=draw(st.sampled_from((0, 30, 27, 424, 423, 58)) | st.integers(0, 730)))
    rates = draw(
        st.sampled_from(
            ((), (TaxRate("t", "19", "MwSt", inclusive=True),), (TaxRate("t", "8.875", "Tax"),), (TaxRate("t", "10"),))
        )
    )
    coupon = Coupon("old", percent_off="12.5", duration=draw(st.sampled_from(("forever", "once"))))
    price, quantity = draw(st.sampled_from(prices)), draw(st.integers(1, 12))
    more: dict[str, Any] = {
        "default_tax_rates": rates,
        "discounts": draw(st.sampled_from(((), (), (Discount("di", coupon),)))),
    }
    balance = draw(st.sampled_from((None, None, Money(-5000, price.currency), Money(250, price.currency))))
    holder = account(balance=balance, payment_methods=(replace(CARD, behavior=draw(_BEHAVIORS)),))
    end = next_end(start, price.recurring, start) or start
    whole = {"currency": price.currency, "created_at": start, "billing_cycle_anchor_at": start} | more
    if draw(st.integers(0, 5)) == 5:
        over = start + timedelta(days=14)
        found = subscription(item(start, over, quantity, price=price), status="trialing", trial_end_at=over, **whole)
        return settled(replace(holder, subscriptions=(found,)))
    return paid(holder, subscription(item(start, end, quantity, price=price), **whole), start)


_BEHAVIORS = st.sampled_from((*("",) * 9, "insufficient_funds", "requires_action"))


@st.composite
def asked(draw: st.DrawFn, prices: list[Price]) -> Move:
    return Move(
        price=draw(st.sampled_from([*(each.id for each in prices), *(each.id for each in prices), "", "price_none"])),
        quantity=draw(st.sampled_from((None, None, 0)) | st.integers(1, 15)),
        code=draw(st.sampled_from((*("",) * 8, "half", " THIRD ", "all", "some", "nothing"))),
    )


def changed(it: Account, found: Subscription) -> Account:
    return settled(with_subscription(it, found))
