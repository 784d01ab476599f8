"""The billing details that the next invoice will carry, and what may be changed of them."""

from __future__ import annotations

import msgspec

from server.billing import Account, Address, Customer, TaxId
from server.billing.model.change import CONTACT
from server.billing.rules.details import may_update
from server.brands.features import CustomerUpdate
from server.formats import phones
from server.formats.tax_numbers import MOST_TAX_NUMBERS
from server.formats.tax_types import BY_CODE
from server.rendering.views import View


class Number(msgspec.Struct, frozen=True):
    """One tax number."""

    id: str
    value: str
    name: str
    """What its type is called at home, such as `VAT` or `ABN`; of an unknown type, the billing side's word."""
    country: str = ""
    """Two letters; empty for those of the whole European Union."""
    verification: str = ""
    """`pending`, `verified`, `unverified`, `unavailable` or empty."""
    verified_name: str = ""
    """Whose the tax office says it is, once it is verified."""
    verified_address: str = ""


class Show(View, frozen=True):
    """Who is billed, and where."""

    email: str
    """Where mail goes, and what the customer logs in with."""
    contact: dict[str, str]
    """The fields of the contact form, such as `name`, and what is in them; a phone number as it is written from abroad."""
    address: Address = Address()
    shipping_name: str = ""
    shipping_phone: str = ""
    shipping: Address = Address()
    tax_ids: tuple[Number, ...] = ()
    may_change: tuple[str, ...] = ()
    """Of `contact`, `address`, `shipping`, `tax_id`: those that the business lets customers change here."""
    may_change_email: bool = False
    """Only where the business' server opened the portal; never after a log-in by the link."""
    has_room: bool = True
    """One more tax number may be added."""
    saved: str = ""
    """What was just done: one of `may_change`, `email`, `shipping_removed`, `tax_id_removed`, or nothing."""

    @property
    def has_address(self) -> bool:
        return self.address != Address()

    @property
    def has_shipping(self) -> bool:
        return bool(self.shipping_name or self.shipping_phone) or self.shipping != Address()


def details(
    account: Account, rule: CustomerUpdate | None = None, *, saved: str = "", may_change_email: bool = False
) -> Show:
    """`rule` where things may be changed from here."""
    customer = account.customer
    return Show(
        email=customer.email,
        contact=contact(customer),
        address=customer.address,
        shipping_name=customer.shipping_name,
        shipping_phone=phones.shown(customer.shipping_phone),
        shipping=customer.shipping,
        tax_ids=tuple(number(each) for each in customer.tax_ids),
        may_change=may_change(rule) if rule else (),
        may_change_email=may_change_email,
        has_room=len(customer.tax_ids) < MOST_TAX_NUMBERS,
        saved=saved,
    )


def contact(customer: Customer) -> dict[str, str]:
    texts = {name: getattr(customer, name) for name in CONTACT}
    return {**texts, "phone": phones.shown(customer.phone)}


def may_change(rule: CustomerUpdate) -> tuple[str, ...]:
    of = {"contact": CONTACT, "address": ("address",), "shipping": ("shipping",), "tax_id": ("tax_id",)}
    return tuple(group for group, words in of.items() if any(may_update(rule, each) for each in words))


def number(tax_id: TaxId) -> Number:
    kind, is_verified = BY_CODE.get(tax_id.kind), tax_id.verification == "verified"
    return Number(
        id=tax_id.id,
        value=tax_id.value,
        name=kind.name if kind else tax_id.kind,
        country=kind.country if kind else "",
        verification=tax_id.verification,
        verified_name=tax_id.verified_name if is_verified else "",
        verified_address=tax_id.verified_address if is_verified else "",
    )
