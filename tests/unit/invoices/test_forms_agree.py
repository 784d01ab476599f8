"""One invoice, five forms: page, PDF, CSV, JSON and XML say the same, to the unit, in twelve currencies.

What is right is known to whoever makes the invoices here, in decimals; nothing of it is asked of the code under test.
"""

import csv
import io
import json
import random
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import msgspec
import pypdfium2
import pytest
from lxml import etree, html
from msgspec.structs import replace

from server.billing import (
    CreditNote,
    Invoice,
    InvoiceDiscount,
    InvoiceLine,
    InvoiceTax,
    LineTax,
    Money,
    Payment,
)
from server.billing.electronic import Statement, statement
from server.billing.model.invoice import with_taxable
from server.features.details.exports import as_json
from server.features.invoices import credit_note_views, exports, views
from server.features.invoices.factur_x import xml
from server.rendering.printing import printer
from tests.support.accounts import END, NOW, START
from tests.support.schematron import broken_in
from tests.unit.invoices.test_electronic import BERLIN, NAMES, ROASTERS
from tests.unit.printing.test_documents import renderer

pytestmark = pytest.mark.anyio
MANY, RULED, SHEETS = 1_000, 200, 100
ZONE = ZoneInfo("UTC")
DECIMALS = {
    "EUR": 2, "USD": 2, "GBP": 2, "CHF": 2, "SEK": 2, "PLN": 2, "RSD": 2, "ISK": 2, "JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3
}  # fmt: skip
SMALLEST = {"ISK": 100, "KWD": 10, "BHD": 10}
"""Amounts in these come in steps."""


@dataclass
class Known:
    """What whoever made it knows of an invoice: its rows in their order, and what no row says."""

    invoice: Invoice
    rows: list[tuple[str, int]]
    taxes: list[tuple[str, int, int]]
    """Rate, amount and what it is a tax on."""
    prepaid: int
    is_broken: bool = False
    notes: list[tuple[str, int]] = field(default_factory=list)
    """The rows of its credit note."""


def in_words(amount: int, code: str) -> str:
    """As an English page writes it; written here by hand."""
    places = 0 if code == "ISK" and amount % 100 == 0 else DECIMALS[code]
    number = f"{abs(Decimal(amount).scaleb(-DECIMALS[code])):,.{places}f}"
    sign = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "KRW": "₩"}.get(code, f"{code} ")
    return f"{'-' if amount < 0 else ''}{sign}{number}"


def halved_up(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def split(whole: int, weights: list[int]) -> list[int]:
    """In whole units; what is left over goes to the last."""
    parts = [whole * each // sum(weights) for each in weights]
    return [*parts[:-1], whole - sum(parts[:-1])]


def made(number: int) -> Known:
    dice = random.Random(number)
    code = list(DECIMALS)[number % len(DECIMALS)]
    step, inside = SMALLEST.get(code, 1), dice.random() < 0.4

    def money(amount: int) -> Money:
        return Money(amount, code)

    rates = dice.choice([[], ["19"], ["19"], ["7", "19"]])
    amounts = [dice.randint(50, 40_000) * step for _ in range(dice.randint(1, 3))]
    subtotal = sum(amounts)
    off = subtotal * dice.choice([0, 0, 10, 33]) // 100
    grant = (subtotal - off) * dice.choice([0, 0, 0, 5]) // 100
    less = split(off + grant, amounts)
    rate_of = [dice.choice(rates) if rates else "" for _ in amounts]
    taxes, line_taxes = [], [0] * len(amounts)
    for rate in dict.fromkeys(each for each in rate_of if each):
        places = [place for place, its in enumerate(rate_of) if its == rate]
        net = sum(amounts[place] - less[place] for place in places)
        tax = halved_up(Decimal(net) * Decimal(rate) / (100 + Decimal(rate) if inside else 100))
        taxes.append((rate, tax, net - tax if inside else net))
        for place, part in zip(places, split(tax, [amounts[place] for place in places]), strict=True):
            line_taxes[place] = part
    shipping = dice.choice([0, 0, 0, 0, 490 * step])
    total = subtotal - off - grant + shipping + (0 if inside else sum(tax for _, tax, _ in taxes))
    before = dice.choice([0, 0, -total // 3, -2 * total, 700 * step])
    after = min(total + before, 0)
    used = max(total + before, 0) - total
    to_pay, is_open = total + used, dice.random() < 0.4
    paid = to_pay // 4 if is_open and dice.random() < 0.3 else 0 if is_open else to_pay
    is_open = is_open and to_pay > paid
    refunded = paid // 5 if paid and not is_open and dice.random() < 0.3 else 0
    credited = paid // 2 if paid and not is_open and dice.random() < 0.3 else 0

    label = {rate: f"VAT {rate}%" for rate in ("7", "19")}
    lines = tuple(
        InvoiceLine(
            f"il_{number}_{place}", f"Article {place}", money(amount), 1, "", START, END,
            taxes=(LineTax(money(line_taxes[place]), rate_of[place], inside),) if rate_of[place] else (),
            discount=money(less[place]) if less[place] else None,
        )
        for place, amount in enumerate(amounts)
    )  # fmt: skip
    payment = Payment(
        f"py_{number}", "paid", money(paid), NOW, "visa 4242", refunded=money(refunded) if refunded else None
    )
    whole = Invoice(
        f"in_{number}", f"N-{number:05}", "open" if is_open else "paid", code, START, money(subtotal), money(total),
        money(paid), money(to_pay - paid if is_open else 0), lines=lines, due_at=END if is_open else None,
        paid_at=None if is_open else NOW, taxes=tuple(InvoiceTax(label[rate], money(tax), inside, rate) for rate, tax, _ in taxes),
        discounts=(InvoiceDiscount("Less", money(off)),) if off else (), payments=(payment,) if paid else (),
        credited=money(credited) if credited else None, customer_name="Jenny", customer_address=BERLIN,
        customer_tax_exempt="" if taxes else "exempt", memo="Free of tax under section 4.",
        balance_applied=money(used) if used else None, starting_balance=money(before) if before else None,
        ending_balance=money(after) if after else None, shipping=money(shipping) if shipping else None,
        credit_grants=money(grant) if grant else None,
    )  # fmt: skip
    if credited:
        whole = replace(whole, credit_notes=(note_of(number, whole, credited),))
    rows = [
        ("Subtotal", subtotal if off or taxes or used or shipping or grant else None),
        ("Discount: Less", -off or None),
        ("Billing credits", -grant or None),
        ("Shipping", shipping or None),
        *(
            (f"{label[rate]}{' (included)' if inside else ''} on {in_words(base, code)}", tax)
            for rate, tax, base in taxes
        ),
        ("Total", total),
        ("Credit used" if used < 0 else "Earlier balance", used or None),
        ("Amount paid", paid or None),
        ("Amount due", to_pay - paid if is_open else None),
        ("Refunded", -refunded or None),
        ("Credited after the invoice was issued", -credited or None),
        *(
            (("Owed before this invoice", before), ("Owed after this invoice", after))
            if before > 0
            else (("Your credit before this invoice", -before), ("Your credit after this invoice", -after))
            if before
            else ()
        ),
    ]
    known = Known(whole, [(name, amount) for name, amount in rows if amount is not None], taxes, paid - used)
    known.notes = [("Subtotal", credited - credited // 5), (f"VAT 19% on {in_words(credited - credited // 5, code)}", credited // 5), ("Credited in total", credited), ("Added to your credit", credited)] if credited else []  # fmt: skip
    return spoiled(known, dice) if dice.random() < 0.05 else known


def note_of(number: int, whole: Invoice, credited: int) -> CreditNote:
    tax, code = credited // 5, whole.currency
    net = Money(credited - tax, code)
    return CreditNote(
        f"cn_{number}", f"CN-{number:05}", "issued", NOW, net, Money(credited, code),
        lines=(InvoiceLine(f"cnli_{number}", "Half of it", net),),
        taxes=(InvoiceTax("VAT 19%", Money(tax, code), percentage="19", taxable=net),), to_balance=Money(credited, code),
    )  # fmt: skip


def spoiled(known: Known, dice: random.Random) -> Known:
    """With one of its sums off by a unit."""
    it, name = known.invoice, dice.choice(["subtotal", "total"])
    known.invoice = replace(it, **{name: getattr(it, name) + Money(1, it.currency)})
    known.is_broken = True
    return known


@pytest.fixture(scope="module")
def invoices() -> list[Known]:
    return [made(number) for number in range(MANY)]


def of_page(known: Known) -> list[tuple[str, str]]:
    """The sums below the lines, and what the payments say of it."""
    page = html.fromstring(renderer("harbour").fragment(views.detail(known.invoice, NOW)))
    rows = [tuple(" ".join(cell.text_content().split()) for cell in row) for row in page.iterfind(".//tfoot/tr")]
    said = " ".join(page.text_content().split())
    for name, amount in known.rows:
        if name == "Refunded":
            assert f"{in_words(-amount, known.invoice.currency)} refunded" in said
        elif name.startswith("Credited"):
            assert f"Credit note CN-{known.invoice.id[3:]:0>5} {in_words(amount, known.invoice.currency)}" in said
    return rows


def words_of(known: Known) -> list[dict]:
    """What the documents of it are set from."""
    its = renderer("harbour")
    found = [its.text("documents/invoice.txt", "en", view=views.detail(known.invoice, NOW))]
    for each in known.invoice.credit_notes:
        view = credit_note_views.shown(known.invoice, each)
        found.append(its.text("documents/credit_note.txt", "en", view=view))
    return [msgspec.json.decode(each) for each in found]


SHEET = b"""#import "paper.typ": document-of
#for it in json(bytes(sys.inputs.data)) { document-of(it, json(bytes(sys.inputs.look))) }
"""


def printed(paper: printer.Printer, documents: list[dict]) -> dict[str, str]:
    """The text of each document, as a reader of PDF finds it, by its number. Many are set in one file: that is quick."""
    its = renderer("harbour")
    look = printer.look_of(its.brand.theme, "en", "DE")
    files = {**printer._files(its, "invoice", look), "main.typ": SHEET}
    pdf = paper._compiled(files, {"look": msgspec.json.encode(look).decode()}, documents, NOW)
    found = pypdfium2.PdfDocument(pdf)
    texts = [" ".join(page.get_textpage().get_text_range().replace("\ufffe", "-").split()) for page in found]
    assert len(texts) == len(documents)
    return {each["number"]: text for each, text in zip(documents, texts, strict=True)}


def short(said: dict) -> dict:
    """Without what is no sum: most of the time goes into setting it."""
    return {
        **said,
        "parties": said["parties"][:1],
        "facts": said["facts"][:1],
        "contact": [],
        "memo": "",
    }


async def rows_of(them: list[Known]) -> dict[str, dict[str, str]]:
    async def pages():
        yield tuple(each.invoice for each in them)

    body = b"".join([part async for part in exports.as_csv(pages(), ZONE)])
    return {row["id"]: row for row in csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""))}


async def objects_of(them: list[Known]) -> dict[str, dict]:
    async def pages():
        yield [with_taxable(each.invoice) for each in them]

    body = b"".join([part async for part in as_json({}, {"invoices": pages()})])
    return {each["id"]: each for each in json.loads(body.replace(b"{\n,", b"{"))["invoices"]}


async def test_a_thousand_invoices_say_the_same_on_page_pdf_csv_and_json(invoices):
    whole = [each for each in invoices if not each.is_broken]
    documents = [short(said) for each in whole for said in words_of(each)]
    paper, texts = printer.Printer(), {}
    with ThreadPoolExecutor(1) as beside:  # the typesetter holds no lock of Python's
        sheets = [documents[n : n + SHEETS] for n in range(0, len(documents), SHEETS)]
        setting = [beside.submit(printed, paper, each) for each in sheets]
        table, objects = await rows_of(whole), await objects_of(whole)
        for known in whole:
            code = known.invoice.currency
            own = [each for each in known.rows if not each[0].startswith(("Refunded", "Credited"))]
            assert of_page(known) == [(name, in_words(amount, code)) for name, amount in own]
            in_a_row(known, table[known.invoice.id])
            as_an_object(known, objects[known.invoice.id])
        for each in setting:
            texts |= each.result()
    paper.close()
    for known in whole:
        code = known.invoice.currency
        on_paper(texts[known.invoice.number], known.rows, code)
        if known.invoice.payments:
            paid = in_words(known.invoice.amount_paid.amount, code)
            assert re.search(
                rf"Mar 1, 2026 Paid with Visa •••• 4242( · \S+ ?\S+ refunded)? {re.escape(paid)}",
                texts[known.invoice.number],
            )
        for note in known.invoice.credit_notes:
            on_paper(texts[note.number], known.notes, code)
            row = table[note.id]
            assert (number(row["total"], code), number(row["tax"], code)) == (-note.total.amount, -note.taxed.amount)
    assert len(documents) > MANY
    assert {each.invoice.currency for each in whole} == set(DECIMALS)


def on_paper(text: str, rows: list[tuple[str, int]], code: str) -> None:
    said = " ".join(f"{name} {in_words(amount, code)}" for name, amount in rows)
    assert said in text, (said, text)


def number(text: str, code: str) -> int:
    return int(Decimal(text).scaleb(DECIMALS[code]))


def in_a_row(known: Known, row: dict[str, str]) -> None:
    it, code = known.invoice, known.invoice.currency
    names = {
        "Subtotal": "subtotal", "Discount: Less": "discount", "Billing credits": "credits", "Shipping": "shipping",
        "Total": "total", "Credit used": "balance_used", "Earlier balance": "balance_used", "Amount paid": "amount_paid",
        "Amount due": "amount_due", "Refunded": "refunded", "Credited after the invoice was issued": "credited",
        "Owed before this invoice": "balance_before", "Owed after this invoice": "balance_after",
        "Your credit before this invoice": "balance_before", "Your credit after this invoice": "balance_after",
    }  # fmt: skip
    amounts = {names[name]: amount for name, amount in known.rows if name in names}
    given = ("discount", "credits", "refunded", "credited", *(("balance_before", "balance_after") if "Your" in str(known.rows) else ()))  # fmt: skip
    amounts |= {name: -amounts[name] for name in given if name in amounts}
    amounts["subtotal"] = sum(each.amount.amount for each in it.lines)
    for name in dict.fromkeys(names.values()):
        assert number(row[name], code) == amounts.get(name, 0), (name, row)
    assert number(row["tax"], code) == sum(tax for _, tax, _ in known.taxes)

    def plain(amount: int) -> str:
        return f"{Decimal(amount).scaleb(-DECIMALS[code]):f}"

    inside = " included" if it.taxes and it.taxes[0].inclusive else ""
    assert row["taxes"] == "; ".join(
        f"VAT {rate}% {plain(tax)} on {plain(base)}{inside}" for rate, tax, base in known.taxes
    )
    paid = f"2026-03-01 {plain(it.amount_paid.amount)} visa 4242" if it.payments else ""
    assert row["payments"] == paid


def as_an_object(known: Known, found: dict) -> None:
    it, money = known.invoice, {"currency": known.invoice.currency}
    rows = dict(known.rows)
    assert found["total"] == {"amount": rows["Total"], **money}
    assert found["subtotal"]["amount"] == sum(each.amount.amount for each in it.lines)
    assert found["amount_due"]["amount"] == rows.get("Amount due", 0)
    assert found["amount_paid"]["amount"] == rows.get("Amount paid", 0)
    taxes = [(each["percentage"], each["amount"]["amount"], each["taxable"]["amount"]) for each in found["taxes"]]
    assert taxes == known.taxes
    for name, key in (
        ("Shipping", "shipping"),
        ("Credit used", "balance_applied"),
        ("Earlier balance", "balance_applied"),
    ):
        if name in rows:
            assert found[key] == {"amount": rows[name], **money}
    assert [each["total"]["amount"] for each in found["credit_notes"]] == [
        each.total.amount for each in it.credit_notes
    ]


async def test_a_sum_that_its_parts_do_not_make_withholds_the_document_and_says_which(invoices):
    broken = [each.invoice for each in invoices if each.is_broken]
    assert len(broken) > MANY // 40
    for it in broken:
        view = views.detail(it, NOW)
        assert view.withheld in ("subtotal", "total")
        assert not view.has_document
        assert "There is no PDF of this document." in renderer("harbour").fragment(view)


def test_all_electronic_invoices_say_the_same_and_two_hundred_are_held_to_the_rules(invoices):
    said, left_out, chosen = {}, set(), []
    for known in invoices:
        found = statement(known.invoice, ROASTERS)
        if isinstance(found, Statement):
            chosen.append(known)
            said[known.invoice.id] = xml(found, ZONE)
        else:
            left_out |= set(found.missing)
            assert not known.is_broken or found.missing
    assert len(chosen) > 2 * RULED
    assert len({each.invoice.currency for each in chosen}) > 8
    # Everything that is left out says why; nothing is left out for a word that nobody knows.
    assert left_out <= {"sums", "currency", "shipping", "credited", "earlier_balance", "tax_rates", "several_taxes"}
    for known in chosen:
        as_electronic(known, etree.fromstring(said[known.invoice.id]))
    ruled = chosen[:RULED]
    reports = broken_in([said[each.invoice.id] for each in ruled])
    assert [(each.invoice.id, report) for each, report in zip(ruled, reports, strict=True) if report] == []


def as_electronic(known: Known, tree: etree._Element) -> None:
    code, rows = known.invoice.currency, dict(known.rows)

    def all_of(path: str) -> list[str]:
        return [each.text for each in tree.iterfind(f".//ram:{path.replace('/', '/ram:')}", NAMES)]

    def sum_of(name: str) -> int:
        found = all_of(f"SpecifiedTradeSettlementHeaderMonetarySummation/{name}Amount")
        return number(found[0], code) if found else 0

    assert sum_of("GrandTotal") == rows["Total"]
    assert sum_of("TaxTotal") == sum(tax for _, tax, _ in known.taxes)
    assert sum_of("TotalPrepaid") == known.prepaid
    assert sum_of("DuePayable") == rows.get("Amount due", 0)
    if not (known.invoice.taxes and known.invoice.taxes[0].inclusive):
        assert sum_of("LineTotal") == sum(each.amount.amount for each in known.invoice.lines)
        assert sum_of("AllowanceTotal") == -rows.get("Discount: Less", 0) - rows.get("Billing credits", 0)
    inside = "ApplicableHeaderTradeSettlement/ApplicableTradeTax/"
    parts = [all_of(inside + name) for name in ("RateApplicablePercent", "CalculatedAmount", "BasisAmount")]
    breakdown = [(rate, number(tax, code), number(base, code)) for rate, tax, base in zip(*parts, strict=True)]
    assert sorted(each for each in breakdown if each[0] != "0") == sorted(known.taxes)
