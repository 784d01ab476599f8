"""The shapes of Stripe's JSON, as far as the portal reads them: today's API first, older exports where it is cheap.

Fields that nobody reads are left out and ignored. What Stripe leaves open (a status, a kind of payment method) is plain
text. What must be right is checked while it is read: a number that is text, a negative count or a date beyond the
calendar is refused with its JSON path, what was found and what was wanted. Most of Stripe's fields may be null.

A reference is an id, or the object itself where the request expanded it: `Ref`.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

Timestamp = Annotated[int, Meta(ge=0, le=221_845_392_000)]
"""Seconds since 1970, before the year 9000: periods can still be added to it."""
MOST = 10**12
"""Minor units: no amount is larger."""
Amount = Annotated[int, Meta(ge=-MOST, le=MOST)]
"""Minor units of a currency."""
Deduction = Annotated[int, Meta(ge=0, le=MOST)]
"""The same, of what is taken off: less than nothing would be charged on top."""
Cost = Deduction
"""And of what a price asks: less than nothing would be paid out with each period."""
_DECIMAL, _CURRENCY, _URL_ID = r"^-?[0-9]{1,12}(\.[0-9]{1,12})?$", r"^[A-Za-z]{3}$", r"^[A-Za-z0-9_-]{1,255}\Z"
_COST = _DECIMAL.replace("-?", "")
IN_WORDS = {
    _DECIMAL: 'a decimal number in quotes, such as "10.5"',
    _COST: 'a decimal number of 0 or more in quotes, such as "10.5"',
    _CURRENCY: 'a currency of three letters, such as "eur"',
    _URL_ID: "an id of 1 to 255 letters, digits, _ and -",
}
"""What these patterns mean, for the reader of a refusal."""
DecimalText = Annotated[str, Meta(pattern=_DECIMAL, max_length=30)]
CostText = Annotated[str, Meta(pattern=_COST, max_length=30)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Currency = Annotated[str, Meta(pattern=_CURRENCY)]
Id = Annotated[str, Meta(min_length=1, max_length=255)]
"""Of something that a merchant may name: a product, a plan, a coupon. Any text."""
UrlId = Annotated[str, Meta(pattern=_URL_ID)]
"""Of something that Stripe names, and that is in our URLs and in the ids of elements."""
Quantity = Annotated[int, Meta(ge=0, le=10**9)]
Count = Annotated[int, Meta(ge=1, le=1200)]
Ref = Id | dict[str, Any]
Metadata = dict[str, Any]


class Wire(Struct, frozen=True):
    """One of Stripe's objects."""


class Address(Wire, frozen=True):
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    state: str | None = None
    town: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Verification(Wire, frozen=True):
    status: str | None = None
    verified_name: str | None = None
    verified_address: str | None = None


class Owner(Wire, frozen=True):
    type: str | None = None
    customer: Ref | None = None
    customer_account: Id | None = None


class TaxId(Wire, frozen=True):
    id: Id
    value: str
    type: str = "unknown"
    verification: Verification | None = None
    customer: Ref | None = None
    customer_account: Id | None = None
    owner: Owner | None = None


class TaxIds(Wire, frozen=True):
    data: tuple[TaxId, ...] = ()


class Shipping(Wire, frozen=True):
    name: str | None = None
    phone: str | None = None
    address: Address | None = None


class CustomField(Wire, frozen=True):
    name: str
    value: str | None = None


class InvoiceSettings(Wire, frozen=True):
    default_payment_method: Ref | None = None
    custom_fields: tuple[CustomField, ...] | None = None
    footer: str | None = None


class Customer(Wire, frozen=True):
    id: UrlId
    created: Timestamp
    email: str | None = None
    name: str | None = None
    business_name: str | None = None
    individual_name: str | None = None
    phone: str | None = None
    address: Address | None = None
    shipping: Shipping | None = None
    tax_ids: TaxIds | None = None
    tax_exempt: str | None = None
    preferred_locales: tuple[str, ...] | None = None
    invoice_settings: InvoiceSettings | None = None
    default_source: Ref | None = None
    discount: dict[str, Any] | None = None
    balance: Amount | None = None
    currency: Currency | None = None
    invoice_prefix: str | None = None
    next_invoice_sequence: Annotated[int, Meta(ge=0, le=10**12)] | None = None
    metadata: Metadata | None = None


class Product(Wire, frozen=True):
    id: Id
    name: str
    active: bool = True
    unit_label: str | None = None
    description: str | None = None


class Recurring(Wire, frozen=True):
    interval: str
    interval_count: Count = 1
    usage_type: str = "licensed"


class Tier(Wire, frozen=True):
    up_to: Annotated[int, Meta(ge=1, le=10**12)] | str | None = None
    unit_amount: Cost | None = None
    unit_amount_decimal: CostText | None = None
    flat_amount: Cost | None = None
    flat_amount_decimal: CostText | None = None


class TransformQuantity(Wire, frozen=True):
    divide_by: Annotated[int, Meta(ge=1, le=10**9)]
    round: str = "up"


class CouponOption(Wire, frozen=True):
    amount_off: Deduction


class PriceOption(Wire, frozen=True):
    unit_amount: Cost | None = None
    unit_amount_decimal: CostText | None = None
    tiers: tuple[Tier, ...] | None = None


class Price(Wire, frozen=True):
    id: Id
    product: Ref
    currency: Currency
    active: bool = True
    unit_amount: Cost | None = None
    unit_amount_decimal: CostText | None = None
    recurring: Recurring | None = None
    nickname: str | None = None
    billing_scheme: str = "per_unit"
    tiers_mode: str | None = None
    tiers: tuple[Tier, ...] | None = None
    tax_behavior: str | None = None
    transform_quantity: TransformQuantity | None = None
    currency_options: dict[Currency, PriceOption] | None = None


class AppliesTo(Wire, frozen=True):
    products: tuple[Id, ...] = ()


class Coupon(Wire, frozen=True):
    id: Id
    duration: str
    name: str | None = None
    percent_off: Percent | None = None
    amount_off: Deduction | None = None
    currency: Currency | None = None
    currency_options: dict[Currency, CouponOption] | None = None
    duration_in_months: Count | None = None
    applies_to: AppliesTo | None = None
    redeem_by: Timestamp | None = None
    max_redemptions: Quantity | None = None
    times_redeemed: Quantity | None = None
    valid: bool = True


class Promotion(Wire, frozen=True):
    coupon: Ref | None = None


class RestrictionOption(Wire, frozen=True):
    minimum_amount: Deduction


class Restrictions(Wire, frozen=True):
    first_time_transaction: bool = False
    minimum_amount: Amount | None = None
    minimum_amount_currency: Currency | None = None
    currency_options: dict[Currency, RestrictionOption] | None = None


class PromotionCode(Wire, frozen=True):
    id: Id
    code: str
    active: bool = True
    promotion: Promotion | None = None
    coupon: Ref | None = None
    expires_at: Timestamp | None = None
    max_redemptions: Quantity | None = None
    times_redeemed: Quantity | None = None
    customer: Ref | None = None
    customer_account: Id | None = None
    restrictions: Restrictions | None = None


class Discount(Wire, frozen=True):
    id: Id
    source: Promotion | None = None
    coupon: Ref | None = None
    promotion_code: Ref | None = None
    start: Timestamp | None = None
    end: Timestamp | None = None


class TaxRate(Wire, frozen=True):
    id: Id
    percentage: Percent
    display_name: str | None = None
    inclusive: bool = False
    rate_type: str | None = None


Rates = Annotated[tuple[TaxRate | Id, ...], Meta(max_length=10)]
"""Tax rates as Stripe expands them, or by their ids."""


class Item(Wire, frozen=True):
    id: Id
    price: Ref
    quantity: Quantity | None = None
    current_period_start: Timestamp | None = None
    current_period_end: Timestamp | None = None
    discounts: tuple[Ref, ...] | None = None
    tax_rates: Rates | None = None


class Items(Wire, frozen=True):
    data: Annotated[tuple[Item, ...], Meta(min_length=1, max_length=100)]
    has_more: bool = False


class PauseCollection(Wire, frozen=True):
    behavior: str = "void"
    resumes_at: Timestamp | None = None


class AutomaticTax(Wire, frozen=True):
    enabled: bool = False


class EndBehavior(Wire, frozen=True):
    missing_payment_method: str | None = None


class TrialSettings(Wire, frozen=True):
    end_behavior: EndBehavior | None = None


class AnchorConfig(Wire, frozen=True):
    day_of_month: Annotated[int, Meta(ge=1, le=31)] | None = None


class CancellationDetails(Wire, frozen=True):
    comment: str | None = None
    feedback: str | None = None


class Subscription(Wire, frozen=True):
    id: UrlId
    status: str
    currency: Currency
    created: Timestamp
    items: Items
    customer: Ref | None = None
    customer_account: Id | None = None
    billing_cycle_anchor: Timestamp | None = None
    billing_cycle_anchor_config: AnchorConfig | None = None
    current_period_start: Timestamp | None = None
    current_period_end: Timestamp | None = None
    cancel_at_period_end: bool = False
    cancel_at: Timestamp | None = None
    canceled_at: Timestamp | None = None
    ended_at: Timestamp | None = None
    trial_start: Timestamp | None = None
    trial_end: Timestamp | None = None
    discounts: tuple[Ref, ...] | None = None
    discount: Ref | None = None
    automatic_tax: AutomaticTax | None = None
    trial_settings: TrialSettings | None = None
    cancellation_details: CancellationDetails | None = None
    default_payment_method: Ref | None = None
    default_source: Ref | None = None
    collection_method: str = "charge_automatically"
    days_until_due: Quantity | None = None
    pause_collection: PauseCollection | None = None
    default_tax_rates: Rates | None = None
    description: str | None = None
    latest_invoice: Ref | None = None
    schedule: Ref | None = None


class Card(Wire, frozen=True):
    brand: str | None = None
    display_brand: str | None = None
    last4: str | None = None
    exp_month: Annotated[int, Meta(ge=1, le=12)] | None = None
    exp_year: Annotated[int, Meta(ge=1970, le=8000)] | None = None


class PaymentMethod(Wire, frozen=True):
    """The part named like its `type` is read apart: there are too many kinds to list."""

    id: UrlId
    type: str
    created: Timestamp
    customer: Ref | None = None
    customer_account: Id | None = None
    card: Card | None = None
    metadata: Metadata | None = None
