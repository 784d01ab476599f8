"""Customers and subscriptions of the ledger as Stripe writes them in JSON, as far as the ledger knows them: for the API and for
events.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from server.billing import Account, Address, Invoice, Item, Price, Subscription, invoice_shapes
from server.billing.model.account import ENDED
from server.store.telling import Told

Object = dict[str, Any]


def customer(account: Account, now: datetime, *, live: bool) -> Object:
    """As Stripe writes it, as far as the ledger knows it."""
    it = account.customer
    debts = [each for each in account.invoices if each.status == "open"]
    shipping = {"address": _address(it.shipping), "name": it.shipping_name, "phone": it.shipping_phone or None}
    return {
        "id": it.id,
        "object": "customer",
        "address": _address(it.address) if it.address != Address() else None,
        "balance": account.balance.amount if account.balance else 0,
        "created": _seconds(it.created_at),
        "currency": account.balance.currency.lower() if account.balance else None,
        "delinquent": any(each.due_at is not None and each.due_at < now for each in debts),
        "description": None,
        "email": it.email or None,
        "invoice_prefix": it.invoice_prefix or None,
        "livemode": live,
        "metadata": {},
        "name": it.name or None,
        "next_invoice_sequence": it.next_invoice_sequence,
        "phone": it.phone or None,
        "preferred_locales": it.preferred_locales,
        "shipping": shipping if it.shipping != Address() else None,
        "tax_exempt": it.tax_exempt or "none",
    }


def subscription(account: Account, it: Subscription, *, live: bool) -> Object:
    """As Stripe writes it, as far as the ledger knows it."""
    items = [_item(it, each, live=live) for each in it.items]
    paused = {"behavior": it.pause_behavior, "resumes_at": _seconds_or_none(it.pause_resumes_at)}
    return {
        "id": it.id,
        "object": "subscription",
        "automatic_tax": {"enabled": it.automatic_tax, "disabled_reason": None, "liability": None},
        "billing_cycle_anchor": _seconds(it.billing_cycle_anchor_at),
        "billing_mode": {"type": "classic", "flexible": None},
        "billing_schedules": [],
        "cancel_at": _seconds_or_none(it.cancel_at),
        "cancel_at_period_end": it.cancel_at_period_end,
        "canceled_at": _seconds_or_none(it.canceled_at),
        "cancellation_details": {"comment": it.comment or None, "feedback": it.feedback or None, "reason": None},
        "collection_method": it.collection_method,
        "created": _seconds(it.created_at),
        "currency": it.currency.lower(),
        "customer": account.customer.id,
        "customer_account": None,
        "days_until_due": it.days_until_due or None,
        "default_payment_method": it.default_payment_method or None,
        "description": it.description or None,
        "discounts": [each.id for each in it.discounts],
        "ended_at": _seconds_or_none(it.ended_at),
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": {
            "object": "list",
            "data": items,
            "has_more": False,
            "url": f"/v1/subscription_items?subscription={it.id}",
        },
        "latest_invoice": it.latest_invoice or None,
        "livemode": live,
        "metadata": {},
        "pause_collection": paused if it.pause_behavior else None,
        "schedule": it.schedule or None,
        "start_date": _seconds(it.created_at),
        "status": it.status,
        "trial_end": _seconds_or_none(it.trial_end_at),
        "trial_start": _seconds_or_none(it.trial_start_at),
    }


def _item(of: Subscription, it: Item, *, live: bool) -> Object:
    return {
        "id": it.id,
        "object": "subscription_item",
        "created": _seconds(of.created_at),
        "current_period_end": _seconds(it.current_period_end_at),
        "current_period_start": _seconds(it.current_period_start_at),
        "discounts": [each.id for each in it.discounts],
        "metadata": {},
        "plan": _plan(it.price, live=live),
        "price": _price(it.price, live=live),
        "quantity": it.quantity,
        "subscription": of.id,
    }


def _price(it: Price, *, live: bool) -> Object:
    return {
        "id": it.id,
        "object": "price",
        "active": it.active,
        "billing_scheme": it.billing_scheme,
        "created": 0,
        "currency": it.currency.lower(),
        "livemode": live,
        "lookup_key": None,
        "metadata": {},
        "nickname": it.nickname or None,
        "product": it.product,
        "recurring": _recurring(it),
        "tax_behavior": it.tax_behavior,
        "type": "recurring" if it.recurring else "one_time",
        **_amount(it),
    }


def _plan(it: Price, *, live: bool) -> Object:
    """The price in the words of the time before prices, which every item still has beside it."""
    recurring = _recurring(it) or {"interval": "month", "interval_count": 1, "usage_type": "licensed"}
    amount = _amount(it)
    return {
        "id": it.id,
        "object": "plan",
        "active": it.active,
        "amount": amount["unit_amount"],
        "amount_decimal": amount["unit_amount_decimal"],
        "billing_scheme": it.billing_scheme,
        "created": 0,
        "currency": it.currency.lower(),
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": live,
        "metadata": {},
        "nickname": it.nickname or None,
        "product": it.product,
        "usage_type": recurring["usage_type"],
    }


def _recurring(it: Price) -> Object | None:
    if it.recurring is None:
        return None
    return {
        "interval": it.recurring.interval,
        "interval_count": it.recurring.count,
        "meter": None,
        "trial_period_days": None,
        "usage_type": it.recurring.usage,
    }


def _amount(it: Price) -> Object:
    whole = Decimal(it.unit_amount) if it.unit_amount else None
    return {
        "unit_amount": int(whole) if whole is not None and whole == int(whole) else None,
        "unit_amount_decimal": it.unit_amount or None,
    }


def _address(it: Address) -> Object:
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    return {each: getattr(it, each) or None for each in names}


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _seconds_or_none(at: datetime | None) -> int | None:
    return None if at is None else _seconds(at)


def told(
    before: Account, after: Account, now: datetime, made: Iterable[Invoice], *, live: bool, old: Invoice | None
) -> list[Told]:
    """What Stripe would tell of the change from one to the other, in order. `made`: the invoices that changed, as it
    happened; `old`: the first of them as it was, where the account does not hold it."""
    known = (*before.invoices, old) if old else before.invoices
    found = invoice_shapes.told_of_methods(before, after, live=live)
    for it in after.subscriptions:
        was, new = before.subscription(it.id), subscription(after, it, live=live)
        if was is None:
            found.append(Told("customer.subscription.created", new))
            continue
        previous = _previous(subscription(before, was, live=live), new)
        if previous:
            ended = it.status in ENDED and was.status not in ENDED
            kind = "customer.subscription.deleted" if ended else "customer.subscription.updated"
            found.append(Told(kind, new, None if ended else previous))
    found += invoice_shapes.told_of_invoices(known, after, made, live=live)
    customer_ = customer(after, now, live=live)
    previous = _previous(customer(before, now, live=live), customer_)
    return [*found, Told("customer.updated", customer_, previous)] if previous else found


def _previous(old: Object, new: Object) -> Object:
    return {key: value for key, value in old.items() if value != new[key]}
