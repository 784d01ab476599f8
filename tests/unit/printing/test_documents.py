"""Invoices and receipts as PDF: everything is said, hostile text is text, and the file keeps what it claims."""

import json
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace

from server.billing import Address, Invoice, InvoiceDiscount, InvoiceLine, InvoiceTax, Money, Payment
from server.brands import load
from server.features.invoices import views
from server.paths import Paths
from server.publishing.rules.template_rules import folder_problems
from server.rendering import words as catalogs
from server.rendering.assets import Assets
from server.rendering.printing.printer import Printer, look_of
from server.rendering.renderer import Renderer
from tests.support import documents
from tests.support.accounts import END, NOW, START, eur, invoice
from tests.support.brands import THEME, png, write_brand
from tests.support.world import brands

pytestmark = pytest.mark.anyio
LOCALES = ("en", "de", "fr", "ja", "he", "ar")
BERLIN = Address("Oranienstraße 6", "", "Berlin", "", "10997", "DE")


@dataclass
class Press:
    """A printer, and the brands in many languages."""

    printer: Printer

    async def pdf(self, it: Invoice, kind: str = "invoice", locale: str = "en", brand: str = "harbour") -> bytes:
        country = it.customer_address.country
        view = views.detail(it, NOW)
        return await self.printer.pdf(renderer(brand), kind, locale, country=country, at=it.created_at, view=view)


@cache
def renderer(brand: str) -> Renderer:
    return rendering(brand, LOCALES)


def rendering(brand: str, locales: tuple[str, ...]) -> Renderer:
    found = next(each for each in brands() if each.name == brand)
    site = replace(found.config.site, locales=locales)
    many = replace(found, config=replace(found.config, site=site))
    return Renderer(many, Assets.of(many), Paths(many.base))


@pytest.fixture(scope="module")
def press() -> Any:
    printer = Printer()
    yield Press(printer)
    printer.close()


def line(number: int, **changed: Any) -> InvoiceLine:
    whole = InvoiceLine(f"il_{number}", f"Article number {number}", eur(1000 + number), 2, "500.5", START, END)
    return replace(whole, **changed)


def whole(**changed: Any) -> Invoice:
    return invoice(customer_name="Jenny Rosenbaum", customer_address=BERLIN, **changed)


@pytest.mark.parametrize("brand", ["plain", "harbour", "orbit"])
async def test_everything_of_an_invoice_is_in_it(press, brand):
    it = whole(
        status="open",
        lines=(
            line(1),
            line(2, proration=True, price="price_2", included_discount=eur(187)),
            line(3, quantity=None, unit_amount=""),
        ),
        discounts=(InvoiceDiscount("Welcome", eur(290)),),
        taxes=(InvoiceTax("MwSt 19%", eur(496)),),
        total=eur(3212),
        amount_due=eur(3212),
        due_at=END,
        memo="Thank you for the order.",
        balance_applied=eur(-100),
    )
    said = documents.words(await press.pdf(it, brand=brand))
    for each in (
        *("Invoice", "HC-in_1", "February 15, 2026", "March 15, 2026", "Jenny Rosenbaum", "Oranienstraße 6"),
        *("10997 Berlin", "Article number 1", "Article number 2", "Article number 3", "part of a period"),
        "Discount of €1.87 already applied",
        *("€10.01", "€10.02", "€10.03", "€5.005", "Discount: Welcome", "-€2.90", "MwSt 19%", "€4.96", "Subtotal"),
        *("€14.50", "Total", "€32.12", "Amount due", "Credit used", "-€1.00", "Thank you for the order."),
        *("Due", "Page 1 of 1"),
    ):
        assert each in said, each


async def test_a_hindi_name_is_set_in_a_font_that_joins_its_letters(press):
    """Typst's font for formulas has the letters too, and writes them one by one."""
    pdf = await press.pdf(replace(whole(), customer_name="महात्मा गांधी"))
    assert any("NotoSansDevanagari" in each for each in documents.fonts(pdf))
    assert not any("Math" in each for each in documents.fonts(pdf))


async def test_countries_are_named_where_they_differ(press):
    """The business is in Hamburg."""
    assert "Germany" not in documents.words(await press.pdf(whole()))
    vienna = Address("Rooseveltplatz 2", "", "Wien", "", "1090", "AT")
    said = documents.words(await press.pdf(replace(whole(), customer_address=vienna)))
    assert "1090 Wien Austria" in said
    assert "20457 Hamburg Germany" in said


async def test_a_receipt_says_what_was_paid_when_and_with_what(press):
    payment = Payment("py_1", "paid", eur(1450), NOW, "visa 4242", refunded=eur(450))
    said = documents.words(await press.pdf(whole(paid_at=NOW, payments=(payment,)), "receipt"))
    for each in ("Receipt", "Amount paid", "€14.50", "Visa •••• 4242", "Paid on March 1, 2026", "Refunded", "-€4.50"):
        assert each in said, each


async def test_a_credit_was_not_paid(press):
    credit = line(1, amount=eur(-1550))
    it = whole(lines=(credit,), subtotal=eur(-1550), total=eur(-1550), amount_paid=eur(0), paid_at=NOW)
    said = documents.words(await press.pdf(it))
    assert "Credited" in said
    assert "Paid" not in said


async def test_who_issued_it_is_on_it(press):
    said = documents.words(await press.pdf(whole()))
    for each in (
        "Harbour Coffee Roasters GmbH",
        "Am Sandtorkai 4",
        "20457 Hamburg",
        "EU VAT number (USt-IdNr.): DE136695976",
    ):
        assert each in said, each


async def test_a_long_invoice_has_every_line_under_repeated_headers(press):
    pdf = await press.pdf(whole(lines=tuple(line(number) for number in range(120))))
    said = documents.words(pdf)
    assert all(f"Article number {number} " in said for number in range(120))
    pages = documents.page_texts(pdf)
    assert len(pages) > 3
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        assert ("Description" in page) == ("Article number" in page)
    assert "HC-in_1" in pages[-1]


async def test_it_claims_an_archive_and_an_accessible_format_and_holds_its_fonts(press):
    pdf = await press.pdf(whole())
    assert documents.claims(pdf) == {"PDF/A-3a", "PDF/UA-1", "tagged"}
    assert documents.is_embedded(pdf)
    assert {"/H1", "/Table", "/TH", "/TD", "/Figure"} <= documents.roles(pdf)
    assert documents.language(pdf) == "en"


HOSTILE = (
    '#read("/etc/passwd")',
    '#{ eval("1 + 1") }',
    "$ x^2 $",
    "\\ \\u{41} back\\slash",
    "@ref <label> = heading",
    "<script>alert(1)</script>",
    "*bold* _emph_ `raw` ~ -- ... // comment /* more */",
    '"}, "title": "gone',
    "{{ 7*7 }} {% set x %}",
    "\u202eright to left\u202c",
    "https://example.com/?a=1&b=2#frag",
    "x" * 300,
)


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_text_wherever_it_stands(press, text):  # threats 64, 74
    it = whole(
        lines=(line(1, description=text),),
        memo=text,
        taxes=(InvoiceTax(text, eur(1)),),
        discounts=(InvoiceDiscount(text, eur(1)),),
    )
    it = replace(it, number=text, customer_name=text, customer_email=text, customer_address=Address(*[text] * 5))
    said = documents.squeezed("".join(documents.page_texts(await press.pdf(it))))
    plain = documents.squeezed(text).strip("\u202e\u202c")
    backwards = plain[::-1]
    assert max(said.count(plain), said.count(backwards)) >= 8, said[:500]


ODD = (
    ("A gift \U0001f381 for you", "A gift □ for you"),
    ("\U0001f469\u200d\U0001f469\u200d\U0001f467 a family", "□ a family"),
    ("thumbs \U0001f44d\U0001f3fd up", "thumbs □ up"),
    ("keys 1\ufe0f\u20e3 and 11 more", "keys 1 and 11 more"),
    ("Caf\u00e9\u20e3 \u00e9t\u00e9", "Caf\u00e9 \u00e9t\u00e9"),
    ("private \ue000\U000f0000 use", "private □□ use"),
    ('quo"te \\ \U0001f381" `tick`', 'quo"te \\ □" `tick`'),
    ("x\u0b4d y", "x y"),
    ("".join(map(chr, range(0x1F300, 0x1F64F))), "□"),
    ("".join(chr(0x61 + n % 26) + chr(0x0300 + n) for n in range(0x70)), "a"),
)


@pytest.mark.parametrize(("text", "shown"), ODD, ids=[str(n) for n in range(len(ODD))])
async def test_a_character_that_no_font_has_is_a_sign_and_the_file_keeps_its_claims(press, text, shown):  # I3
    pdf = await press.pdf(whole(lines=(line(1, description=text),), memo=f"Sum: 11 {text}"))
    assert documents.claims(pdf) == {"PDF/A-3a", "PDF/UA-1", "tagged"}
    assert documents.squeezed(shown) in documents.squeezed(documents.words(pdf))
    assert "€10.01" in documents.words(pdf)


async def test_control_characters_are_no_mistake_of_ours(press):
    pdf = await press.pdf(
        whole(lines=(line(1, description="bell \x07, nul \x00, escape \x1b[31m, \ud7ff and \ufffe"),))
    )
    assert "bell" in documents.words(pdf)


async def test_an_arabic_invoice_runs_from_right_to_left(press):
    it = whole(lines=(line(1, description="قهوة عربية"),), currency="SAR", total=Money(1150, "SAR"))
    it = replace(it, customer_name="ليلى", customer_address=Address("شارع الملك فهد", "", "الرياض", "", "11564", "SA"))
    pdf = await press.pdf(it, locale="ar")
    said = documents.words(pdf)
    for each in ("عربية", "قهوة", "ليلى", "الرياض", "شارع", "11.50"):
        assert each in said, each
    assert documents.language(pdf) == "ar"
    assert documents.claims(pdf) == {"PDF/A-3a", "PDF/UA-1", "tagged"}
    assert look_of(renderer("harbour").brand.theme, "ar", "SA").dir == "rtl"


@pytest.mark.parametrize(
    ("locale", "description"),
    [("ja", "珈琲豆 深煎り"), ("he", "קפה"), ("de", "Röstkaffee, gemahlen"), ("fr", "Café moulu")],
)
async def test_each_language_has_the_letters_of_its_own_script(press, locale, description):
    pdf = await press.pdf(whole(lines=(line(1, description=description),)), locale=locale)
    assert documents.claims(pdf) == {"PDF/A-3a", "PDF/UA-1", "tagged"}
    assert all(each in documents.words(pdf) for each in description.split())


async def test_its_words_come_from_the_customers_catalog(press, tmp_path, monkeypatch):
    (tmp_path / "nl").mkdir()
    (tmp_path / "nl" / "portal.po").write_text('msgid "Billed to"\nmsgstr "Factuur aan"\n')
    monkeypatch.setattr(catalogs, "LOCALES", tmp_path)
    dutch = rendering("harbour", ("nl",))
    view = views.detail(whole(), NOW)
    said = documents.words(await press.printer.pdf(dutch, "invoice", "nl", country="NL", at=NOW, view=view))
    assert "Factuur aan" in said
    assert "Billed to" not in said
    assert "15 februari 2026" in said


async def test_the_same_invoice_is_the_same_bytes(press):
    assert await press.pdf(whole()) == await press.pdf(whole())


async def test_american_paper_for_american_customers(press):
    theme = renderer("plain").brand.theme
    assert look_of(theme, "en", "US").paper == "us-letter"
    assert look_of(theme, "en", "DE").paper == "a4"


@pytest.mark.parametrize(
    ("locale", "country", "family"),
    [("zh", "", "SC"), ("en", "TW", "TC"), ("ko", "", "KR"), ("en", "JP", "JP"), ("en", "", "JP"), ("zh", "HK", "HK")],
)
async def test_han_characters_have_the_forms_of_the_customers_country(locale, country, family):
    assert look_of(renderer("plain").brand.theme, locale, country).body[-1] == f"Noto Sans CJK {family}"


async def test_the_words_are_one_json_object_whatever_the_invoice_lacks(press):
    bare = whole(lines=(), subscription="")
    bare = replace(bare, number="", customer_name="", customer_email="", customer_address=Address())
    said = renderer("plain").text("documents/invoice.txt", "en", view=views.detail(bare, NOW))
    assert json.loads(said)["lines"] == []
    assert "Invoice" in documents.words(await press.pdf(bare, brand="plain"))


def test_templates_never_make_code_of_data():
    from server.rendering.compiled import SITE

    for path in (SITE / "templates" / "documents").glob("*.typ"):
        source = path.read_text()
        assert "eval(" not in source
        assert "read(" not in source
        assert "plugin(" not in source


async def test_an_invoice_is_as_old_as_it_is(press):
    earlier = await press.pdf(whole(created_at=START - timedelta(days=365)))
    assert b"D:20250215" in earlier


async def test_a_brand_sets_its_own_document_and_a_logo_of_pixels(press, tmp_path):
    own = write_brand(
        tmp_path,
        theme=THEME.replace('logo = "logo.svg"', 'logo = "logo.png"'),
        logo__png=png(200, 130),
    )
    (own / "templates" / "documents").mkdir(parents=True)
    (own / "templates" / "documents" / "invoice.typ").write_text(
        '#import "paper.typ": document-of\n#let it = json(bytes(sys.inputs.data))\n'
        '#document-of((..it, title: "Bill"), json(bytes(sys.inputs.look)))'
    )
    assert not folder_problems(own)
    brand = load(own)
    its = Renderer(brand, Assets.of(brand), Paths(brand.base))
    view = views.detail(whole(), NOW)
    pdf = await press.printer.pdf(its, "invoice", "en", country="", at=NOW, view=view)
    assert "Bill" in documents.words(pdf)
    assert "/Figure" in documents.roles(pdf)


@pytest.mark.parametrize(
    "drawn",
    [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text>\U0001f984</text></svg>',
        '<svg xmlns="http://www.w3.org/2000/svg" width="0" height="0"><path d="M0 0h9v9"/></svg>',
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{"<g>" * 2000}{"</g>" * 2000}</svg>',
    ],
    ids=["with a letter of no font", "of no size", "of great depth"],
)
async def test_a_logo_that_cannot_be_set_keeps_no_invoice_from_anybody(press, tmp_path, drawn, caplog):  # threat 103
    brand = load(write_brand(tmp_path, logo__svg=drawn.encode()))
    its = Renderer(brand, Assets.of(brand), Paths(brand.base))
    it = replace(whole(), customer_name="Jenny \U0001f984")
    pdf = await press.printer.pdf(its, "invoice", "en", country="", at=NOW, view=views.detail(it, NOW))
    assert "Jenny" in documents.words(pdf)
    assert "without the logo" in caplog.text
