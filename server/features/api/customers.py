"""Reading customers and their subscriptions, enough to make a session from an address. On the ledger alone: where Stripe
keeps them, Stripe is asked. A subscription is found by its customer, in whose account it is.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from server.access import directory
from server.billing import Account, Address, Item, NotFound, Price, Subscription
from server.billing.model.account import ENDED
from server.brands.reading.declared import Keys
from server.brands.reading.keys import OneOf, Pattern, Text
from server.features.api.call import Call, Object, page
from server.features.api.errors import ApiError, missing
from server.features.api.parameters import Page
from server.formats.email import EmailMistake, canonical

ID = r"[A-Za-z0-9_]{1,255}"
STATUSES = (
    *("active", "canceled", "incomplete", "incomplete_expired", "past_due", "paused", "trialing", "unpaid"),
    *("all", "ended"),
)


class Customers(Page, frozen=True):
    email: Annotated[str, Text("the address, in whichever case", limit=512, required=True)] = ""


class Subscriptions(Page, frozen=True):
    customer: Annotated[str, Pattern("whose", pattern=ID, shape="the id of a customer", required=True)] = ""
    status: Annotated[str, OneOf("in which state", among=STATUSES, left_out="all that are not over")] = ""


async def list_customers(call: Call) -> Object:
    _check_backend(call)
    wanted = call.read(Customers)
    address = canonical(wanted.email)
    found = []
    if not isinstance(address, EmailMistake) and _is_of_its_mode(call):
        found = await directory.openable(call.portal.store, call.portal.name, address)
    objects = [(each.id, each.account) for each in found if each.account]
    return page("/v1/customers", objects, wanted, lambda each: customer(call, each))


async def retrieve_customer(call: Call) -> Object:
    call.read(Keys)
    return customer(call, await _account(call, call.id, "id", 404))


async def list_subscriptions(call: Call) -> Object:
    _check_backend(call)
    wanted = call.read(Subscriptions)
    account = await _account(call, wanted.customer, "customer", 400)
    found = [(each.id, each) for each in account.subscriptions if _is_wanted(each, wanted.status)]
    return page("/v1/subscriptions", found, wanted, lambda each: subscription(call, account, each))


async def _account(call: Call, id_: str, param: str, status: int, what: str = "customer") -> Account:
    _check_backend(call)
    try:
        account = await call.portal.billing.account(id_, call.now)
    except NotFound:
        raise missing(what, id_, param, status=status) from None
    call.check_mode(what, call.id or id_, param)
    return account


def _check_backend(call: Call) -> None:
    if not call.portal.is_the_billing:
        words = (
            "Stripe keeps the customers of this brand: ask https://api.stripe.com with a key of your Stripe account."
        )
        raise ApiError(words, code="not_supported")


def _is_of_its_mode(call: Call) -> bool:
    return call.portal.is_live in (None, call.key.is_live)


def _is_wanted(it: Subscription, status: str) -> bool:
    if status == "all":
        return True
    if status in ("", "ended"):
        return (it.status in ENDED) == bool(status)
    return it.status == status


def customer(call: Call, account: Account) -> Object:
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
        "currency": account.balance.currency if account.balance else None,
        "delinquent": any(each.due_at is not None and each.due_at < call.now for each in debts),
        "description": None,
        "email": it.email or None,
        "invoice_prefix": it.invoice_prefix or None,
        "livemode": call.key.is_live,
        "metadata": {},
        "name": it.name or None,
        "next_invoice_sequence": it.next_invoice_sequence,
        "phone": it.phone or None,
        "preferred_locales": it.preferred_locales,
        "shipping": shipping if it.shipping != Address() else None,
        "tax_exempt": it.tax_exempt or "none",
    }


def subscription(call: Call, account: Account, it: Subscription) -> Object:
    """As Stripe writes it, as far as the ledger knows it."""
    items = [_item(call, it, each) for each in it.items]
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
        "currency": it.currency,
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
        "livemode": call.key.is_live,
        "metadata": {},
        "pause_collection": paused if it.pause_behavior else None,
        "schedule": it.schedule or None,
        "start_date": _seconds(it.created_at),
        "status": it.status,
        "trial_end": _seconds_or_none(it.trial_end_at),
        "trial_start": _seconds_or_none(it.trial_start_at),
    }


def _item(call: Call, of: Subscription, it: Item) -> Object:
    return {
        "id": it.id,
        "object": "subscription_item",
        "created": _seconds(of.created_at),
        "current_period_end": _seconds(it.current_period_end_at),
        "current_period_start": _seconds(it.current_period_start_at),
        "discounts": [each.id for each in it.discounts],
        "metadata": {},
        "plan": _plan(call, it.price),
        "price": _price(call, it.price),
        "quantity": it.quantity,
        "subscription": of.id,
    }


def _price(call: Call, it: Price) -> Object:
    return {
        "id": it.id,
        "object": "price",
        "active": it.active,
        "billing_scheme": it.billing_scheme,
        "created": 0,
        "currency": it.currency,
        "livemode": call.key.is_live,
        "lookup_key": None,
        "metadata": {},
        "nickname": it.nickname or None,
        "product": it.product,
        "recurring": _recurring(it),
        "tax_behavior": it.tax_behavior,
        "type": "recurring" if it.recurring else "one_time",
        **_amount(it),
    }


def _plan(call: Call, it: Price) -> Object:
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
        "currency": it.currency,
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": call.key.is_live,
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
