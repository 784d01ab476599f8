"""Whether an invoice can be said in the words of EN 16931, and its sums as that standard wants them. Pure.

An electronic invoice that is nearly right is wrong: it is left out wherever something is not known, or does not add up to
the cent. `Statement` is what there is to say; otherwise these words say what is missing:

    seller_vat_id, seller_address        of the business, in portal.toml
    buyer_name, buyer_address            of the customer, when the invoice was made
    buyer_vat_id                         of a customer who owes the tax
    number, lines                        the invoice has none, or not all of them
    tax_rates                            not every line says its rate
    untaxed                              a line carries no tax and nothing says why
    exemption                            nothing says on what ground it is exempt (the invoice's memo would)
    several_taxes                        a line with more than one tax, or one rate both inside and on top
    taxed_yet_exempt                     tax on a customer who is exempt
    other_tax                            a tax where the customer is that may be no VAT, such as a sales tax
    currency                             more than two decimals, or no currency that is known
    shipping                             nothing says which tax the delivery carries
    void, negative, credited, earlier_balance
    sums                                 they do not fit to the cent

Line amounts in it are net: where the tax is inside, the net amount of all lines of a rate is worked out once and shared
out to them, so that the parts add up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

import msgspec
from babel.numbers import is_currency

from server.billing import Address, Invoice, InvoiceLine, LineTax, Money
from server.billing.model.amounts import rounded, shares
from server.brands.portal_file import Business, Seat
from server.formats.minor_units import digits

_CATEGORIES = {
    "": "S",
    "standard_rated": "S",
    "reduced_rated": "S",
    "zero_rated": "Z",
    "reverse_charge": "AE",
    "customer_exempt": "E",
    "product_exempt": "E",
    "product_exempt_holiday": "E",
    "not_subject_to_tax": "O",
    "not_collecting": "O",
}
"""Stripe's `taxability_reason` -> the category of EN 16931 (UNTDID 5305). Other reasons tax a part of an amount only."""
_EXEMPTIONS = {"reverse": "AE", "exempt": "E"}
_WITH_VAT = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
        "GB",
        "XI",
        "CH",
        "LI",
        "NO",
        "IS",
        "MC",
    ]
)
"""Where a tax on an invoice is VAT. Nothing that the ledger keeps says what kind of tax a rate is."""
_VAT_ID = re.compile(r"[A-Z]{2}[0-9A-Z]{2,14}")


class Share(msgspec.Struct, frozen=True):
    """All lines of one category and rate. Amounts are minor units of the invoice's currency."""

    category: str
    """`S`, `Z`, `E`, `AE` or `O`."""
    percentage: str
    lines: int
    """The sum of the net amounts of its lines."""
    allowance: int
    """What the discounts take off it."""
    tax: int

    @property
    def basis(self) -> int:
        return self.lines - self.allowance


class Entry(msgspec.Struct, frozen=True):
    """One line."""

    line: InvoiceLine
    net: int
    """Without tax, before discounts."""
    share: Share


class Statement(msgspec.Struct, frozen=True):
    """An invoice that can be said electronically."""

    invoice: Invoice
    business: Business
    seller_vat_id: str
    buyer_vat_id: str
    """Empty: the customer has none."""
    shares: tuple[Share, ...]
    entries: tuple[Entry, ...]
    prepaid: int
    """What was paid, and the credit that was used."""

    @property
    def lines(self) -> int:
        """The net of every line, before allowances."""
        return sum(each.net for each in self.entries)

    @property
    def allowances(self) -> int:
        return sum(each.allowance for each in self.shares)

    @property
    def net(self) -> int:
        return sum(each.basis for each in self.shares)

    @property
    def tax(self) -> int:
        return sum(each.tax for each in self.shares)

    @property
    def due(self) -> int:
        return self.net + self.tax - self.prepaid


class Gaps(msgspec.Struct, frozen=True):
    """Why there is no electronic invoice: the words of this module's docstring."""

    missing: tuple[str, ...]


def seller_gaps(business: Business) -> tuple[str, ...]:
    """What the business must add to portal.toml before any of its invoices can be electronic."""
    missing = [] if _vat_id(business.tax_id, business.address.country) else ["seller_vat_id"]
    return (*missing, *(() if _is_whole(business.address) else ("seller_address",)))


def statement(invoice: Invoice, business: Business) -> Statement | Gaps:
    gaps = [*seller_gaps(business), *_buyer_gaps(invoice), *_invoice_gaps(invoice)]
    categories = [_category(line, invoice) for line in invoice.lines]
    gaps += sorted({each for each in categories if isinstance(each, str)})
    known = [each for each in categories if isinstance(each, tuple)]
    buyer = next((found for each in invoice.customer_tax_ids if (found := _vat_id(each.value))), "")
    if any(category == "AE" for category, _, _ in known) and not buyer:
        gaps.append("buyer_vat_id")
    if any(category == "E" for category, _, _ in known) and not invoice.memo.strip():
        gaps.append("exemption")
    if gaps:
        return Gaps(tuple(gaps))
    entries = _entries(invoice, known)
    if isinstance(entries, str):
        return Gaps((entries,))
    it = Statement(
        invoice=invoice,
        business=business,
        seller_vat_id=_vat_id(business.tax_id, business.address.country),
        buyer_vat_id=buyer,
        shares=tuple(dict.fromkeys(each.share for each in entries)),
        entries=entries,
        prepaid=invoice.amount_paid.amount - (invoice.balance_applied.amount if invoice.balance_applied else 0),
    )
    return it if _fits(it) else Gaps(("sums",))


def _vat_id(text: str, country: str = "") -> str:
    """Without spaces, dots and dashes; empty where it is no VAT number (of that country)."""
    found = re.sub(r"[\s.\-]", "", text).upper()
    prefix = {"GR": "EL"}.get(country, country)
    return found if _VAT_ID.fullmatch(found) and found.startswith(prefix) else ""


def _is_whole(address: Address | Seat) -> bool:
    return all(each.strip() for each in (address.line1, address.city, address.country))


def _buyer_gaps(invoice: Invoice) -> list[str]:
    missing = [] if invoice.customer_name.strip() else ["buyer_name"]
    return missing if _is_whole(invoice.customer_address) else [*missing, "buyer_address"]


def _invoice_gaps(invoice: Invoice) -> list[str]:
    code, applied = invoice.currency, invoice.balance_applied
    wrong = {
        "number": not invoice.number.strip(),
        "lines": not invoice.lines or invoice.has_more_lines,
        "currency": not is_currency(code) or digits(code) > 2,
        "shipping": bool(invoice.shipping),
        "void": invoice.status == "void",
        "negative": invoice.total.amount < 0,
        "credited": bool(invoice.credited),
        "earlier_balance": bool(applied and applied.amount > 0),
        "other_tax": any(each.amount for each in invoice.taxes) and invoice.customer_address.country not in _WITH_VAT,
    }
    return [word for word, is_so in wrong.items() if is_so]


def _category(line: InvoiceLine, invoice: Invoice) -> tuple[str, str, bool] | str:
    """Category, rate and whether the tax is inside the amount; or the word for why that cannot be said."""
    if len(line.taxes) > 1:
        return "several_taxes"
    exempt = _EXEMPTIONS.get(invoice.customer_tax_exempt, "")
    # A line that names no tax has none, unless the invoice has some and does not say of what.
    tax = line.taxes[0] if line.taxes else LineTax(Money(0, invoice.currency), "" if invoice.taxes else "0")
    category, rate = _CATEGORIES.get(tax.reason, ""), Fraction(tax.percentage or 0)
    if not category or (tax.amount and not rate):
        return "tax_rates"
    if category == "S" and not rate:
        category = exempt
        if not exempt:
            return "untaxed" if tax.percentage else "tax_rates"
    if tax.amount and (exempt or category != "S"):
        return "taxed_yet_exempt"
    return (category, tax.percentage, tax.inclusive) if category == "S" else (category, "0", False)


def _entries(invoice: Invoice, categories: Sequence[tuple[str, str, bool]]) -> tuple[Entry, ...] | str:
    """Each line with its net amount and its share; or the word for what is wrong."""
    places: dict[tuple[str, str, bool], list[int]] = {}
    for index, each in enumerate(categories):
        places.setdefault(each, []).append(index)
    if len({(category, Fraction(rate)) for category, rate, _ in places}) < len(places) or (
        len(places) > 1 and any(category == "O" for category, _, _ in places)
    ):
        return "several_taxes"
    # Billing credits lower what is taxed, as discounts do.
    whole_off = invoice.discounted.amount + (invoice.credit_grants.amount if invoice.credit_grants else 0)
    said_off = sum(each.discount.amount for each in invoice.lines if each.discount)
    if said_off != whole_off and len(places) > 1:
        return "sums"
    found: dict[int, Entry] = {}
    for (category, rate, inside), indexes in places.items():
        lines = [invoice.lines[index] for index in indexes]
        amounts = [each.amount.amount for each in lines]
        off = whole_off if len(places) == 1 else sum(each.discount.amount for each in lines if each.discount)
        tax = sum(each.amount.amount for line in lines for each in line.taxes)
        net = rounded(Fraction(sum(amounts)) * 100 / (100 + Fraction(rate))) if inside else sum(amounts)
        allowance = net - (sum(amounts) - off - tax) if inside else off
        share = Share(category, rate, net, allowance, tax)
        for index, line, part in zip(indexes, lines, shares(net, amounts) if inside else amounts, strict=True):
            found[index] = Entry(line, part, share)
    return tuple(found[index] for index in range(len(categories)))


def _fits(it: Statement) -> bool:
    """The sums of EN 16931: BR-CO-10, 13, 14, 15, 16 and 17, each to the minor unit."""
    invoice = it.invoice
    lines = sum(each.net for each in it.entries)
    if lines != sum(each.lines for each in it.shares) or it.net + it.tax != invoice.total.amount:
        return False
    if it.tax != sum(each.amount.amount for each in invoice.taxes) or any(each.allowance < 0 for each in it.shares):
        return False
    if any(each.tax != rounded(each.basis * Fraction(each.percentage) / 100) for each in it.shares):
        return False
    return it.due == (invoice.amount_due.amount if invoice.status in ("open", "paid") else it.due) and it.due >= 0
