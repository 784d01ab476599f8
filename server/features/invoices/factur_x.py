"""A `Statement` as the XML of Factur-X: UN/CEFACT's Cross Industry Invoice in the profile EN 16931 (COMFORT).

The library `factur-x` names each field as the standard does (BT-1, BG-4, …), builds the XML and brings the schema that it
is checked against. Its Schematron check is never asked for here: it would send the invoice to a server on the internet.
The tests run those rules in the process.
"""

from __future__ import annotations

import logging
import re
from datetime import datetime, tzinfo
from functools import cache
from importlib import resources
from typing import Any

from lxml import etree

from server.billing import Address, Money
from server.billing.electronic import Entry, Share, Statement
from server.brands.portal_file import Seat
from server.features.invoices.exports import decimal

_PROFILE = "en16931"
_INVOICE, _ONE, _CARD, _NOT_DEFINED, _DISCOUNT = "380", "C62", "48", "1", "95"
_TRANSFER, _SEPA_TRANSFER = "30", "58"
_ORDER = re.compile(
    r"p\.?\s?o\.?(\s?(number|no\.?|#))?|purchase order( (number|no\.?))?|bestell(ung|nummer|-?nr\.?)"
    r"|(bon|num[ée]ro) de commande|(n[úu]mero de )?pedido|orden de compra|(رقم )?أمر الشراء",
    re.IGNORECASE,
)
"""What customers call the field with the number of their purchase order."""
_CARDS = frozenset(
    {"visa", "mastercard", "amex", "discover", "jcb", "diners", "unionpay", "cartes_bancaires", "eftpos_au"}
)
_GROUNDS = {"AE": "VATEX-EU-AE", "O": "VATEX-EU-O"}
"""The codes that say why there is no tax; for `E` there is none, the invoice's memo says it."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


_log = logging.getLogger(__name__)


def xml(it: Statement, zone: tzinfo) -> bytes:
    """UTF-8. Dates are those of the brand's time zone, as on the pages.

    Empty where it would not be valid: that is a mistake of ours, logged, and no reason to keep the PDF from anybody. One
    at a time: the library changes lists of its own while it works.
    """
    from facturx import generate_xml  # noqa: PLC0415 (it reads its code lists: 0.3 s, for whoever prints)

    try:
        found: bytes = generate_xml(_fields(it, zone), level=_PROFILE, check_xsd=False, check_schematron=False)
    except ValueError as error:
        return _left_out(it, str(error))
    tree, schema = etree.fromstring(found), _schema()
    # factur-x 7.8 writes a delivery of which nothing is known as `xsi:nil`, which its own schema refuses.
    etree.strip_attributes(tree, "{http://www.w3.org/2001/XMLSchema-instance}nil")
    if not schema.validate(tree):
        return _left_out(it, str(schema.error_log.last_error))
    return bytes(etree.tostring(tree, xml_declaration=True, encoding="UTF-8"))


def _left_out(it: Statement, why: str) -> bytes:
    _log.error("no electronic invoice in %s: %s", it.invoice.id, why)
    return b""


@cache
def _schema() -> etree.XMLSchema:
    folder = resources.files("facturx") / "xsd_and_schematron" / f"facturx-{_PROFILE}"
    return etree.XMLSchema(file=str(folder / "Factur-X_EN16931.xsd"))


def _fields(it: Statement, zone: tzinfo) -> dict[str, Any]:
    invoice = it.invoice
    starts = [line.period_start_at for line in invoice.lines if line.period_start_at]
    ends = [line.period_end_at for line in invoice.lines if line.period_end_at]
    said: dict[str, Any] = {
        "BT-1": _text(invoice.number),
        "BT-2": _day(invoice.created_at, zone),
        "BT-3": _INVOICE,
        "BT-5": invoice.currency,
        # Where nothing is due later, it was due when it was made.
        "BT-9": _day(invoice.due_at or invoice.created_at, zone),
        "BG-4": _seller(it),
        "BG-7": _party(invoice.customer_name, invoice.customer_address, it.buyer_vat_id, it.shares),
        "BT-106": _amount(it, it.lines),
        "BT-109": _amount(it, it.net),
        "BT-110": _amount(it, it.tax),
        "BT-112": _amount(it, it.net + it.tax),
        "BT-115": _amount(it, it.due),
        "BG-23": [_breakdown(it, each) for each in it.shares],
        "BG-25": [_line(it, each, number, zone) for number, each in enumerate(it.entries, 1)],
    }
    if starts and ends and min(starts) <= max(ends):
        said |= {"BT-73": _day(min(starts), zone), "BT-74": _day(max(ends), zone)}
    order = next((each.value for each in invoice.custom_fields if _ORDER.fullmatch(each.name.strip())), "")
    if _text(order):
        said["BT-13"] = _text(order)
    notes = [invoice.memo, *(f"{each.name}: {each.value}" for each in invoice.custom_fields if each.value != order)]
    if any(map(_text, notes)):
        said["BG-1"] = [{"BT-22": words} for words in map(_text, notes) if words]
    if invoice.ship_to.country and invoice.ship_to.city:
        said["BG-13"] = _party(invoice.ship_to_name or invoice.customer_name, invoice.ship_to, "", it.shares)
    if it.prepaid:
        said["BT-113"] = _amount(it, it.prepaid)
    less = [each for each in it.shares if each.allowance]
    if less:
        said["BT-107"] = _amount(it, it.allowances)
        said["BG-20"] = [_allowance(it, each) for each in less]
    paid_with = next((each.method for each in reversed(invoice.payments) if each.status == "paid" and each.method), "")
    if paid_with:
        code = _CARD if paid_with.split()[0] in _CARDS else _NOT_DEFINED
        said |= {"BT-81": code, "BT-82": _text(paid_with)}
    elif it.due and not invoice.next_attempt_at:
        said |= _transfer(it)
    return said


def _transfer(it: Statement) -> dict[str, Any]:
    """To which account it can be paid, where the business names one."""
    account, business, invoice = it.business.bank_account, it.business, it.invoice
    if not account.iban:
        return {}
    said = {
        "BT-81": _SEPA_TRANSFER if invoice.currency == "EUR" else _TRANSFER,
        "BT-83": _text(invoice.number),
        "BT-84": account.iban,
        "BT-85": _text(account.account_holder or business.legal_name or business.name),
        "BT-86": account.bic,
    }
    return {key: value for key, value in said.items() if value}


def _seller(it: Statement) -> dict[str, Any]:
    business = it.business
    party = _party(business.legal_name or business.name, business.address, it.seller_vat_id, it.shares)
    if "vat_identifier" not in party:
        party["identifiers"] = {None: it.seller_vat_id}
    if business.legal_name and business.legal_name != business.name:
        party["biz_name"] = _text(business.name)
    reach = {"name": business.name, "phone": business.support_phone, "email": business.support_email}
    if business.support_phone or business.support_email:
        party["contacts"] = [{key: _text(value) for key, value in reach.items() if value}]
    return party


def _party(name: str, address: Address | Seat, vat_id: str, shares: tuple[Share, ...]) -> dict[str, Any]:
    party = {
        "name": _text(name),
        "country_code": address.country,
        "city": _text(address.city),
        "postcode": _text(address.postal_code),
        "addr_l1": _text(address.line1),
        "addr_l2": _text(address.line2),
        "country_subdivision": _text(address.state),
    }
    # BR-O-2: what is outside the scope of VAT names nobody's VAT number as one.
    if vat_id and not any(each.category == "O" for each in shares):
        party["vat_identifier"] = vat_id
    return {key: value for key, value in party.items() if value}


def _breakdown(it: Statement, share: Share) -> dict[str, Any]:
    found = {
        "BT-116": _amount(it, share.basis),
        "BT-117": _amount(it, share.tax),
        "BT-118": share.category,
        "BT-121": _GROUNDS.get(share.category, ""),
        "BT-120": _text(it.invoice.memo) if share.category == "E" else "",
    }
    return {key: value for key, value in found.items() if value} | _rate("BT-119", share)


def _rate(key: str, share: Share) -> dict[str, str]:
    """What is outside the scope of VAT has no rate."""
    return {} if share.category == "O" else {key: share.percentage}


def _allowance(it: Statement, share: Share) -> dict[str, Any]:
    reason = ", ".join(dict.fromkeys(_text(each.label) for each in it.invoice.discounts if each.label.strip()))
    found = {"amount": _amount(it, share.allowance), "vat_category_code": share.category, "reason_code": _DISCOUNT}
    return found | ({"reason": reason} if reason else {}) | _rate("vat_rate", share)


def _line(it: Statement, entry: Entry, number: int, zone: tzinfo) -> dict[str, Any]:
    """A credit is a negative quantity: a price is never below zero (BR-27). Where the amount is no whole number of them, the
    price is that of all units together."""
    line = entry.line
    units = line.quantity or 1
    found: dict[str, Any] = {
        "BT-126": str(number),
        "BT-129": str(-units if entry.net < 0 else units),
        "BT-130": _ONE,
        "BT-131": _amount(it, entry.net),
        "BT-146": _amount(it, abs(entry.net)),
        "BT-151": entry.share.category,
        "BT-153": _text(line.description) or _text(line.price) or _text(line.id),
    }
    if abs(entry.net) % units == 0:
        found["BT-146"] = _amount(it, abs(entry.net) // units)
    else:
        found["BT-149"] = str(units)
    if line.period_start_at and line.period_end_at and line.period_start_at <= line.period_end_at:
        found |= {"BT-134": _day(line.period_start_at, zone), "BT-135": _day(line.period_end_at, zone)}
    return found | _rate("BT-152", entry.share)


def _amount(it: Statement, amount: int) -> str:
    return decimal(Money(amount, it.invoice.currency))


def _day(at: datetime, zone: tzinfo) -> Any:
    return at.astimezone(zone).date()


def _text(words: str) -> str:
    """What XML can hold of it, in one line."""
    return " ".join(_NOT_XML.sub("", words).split())
