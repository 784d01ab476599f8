"""Changes to what invoices say of a customer. Pure functions.

What the configuration does not allow is refused here, whatever a form holds, and what cannot be kept is refused here,
whatever a form let through: views ask `checked` for the same answer before. The e-mail address is
changed by `change_email` alone; who may ask for that is `access.email_changes`' to say.

    refusal              what it means
    details_not_allowed  `features.customer_update.allowed_updates` does not name it
    details_invalid      `detail`: which fields
    details_changed      the details are no longer what the form showed
    tax_id_invalid       it does not fit its type
    tax_id_taken         the customer has it already
    too_many_tax_ids     `detail`: how many there may be
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import asdict, replace

from server.billing.model.account import Account, Address, Customer, TaxId
from server.billing.model.change import CONTACT, BillingAddress, Contact, Shipping, Update
from server.billing.model.errors import Refusal
from server.brands.features import CustomerUpdate
from server.formats import phones, postal, tax_numbers, texts

LONGEST_TEXT = 256
"""Characters of a name, as at Stripe, and of any other text in one line that is no part of an address."""

Mistakes = Mapping[str, str]
"""A field -> `missing`, `form`, `choice`, `long` or `control`."""


def may_update(rule: CustomerUpdate, what: str) -> bool:
    """`what` is a word of `allowed_updates`."""
    return rule.enabled and what in rule.allowed_updates


def update(account: Account, asked: Update, rule: CustomerUpdate, seen: str = "") -> Account | Refusal:
    """The account with these details; `seen` as `mark` gave it, or empty where nothing was shown before."""
    customer = account.customer
    if not all(may_update(rule, each) for each in _needs(asked)):
        return Refusal("details_not_allowed")
    kept, mistakes = checked(customer, asked)
    if mistakes:
        return Refusal("details_invalid", " ".join(mistakes))
    after = _with(customer, kept)
    if after != customer and seen and seen != mark(customer, type(asked)):
        return Refusal("details_changed")
    return account if after == customer else replace(account, customer=after)


def change_email(account: Account, email: str, rule: CustomerUpdate) -> Account | Refusal:
    """The account with this address, which was proved."""
    if not may_update(rule, "email"):
        return Refusal("details_not_allowed")
    customer = account.customer
    return account if email == customer.email else replace(account, customer=replace(customer, email=email))


def mark(customer: Customer, group: type[Update]) -> str:
    """A text for the details of this group as they are; any change to them makes another one."""
    return hashlib.sha256(msgspec.json.encode(_group(customer, group))).hexdigest()[:32]


def checked(customer: Customer, asked: Update) -> tuple[Update, Mistakes]:
    """The details as they would be kept, and what is wrong with them."""
    if isinstance(asked, Contact):
        return _contact(customer, asked)
    if isinstance(asked, BillingAddress):
        address, wrong = _address(asked.address, customer.address)
        return BillingAddress(address), wrong
    return _shipping(customer, asked)


def is_required(customer: Customer, field: str) -> bool:
    """`field` is one of `CONTACT`. A name that is there may be changed, not taken away."""
    return field == "name" and bool(customer.name)


def add_tax_id(account: Account, kind: str, number: str, id_: str, rule: CustomerUpdate) -> Account | Refusal:
    """The account with one more tax number; `id_` is the new one's."""
    customer = account.customer
    if not may_update(rule, "tax_id"):
        return Refusal("details_not_allowed")
    if len(customer.tax_ids) >= tax_numbers.MOST_TAX_NUMBERS:
        return Refusal("too_many_tax_ids", str(tax_numbers.MOST_TAX_NUMBERS))
    value = tax_numbers.read(kind, number, customer.address.country)
    if not value:
        return Refusal("tax_id_invalid")
    if any(tax_numbers.same((kind, value), (each.kind, each.value)) for each in customer.tax_ids):
        return Refusal("tax_id_taken")
    new = TaxId(id_, kind, value, "pending" if kind in tax_numbers.VERIFIED else "unavailable")
    return replace(account, customer=replace(customer, tax_ids=(*customer.tax_ids, new)))


def remove_tax_id(account: Account, tax_id: str, rule: CustomerUpdate) -> Account | Refusal:
    customer = account.customer
    if not may_update(rule, "tax_id"):
        return Refusal("details_not_allowed")
    left = tuple(each for each in customer.tax_ids if each.id != tax_id)
    if left == customer.tax_ids:
        return Refusal("not_found")
    return replace(account, customer=replace(customer, tax_ids=left))


def verify_tax_id(account: Account, tax_id: str, state: str, name: str = "", address: str = "") -> Account | Refusal:
    """The account with what an office said of the number: the business asked it, so no rule of the customer's holds."""
    customer = account.customer
    if not any(each.id == tax_id for each in customer.tax_ids):
        return Refusal("not_found")
    said: dict[str, str] = {"verification": state, "verified_name": name, "verified_address": address}
    them = tuple(replace(each, **said) if each.id == tax_id else each for each in customer.tax_ids)
    return account if them == customer.tax_ids else replace(account, customer=replace(customer, tax_ids=them))


def _needs(asked: Update) -> list[str]:
    if isinstance(asked, Contact):
        return [name for name, value in asdict(asked).items() if value is not None]
    return ["address"] if isinstance(asked, BillingAddress) else ["shipping"]


def _group(customer: Customer, group: type[Update]) -> Update:
    if group is Contact:
        return Contact(*(getattr(customer, each) for each in CONTACT))
    if group is BillingAddress:
        return BillingAddress(customer.address)
    return Shipping(customer.shipping_name, customer.shipping_phone, customer.shipping)


def _with(customer: Customer, kept: Update) -> Customer:
    changes: dict[str, Any]
    if isinstance(kept, Contact):
        changes = {name: value for name, value in asdict(kept).items() if value is not None}
    elif isinstance(kept, BillingAddress):
        changes = {"address": kept.address}
    else:
        changes = {"shipping_name": kept.name, "shipping_phone": kept.phone, "shipping": kept.address}
    return replace(customer, **changes)


def _contact(customer: Customer, asked: Contact) -> tuple[Contact, Mistakes]:
    wrong: dict[str, str] = {}
    region = customer.address.country or customer.shipping.country
    kept: dict[str, str] = {}
    for field, typed in asdict(asked).items():
        if typed is None:
            continue
        phone = field == "phone"
        kept[field] = _phone(typed, customer.phone, region, wrong) if phone else _text(field, typed, wrong)
        if not kept[field] and is_required(customer, field):
            wrong[field] = "missing"
    return Contact(**kept), wrong


def _shipping(customer: Customer, asked: Shipping) -> tuple[Shipping, Mistakes]:
    if asked == Shipping():
        return asked, {}
    address, found = _address(asked.address, customer.shipping)
    wrong = dict(found)
    name = _text("name", asked.name, wrong)
    if not name and "name" not in wrong:
        wrong["name"] = "missing"
    phone = _phone(asked.phone, customer.shipping_phone, address.country, wrong)
    return Shipping(name, phone, address), wrong


def _address(asked: Address, stored: Address) -> tuple[Address, Mistakes]:
    wrong: dict[str, str] = {}
    cleaned = {part: _line(part, value, wrong) for part, value in asdict(asked).items()}
    kept, found = postal.checked(cleaned, asdict(stored))
    return Address(**kept), {**found, **wrong}


def _line(field: str, typed: str, wrong: dict[str, str]) -> str:
    """`typed` in one line; a mistake is noted in `wrong`, and the text stays as it was typed."""
    text = texts.line(typed)
    if text is None:
        wrong[field] = "control"
        return typed
    return text


def _text(field: str, typed: str, wrong: dict[str, str]) -> str:
    text = _line(field, typed, wrong)
    if field not in wrong and len(text) > LONGEST_TEXT:
        wrong[field] = "long"
    return text


def _phone(typed: str, stored: str, region: str, wrong: dict[str, str]) -> str:
    """A number that was there before and is not E.164 may stay as it is."""
    text = _line("phone", typed, wrong)
    if not text or text in (stored, phones.shown(stored)):
        return stored if text else ""
    number = phones.read(text, region) if len(text) <= phones.LONGEST_PHONE else ""
    if not number:
        wrong.setdefault("phone", "form")
    return number or text
