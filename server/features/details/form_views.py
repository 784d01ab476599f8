"""The forms in which a customer changes billing details: what is in each field, and what has to be corrected.

EditContact    the fields of `Contact`: name and phone
EditAddress    the billing address, with the parts that its country has
EditShipping   the same with a name and a phone
AddTaxId       one more tax number
RemoveTaxId    the question before one goes
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec
from msgspec.structs import asdict

from server.billing import Account, Address, BillingAddress, Contact, Customer, Shipping, TaxId, Update
from server.billing.rules.details import Mistakes, is_required, mark, may_update
from server.brands.features import CustomerUpdate
from server.features.details.views import Number, contact, number
from server.formats import phones, postal, tax_numbers
from server.formats.tax_types import TaxType
from server.rendering.views import View

NO_MISTAKES: Mistakes = MappingProxyType({})


class Field(msgspec.Struct, frozen=True):
    """One part of an address, or one field of the contact form."""

    name: str
    """`line1`, `line2`, `city`, `state`, `postal_code`; or `name`, `phone`."""
    value: str = ""
    word: str = ""
    """What the part is called there: for a postal code `postal`, `zip`, `pin`, `eircode`; for a state `state`,
    `province`, `county`, …; for a city `city`, `post_town`, `district`, `suburb`."""
    required: bool = False
    options: tuple[tuple[str, str], ...] = ()
    """Values and labels to choose from; empty: it is typed."""
    example: str = ""
    may_change: bool = True
    """Otherwise it is shown as it is."""


class OwnForm(msgspec.Struct, frozen=True):
    """What every form of the details carries."""

    customer: str
    key: str
    """The idempotency key of this form: sent twice, it saves once."""
    seen: str = ""
    """The details when the form was shown: if they are others by now, they are not overwritten unseen."""
    mistakes: dict[str, str] = {}
    """A field -> `missing`, `form`, `choice`, `long`, `control`; for a tax number also `taken` and `full`."""
    again: str = ""
    """Why it is asked once more: `out_of_date`, `changed` (meanwhile, elsewhere), or nothing."""


class EditContact(OwnForm, View, frozen=True):
    fields: tuple[Field, ...] = ()


class EditAddress(OwnForm, View, frozen=True):
    country: str = ""
    """Two letters; empty: none is chosen yet."""
    countries: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    """The parts that the country's addresses have, in its order."""
    chosen: bool = False
    """Another country was just chosen, and the fields are those of it."""


class EditShipping(EditAddress, frozen=True):
    name: str = ""
    phone: str = ""
    phone_example: str = ""
    may_copy: bool = False
    """There is a billing address to copy."""
    may_remove: bool = False


AddressForm = TypeVar("AddressForm", bound=EditAddress)


class TaxKind(msgspec.Struct, frozen=True):
    """One type of tax number to choose."""

    code: str
    name: str
    country: str = ""
    example: str = ""


class AddTaxId(OwnForm, View, frozen=True):
    kind: str = ""
    number: str = ""
    likely: tuple[TaxKind, ...] = ()
    """Those of the customer's country, the usual one first."""
    others: tuple[TaxKind, ...] = ()


class RemoveTaxId(OwnForm, View, frozen=True):
    it: Number = Number("", "", "")


def edit_contact(
    account: Account, rule: CustomerUpdate, typed: Contact | None = None, *, key: str, seen: str = "",
    mistakes: Mistakes = NO_MISTAKES, again: str = "",
) -> EditContact:  # fmt: skip
    customer = account.customer
    texts = contact(customer) | {name: text for name, text in asdict(typed or Contact()).items() if text is not None}
    examples = {"phone": phones.example(customer.address.country or customer.shipping.country)}
    return EditContact(
        customer=customer.id,
        key=key,
        seen=seen or mark(customer, Contact),
        mistakes=dict(mistakes),
        again=again,
        fields=tuple(
            Field(name, text, "", is_required(customer, name), (), examples.get(name, ""), may_update(rule, name))
            for name, text in texts.items()
        ),
    )


def edit_address(
    account: Account, language: str, typed: Address | None = None, *, home: str, key: str, seen: str = "",
    mistakes: Mistakes = NO_MISTAKES, again: str = "", chosen: bool = False,
) -> EditAddress:  # fmt: skip
    """`home`: the country of the business, for a customer who has none yet."""
    customer = account.customer
    it = typed or customer.address
    return _with_fields(
        EditAddress, it, _country(it, customer.shipping.country, home), language, customer=customer,
        group=BillingAddress, seen=seen, mistakes=mistakes, key=key, again=again, chosen=chosen,
    )  # fmt: skip


def edit_shipping(
    account: Account, language: str, typed: Shipping | None = None, *, home: str, key: str, seen: str = "",
    mistakes: Mistakes = NO_MISTAKES, again: str = "", chosen: bool = False,
) -> EditShipping:  # fmt: skip
    customer = account.customer
    had = Shipping(customer.shipping_name, phones.shown(customer.shipping_phone), customer.shipping)
    it = typed or had
    country = _country(it.address, customer.address.country, home)
    return _with_fields(
        EditShipping, it.address, country, language, customer=customer,
        group=Shipping, seen=seen, mistakes=mistakes, key=key, again=again, chosen=chosen,
        name=it.name, phone=it.phone, phone_example=phones.example(country),
        may_copy=customer.address != Address(), may_remove=had != Shipping(),
    )  # fmt: skip


def add_tax_id(
    account: Account, kind: str = "", typed: str = "", *, key: str, mistakes: Mistakes = NO_MISTAKES, again: str = ""
) -> AddTaxId:
    customer = account.customer
    country = customer.address.country or customer.shipping.country
    likely, others = tax_numbers.offered(country)
    return AddTaxId(
        customer=customer.id,
        key=key,
        mistakes=dict(mistakes),
        again=again,
        kind=kind or (likely[0].code if likely else ""),
        number=typed,
        likely=_kinds(likely, country),
        others=_kinds(others, country),
    )


def remove_tax_id(account: Account, tax_id: TaxId, *, key: str, again: str = "") -> RemoveTaxId:
    return RemoveTaxId(customer=account.customer.id, key=key, again=again, it=number(tax_id))


def _kinds(kinds: Sequence[TaxType], country: str) -> tuple[TaxKind, ...]:
    return tuple(TaxKind(each.code, each.name, each.country, tax_numbers.example(each.code, country)) for each in kinds)


def _as_shown(mistakes: Mistakes, fields: Sequence[Field]) -> dict[str, str]:
    """In the order of the fields on the page."""
    shown = ["name", "country", *(each.name for each in fields), "phone"]
    return dict(sorted(mistakes.items(), key=lambda each: shown.index(each[0]) if each[0] in shown else len(shown)))


def _with_fields(
    shape: type[AddressForm], it: Address, country: str, language: str, *, customer: Customer, group: type[Update],
    seen: str, mistakes: Mistakes, **rest: Any,
) -> AddressForm:  # fmt: skip
    """The form of that shape with the fields of the country."""
    fields = _fields(it, country, language)
    return shape(
        customer=customer.id,
        seen=seen or mark(customer, group),
        mistakes=_as_shown(mistakes, fields),
        country=country,
        countries=postal.codes(),
        fields=fields,
        **rest,
    )


def _country(it: Address, *likely: str) -> str:
    """The country of the form."""
    return next((each for each in (it.country.upper(), *likely) if each in postal.codes()), "")


def _fields(it: Address, country: str, language: str) -> tuple[Field, ...]:
    """A part that is there although its country has none is shown too: nothing goes because a form did not show it."""
    its, values = postal.country(country), asdict(it)
    local = its.speaks(language)
    parts = its.parts if local or not its.languages[:1] or its.parts == its.latin_parts else its.latin_parts
    extra = [each for each in postal.PARTS[:-1] if values[each] and each not in parts]
    return tuple(_field(its, part, values, local=local) for part in (*parts, *extra))


def _field(its: postal.Country, part: str, values: Mapping[str, str], *, local: bool) -> Field:
    value, required = values[part], part in its.required
    if part == "state" and its.states:
        found = its.state(value)
        chosen = found.in_letters(local=local) if found else value
        options = sorted(
            ((each.in_letters(local=local), each.local if local else each.latin) for each in its.states),
            key=lambda each: postal.folded(each[1]),
        )
        # What the billing side had before stays choosable, though the list does not know it.
        unknown = ((value, value),) if value and found is None else ()
        return Field(part, chosen, its.state_word, required, (("", ""), *unknown, *options))
    words = {"postal_code": its.postal_word, "state": its.state_word, "city": its.city_word}
    example = its.postal_examples[0] if part == "postal_code" and its.postal_examples else ""
    return Field(part, value, words.get(part, ""), required, (), example)
