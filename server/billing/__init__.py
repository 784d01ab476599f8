"""The port to whatever does the billing, its types and its errors.

Two backends stand behind it, `ledger` (embedded) and later `stripe`; features know only this module. A verb that changes
something takes the idempotency key of the form that asked for it: the same key again has no second effect and answers
the state as it is now.

See `errors` for what they raise, `ports` for the verbs.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from server.billing.detail_types import BillingAddress, Contact, Shipping, Update
from server.billing.model.account import (
    ACTIVE,
    ALIVE,
    ENDED,
    LATEST_INVOICES,
    Account,
    Address,
    Basis,
    BuyerTaxId,
    Catalog,
    Coupon,
    Customer,
    Discount,
    Invoice,
    InvoiceDiscount,
    InvoiceLine,
    InvoiceTax,
    Item,
    LineTax,
    Payment,
    PaymentMethod,
    Pending,
    Price,
    Product,
    PromotionCode,
    Recurring,
    Scheduled,
    Subscription,
    TaxId,
    TaxRate,
    Tier,
    Upcoming,
)
from server.billing.model.change import Canceled, Cancellation, Change, Changed, Charge, Plan, Preview
from server.billing.model.errors import BillingError, NotFound, Refusal, Refused, Unavailable, Uncertain
from server.billing.model.port import (
    Accounts,
    Activity,
    Details,
    InvoiceFilter,
    InvoicePage,
    Invoices,
    PaymentMethods,
    Sandbox,
    Subscriptions,
)
from server.billing.paying_types import Paying
from server.formats.money import Money

__all__ = [
    "ACTIVE",
    "ALIVE",
    "ENDED",
    "LATEST_INVOICES",
    "Account",
    "Activity",
    "Address",
    "Basis",
    "Billing",
    "BillingAddress",
    "BillingError",
    "BuyerTaxId",
    "Canceled",
    "Cancellation",
    "Catalog",
    "Change",
    "Changed",
    "Charge",
    "Contact",
    "Coupon",
    "Customer",
    "Details",
    "Discount",
    "Invoice",
    "InvoiceDiscount",
    "InvoiceFilter",
    "InvoiceLine",
    "InvoicePage",
    "InvoiceTax",
    "Item",
    "LineTax",
    "Money",
    "NotFound",
    "Paying",
    "Payment",
    "PaymentMethod",
    "Pending",
    "Plan",
    "Preview",
    "Price",
    "Product",
    "PromotionCode",
    "Recurring",
    "Refusal",
    "Refused",
    "Sandbox",
    "Scheduled",
    "Shipping",
    "Subscription",
    "TaxId",
    "TaxRate",
    "Tier",
    "Unavailable",
    "Uncertain",
    "Upcoming",
    "Update",
]


@runtime_checkable
class Billing(Accounts, Details, Invoices, PaymentMethods, Subscriptions, Protocol):
    """One brand's billing."""
