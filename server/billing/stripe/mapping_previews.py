"""Stripe's preview of an invoice -> what a page shows of it. Pure.

A preview answers the invoice that is due at once, or the next renewal where nothing is due: `is_renewal` tells them
apart, by a line that is a period's and no proration.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from server.billing.model.account import InvoiceLine, PaymentMethod
from server.billing.model.change import Charge
from server.billing.stripe import mapping_invoices
from server.billing.stripe.reading import Known, part, parts
from server.formats.money import Money


def charge(raw: dict[str, Any], known: Known) -> Charge:
    found = mapping_invoices.invoice(raw, known)[1]
    return Charge(
        lines=tuple(_named(each, known) for each in found.lines),
        discounts=found.discounts,
        taxes=found.taxes,
        subtotal=found.subtotal,
        total=found.total,
        due=Money(raw.get("amount_due") or 0, found.currency),
        balance_applied=found.balance_applied,
    )


def _named(line: InvoiceLine, known: Known) -> InvoiceLine:
    """A page says by itself that a line is for unused or remaining time: of it, only the product's name is needed."""
    price = known.price(line.price) if line.proration else None
    return replace(line, description=price.product_name) if price and price.product_name else line


def is_renewal(raw: dict[str, Any]) -> bool:
    found = [part(line, "parent", "subscription_item_details") for line in parts(raw, "lines", "data")]
    return any(each and not each.get("proration") for each in found)


def seen_of(found: Charge | None, method: PaymentMethod | None) -> tuple[object, ...]:
    """The amounts that a page shows, and what pays for them."""
    if found is None:
        return ()
    parts = (found.lines, found.discounts, found.taxes)
    amounts = tuple(tuple(each.amount for each in part) for part in parts)
    return found.total, found.due, found.balance_applied, amounts, method.id if method else ""
