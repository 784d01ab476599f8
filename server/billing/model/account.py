"""What the portal knows of a customer: one frozen document, `Account`, whatever the billing side is.

Templates read these structs, so the docstring under a field is the designers' reference (the gallery prints it).
Words for statuses and kinds are Stripe's; they stay plain text because the billing side may add one at any time:
an unknown word is shown as "other", it never crashes a page.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.billing.model.catalog import (
    Catalog,
    Coupon,
    Discount,
    Price,
    Product,
    PromotionCode,
    Recurring,
    TaxRate,
    Tier,
)
from server.billing.model.invoice import (
    Address,
    BuyerTaxId,
    CreditNote,
    CustomField,
    Invoice,
    InvoiceDiscount,
    InvoiceLine,
    InvoiceTax,
    LineTax,
    Payment,
)
from server.formats.money import Money

__all__ = [
    "ACTIVE",
    "ALIVE",
    "ENDED",
    "LATEST_INVOICES",
    "MOST_DEBTS",
    "PAYABLE",
    "Account",
    "Address",
    "Awaiting",
    "Basis",
    "Becoming",
    "BuyerTaxId",
    "Catalog",
    "Coupon",
    "CreditNote",
    "CustomField",
    "Customer",
    "Discount",
    "Invoice",
    "InvoiceDiscount",
    "InvoiceLine",
    "InvoiceTax",
    "Item",
    "LineTax",
    "Payment",
    "PaymentMethod",
    "Pending",
    "Phase",
    "PhaseItem",
    "Price",
    "Product",
    "PromotionCode",
    "Recurring",
    "Scheduled",
    "Subscription",
    "TaxId",
    "TaxRate",
    "Tier",
    "Upcoming",
]

ACTIVE = frozenset({"active", "trialing", "past_due"})
"""The statuses that count as an active subscription at log-in."""

ALIVE = ACTIVE | {"unpaid", "paused", "incomplete"}
"""The statuses from which a subscription can still be canceled."""


ENDED = frozenset({"canceled", "incomplete_expired"})
"""The statuses that nothing leads out of."""

PAYABLE = frozenset({"open", "uncollectible"})
"""The statuses of an invoice that can be paid: Stripe takes money for one that was written off, too."""


class TaxId(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    kind: str
    """Stripe's type, such as `eu_vat`."""
    value: str
    verification: str = ""
    """`pending`, `verified`, `unverified`, `unavailable` or empty."""
    verified_name: str = ""
    """Whose the office says it is, where it does."""
    verified_address: str = ""


class Customer(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    """Opaque: `cus_…` or, for a v2 account, `acct_…`."""
    email: str
    """As the billing side stores it; mail goes here, never to what somebody typed."""
    created_at: datetime
    name: str = ""
    phone: str = ""
    address: Address = Address()
    shipping_name: str = ""
    shipping_phone: str = ""
    shipping: Address = Address()
    tax_ids: tuple[TaxId, ...] = ()
    tax_exempt: str = ""
    """`reverse` or `exempt`; empty: taxed as usual. Its invoices repeat it."""
    preferred_locales: tuple[str, ...] = ()
    default_payment_method: str = ""
    """The id of one of the account's payment methods, or empty."""
    disabled: bool = False
    """The merchant switched this customer off: no log-in, and open sessions end."""
    invoice_fields: tuple[CustomField, ...] = ()
    """Its new invoices say these, too, such as the number of a purchase order."""
    invoice_footer: str = ""
    """The text at the foot of its new invoices; empty: the brand's."""
    invoice_prefix: str = ""
    """Where the numbers of the customer's invoices begin."""
    next_invoice_sequence: int = 1
    discounts: tuple[Discount, ...] = ()
    """Of the customer: they count for a subscription that has none of its own, which repeats them."""


class PaymentMethod(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    kind: str
    """`card`, `sepa_debit`, `us_bank_account`, `paypal`, `link`, or another word of the billing side."""
    created_at: datetime
    brand: str = ""
    """`visa`, `mastercard`, …; for a bank debit, the bank's name where known."""
    last4: str = ""
    exp_month: int = 0
    exp_year: int = 0
    """0 where the kind does not expire."""
    behavior: str = ""
    """Sandbox only: what happens when it is charged (empty: it works; else a decline code or `requires_action`)."""


class Basis(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a running period is worth where its own invoice does not say so, because the plan changed within it."""

    net: str
    """For a whole period, after discounts, exact, in minor units: `3100` or `2001/2`."""
    invoice: str = ""
    """The invoice that it was paid with, where there is one."""


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    price: Price
    current_period_start_at: datetime
    current_period_end_at: datetime
    quantity: int = 1
    basis: Basis | None = None
    """Set by a change within the period; None: the period's invoice counts, or the price."""
    discounts: tuple[Discount, ...] = ()
    """Of this item alone; taken off before those of the subscription, in this order."""
    tax_rates: tuple[TaxRate, ...] = ()
    """They take the place of the subscription's; empty: those count."""


class Pending(msgspec.Struct, frozen=True, omit_defaults=True):
    """A credit or charge that waits for the next invoice."""

    line: InvoiceLine
    """Its own discounts are taken off already."""
    taxes: tuple[InvoiceTax, ...] = ()
    is_discountable: bool = False
    """The discounts of the subscription are taken off it, too, when it is billed; never of a proration."""
    product: str = ""
    """What it is for, where that is known."""


class Scheduled(msgspec.Struct, frozen=True, omit_defaults=True):
    """A change that takes effect by itself."""

    at: datetime
    price: Price
    quantity: int
    asked_at: datetime
    discount: Discount | None = None
    """Begins with it."""
    id: str = ""
    """What the billing side calls it, where it has a name of its own."""


class Becoming(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the ledger makes of a subscription once the change that waits is paid."""

    status: str
    items: tuple[Item, ...]
    billing_cycle_anchor_at: datetime
    trial_end_at: datetime | None = None
    discounts: tuple[Discount, ...] = ()
    discount: Discount | None = None
    """The one that comes with the change."""


class Awaiting(msgspec.Struct, frozen=True, omit_defaults=True):
    """A change that the customer has still to pay for. Until then everything stays as it was."""

    price: Price
    quantity: int
    invoice: str
    """The id of what is to be paid for it."""
    until: datetime
    """When the billing side gives it up by itself."""
    becomes: Becoming | None = None
    """None: the billing side remembers it."""


class PhaseItem(msgspec.Struct, frozen=True, omit_defaults=True):
    price: Price
    quantity: int = 1
    discounts: tuple[Discount, ...] = ()
    tax_rates: tuple[TaxRate, ...] = ()
    is_discountable: bool = True
    """The discounts of the subscription are taken off it, too."""


class Phase(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a schedule of the business makes of a subscription from a moment on."""

    at: datetime
    items: tuple[PhaseItem, ...]
    discounts: tuple[Discount, ...] = ()
    default_tax_rates: tuple[TaxRate, ...] = ()
    collection_method: str = ""
    """Empty: it stays as it was."""
    days_until_due: int | None = None
    """None: they stay as they were."""
    proration_behavior: str = "create_prorations"
    """What becomes of a period that it begins within: Stripe's word."""
    is_new_anchor: bool = False
    """A new period begins with it, within a running one too."""
    adds: tuple[PhaseItem, ...] = ()
    """What its first invoice charges once, where the ledger bills it."""


class Subscription(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    status: str
    """`incomplete`, `incomplete_expired`, `trialing`, `active`, `past_due`, `unpaid`, `canceled`, `paused`, or a word we do not know."""
    currency: str
    items: tuple[Item, ...]
    created_at: datetime
    billing_cycle_anchor_at: datetime
    cancel_at_period_end: bool = False
    cancel_at: datetime | None = None
    """When it ends, where that is decided; set for both ways to say so."""
    canceled_at: datetime | None = None
    """When somebody asked for the end."""
    ended_at: datetime | None = None
    trial_start_at: datetime | None = None
    trial_end_at: datetime | None = None
    discounts: tuple[Discount, ...] = ()
    default_payment_method: str = ""
    """Pins a payment method; empty: the customer's default."""
    collection_method: str = "charge_automatically"
    """or `send_invoice`."""
    days_until_due: int = 0
    pause_resumes_at: datetime | None = None
    pause_behavior: str = ""
    """Stripe's `pause_collection.behavior`; empty: not paused."""
    default_tax_rates: tuple[TaxRate, ...] = ()
    tax_exempt: str = ""
    """The customer's `tax_exempt`, so that every sum of the subscription heeds it."""
    automatic_tax: bool = False
    """The billing side works out its taxes by itself: what is shown here comes without them."""
    trial_without_method: str = ""
    """What the end of the trial does where there is nothing to charge: `cancel`, `pause`; empty: it is billed."""
    description: str = ""
    latest_invoice: str = ""
    schedule: str = ""
    """A schedule of the business, by its id."""
    phases: tuple[Phase, ...] = ()
    """The phases of that schedule that are still to come, in their order."""
    scheduled: Scheduled | None = None
    """A later change that the customer asked for."""
    awaiting: Awaiting | None = None
    """A change that waits for its payment."""
    pending: tuple[Pending, ...] = ()
    """Goes into the next invoice."""
    paused_at: datetime | None = None
    """When the customer paused it; None with a `pause_behavior`: the business did."""
    paused_why: str = ""
    """For the status `paused`, the billing side's word, such as `pause_requested` or `trial_end_without_payment_method`."""
    feedback: str = ""
    """Why it was canceled: Stripe's word."""
    comment: str = ""
    """The same in the customer's own words."""
    retained: str = ""
    """The coupon that was accepted instead of a cancellation."""
    restarted_as: str = ""
    """The subscription that it was started again as."""

    @property
    def current_period_end_at(self) -> datetime:
        """When the next of its items' periods ends."""
        return min(item.current_period_end_at for item in self.items)


class Upcoming(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a subscription charges next, tax and discounts included."""

    subscription: str
    at: datetime
    total: Money | None
    """None: the billing side has not said; pages then show the date alone."""
    plus_usage: bool = False
    """What is used until then is charged too."""
    plus_tax: bool = False
    """Tax comes on top that nobody here can work out."""


class Account(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything of one customer that a page needs: one document, one row, one version."""

    customer: Customer
    as_of: datetime
    """How fresh this is: the ledger's clock, or the time when the fetch from Stripe began."""
    subscriptions: tuple[Subscription, ...] = ()
    """Newest first; ended ones last."""
    payment_methods: tuple[PaymentMethod, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    """Newest first: the latest `LATEST_INVOICES`, and of the older ones those that are still to be paid."""
    has_older_invoices: bool = False
    upcoming: tuple[Upcoming, ...] = ()
    """What each subscription charges next; a subscription that is left out charges nothing, or nobody knows."""
    balance: Money | None = None
    """Credit (negative) or debt (positive) that the next invoice takes into account."""

    @property
    def latest_invoices(self) -> tuple[Invoice, ...]:
        """No older one is missing in between."""
        return self.invoices[:LATEST_INVOICES]

    @property
    def older_debts(self) -> tuple[Invoice, ...]:
        """Those that are still to be paid and older than the latest."""
        return self.invoices[LATEST_INVOICES:]

    def subscription(self, subscription_id: str) -> Subscription | None:
        return next((each for each in self.subscriptions if each.id == subscription_id), None)

    def payment_method(self, method_id: str) -> PaymentMethod | None:
        return next((each for each in self.payment_methods if each.id == method_id), None)


LATEST_INVOICES = 12
MOST_DEBTS = 50
"""At most this many older invoices that are still to be paid are kept in an account: a document must not grow with them."""
