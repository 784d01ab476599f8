"""Credit notes: documents of their own, found from the list, the invoice, the table and the archive."""

import csv
import io
import zipfile
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from server.billing import CreditNote, InvoiceLine, InvoiceTax
from tests.support import documents
from tests.support.accounts import NOW, account, eur, invoice, keep
from tests.support.pdf_rules import faults

pytestmark = pytest.mark.anyio
URL = "/harbour/my/invoices"
PAGE = f"{URL}/in_1/credit-notes/cn_1"
NOTE = CreditNote(
    "cn_1", "HC-CN-1", "issued", NOW, eur(420), eur(500), lines=(InvoiceLine("cnli_1", "Half a bag", eur(420), 1),),
    taxes=(InvoiceTax("VAT 19%", eur(80), percentage="19", taxable=eur(420)),), reason="order_change",
    refunded=eur(300), to_balance=eur(200),
)  # fmt: skip
SUM = CreditNote("cn_2", "HC-CN-2", "void", NOW, eur(100), eur(100))
ODD = replace(NOTE, id="cn_3", number="HC-CN-3", total=eur(600))


@pytest.fixture
async def browser(world):
    await keep(world, account(invoices=(invoice("in_1", credit_notes=(NOTE, SUM, ODD), credited=eur(1100)),)))
    await world.customer("cus_else", "else@example.com")
    found = world.client()
    await world.log_in(found)
    return found


async def test_it_is_in_the_list_and_on_its_invoice(browser):
    for page in (await browser.get(URL), await browser.get(f"{URL}/in_1")):
        assert f'href="{PAGE}"' in page.text
        assert "-€5.00" in page.text


async def test_its_page_says_what_was_credited_and_where_the_money_went(browser):
    page = (await browser.get(PAGE)).text
    for each in ("Half a bag", "VAT 19% on €4.20", "Credited in total", "Refunded to the payment method", "€3.00", "Added to your credit", "The order changed", f'href="{PAGE}/pdf"'):  # fmt: skip
        assert each in page, each


async def test_its_pdf_is_a_document_of_its_own(browser):
    answer = await browser.get(f"{PAGE}/pdf")
    assert answer.headers["content-disposition"] == 'attachment; filename="credit-note-HC-CN-1.pdf"'
    assert faults(answer.content) == []
    said = documents.words(answer.content)
    for each in ("Credit note", "HC-CN-1", "For invoice HC-in_1", "Half a bag", "VAT 19% on €4.20 €0.80", "Credited in total €5.00", "EU VAT number (USt-IdNr.)"):  # fmt: skip
        assert each in said, each


async def test_one_whose_parts_do_not_make_its_total_has_no_pdf_and_says_why(browser):
    page = (await browser.get(f"{URL}/in_1/credit-notes/cn_3")).text
    assert "Its parts do not add up to its total." in page
    assert "/pdf" not in page
    assert (await browser.get(f"{URL}/in_1/credit-notes/cn_3/pdf")).status_code == 404


async def test_archive_and_table_hold_it(browser):
    with zipfile.ZipFile(io.BytesIO((await browser.get(f"{URL}/zip?year=2026")).content)) as archive:
        assert archive.namelist() == [
            "invoice-HC-in-1.pdf",
            "credit-note-HC-CN-1.pdf",
            "credit-note-HC-CN-2.pdf",
            "README.txt",
        ]
        assert "HC-CN-3" in archive.read("README.txt").decode("utf-8-sig")
    table = (await browser.get(f"{URL}/csv?year=2026")).content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert [(each["type"], each["total"]) for each in rows] == [("invoice", "14.50"), ("credit_note", "-5.00"), ("credit_note", "-1.00"), ("credit_note", "-6.00")]  # fmt: skip


async def test_a_years_table_and_archive_hold_what_is_dated_in_it(world):
    """A credit note of January belongs to another year's books than its invoice of December."""
    late = replace(NOTE, created_at=datetime(2027, 1, 5, tzinfo=UTC))
    await keep(world, account(invoices=(invoice("in_1", credit_notes=(late, SUM), credited=eur(600)),)))
    browser = world.client()
    await world.log_in(browser)
    for year, kept in (("2026", ["HC-in_1", "HC-CN-2"]), ("2027", ["HC-CN-1"])):
        table = (await browser.get(f"{URL}/csv?year={year}")).content.decode("utf-8-sig")
        assert [each["number"] for each in csv.DictReader(io.StringIO(table, newline=""))] == kept
        with zipfile.ZipFile(io.BytesIO((await browser.get(f"{URL}/zip?year={year}")).content)) as archive:
            assert [name.partition("-")[2][:-4] for name in archive.namelist()] == [
                each.replace("_", "-") if "in" in each else f"note-{each}" for each in kept
            ]
    whole = (await browser.get(f"{URL}/csv")).content.decode("utf-8-sig")
    assert len(whole.splitlines()) == 4


async def test_anothers_is_the_same_as_none(world, browser):  # threat 75
    stranger = world.client()
    await world.log_in(stranger, "else@example.com")
    for path in ("", "/pdf"):
        theirs = await stranger.get(PAGE + path)
        assert (theirs.status_code, theirs.content) == (
            404,
            (await stranger.get(f"{URL}/in_1/credit-notes/none{path}")).content,
        )
        assert (await world.client().get(PAGE + path)).status_code == 401
