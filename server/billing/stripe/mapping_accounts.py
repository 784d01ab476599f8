"""Customers of Stripe's v2 API -> `Customer`. Pure, as `mapping`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from server.billing.model.account import Customer
from server.billing.stripe import wire
from server.billing.stripe import wire_accounts as shapes
from server.billing.stripe.reading import MappingError, address, at, ident, is_disabled, read


def account(raw: Any) -> Customer:
    """A customer of the v2 API: an account whose address is `contact_email`."""
    found = read(shapes.Account, raw)
    identity = found.identity or shapes.Identity()
    person, business = identity.individual or shapes.Person(), identity.business_details or shapes.Business()
    settings = found.configuration.customer if found.configuration else None
    settings = settings or shapes.AccountCustomer()
    billing, shipping = settings.billing or shapes.AccountBilling(), settings.shipping or wire.Shipping()
    invoicing = billing.invoice or shapes.AccountInvoicing()
    own_name = " ".join(part for part in (person.given_name, person.surname) if part)
    path = "$.configuration.customer.billing.default_payment_method"
    return Customer(
        id=found.id,
        email=found.contact_email or "",
        created_at=_moment(found.created, "$.created"),
        name=found.display_name or business.registered_name or own_name,
        phone=found.contact_phone or business.phone or person.phone or "",
        address=address(business.address or person.address),
        shipping_name=shipping.name or "",
        shipping_phone=shipping.phone or "",
        shipping=address(shipping.address),
        preferred_locales=(found.defaults.locales if found.defaults else None) or (),
        default_payment_method=ident(billing.default_payment_method, path),
        disabled=is_disabled(found.metadata),
        invoice_prefix=invoicing.prefix or "",
        next_invoice_sequence=invoicing.next_sequence or 1,
    )


def _moment(value: int | str, path: str) -> datetime:
    if isinstance(value, int):
        return at(value)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise MappingError(f"expected a date like 2026-01-31T12:00:00Z, got {value[:40]!r}", path) from None
    if not 1970 <= moment.year <= 9000:
        raise MappingError(f"expected a date after 1970, got {value[:40]!r}", path)
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
