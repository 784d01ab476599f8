"""Reading customers and their subscriptions, enough to make a session from an address. On the ledger alone: where Stripe
keeps them, Stripe is asked. A subscription is found by its customer, in whose account it is.
"""

from __future__ import annotations

from typing import Annotated

from server.access import directory
from server.billing import Account, NotFound, Subscription, shapes
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
    return page("/v1/customers", objects, wanted, lambda each: shapes.customer(each, call.now, live=call.key.is_live))


async def retrieve_customer(call: Call) -> Object:
    call.read(Keys)
    account = await _account(call, call.id, "id", 404)
    return shapes.customer(account, call.now, live=call.key.is_live)


async def list_subscriptions(call: Call) -> Object:
    _check_backend(call)
    wanted = call.read(Subscriptions)
    account = await _account(call, wanted.customer, "customer", 400)
    found = [(each.id, each) for each in account.subscriptions if _is_wanted(each, wanted.status)]
    return page(
        "/v1/subscriptions", found, wanted, lambda each: shapes.subscription(account, each, live=call.key.is_live)
    )


async def _account(call: Call, id_: str, param: str, status: int, what: str = "customer") -> Account:
    _check_backend(call)
    try:
        account = await call.portal.billing.account(id_, call.now)
    except NotFound:
        raise missing(what, id_, param, status=status) from None
    call.check_mode(what, call.id or id_, param, status)
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
