"""Invoices and payment methods of the ledger as Stripe writes them in JSON, as far as the ledger knows them, and what events
tell of them. An invoice of the ledger is final from the beginning: it is never a draft.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from server.billing import Account, Address, Invoice, PaymentMethod
from server.billing.model.invoice import InvoiceLine, InvoiceTax, LineTax
from server.store.telling import Told

Object = dict[str, Any]


def invoice(account: Account, it: Invoice, *, live: bool) -> Object:
    """As Stripe writes it, as far as the ledger knows it."""
    tried = [each for each in it.payments if each.status in ("paid", "failed")]
    sub = account.subscription(it.subscription)
    parent = {"metadata": None, "subscription": it.subscription, "subscription_proration_date": None}
    return {
        "id": it.id,
        "object": "invoice",
        **_amounts(it),
        "attempt_count": len(tried),
        "attempted": bool(tried),
        "auto_advance": it.status == "open" and it.next_attempt_at is not None,
        "automatic_tax": {"enabled": False, "disabled_reason": None, "liability": None, "status": None},
        "billing_reason": it.billing_reason or None,
        "collection_method": sub.collection_method if sub else "charge_automatically",
        "created": _seconds(it.created_at),
        "currency": it.currency.lower(),
        "custom_fields": [{"name": each.name, "value": each.value} for each in it.custom_fields] or None,
        "customer": account.customer.id,
        **_customer(it),
        "default_tax_rates": [],
        "description": it.memo or None,
        "discounts": [],
        **_moments(it),
        "footer": it.footer or None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "lines": {
            "object": "list",
            "data": [_line(it, each, live=live) for each in it.lines],
            "has_more": it.has_more_lines,
            "url": f"/v1/invoices/{it.id}/lines",
        },
        "livemode": live,
        "metadata": {},
        "number": it.number or None,
        "parent": {"type": "subscription_details", "quote_details": None, "subscription_details": parent}
        if it.subscription
        else None,
        "payment_settings": dict.fromkeys(("default_mandate", "payment_method_options", "payment_method_types")),
        "status": it.status,
    }


def _customer(it: Invoice) -> Object:
    """As the customer was when the invoice was made."""
    return {
        "customer_address": _address(it.customer_address),
        "customer_email": it.customer_email or None,
        "customer_name": it.customer_name or None,
        "customer_tax_exempt": it.customer_tax_exempt or "none",
        "customer_tax_ids": [{"type": each.kind, "value": each.value} for each in it.customer_tax_ids],
    }


def _moments(it: Invoice) -> Object:
    return {
        "due_date": _seconds_or_none(it.due_at),
        "effective_at": _seconds(it.created_at),
        "next_payment_attempt": _seconds_or_none(it.next_attempt_at),
        "period_end": _seconds(it.period_end_at or it.created_at),
        "period_start": _seconds(it.period_start_at or it.created_at),
        "status_transitions": {
            "finalized_at": _seconds(it.created_at),
            "marked_uncollectible_at": None,
            "paid_at": _seconds_or_none(it.paid_at),
            "voided_at": None,
        },
    }


def _amounts(it: Invoice) -> Object:
    added = sum(each.amount.amount for each in it.taxes if not each.inclusive)
    inside = it.taxed.amount - added
    asked = max(it.total.amount + (it.balance_applied.amount if it.balance_applied else 0), 0)
    return {
        "amount_due": asked,
        "amount_overpaid": 0,
        "amount_paid": it.amount_paid.amount,
        "amount_remaining": it.amount_due.amount,
        "amount_shipping": it.shipping.amount if it.shipping else 0,
        "ending_balance": it.ending_balance.amount if it.ending_balance else None,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": it.credited.amount if it.credited else 0,
        "starting_balance": it.starting_balance.amount if it.starting_balance else 0,
        "subtotal": it.subtotal.amount,
        "subtotal_excluding_tax": it.subtotal.amount - inside,
        "total": it.total.amount,
        "total_discount_amounts": [{"amount": each.amount.amount, "discount": ""} for each in it.discounts],
        "total_excluding_tax": it.total.amount - it.taxed.amount,
        "total_pretax_credit_amounts": [],
        "total_taxes": [_tax(each, it.taxable(each)) for each in it.taxes],
    }


def _line(of: Invoice, it: InvoiceLine, *, live: bool) -> Object:
    begins, ends = it.period_start_at or of.created_at, it.period_end_at or of.created_at
    pricing = {
        "type": "price_details",
        "price_details": {"price": it.price, "product": ""},
        "unit_amount_decimal": it.unit_amount or None,
    }
    return {
        "id": it.id,
        "object": "line_item",
        "amount": it.amount.amount,
        "currency": it.amount.currency.lower(),
        "description": it.description or None,
        "discount_amounts": [{"amount": it.discount.amount, "discount": ""}] if it.discount else [],
        "discountable": not it.proration,
        "discounts": [],
        "invoice": of.id,
        "livemode": live,
        "metadata": {},
        "parent": None,
        "period": {"start": _seconds(begins), "end": _seconds(ends)},
        "pretax_credit_amounts": [],
        "pricing": pricing if it.price else None,
        "quantity": it.quantity,
        "quantity_decimal": None if it.quantity is None else str(it.quantity),
        "subscription": it.subscription or None,
        "subtotal": it.amount.amount,
        "taxes": [_tax(each) for each in it.taxes],
    }


def _tax(it: InvoiceTax | LineTax, of: Any = None) -> Object:
    return {
        "amount": it.amount.amount,
        "tax_behavior": "inclusive" if it.inclusive else "exclusive",
        "tax_rate_details": None,
        "taxability_reason": getattr(it, "reason", "") or "not_available",
        "taxable_amount": of.amount if of else None,
        "type": "tax_rate_details",
    }


def payment_method(account: Account, it: PaymentMethod, *, live: bool) -> Object:
    """As Stripe writes it, as far as the ledger knows it."""
    customer = account.customer
    return {
        "id": it.id,
        "object": "payment_method",
        "allow_redisplay": "always",
        "billing_details": {
            "address": _address(customer.address),
            "email": customer.email or None,
            "name": customer.name or None,
            "phone": customer.phone or None,
            "tax_id": None,
        },
        "created": _seconds(it.created_at),
        "customer": customer.id,
        "customer_account": None,
        "livemode": live,
        "metadata": {},
        "type": it.kind,
        it.kind: _of_its_kind(it),
    }


def _of_its_kind(it: PaymentMethod) -> Object:
    if it.kind != "card":
        return {"last4": it.last4 or None} if it.last4 else {}
    return {
        "brand": it.brand or "unknown",
        "checks": None,
        "country": None,
        "display_brand": it.brand or None,
        "exp_month": it.exp_month,
        "exp_year": it.exp_year,
        "fingerprint": None,
        "funding": "unknown",
        "generated_from": None,
        "last4": it.last4,
        "networks": None,
        "regulated_status": None,
        "three_d_secure_usage": None,
        "wallet": None,
    }


def told_of_methods(before: Account, after: Account, *, live: bool) -> list[Told]:
    """Payment methods that came and went."""
    known, now = ({each.id: each for each in it.payment_methods} for it in (before, after))
    found = [
        Told("payment_method.attached", payment_method(after, it, live=live), {"customer": None})
        for id_, it in now.items()
        if id_ not in known
    ]
    for id_, it in known.items():
        if id_ not in now:
            gone = {**payment_method(before, it, live=live), "customer": None}
            found.append(Told("payment_method.detached", gone, {"customer": before.customer.id}))
    return found


def told_of_invoices(known: Iterable[Invoice], after: Account, made: Iterable[Invoice], *, live: bool) -> list[Told]:
    """What became of each invoice. `known`: as they were; `made`: those that changed, each as often as it did, as it happened."""
    was, found = {each.id: each for each in known}, []
    for it in made:
        old, shape = was.get(it.id), invoice(after, it, live=live)
        was[it.id] = it
        found += [Told(f"invoice.{each}", shape) for each in _became(old, it)]
    return found


def _became(old: Invoice | None, it: Invoice) -> list[str]:
    """In Stripe's words and order."""
    words = [] if old else ["created", "finalized"]
    tried = {(each.id, each.status) for each in old.payments} if old else set()
    in_words = {"failed": "payment_failed", "open": "payment_action_required"}
    new = [each.status for each in it.payments if (each.id, each.status) not in tried]
    words += [in_words[each] for each in new if each in in_words]
    if old is None or it.status != old.status:
        words += {"paid": ["paid"], "void": ["voided"], "uncollectible": ["marked_uncollectible"]}.get(it.status, [])
    return words


def _address(it: Address) -> Object | None:
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    return {each: getattr(it, each) or None for each in names} if it != Address() else None


def _seconds(at: Any) -> int:
    return int(at.timestamp())


def _seconds_or_none(at: Any) -> int | None:
    return None if at is None else _seconds(at)
