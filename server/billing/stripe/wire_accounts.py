"""The shapes of the v2 API's accounts, which are customers too. See `wire`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from server.billing.stripe.wire import Address, Currency, Metadata, Ref, Shipping, Timestamp, UrlId, Wire


class Person(Wire, frozen=True):
    given_name: str | None = None
    surname: str | None = None
    address: Address | None = None
    phone: str | None = None


class Business(Wire, frozen=True):
    registered_name: str | None = None
    address: Address | None = None
    phone: str | None = None


class Identity(Wire, frozen=True):
    individual: Person | None = None
    business_details: Business | None = None


class AccountInvoicing(Wire, frozen=True):
    prefix: str | None = None
    next_sequence: Annotated[int, Meta(ge=0, le=10**12)] | None = None


class AccountBilling(Wire, frozen=True):
    default_payment_method: Ref | None = None
    invoice: AccountInvoicing | None = None


class AccountCustomer(Wire, frozen=True):
    billing: AccountBilling | None = None
    shipping: Shipping | None = None


class Configuration(Wire, frozen=True):
    customer: AccountCustomer | None = None


class Defaults(Wire, frozen=True):
    currency: Currency | None = None
    locales: tuple[str, ...] | None = None


class Account(Wire, frozen=True):
    """A customer of the v2 API."""

    id: UrlId
    created: Timestamp | Annotated[str, Meta(max_length=40)]
    contact_email: str | None = None
    contact_phone: str | None = None
    display_name: str | None = None
    identity: Identity | None = None
    configuration: Configuration | None = None
    defaults: Defaults | None = None
    metadata: Metadata | None = None
