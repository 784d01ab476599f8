"""Stripe-shaped JSON for the sample customers, as the API writes it today.

Nothing is random: ids come from a hash of the brand and a label, dates from the `now` that is passed in. So the same
brand and the same moment give the same samples, byte for byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from server.billing.ledger.sums.bills import taxes_on
from server.billing.model.account import TaxRate
from server.billing.model.amounts import shares
from server.billing.model.periods import add_months
from server.publishing.samples.wares import Ware, in_minor_units

Json = dict[str, Any]


@dataclass(frozen=True)
class Shapes:
    """Writes objects of one brand's customers."""

    brand: str
    now: datetime

    def ident(self, kind: str, label: str) -> str:
        return f"{kind}_{blake2b(f'{self.brand} {kind} {label}'.encode(), digest_size=8).hexdigest()}"

    def period_start(self, days: int) -> datetime:
        """A day about this many days ago that every month has: periods that begin on it never move."""
        moment = (self.now - timedelta(days=days)).replace(hour=9, minute=0, second=0, microsecond=0)
        return moment - timedelta(days=max(moment.day - 28, 0))

    def customer(self, label: str, email: str, name: str, created: datetime, **more: Any) -> Json:
        return {
            "id": self.ident("cus", label),
            "object": "customer",
            "created": seconds(created),
            "email": email,
            "name": name,
            "livemode": False,
            "metadata": {},
            "invoice_prefix": self.ident("cus", label)[-8:].upper(),
            "preferred_locales": [],
            "invoice_settings": {"default_payment_method": None},
            **more,
        }

    def card(self, label: str, customer: str, brand: str, last4: str, expires: tuple[int, int], **more: Any) -> Json:
        year, month = expires
        card = {"brand": brand, "last4": last4, "exp_month": month, "exp_year": year}
        return self.method(label, customer, "card", card, **more)

    def method(self, label: str, customer: str, kind: str, part: Json, **more: Any) -> Json:
        created = seconds(self.now - timedelta(days=400))
        head = {"id": self.ident("pm", label), "object": "payment_method", "type": kind, "created": created}
        return {**head, "customer": customer, "livemode": False, "metadata": {}, kind: part, **more}

    def product_id(self, ware: Ware) -> str:
        """Readable, since `portal.toml` names it."""
        return f"prod_{self.brand}_{ware.of or ware.key}"

    def price_id(self, ware: Ware, currency: str) -> str:
        return f"price_{self.brand}_{ware.key}_{currency}"

    def price(self, ware: Ware, currency: str) -> Json:
        recurring: Json = {"interval": ware.interval, "interval_count": 1, "usage_type": ware.usage}
        price: Json = {
            "id": self.price_id(ware, currency),
            "object": "price",
            "active": True,
            "created": seconds(self.now - timedelta(days=1500)),
            "currency": currency,
            "product": self.product_id(ware),
            "recurring": recurring,
            "type": "recurring",
            "livemode": False,
            "billing_scheme": "tiered" if ware.tiers else "per_unit",
            "tax_behavior": "inclusive",
        }
        if ware.tiers:
            tiers = [{"up_to": up_to, "unit_amount": in_minor_units(cents, currency)} for up_to, cents in ware.tiers]
            return {**price, "tiers_mode": "graduated", "tiers": tiers, "unit_amount": None}
        amount = in_minor_units(ware.cents, currency)
        return {**price, "unit_amount": amount, "unit_amount_decimal": str(amount)}

    def product(self, ware: Ware) -> Json:
        head = {"id": self.product_id(ware), "object": "product", "name": ware.name, "active": True}
        return {**head, "unit_label": ware.unit, "description": ware.description, "livemode": False}

    def item(self, label: str, ware: Ware, currency: str, period: tuple[datetime, datetime], quantity: int) -> Json:
        item: Json = {
            "id": self.ident("si", f"{label} {ware.key}"),
            "object": "subscription_item",
            "price": self.price(ware, currency),
            "current_period_start": seconds(period[0]),
            "current_period_end": seconds(period[1]),
        }
        return item if ware.usage == "metered" else {**item, "quantity": quantity}

    def subscription(
        self,
        label: str,
        customer: str,
        wares: Sequence[tuple[Ware, int]],
        *,
        currency: str,
        start: datetime,
        **more: Any,
    ) -> Json:
        """A subscription whose current period began at `start`; `more` says what is special about it."""
        months = 12 if wares[0][0].interval == "year" else 1
        period = (start, more.pop("period_end", None) or add_months(start, months))
        return {
            "id": self.ident("sub", label),
            "object": "subscription",
            "status": "active",
            "customer": customer,
            "currency": currency,
            "created": seconds(start),
            "billing_cycle_anchor": seconds(start),
            "cancel_at_period_end": False,
            "cancel_at": None,
            "canceled_at": None,
            "collection_method": "charge_automatically",
            "default_tax_rates": [],
            "discounts": [],
            "items": {"object": "list", "has_more": False, "data": [
                self.item(label, ware, currency, period, quantity) for ware, quantity in wares
            ]},
            "livemode": False,
            **more,
        }  # fmt: skip

    def tax_rate(self, country: str, name: str, percentage: float, *, inclusive: bool = True) -> Json:
        head = {"id": self.ident("txr", country), "object": "tax_rate", "country": country, "display_name": name}
        return {**head, "percentage": percentage, "inclusive": inclusive, "active": True, "livemode": False}

    def invoice(
        self,
        label: str,
        customer: Json,
        lines: Sequence[tuple[str, int]],
        *,
        currency: str,
        at: datetime,
        number: int,
        rate: Json | None = None,
        subscription: str | None = None,
        price: str | None = None,
        status: str = "paid",
        failure: str | None = None,
        method: Json | None = None,
        off: tuple[str, int] = ("", 0),
        **more: Any,
    ) -> Json:
        """An invoice over lines of (description, amount), less what a coupon takes off; the sums are worked out here."""
        subtotal = sum(amount for _, amount in lines)
        taxes = _taxes(subtotal - off[1], rate, currency)
        total = subtotal - off[1] + sum(each["amount"] for each in taxes if each["tax_behavior"] == "exclusive")
        asked = {"amount_requested": total, "currency": currency}
        payments = self._payments(label, asked, at=at, status=status, failure=failure, method=method)
        head = {"id": self.ident("in", label), "object": "invoice", "status": status, "currency": currency}
        return {
            **head,
            **_billed_to(customer, number),
            "created": seconds(at),
            **_sums(subtotal, total, total if status == "paid" else 0),
            "billing_reason": "subscription_cycle" if subscription else "manual",
            "parent": _parent(subscription),
            "lines": self._lines(
                label, lines, taxes, off=off[1], currency=currency, at=at, subscription=subscription, price=price
            ),
            "total_taxes": taxes,
            "total_discount_amounts": [_taken(*off)] if off[1] else [],
            "payments": {"object": "list", "data": payments},
            "status_transitions": {"finalized_at": seconds(at), "paid_at": seconds(at) if status == "paid" else None},
            "period_start": seconds(at),
            "period_end": seconds(at),
            "livemode": False,
            **more,
        }

    def _lines(
        self,
        label: str,
        lines: Sequence[tuple[str, int]],
        taxes: Sequence[Json],
        *,
        off: int,
        currency: str,
        at: datetime,
        subscription: str | None,
        price: str | None,
    ) -> Json:
        details = {"subscription": subscription, "proration": False}
        parent = {"type": "subscription_item_details", "subscription_item_details": details}
        every: Json = {
            "object": "line_item",
            "currency": currency,
            "quantity": 1,
            "period": {"start": seconds(at), "end": seconds(add_months(at, 1))},
            "parent": parent if subscription else None,
            "pricing": {"type": "price_details", "price_details": {"price": price}} if price else None,
        }
        weights = [amount for _, amount in lines]
        parts = [shares(tax["amount"], weights) for tax in taxes]
        less = shares(off, weights)
        found = [
            {"id": self.ident("il", f"{label} {index}"), "description": description, "amount": amount, **every,
             "discount_amounts": [{"amount": less[index]}] if less[index] else [],
             "taxes": [{**tax, "amount": part[index]} for tax, part in zip(taxes, parts, strict=True)]}
            for index, (description, amount) in enumerate(lines)
        ]  # fmt: skip
        return {"object": "list", "has_more": False, "data": found}

    def _payments(
        self, label: str, asked: Json, *, at: datetime, status: str, failure: str | None, method: Json | None
    ) -> list[Json]:
        """What was tried: a payment that worked, or one that failed and why."""
        if method is None or not (status == "paid" or failure):
            return []
        intent: Json = {"id": self.ident("pi", label), "object": "payment_intent", "payment_method": method}
        if failure:
            intent["last_payment_error"] = {"code": "card_declined", "decline_code": failure}
        paid = status == "paid"
        payment = {
            "id": self.ident("inpay", label),
            "object": "invoice_payment",
            "status": "paid" if paid else "open",
            **asked,
            "amount_paid": asked["amount_requested"] if paid else None,
            "created": seconds(at),
            "payment": {"type": "payment_intent", "payment_intent": intent},
            "status_transitions": {"paid_at": seconds(at) if paid else None, "canceled_at": None},
        }
        return [payment]


def _taxes(net: int, rate: Json | None, currency: str) -> list[Json]:
    if rate is None:
        return []
    applied = TaxRate(rate["id"], f"{rate['percentage']:g}", rate["display_name"], rate["inclusive"])
    return [
        {
            "amount": tax.amount.amount,
            "tax_behavior": "inclusive" if tax.inclusive else "exclusive",
            "type": "tax_rate_details",
            "tax_rate_details": {"tax_rate": rate["id"]},
        }
        for tax in taxes_on(net, (applied,), currency.upper())
    ]


def _taken(coupon: str, amount: int) -> Json:
    return {
        "amount": amount,
        "discount": {"id": f"di_{coupon}", "object": "discount", "source": {"type": "coupon", "coupon": coupon}},
    }


def _sums(subtotal: int, total: int, paid: int) -> Json:
    sums = {"subtotal": subtotal, "total": total, "amount_due": total, "amount_paid": paid}
    return {**sums, "amount_remaining": total - paid}


def refunded(invoice: Json, amount: int) -> Json:
    """The paid invoice, after a part of its payment was given back."""
    intent = invoice["payments"]["data"][0]["payment"]["payment_intent"]
    details = {"type": "card", "card": intent["payment_method"]["card"]}
    intent["latest_charge"] = {"object": "charge", "amount_refunded": amount, "payment_method_details": details}
    return invoice


def _parent(subscription: str | None) -> Json | None:
    if subscription is None:
        return None
    return {"type": "subscription_details", "subscription_details": {"subscription": subscription}}


def _billed_to(customer: Json, number: int) -> Json:
    """The customer of either API, as an invoice repeats it."""
    return {
        "number": f"{customer.get('invoice_prefix', customer['id'][-8:].upper())}-{number:04d}",
        "customer" if customer["object"] == "customer" else "customer_account": customer["id"],
        "customer_name": customer.get("name") or customer.get("display_name"),
        "customer_email": customer.get("email") or customer.get("contact_email"),
        "customer_address": customer.get("address"),
    }


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())
