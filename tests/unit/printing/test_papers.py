"""The files themselves: nothing that a checker finds, every word and sum where people look for it, and the electronic
invoice inside."""

import io
import re
from functools import partial
from zoneinfo import ZoneInfo

import facturx
import pikepdf
import pypdfium2
import pytest
from msgspec.structs import replace

from server.billing import Address, BuyerTaxId, InvoiceLine, InvoiceTax, LineTax, Money, Payment
from server.billing.electronic import Statement, statement
from server.features.invoices import views
from server.features.invoices.factur_x import xml
from server.paths import Paths
from server.rendering.assets import Assets
from server.rendering.printing import factur_x_metadata
from server.rendering.printing.printer import Printer
from server.rendering.renderer import Renderer
from tests.support import documents
from tests.support.accounts import END, NOW, START, eur, invoice
from tests.support.pdf_rules import elements, faults
from tests.support.schematron import broken
from tests.support.world import brands

pytestmark = pytest.mark.anyio
BERLIN = Address("Oranienstraße 6", "", "Berlin", "", "10997", "DE")
ALL = {"PDF/A-3a", "PDF/UA-1", "tagged"}


def line(number, amount, tax, **changed):
    whole = InvoiceLine(f"il_{number}", f"Article number {number}", eur(amount), 2, "500.5", START, END)
    return replace(whole, taxes=(LineTax(eur(tax), "19"),), **changed)


def billed(*lines, net, tax, **changed):
    whole = invoice(
        status="open", lines=lines, subtotal=eur(net), total=eur(net + tax), amount_due=eur(net + tax), due_at=END,
        taxes=(InvoiceTax("MwSt 19%", eur(tax), percentage="19"),), memo="Thank you for your order.",
        customer_name="Jenny Rosenbaum", customer_email="jenny@example.com", customer_address=BERLIN,
        customer_tax_ids=(BuyerTaxId("eu_vat", "DE123456789"),),
    )  # fmt: skip
    return replace(whole, **changed)


# 20.00 + 10.00 + 5.00; 19 % are 6.65.
THREE = billed(line(1, 2000, 380), line(2, 1000, 190), line(3, 500, 95), net=3500, tax=665)
# 120 times 10.01; 19 % of 1,201.20 are 228.228.
LONG = billed(*(line(n, 1001, 190 + (n < 23)) for n in range(120)), net=120120, tax=22823)
ARABIC = replace(
    billed(
        line(1, 2000, 0, description="قهوة عربية"), line(2, 1000, 0, description="House blend (2026)"),
        line(3, 500, 0, description="إعداد 12"), net=3500, tax=525, memo="شكرا لطلبك",
    ),
    currency="SAR", total=Money(4025, "SAR"), customer_name="ليلى", taxes=(InvoiceTax("ضريبة 15%", Money(525, "SAR")),),
    customer_address=Address("شارع الملك فهد", "", "الرياض", "", "11564", "SA"), amount_due=Money(4025, "SAR"),
)  # fmt: skip


class Press:
    """Prints each document once: setting type is what takes time."""

    def __init__(self):
        self.printer, self.made = Printer(), {}

    async def pdf(self, it, kind="invoice", locale="en", brand="harbour"):
        key = (it, kind, locale, brand)
        if key not in self.made:
            found = next(each for each in brands() if each.name == brand)
            site = replace(found.config.site, locales=("en", "ar"))
            many = replace(found, config=replace(found.config, site=site))
            said = statement(it, found.config.business) if kind == "invoice" else None
            inside = partial(xml, said, ZoneInfo("UTC")) if isinstance(said, Statement) else None
            self.made[key] = await self.printer.pdf(
                Renderer(many, Assets.of(many), Paths(many.base)), kind, locale, electronic=inside,
                country=it.customer_address.country, at=it.created_at, view=views.detail(it, NOW),
            )  # fmt: skip
        return self.made[key]


@pytest.fixture(scope="module")
def press():
    found = Press()
    yield found
    found.printer.close()


PAID = replace(
    THREE, status="paid", amount_paid=eur(4165), amount_due=eur(0), paid_at=NOW,
    payments=(Payment("py_1", "paid", eur(4165), NOW, "visa 4242"),),
)  # fmt: skip


def links(pdf):
    """Where a click may lead, and what happens by itself."""
    with pikepdf.open(io.BytesIO(pdf)) as read:
        notes = [note for page in read.pages for note in page.get("/Annots", ())]
        acts = [str(note.A.get("/URI", note.A.S)) for note in notes if "/A" in note]
        return acts, [key for key in ("/OpenAction", "/AA") if key in read.Root], len(notes)


async def test_no_text_in_a_document_leads_anywhere_or_acts(press):  # threat 64
    text = (
        'https://evil.example/ mailto:x@evil.example javascript:alert(1) #link("https://evil.example")[x] '
        "<https://evil.example> [x](https://evil.example) (/URI (https://evil.example)) $x$ @label"
    )
    hostile = replace(
        billed(line(1, 2000, 380, description=text), line(2, 1000, 190, description=text), net=3000, tax=570),
        memo=text, customer_name=text, customer_address=replace(BERLIN, line1=text, city=text),
    )  # fmt: skip
    pdf = await press.pdf(hostile)
    assert links(pdf) == links(await press.pdf(THREE))
    assert "#link(" in documents.words(pdf)


@pytest.mark.parametrize(
    ("it", "kind", "locale", "brand"),
    [
        (THREE, "invoice", "en", "harbour"),
        (LONG, "invoice", "en", "harbour"),
        (ARABIC, "invoice", "ar", "harbour"),
        (THREE, "invoice", "en", "plain"),
        (PAID, "invoice", "en", "orbit"),
        (PAID, "receipt", "en", "orbit"),
    ],
)
async def test_no_checker_finds_a_fault(press, it, kind, locale, brand):  # I3
    pdf = await press.pdf(it, kind, locale, brand)
    assert faults(pdf) == []
    assert documents.claims(pdf) == ALL


async def test_a_reader_finds_every_line_and_total_of_three_lines(press):  # I3
    said = documents.as_read(await press.pdf(THREE))
    for each in (
        *("Article number 1", "Article number 2", "Article number 3", "€20.00", "€10.00", "€5.00", "€5.005"),
        *(
            "Subtotal",
            "€35.00",
            "MwSt 19%",
            "€6.65",
            "Total",
            "€41.65",
            "Amount due",
            "EU VAT number (USt-IdNr.): DE123456789",
        ),
    ):
        assert each in said, each


async def test_a_reader_finds_every_line_and_total_of_many_pages(press):  # I3
    pdf = await press.pdf(LONG)
    said = documents.as_read(pdf)
    assert [int(each) for each in re.findall(r"Article number (\d+) Feb 15, 2026 to Mar 15, 2026", said)] == list(
        range(120)
    )
    assert said.count("€10.01") == 120
    for each in ("€1,201.20", "€228.23", "€1,429.43", "Thank you for your order."):
        assert each in said, each
    pages = [documents.as_read(pdf, number) for number in range(documents.page_count(pdf))]
    assert len(pages) > 4
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        # A line is whole: what it is stands on the page that says for when.
        assert page.count("Article number") == page.count("Feb 15, 2026 to Mar 15, 2026") == page.count("€10.01")
        assert ("Unit price" in page) == ("Article number" in page)


async def test_no_column_of_unit_prices_without_one(press):
    said = documents.as_read(
        await press.pdf(billed(line(1, 2000, 380, unit_amount="", proration=True), net=2000, tax=380))
    )
    assert "Quantity" in said
    assert "Unit price" not in said


async def test_a_reader_finds_every_line_and_total_of_an_arabic_invoice(press):  # I3
    said = documents.words(await press.pdf(ARABIC, locale="ar"))
    letters = re.sub(r"[\u0610-\u061a\u064b-\u065f]", "", said)
    for each in ("House blend (2026)", "20.00", "10.00", "35.00", "5.25", "40.25", "11564"):
        assert each in said, each
    for each in ("قهوة", "عربية", "إعداد", "ليلى", "الرياض", "شكرا", "ضريبة"):
        assert each in letters or each[::-1] in letters, each


async def test_two_names_of_a_tax_number_run_from_right_to_left_in_an_arabic_invoice(press):
    pdf = await press.pdf(ARABIC, locale="ar")
    assert documents.edges(pdf, "USt", "USt")[1] < documents.edges(pdf, "Am", "Am")[0]


async def test_columns_have_heads_and_sums_are_read_with_their_names(press):  # I3
    with pikepdf.open(io.BytesIO(await press.pdf(THREE))) as pdf:
        roles = [str(each.S) for each in elements(pdf)]
    assert (roles.count("/Table"), roles.count("/TH"), roles.count("/TR")) == (1, 4, 4)
    said = documents.as_read(await press.pdf(THREE))
    assert re.search(r"Subtotal €35\.00 MwSt 19% on €35\.00 €6\.65 Total €41\.65 Amount due €41\.65", said)


def descriptors(pdf):
    """Of the fonts that are inside."""
    for each in pdf.objects:
        if isinstance(each, pikepdf.Dictionary) and "/FontFile3" in each:
            yield each


BREAKS = {
    "language": lambda pdf: pdf.Root.__delitem__("/Lang"),
    "tags": lambda pdf: pdf.Root.MarkInfo.__setitem__("/Marked", False),
    "title": lambda pdf: pdf.Root.ViewerPreferences.__setitem__("/DisplayDocTitle", False),
    "color": lambda pdf: pdf.Root.__delitem__("/OutputIntents"),
    "claim": lambda pdf: pdf.Root.Metadata.write(pdf.Root.Metadata.read_bytes().replace(b"pdfaid:part>3", b"pdfaid:part>2")),
    "schema": lambda pdf: pdf.Root.Metadata.write(pdf.Root.Metadata.read_bytes().replace(b"namespaceURI>urn:f", b"namespaceURI>urn:g")),
    "font": lambda pdf: next(descriptors(pdf)).__delitem__("/FontFile3"),
    "script": lambda pdf: pdf.Root.__setitem__("/OpenAction", pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="1")),
    "attachment": lambda pdf: pdf.Root.AF[0].__delitem__("/AFRelationship"),
    "scope": lambda pdf: next(each for each in elements(pdf) if each.S == "/TH").__delitem__("/A"),
    "picture": lambda pdf: next(each for each in elements(pdf) if each.S == "/Figure").__delitem__("/Alt"),
    "untagged": lambda pdf: pdf.pages[0].contents_add(b"1 0 0 RG 0 0 9 9 re S"),
}  # fmt: skip


@pytest.mark.parametrize("what", BREAKS)
async def test_the_checks_find_what_is_broken(press, what):  # I3
    with pikepdf.open(io.BytesIO(await press.pdf(THREE))) as pdf:
        BREAKS[what](pdf)
        out = io.BytesIO()
        pdf.save(out)
    assert faults(out.getvalue())


async def test_an_electronic_invoice_is_inside_and_says_the_same(press):  # I7
    for it in (THREE, PAID, LONG):
        pdf = await press.pdf(it)
        name, content = facturx.get_xml_from_pdf(pdf, check_xsd=True, check_schematron=False)
        assert name == factur_x_metadata.NAME == "factur-x.xml"
        assert facturx.get_level(facturx.facturx.etree.fromstring(content)) == "en16931"
        assert broken(content) == []
        said = documents.as_read(pdf)
        for tag in ("GrandTotalAmount", "TaxTotalAmount", "TaxBasisTotalAmount"):
            (amount,) = re.findall(rf"<ram:{tag}[^>]*>([0-9.]+)<", content.decode())
            assert f"€{float(amount):,.2f}" in said, tag


async def test_the_file_says_that_it_is_an_electronic_invoice_and_keeps_its_other_claims(press):  # I7
    pdf = await press.pdf(THREE)
    with pikepdf.open(io.BytesIO(pdf)) as found, found.open_metadata() as told:
        space = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
        said = [
            told[f"{{{space}}}{key}"] for key in ("DocumentType", "DocumentFileName", "Version", "ConformanceLevel")
        ]
        assert said == ["INVOICE", "factur-x.xml", "1.0", "EN 16931"]
        (attached,) = found.Root.AF
        assert (attached.AFRelationship, attached.EF.F.Subtype) == ("/Alternative", "/text/xml")
    assert documents.claims(pdf) == ALL


async def test_the_pages_look_the_same_with_and_without_it(press):  # I7
    bare = await press.pdf(replace(THREE, number=THREE.number), "invoice")
    found = next(each for each in brands() if each.name == "harbour")
    plain = await press.printer.pdf(
        Renderer(found, Assets.of(found), Paths(found.base)), "invoice", "en", country="DE", at=THREE.created_at,
        view=views.detail(THREE, NOW),
    )  # fmt: skip
    assert b"factur-x" not in plain
    assert documents.picture(bare) == documents.picture(plain)


async def test_the_same_electronic_invoice_is_the_same_bytes(press):  # I7
    first = await press.pdf(THREE)
    press.made.clear()
    assert await press.pdf(THREE) == first


async def test_no_receipt_and_no_unfit_invoice_holds_one(press):  # I7
    assert b"factur-x" not in await press.pdf(PAID, "receipt", brand="orbit")
    assert b"factur-x" not in await press.pdf(ARABIC, locale="ar")


async def test_a_character_that_no_font_has_costs_nothing_of_it(press):  # I7
    pdf = await press.pdf(replace(THREE, memo="A gift \U0001f381 for you"))
    assert documents.claims(pdf) == ALL
    assert b"factur-x" in pdf


ID = "".join(f"{n:02}AbWoTy" for n in range(12))


@pytest.mark.parametrize(("it", "locale"), [(THREE, "en"), (ARABIC, "ar")])
async def test_a_long_word_breaks_and_is_copied_as_it_is(press, it, locale):
    lines = (replace(it.lines[0], description=f"price_{ID}"), *it.lines[1:])
    long = replace(it, lines=lines, number=f"in_{ID}", customer_name=f"cus_{ID}", memo=f"Seen: {ID} {'x' * 9000}")
    pdf = await press.pdf(long, locale=locale)
    copied = re.sub(r"\s", "", "".join(documents.page_texts(pdf)))
    assert all(f"{each}{ID}" in copied for each in ("in_", "cus_", "price_"))
    assert copied.count(ID) == 6  # twice in the head of a later page
    assert copied.count("x") >= 9000
    if locale == "en":
        assert not re.search("[\u00ad\u200b-\u200f\u2060-\u2069\ufeff]", copied)
        assert documents.edges(pdf, "price_", "11AbWoTy")[1] < documents.edges(pdf, "Quantity", "Quantity")[0]
    left, right = documents.edges(pdf)
    assert 51 < left < right < 544  # the margins are 56.7 points of 595.3; a full stop may hang outside


HOSTILE = ('#read("/etc/passwd")', "bell \x07 nul \x00 \ufffe", "\u202eright to left \U0001f468\u200d\U0001f467 \ue000", "x" * 10_000, "<a>&]]>{{ 7*7 }}")  # fmt: skip


async def test_hostile_text_breaks_no_file(press):  # I3, threats 64, 74
    lines = tuple(line(n, 100, 19, description=text) for n, text in enumerate(HOSTILE))
    it = billed(*lines, net=500, tax=95, number=HOSTILE[1], memo=HOSTILE[3], customer_name=HOSTILE[2])
    it = replace(it, customer_address=Address(*HOSTILE, "DE"))
    pdf = await press.pdf(it)
    assert faults(pdf) == []
    _, content = facturx.get_xml_from_pdf(pdf, check_xsd=True, check_schematron=False)
    assert broken(content) == []
    assert len(pypdfium2.PdfDocument(pdf)) > 2
