"""The payment methods that a customer may pay with: which is the default, which lapses, which subscription uses which."""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.billing import ALIVE, Account, PaymentMethod
from server.rendering import View


class Row(msgspec.Struct, frozen=True):
    """One payment method."""

    method: PaymentMethod
    is_default: bool = False
    """Charged for every subscription that names no other."""
    expiry: str = ""
    """`expired`, `soon` (this month or the next one), or empty."""
    pinned_by: tuple[str, ...] = ()
    """The names of the running subscriptions that are paid with this one, whatever the default is."""


class List(View, frozen=True):
    """Every payment method, the default first."""

    rows: tuple[Row, ...] = ()


def listing(account: Account, now: datetime) -> List:
    methods = sorted(account.payment_methods, key=lambda each: each.id != account.customer.default_payment_method)
    return List(rows=tuple(_row(method, account, now) for method in methods))


def expiry(method: PaymentMethod, now: datetime) -> str:
    """`expired`, `soon` or empty. A card is good until the end of the month that it names."""
    if not method.exp_year or not method.exp_month:
        return ""
    months_left = (method.exp_year - now.year) * 12 + method.exp_month - now.month
    if months_left < 0:
        return "expired"
    return "soon" if months_left <= 1 else ""


def _row(method: PaymentMethod, account: Account, now: datetime) -> Row:
    return Row(
        method=method,
        is_default=method.id == account.customer.default_payment_method,
        expiry=expiry(method, now),
        pinned_by=tuple(
            each.description or each.items[0].price.product_name
            for each in account.subscriptions
            if each.default_payment_method == method.id and each.status in ALIVE
        ),
    )
