"""Invoices: pending items and lines become a draft, a draft becomes open, and the customer's balance is used first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.stripe.billing import paying
from tests.stripe.money import discounts as off
from tests.stripe.money.pricing import amount_of, unit_decimal
from tests.stripe.money.taxes import tax
from tests.stripe.rendering import page
from tests.stripe.world import Json, World, belongs_to, owner_of

_DRAFT_FOR = 3600
"""An invoice that time made is a draft for an hour."""


def priced(price: Json, quantity: int) -> Json:
    details = {"price": price["id"], "product": price["product"]}
    return {"type": "price_details", "price_details": details, "unit_amount_decimal": unit_decimal(price, quantity)}


def named(world: World, price: Json, quantity: int | None) -> str:
    name = world.get("product", price["product"])["name"]
    return f"{quantity} × {name}" if (quantity or 1) != 1 else str(name)


def proration(world: World, subscription: Json, item: Json, amount: int, at: int, *, unused: bool) -> Json:
    """A pending invoice item for a part of a period."""
    price, quantity = world.get("price", item["price"]), item.get("quantity")
    day = f"{datetime.fromtimestamp(at, UTC):%d %b %Y}"
    details = {"subscription": subscription["id"], "subscription_item": item["id"]}
    return world.add(
        "invoiceitem", **belongs_to(owner_of(subscription) or ""), amount=amount, currency=subscription["currency"],
        date=at, description=f"{'Unused' if unused else 'Remaining'} time on {named(world, price, quantity)} after {day}",
        period={"start": at, "end": item["current_period_end"]}, proration=True, quantity=quantity or 0,
        quantity_decimal=str(quantity or 0), pricing=priced(price, quantity or 0), net_amount=amount,
        parent={"type": "subscription_details", "subscription_details": details}, proration_details={"discount_amounts": []},
        tax_rates=item["tax_rates"],
    )  # fmt: skip


def pending(world: World, subscription: Json) -> list[Json]:
    return [
        row for row in world.of(owner_of(subscription) or "", "invoiceitem")
        if row.get("invoice") is None and _subscription_of(row) in (None, subscription["id"])
        and row["currency"] == subscription["currency"]
    ]  # fmt: skip


def _subscription_of(row: Json) -> Any:
    return ((row.get("parent") or {}).get("subscription_details") or {}).get("subscription")


def period_line(world: World, subscription: Json, item: Json, *, free: bool = False) -> Json:
    """A line for an item's whole period; free in a trial."""
    price, quantity = world.get("price", item["price"]), item.get("quantity")
    amount = 0 if free else amount_of(price, quantity or 0)
    details = {"subscription": subscription["id"], "subscription_item": item["id"], "proration": False}
    return _line(
        world, amount=amount, currency=subscription["currency"], quantity=quantity or 0, discountable=not free,
        description=f"Trial period for {named(world, price, quantity)}" if free else named(world, price, quantity),
        period={"start": item["current_period_start"], "end": item["current_period_end"]}, _tax_rates=item["tax_rates"],
        parent={"type": "subscription_item_details", "subscription_item_details": details}, subscription=subscription["id"],
        pricing=priced(price, quantity or 0), subtotal=amount,
    )  # fmt: skip


def _item_line(world: World, row: Json) -> Json:
    """The line that a pending invoice item becomes."""
    of = (row.get("parent") or {}).get("subscription_details")
    details = {"invoice_item": row["id"], "proration": row["proration"]}
    kind = "subscription_item_details" if of else "invoice_item_details"
    return _line(
        world, amount=row["amount"], currency=row["currency"], quantity=row["quantity"], discountable=row["discountable"],
        description=row.get("description"), period=row["period"], _tax_rates=row.get("tax_rates"), pricing=row.get("pricing"),
        parent={"type": kind, kind: details | (of or {})}, subscription=(of or {}).get("subscription"),
        subtotal=row["amount"],
    )  # fmt: skip


def _line(world: World, **fields: Any) -> Json:
    """A line is no object of a table: it stands in its invoice."""
    made = world.add("line_item", **fields)
    del world.tables["line_item"][made["id"]]
    return made


def draft(
    world: World, subscription: Json, items: list[Json], lines: list[Json], *, reason: str, at: int | None = None
) -> Json:
    """An invoice of these pending items and lines, with discounts and taxes."""
    owner = world.customer(owner_of(subscription) or "")
    every = [_item_line(world, row) for row in items] + lines
    moment = world.now if at is None else at
    spans = [line["period"] for line in lines] or [{"start": moment, "end": moment}]
    invoice = world.add(
        "invoice", **belongs_to(owner["id"]), currency=subscription["currency"], billing_reason=reason,
        collection_method=subscription["collection_method"], default_tax_rates=list(subscription["default_tax_rates"]),
        discounts=off.running(world, subscription["discounts"]), default_payment_method=None, _subscription=subscription["id"],
        customer_email=owner.get("email"), customer_address=owner.get("address"),
        customer_name=owner.get("name"), customer_phone=owner.get("phone"),
        customer_shipping=owner.get("shipping"), customer_tax_exempt=owner.get("tax_exempt", "none"),
        customer_tax_ids=[{"type": row["type"], "value": row["value"]} for row in world.of(owner["id"], "tax_id")],
        period_start=spans[0]["start"] if reason != "subscription_cycle" else moment, period_end=moment,
        parent={"type": "subscription_details",
                "subscription_details": {"subscription": subscription["id"], "metadata": dict(subscription["metadata"])}},
        automatically_finalizes_at=moment + _DRAFT_FOR, **_nothing(),
    )  # fmt: skip
    for line in every:
        line["invoice"] = invoice["id"]
    for row in items:
        row["invoice"] = invoice["id"]
    invoice["lines"] = page(every, f"/v1/invoices/{invoice['id']}/lines")
    add_up(world, invoice)
    off.check_minimum(world, subscription["discounts"], invoice["subtotal"])
    subscription["latest_invoice"] = invoice["id"]
    subscription["discounts"] = off.outlasting(world, subscription["discounts"], moment)
    world.tell("invoice.created", invoice)
    return invoice


def _nothing() -> Json:
    sums = ("amount_due", "amount_paid", "amount_remaining", "subtotal", "total")
    return {**dict.fromkeys(sums, 0), "lines": page([], "/v1/invoices")}


def add_up(world: World, invoice: Json) -> None:
    """The invoice's sums, from its lines."""
    lines = invoice["lines"]["data"]
    for line in lines:
        line["discount_amounts"] = []
    invoice["total_discount_amounts"] = off.take_off(world, invoice["discounts"], lines)
    invoice["total_taxes"] = tax(world, lines, invoice["default_tax_rates"], invoice["customer_tax_exempt"])
    subtotal = sum(line["amount"] for line in lines)
    taken = sum(each["amount"] for each in invoice["total_discount_amounts"])
    on_top = sum(each["amount"] for each in invoice["total_taxes"] if each["tax_behavior"] == "exclusive")
    inside = sum(each["amount"] for each in invoice["total_taxes"] if each["tax_behavior"] == "inclusive")
    total = subtotal - taken + on_top
    invoice.update(
        subtotal=subtotal,
        total=total,
        subtotal_excluding_tax=subtotal - inside,
        total_excluding_tax=total - on_top - inside,
    )
    _use_balance(world, invoice)


def _use_balance(world: World, invoice: Json) -> None:
    """What the balance leaves to pay. A credit is negative; a total below zero adds to it."""
    balance = world.customer(owner_of(invoice) or "").get("balance", 0)
    total = invoice["total"]
    after = balance + total if total < 0 else min(balance + total, 0) if balance < 0 else 0
    invoice["starting_balance"] = balance
    invoice["_ending_balance"] = after
    due = max(total + balance, 0) if total >= 0 else 0
    invoice.update(amount_due=due, amount_remaining=due - invoice["amount_paid"])


def finalize(world: World, invoice: Json) -> None:
    """Give the draft its number and use the balance; nothing is paid yet, unless nothing is left to pay."""
    owner = world.customer(owner_of(invoice) or "")
    _use_balance(world, invoice)
    number = owner.get("next_invoice_sequence") or 1
    owner["next_invoice_sequence"] = number + 1
    prefix = owner.get("invoice_prefix") or owner["id"][-8:].upper()
    if invoice["_ending_balance"] != invoice["starting_balance"]:
        owner["balance"] = invoice["_ending_balance"]
        world.add(
            "customer_balance_transaction", **belongs_to(owner["id"]), amount=owner["balance"] - invoice["starting_balance"],
            currency=invoice["currency"], ending_balance=owner["balance"], type="applied_to_invoice", invoice=invoice["id"],
            metadata={},
        )  # fmt: skip
        world.tell("customer.updated", owner, {"balance": invoice["starting_balance"]})
    invoice.update(
        status="open", number=f"{prefix}-{number:04d}", ending_balance=invoice["_ending_balance"],
        hosted_invoice_url=f"{world.base}/i/{invoice['id']}", invoice_pdf=f"{world.base}/i/{invoice['id']}/pdf",
        automatically_finalizes_at=None, effective_at=world.now,
        status_transitions={**invoice["status_transitions"], "finalized_at": world.now},
    )  # fmt: skip
    days = _subscription(world, invoice).get("days_until_due")
    if invoice["collection_method"] == "send_invoice":
        invoice["due_date"] = world.now + (days or 30) * 86_400
    world.tell("invoice.finalized", invoice)
    if invoice["amount_due"] == 0:
        paying.mark_paid(world, invoice)
    else:
        paying.ask_for(world, invoice)


def _subscription(world: World, invoice: Json) -> Json:
    return world.find(invoice.get("_subscription") or "", "subscription") or {}
