"""What customers see of an export as merchants have them: pages, PDFs, CSV and links, over the cases' files."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.billing.stripe.fields import KINDS
from server.merchant.importing.files import Options, import_files
from tests.support import documents
from tests.support.rendered import renderer, words

pytestmark = pytest.mark.anyio
CASES = Path(__file__).parents[2] / "corpora" / "exports"
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
MY = "/harbour/my"


@pytest.fixture
def visiting(world, clock):
    """A browser that is logged in as the one customer of a case."""
    clock.at = NOW

    async def visit(case, name):
        options = Options(without_automatic_tax=True)
        await import_files(
            world.store, "harbour", [next(CASES.glob(f"{case}-*.json"))], live=None, now=NOW, options=options
        )
        browser = world.client()
        await world.log_in(browser, f"{name}@example.com")
        return browser

    return visit


async def seen(browser, path):
    answer = await browser.get(f"{MY}/{path}")
    assert answer.status_code == 200, path
    return answer.text


@pytest.mark.parametrize(
    ("case", "name", "expected"),
    [
        ("01", "rada", "RSD 1,200.00 a month Next charge on December 18, 2026"),
        ("03", "cora", "$10.00 on December 18, 2026"),
        ("04", "ida", "$10.00 on December 18, 2026"),
        ("06", "otto", "$20.00 plus tax on December 18, 2026"),
        ("20", "ike", "$35.00 on December 18, 2026"),
        ("21", "meg", "Next charge on December 18, 2026, for what you use"),
        ("31", "old", "$20.00 a month Next charge on December 25, 2026"),
    ],
)
async def test_the_next_charge_is_what_will_be_charged(visiting, case, name, expected):
    # cases import 1, 3, 4, 6, 20, 21, 31
    page = words(await seen(await visiting(case, name), "subscriptions"))
    assert expected in page.replace("\u00a0", " ")
    assert "overdue" not in page


async def test_an_invoice_without_all_its_lines_says_so_and_offers_no_document(visiting):  # case import 16
    browser = await visiting("16", "mia")
    page = await seen(browser, "invoices/in_Mia1")
    assert "There is no PDF of this document. Not all of its lines are known here." in words(page)
    assert "/pdf" not in page
    assert (await browser.get(f"{MY}/invoices/in_Mia1/pdf")).status_code == 404
    assert "/invoices/zip" not in await seen(browser, "invoices")


@pytest.mark.parametrize(
    ("case", "name", "invoice", "part"),
    [("13", "sven", "in_Sven1", "Shipping $5.00"), ("14", "ted", "in_Ted1", "19% $3.80")],
)
async def test_every_part_of_a_total_is_a_row_of_page_pdf_and_table(visiting, case, name, invoice, part):
    # cases import 13, 14
    browser = await visiting(case, name)
    pdf = documents.words((await browser.get(f"{MY}/invoices/{invoice}/pdf")).content)
    for text in (words(await seen(browser, f"invoices/{invoice}")), pdf):
        assert part in text
        assert "Subtotal $20.00" in text
    head, row = (await browser.get(f"{MY}/invoices/csv?year=2026")).text.removeprefix("\ufeff").splitlines()
    table = dict(zip(head.split(","), row.split(","), strict=True))
    parts = [float(table[each]) for each in ("subtotal", "shipping", "tax")]
    assert sum(parts) - float(table["discount"]) - float(table["credits"]) == float(table["total"])


async def test_dinars_are_counted_alike_on_page_pdf_and_table(visiting):  # case import 1
    browser = await visiting("01", "rada")
    pdf = documents.words((await browser.get(f"{MY}/invoices/in_Rada1/pdf")).content)
    for text in (words(await seen(browser, "invoices/in_Rada1")), pdf):
        assert "RSD 1,200.00" in text.replace("\u00a0", " ")
        assert "120,000" not in text
    assert ",1200.00," in (await browser.get(f"{MY}/invoices/csv?year=2026")).text


async def test_payment_methods_are_called_by_their_names(visiting):  # case import 23
    page = words(await seen(await visiting("23", "lin"), "payment-methods"))
    for name in (
        "House account",
        "Crypto",
        "Kiwi",
        "Link",
        "Cash App Pay",
        "Klarna",
        "SEPA Direct Debit",
        "PayPal",
        "Bacs Direct Debit",
    ):
        assert name in page, name
    assert "Other payment method" not in page
    assert "Remove SEPA Direct Debit 3000" in page  # said by a screen reader
    assert "sepa_debit" not in page


async def test_the_payment_and_the_refund_of_an_older_invoice_are_shown(visiting):  # case import 22
    page = words(await seen(await visiting("22", "val"), "invoices/in_Val1"))
    assert "Visa •••• 4242" in page
    assert "$8.00" in page


async def test_a_credit_note_is_a_document_of_its_own(visiting):  # case import 25
    browser = await visiting("25", "cy")
    assert "CY-0001-CN-01 Issued -$5.00" in words(await seen(browser, "invoices"))
    assert "Credit note CY-0001-CN-01 -$5.00" in words(await seen(browser, "invoices/in_Cy1"))
    note = "invoices/in_Cy1/credit-notes/cn_Cy"
    pdf = documents.words((await browser.get(f"{MY}/{note}/pdf")).content)
    for text in (words(await seen(browser, note)), pdf):
        assert "Credited in total $5.00" in text
    _, invoice, credited = (await browser.get(f"{MY}/invoices/csv?year=2026")).text.splitlines()
    assert (invoice.startswith("CY-0001,2026-11-18,invoice"), ",20.00," in invoice) == (True, True)
    assert credited.startswith("CY-0001-CN-01,2026-11-28,credit_note,,,issued,USD,-5.00")


async def test_the_lines_of_a_part_are_not_told_as_all_of_them(visiting):  # case import 16
    browser = await visiting("16", "mia")
    assert words(await seen(browser, "invoices")).count("Box 0, …") == 1
    assert "Box 9; …" in (await browser.get(f"{MY}/invoices/csv?year=2026")).text


def test_every_kind_that_stripe_has_is_called_by_a_name():
    translated = {"sepa_debit", "us_bank_account", "nz_bank_account", "customer_balance"}
    by_their_brand = {"card_present", "interac_present", "kr_card", "custom"}
    kinds = {
        each.removesuffix(".*")
        for each in KINDS["payment_method"].read.split()
        if each.endswith(".*") and each != "metadata.*"
    }
    named = renderer().environment().get_template("components/method_kinds.html").module.method_kinds
    assert kinds - set(named) == translated | by_their_brand
