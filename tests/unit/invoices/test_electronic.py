"""Electronic invoices: what they say was worked out by hand, what they must say is checked by the standard's own rules,
and what cannot be said right is not said."""

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from msgspec.structs import replace

from server.billing import (
    Address,
    BuyerTaxId,
    Invoice,
    InvoiceDiscount,
    InvoiceLine,
    InvoiceTax,
    LineTax,
    Money,
    Payment,
)
from server.billing.electronic import Gaps, Statement, seller_gaps, statement
from server.billing.ledger.events.renewals import bring_up_to_date
from server.billing.model.amounts import shares
from server.billing.model.documents import decode_invoice, encode_invoice
from server.brands.portal_file import Business, Seat
from server.features.invoices.factur_x import xml
from tests.support.accounts import END, NOW, START, eur, invoice
from tests.support.plans import accounts, catalogs
from tests.support.schematron import broken

ROASTERS = Business(
    name="Harbour Coffee",
    legal_name="Harbour Coffee Roasters GmbH",
    tax_id="DE136695976",
    support_email="hello@harbour.example",
    address=Seat(line1="Am Sandtorkai 4", city="Hamburg", postal_code="20457", country="DE"),
)
BERLIN = Address("Oranienstraße 6", "", "Berlin", "", "10997", "DE")
ZONE = ZoneInfo("Europe/Berlin")
NAMES = {"ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"}


def line(number: int, amount: int, tax: int | None, rate: str = "19", **more: object) -> InvoiceLine:
    """With one tax, on top of the amount if nothing else is said."""
    inclusive = bool(more.pop("inclusive", False))
    taxes = () if tax is None else (LineTax(eur(tax), rate, inclusive),)
    whole = InvoiceLine(f"il_{number}", f"Article {number}", eur(amount), 1, "", START, END, taxes=taxes)
    return replace(whole, **more)


def issued(*lines: InvoiceLine, total: int, **more: object) -> Invoice:
    """An open invoice of these lines."""
    sums: dict[tuple[str, bool], int] = {}
    for each in (tax for one in lines for tax in one.taxes):
        sums[each.percentage, each.inclusive] = sums.get((each.percentage, each.inclusive), 0) + each.amount.amount
    taxes = tuple(InvoiceTax(f"VAT {rate}%", eur(tax), inside, rate) for (rate, inside), tax in sums.items())
    whole = invoice(
        status="open", lines=lines, taxes=taxes, subtotal=eur(sum(each.amount.amount for each in lines)),
        total=eur(total), amount_due=eur(total), customer_name="Jenny Rosenbaum", customer_address=BERLIN,
    )  # fmt: skip
    return replace(whole, **more)


def said(it: Invoice, business: Business = ROASTERS) -> Statement:
    found = statement(it, business)
    assert isinstance(found, Statement), found
    return found


def missing(it: Invoice, business: Business = ROASTERS) -> tuple[str, ...]:
    found = statement(it, business)
    assert isinstance(found, Gaps)
    return found.missing


class Read:
    """An electronic invoice as whoever gets it reads it."""

    def __init__(self, content: bytes) -> None:
        self.content, self.tree = content, etree.fromstring(content)

    def all(self, path: str) -> list[str]:
        return [str(each.text) for each in self.tree.iterfind(f".//ram:{path.replace('/', '/ram:')}", NAMES)]

    def one(self, path: str) -> str:
        (found,) = self.all(path)
        return found

    @property
    def sums(self) -> list[str]:
        """Lines, discounts, net, tax, total, paid, due."""
        inside = "SpecifiedTradeSettlementHeaderMonetarySummation/"
        names = ("LineTotal", "AllowanceTotal", "TaxBasisTotal", "TaxTotal", "GrandTotal", "TotalPrepaid", "DuePayable")
        return ["".join(self.all(f"{inside}{name}Amount")) for name in names]

    @property
    def breakdown(self) -> list[tuple[str, ...]]:
        """Category, rate, basis and tax of each."""
        inside = "ApplicableHeaderTradeSettlement/ApplicableTradeTax/"
        names = ("CategoryCode", "RateApplicablePercent", "BasisAmount", "CalculatedAmount")
        return list(zip(*(self.all(inside + name) for name in names), strict=True))


def read(it: Invoice, business: Business = ROASTERS) -> Read:
    """Checked against the schema by the server and against every rule of the standard here."""
    content = xml(said(it, business), ZONE)
    assert content
    assert broken(content) == []
    return Read(content)


def test_an_invoice_at_the_standard_rate():  # I7
    # 20.00 + 10.00 + 5.00 = 35.00; 19 % are 6.65.
    found = read(
        issued(
            line(1, 2000, 380, quantity=2), line(2, 1000, 190, quantity=3, description="Röst & Co <b>"),
            line(3, 500, 95, quantity=None, period_start_at=None, period_end_at=None),
            total=4165, due_at=END, memo="Thank you.", customer_tax_ids=(BuyerTaxId("eu_vat", "DE 123 456 789"),),
        )
    )  # fmt: skip
    assert found.sums == ["35.00", "", "35.00", "6.65", "41.65", "", "41.65"]
    assert found.breakdown == [("S", "19", "35.00", "6.65")]
    assert found.all("SellerTradeParty/SpecifiedTaxRegistration/ID") == ["DE136695976"]
    assert found.all("BuyerTradeParty/SpecifiedTaxRegistration/ID") == ["DE123456789"]
    assert found.all("SpecifiedTradeProduct/Name") == ["Article 1", "Röst & Co <b>", "Article 3"]
    # 20.00 are 2 of 10.00; 10.00 are no whole cents for each of 3, so it is the price of 3.
    assert found.all("NetPriceProductTradePrice/ChargeAmount") == ["10.00", "10.00", "5.00"]
    assert found.one("NetPriceProductTradePrice/BasisQuantity") == "3"
    assert found.one("InvoiceCurrencyCode") == "EUR"
    assert b">20260315<" in found.content


def test_two_rates_and_a_discount_on_both():  # I7
    # 100.00 at 19 % and 50.00 at 7 %, a tenth less: 90.00 and 45.00; 17.10 and 3.15.
    found = read(
        issued(
            line(1, 10000, 1710, discount=eur(1000)), line(2, 5000, 315, "7", discount=eur(500)),
            total=15525, discounts=(InvoiceDiscount("Welcome", eur(1500)),),
        )
    )  # fmt: skip
    assert found.sums == ["150.00", "15.00", "135.00", "20.25", "155.25", "", "155.25"]
    assert sorted(found.breakdown) == [("S", "19", "90.00", "17.10"), ("S", "7", "45.00", "3.15")]
    assert found.all("SpecifiedTradeAllowanceCharge/ActualAmount") == ["10.00", "5.00"]
    assert set(found.all("SpecifiedTradeAllowanceCharge/Reason")) == {"Welcome"}


def test_a_tax_that_is_inside():  # I7
    # 31.00 hold 4.95: 26.05, of which 19 % are 4.9495.
    found = read(issued(line(1, 3100, 495, inclusive=True), total=3100))
    assert found.sums == ["26.05", "", "26.05", "4.95", "31.00", "", "31.00"]


def test_a_discount_where_the_tax_is_inside():  # I7
    # 62.00 less 31.00: 31.00 hold 4.95. Without tax 62.00 are 52.10, and 26.05 are left: 26.05 less.
    it = issued(line(1, 6200, 495, inclusive=True), total=3100, discounts=(InvoiceDiscount("Half", eur(3100)),))
    assert read(it).sums == ["52.10", "26.05", "26.05", "4.95", "31.00", "", "31.00"]


def test_a_tax_inside_that_no_cent_fits_is_left_out():  # I7
    # 14.50 hold 2.32 (2.3151): 12.18 are left, and 19 % of them are 2.31.
    assert missing(issued(line(1, 1450, 232, inclusive=True), total=1450)) == ("sums",)


def test_a_customer_who_owes_the_tax():  # I7
    it = issued(
        line(1, 3500, None), total=3500, customer_tax_exempt="reverse",
        customer_address=Address("8 rue des Tanneurs", "", "Lille", "", "59800", "FR"),
        customer_tax_ids=(BuyerTaxId("eu_vat", "FR40303265045"),),
    )  # fmt: skip
    found = read(it)
    assert found.breakdown == [("AE", "0", "35.00", "0.00")]
    assert found.one("ExemptionReasonCode") == "VATEX-EU-AE"
    assert found.all("BuyerTradeParty/SpecifiedTaxRegistration/ID") == ["FR40303265045"]
    assert missing(replace(it, customer_tax_ids=())) == ("buyer_vat_id",)


@pytest.mark.parametrize(
    ("reason", "category"), [("zero_rated", "Z"), ("product_exempt", "E"), ("not_subject_to_tax", "O"), ("reverse_charge", "AE")]
)  # fmt: skip
def test_each_reason_for_no_tax_has_its_category(reason, category):  # I7
    free = replace(line(1, 3500, None), taxes=(LineTax(eur(0), "0", reason=reason),))
    it = issued(
        free, total=3500, memo="Free of tax under section 4.", customer_tax_ids=(BuyerTaxId("eu_vat", "FR40303265045"),)
    )
    assert read(it).all("ApplicableHeaderTradeSettlement/ApplicableTradeTax/CategoryCode") == [category]


def test_the_credit_of_a_change_and_what_was_paid_before():  # I7
    # -15.50 and 62.00 are 46.50; 19 % are 8.835, so 8.84. 10.00 came from the balance, the rest by card.
    it = issued(
        line(1, -1550, -295, description="Unused time", proration=True), line(2, 6200, 1179), total=5534,
        status="paid", amount_due=eur(0), amount_paid=eur(4534), balance_applied=eur(-1000),
        payments=(Payment("py_1", "paid", eur(4534), NOW, "visa 4242"),),
    )  # fmt: skip
    found = read(it)
    assert found.sums == ["46.50", "", "46.50", "8.84", "55.34", "55.34", "0.00"]
    assert found.all("BilledQuantity") == ["-1", "1"]
    assert found.all("NetPriceProductTradePrice/ChargeAmount") == ["15.50", "62.00"]
    assert found.one("SpecifiedTradeSettlementPaymentMeans/TypeCode") == "48"


def test_an_invoice_in_yen():  # I7
    def yen(amount: int) -> Money:
        return Money(amount, "JPY")

    # 10 % of 2,450 are 245.
    it = issued(line(1, 0, 0), total=0)
    it = replace(
        it, currency="JPY", subtotal=yen(2450), total=yen(2695), amount_due=yen(2695), amount_paid=yen(0),
        lines=(replace(line(1, 0, 0), amount=yen(2450), taxes=(LineTax(yen(245), "10"),)),),
        taxes=(InvoiceTax("消費税 10%", yen(245), percentage="10"),),
    )  # fmt: skip
    assert read(it).sums == ["2450", "", "2450", "245", "2695", "", "2695"]


WHOLE = issued(line(1, 2000, 380), total=2380)


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"customer_name": " "}, "buyer_name"),
        ({"customer_address": Address(country="DE")}, "buyer_address"),
        ({"number": ""}, "number"),
        ({"customer_address": replace(BERLIN, country="US")}, "other_tax"),
        ({"lines": ()}, "lines"),
        ({"has_more_lines": True}, "lines"),
        ({"status": "void"}, "void"),
        ({"credited": eur(100)}, "credited"),
        ({"balance_applied": eur(100)}, "earlier_balance"),
        ({"total": eur(-1)}, "negative"),
        ({"currency": "KWD"}, "currency"),
        ({"currency": "XQX"}, "currency"),
        ({"lines": (line(1, 2000, None),)}, "tax_rates"),
        ({"lines": (line(1, 2000, 380, ""),)}, "tax_rates"),
        ({"lines": (line(1, 2000, None),), "taxes": ()}, "untaxed"),
        ({"lines": (replace(line(1, 2000, None), taxes=(LineTax(eur(0), "0", reason="product_exempt"),)),)}, "exemption"),
        ({"lines": (replace(line(1, 2000, None), taxes=(LineTax(eur(9), "5", reason="portion_standard_rated"),)),)}, "tax_rates"),
        ({"lines": (replace(line(1, 2000, None), taxes=(LineTax(eur(1), "5"), LineTax(eur(1), "7"))),)}, "several_taxes"),
        ({"lines": (line(1, 1000, 190), line(2, 1190, 190, inclusive=True))}, "several_taxes"),
        ({"customer_tax_exempt": "reverse"}, "taxed_yet_exempt"),
        ({"lines": (line(1, 2000, 379),)}, "sums"),
        ({"total": eur(2379)}, "sums"),
        ({"amount_due": eur(2379)}, "sums"),
        ({"discounts": (InvoiceDiscount("", eur(100)),)}, "sums"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_right_is_named(changed, word):  # I7
    assert word in missing(replace(WHOLE, **changed))


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"tax_id": ""}, "seller_vat_id"),
        ({"tax_id": "12-3456789"}, "seller_vat_id"),
        ({"tax_id": "FR40303265045"}, "seller_vat_id"),
        ({"address": Seat(country="DE")}, "seller_address"),
    ],
)
def test_what_the_business_must_add_is_named(changed, word):  # I7
    business = replace(ROASTERS, **changed)
    assert word in seller_gaps(business)
    assert word in missing(WHOLE, business)
    assert seller_gaps(ROASTERS) == ()


def test_an_invoice_that_was_stored_before_has_no_rates():  # I7
    older = replace(
        WHOLE, lines=tuple(replace(each, taxes=()) for each in WHOLE.lines), taxes=(InvoiceTax("VAT 19%", eur(380)),)
    )
    assert missing(decode_invoice(encode_invoice(older))) == ("tax_rates",)


@pytest.mark.parametrize(
    "text", ["bell \x07 nul \x00 \ufffe \ud800", "\u202e" * 3, "<a>&]]>", "x" * 10_000, "\U0001f381"]
)
def test_hostile_text_is_text(text):  # I7, threats 64, 74
    it = issued(
        line(1, 2000, 380, description=text), total=2380, memo=text, number=f"A{text}", customer_name=f"B{text}"
    )
    found = read(replace(it, customer_address=Address(f"C{text}", text, f"D{text}", text, text, "DE")))
    kept = "".join(each for each in text if each.isprintable() or each == "\u202e")
    assert found.one("SpecifiedTradeProduct/Name").split() == kept.split()


def fits(content: bytes, it: Invoice) -> None:
    """BR-CO-10, 13, 14, 15, 16 and 17 once more, in decimals, from what the file says."""
    found = Read(content)
    lines, off, net, tax, total, paid, due = (Decimal(each or 0) for each in found.sums)
    assert lines == sum(map(Decimal, found.all("SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount")))
    assert off == sum(map(Decimal, found.all("SpecifiedTradeAllowanceCharge/ActualAmount")))
    assert (net, total, due) == (lines - off, net + tax, total - paid)
    assert total.scaleb(2) == it.total.amount
    cent = Decimal("0.01")
    for _, rate, basis, own in found.breakdown:
        assert (Decimal(basis) * Decimal(rate) / 100).quantize(cent, ROUND_HALF_UP) == Decimal(own)
    assert (tax, net) == (
        sum(Decimal(each[3]) for each in found.breakdown),
        sum(Decimal(each[2]) for each in found.breakdown),
    )


@st.composite
def invoices(draw):
    """As a biller makes them that rounds the tax of each rate once: quantities, two rates, credits, a discount."""
    inclusive = draw(st.booleans())
    found = []
    for number in range(draw(st.integers(1, 5))):
        amount, rate = draw(st.integers(-2000, 20000)), draw(st.sampled_from(["19", "7", "5.5"]))
        found.append(
            (line(number, amount, 0, rate, inclusive=inclusive, quantity=draw(st.integers(1, 9))), amount, rate)
        )
    off = draw(st.integers(0, 500))
    off = off if sum(amount for _, amount, _ in found) > off and all(amount > 0 for _, amount, _ in found) else 0
    parts = shares(off, [amount for _, amount, _ in found])
    lines, taxes = [], 0
    for rate in sorted({rate for _, _, rate in found}):
        own = [
            (each, amount - part, part) for (each, amount, its), part in zip(found, parts, strict=True) if its == rate
        ]
        percent = Decimal(rate) / (100 + Decimal(rate)) if inclusive else Decimal(rate) / 100
        tax = int((sum(net for _, net, _ in own) * percent).quantize(Decimal(1), ROUND_HALF_UP))
        taxes += tax
        for (each, _, part), share in zip(own, shares(tax, [1] * len(own)), strict=True):
            lines.append(
                replace(each, discount=eur(part) if part else None, taxes=(LineTax(eur(share), rate, inclusive),))
            )
    total = sum(amount for _, amount, _ in found) - off + (0 if inclusive else taxes)
    return issued(*lines, total=total, discounts=(InvoiceDiscount("Less", eur(off)),) if off else ())


@settings(max_examples=120, deadline=None)
@given(invoices())
def test_every_invoice_fits_to_the_cent_or_says_why_not(it):  # I7
    found = statement(it, ROASTERS)
    if isinstance(found, Gaps):
        assert found.missing in (("sums",), ("negative",))
        # A tax on top that is rounded once for its rate always fits.
        assert found.missing == ("negative",) or it.taxes[0].inclusive
    else:
        content = xml(found, ZONE)
        assert content
        fits(content, it)


@settings(max_examples=8, deadline=None)
@given(invoices())
def test_generated_invoices_break_no_rule_of_the_standard(it):  # I7
    found = statement(it, ROASTERS)
    assert isinstance(found, Gaps) or broken(xml(found, ZONE)) == []


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_the_ledger_bills_fits_or_says_why_not(data):  # I7
    it = data.draw(accounts(data.draw(catalogs())))
    it = replace(it, customer=replace(it.customer, name="Jenny", address=BERLIN))
    _, made = bring_up_to_date(it, it.as_of + timedelta(days=data.draw(st.integers(1, 120))))
    for each in made:
        found = statement(each, ROASTERS)
        if isinstance(found, Statement):
            fits(xml(found, ZONE), each)
        else:
            assert set(found.missing) <= {"sums", "negative", "untaxed", "void", "earlier_balance"}, found.missing
