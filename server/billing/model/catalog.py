"""What a brand sells: products, prices, coupons, promotion codes and tax rates."""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.formats.money import Money


class Recurring(msgspec.Struct, frozen=True, omit_defaults=True):
    interval: str
    """`day`, `week`, `month` or `year`."""
    count: int = 1
    usage: str = "licensed"
    """`licensed` or `metered`."""


class Tier(msgspec.Struct, frozen=True, omit_defaults=True):
    up_to: int | None
    """Last quantity of the tier; None: without end."""
    unit_amount: str = ""
    """Decimal, in minor units."""
    flat_amount: str = ""


class Price(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    product: str
    """The product's id."""
    product_name: str
    currency: str
    unit_amount: str = ""
    """Decimal, in minor units, since a price may be a fraction of a cent; empty where tiers say it."""
    recurring: Recurring | None = None
    nickname: str = ""
    unit_label: str = ""
    """What one unit is called, such as `seat`."""
    billing_scheme: str = "per_unit"
    """`per_unit` or `tiered`."""
    tiers_mode: str = ""
    """`graduated` or `volume`."""
    tiers: tuple[Tier, ...] = ()
    tax_behavior: str = "unspecified"
    active: bool = True
    package_size: int = 1
    """How many units the price is for."""
    package_round: str = "up"
    """What a started package counts: `up` as a whole one, `down` not at all."""


class Product(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    name: str
    active: bool = True
    unit_label: str = ""
    description: str = ""


class Coupon(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    name: str = ""
    percent_off: str = ""
    """Decimal, such as `12.5`; empty where `amount_off` says it."""
    amount_off: Money | None = None
    other_amounts: tuple[Money, ...] = ()
    """What it takes off in other currencies, where the business said so."""
    duration: str = "once"
    """`once`, `repeating` or `forever`."""
    duration_in_months: int = 0
    products: tuple[str, ...] = ()
    """Applies to these only; empty: to everything."""
    redeem_by: datetime | None = None
    max_redemptions: int = 0
    """0: as often as wanted."""
    times_redeemed: int = 0
    valid: bool = True
    """The billing side says that it can still be given."""


class PromotionCode(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    code: str
    """What the customer types."""
    coupon: str
    """The coupon's id."""
    active: bool = True
    expires_at: datetime | None = None
    max_redemptions: int = 0
    """0: as often as wanted."""
    times_redeemed: int = 0
    customer: str = ""
    """For this one only; empty: for everybody."""
    first_time: bool = False
    """Only for who never paid anything before."""
    minimum: Money | None = None
    """What a period must cost at least, before discounts."""
    other_minimums: tuple[Money, ...] = ()
    """The same in other currencies, where the business said so."""


class Discount(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    coupon: Coupon
    promotion_code: str = ""
    """As the customer typed it, or may type it."""
    redeemed: str = ""
    """The id of the promotion code, where it was redeemed in this portal."""
    start_at: datetime | None = None
    end_at: datetime | None = None
    of_customer: bool = False
    """Given to the customer, not to the subscription: the subscription's own take its place."""


class TaxRate(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    percentage: str
    """Decimal, such as `19`."""
    display_name: str = ""
    inclusive: bool = False


class Catalog(msgspec.Struct, frozen=True):
    """What a change may name: each by its id, except promotion codes."""

    products: dict[str, Product] = {}
    prices: dict[str, Price] = {}
    coupons: dict[str, Coupon] = {}
    codes: tuple[PromotionCode, ...] = ()
    """The promotion codes that were asked for; several may share the same text."""
