"""An invoice's documents, from the page that offers them to the file that is saved."""

import io
import re
import zipfile
from datetime import timedelta

import pikepdf
import pytest
from msgspec.structs import replace

from server.billing import Address, InvoiceTax, LineTax
from server.billing.model.invoice import BuyerTaxId
from server.features.invoices import views
from tests.support import documents
from tests.support.accounts import NOW, account, eur, invoice, keep
from tests.support.pdf_rules import faults

pytestmark = pytest.mark.anyio
ONE = "/harbour/my/invoices/in_1"
BERLIN = Address("Oranienstraße 6", "", "Berlin", "", "10997", "DE")


@pytest.fixture
async def browser(world):
    """Jenny's, logged in: a paid invoice, an open one, and two that have no document."""
    them = (
        invoice("in_1"),
        invoice("in_2", "open"),
        invoice("in_3", hosted=True),
        invoice("in_4", has_more_lines=True),
        invoice("in_5", amount_paid=eur(0)),
        invoice("in_6", lines=invoice().lines * (views.MOST_LINES + 1)),
    )
    await keep(world, account(invoices=them))
    await world.customer("cus_else", "else@example.com")
    found = world.client()
    await world.log_in(found)
    return found


async def test_the_page_of_an_invoice_offers_its_documents(browser):
    page = (await browser.get(ONE)).text
    assert f'href="{ONE}/pdf"' in page
    assert f'href="{ONE}/receipt"' in page
    assert "/pdf" in (await browser.get("/harbour/my/invoices/in_2")).text
    assert "/receipt" not in (await browser.get("/harbour/my/invoices/in_2")).text


async def test_an_invoice_is_saved_as_a_file(browser):
    answer = await browser.get(f"{ONE}/pdf")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'attachment; filename="invoice-HC-in-1.pdf"'
    assert "HC-in_1" in documents.words(answer.content)


class OutOfPaper:
    """A printer that must not be asked."""

    async def pdf(self, *_, **__):
        raise AssertionError("a document was made")


async def test_the_head_of_a_file_is_told_without_making_it(browser, world):
    urls = [f"{ONE}/pdf", f"{ONE}/receipt", "/harbour/my/invoices/zip", "/harbour/my/invoices/csv"]
    urls += ["/harbour/my/details/export"]
    made = [await browser.get(url) for url in urls]
    world.state.printer = OutOfPaper()
    for url, whole in zip(urls, made, strict=True):
        head = await browser.request("HEAD", url)
        assert (head.status_code, head.content) == (200, b""), url
        assert "content-length" not in head.headers, url
        assert dict(head.headers) == {name: value for name, value in whole.headers.items() if name != "content-length"}
    assert (await browser.request("HEAD", "/harbour/my/invoices/in_4/pdf")).status_code == 404
    assert (await browser.get(f"{ONE}/pdf")).status_code == 500


async def test_a_receipt_is_saved_as_a_file(browser):
    answer = await browser.get(f"{ONE}/receipt")
    assert answer.headers["content-disposition"] == 'attachment; filename="receipt-HC-in-1.pdf"'
    assert "Receipt" in documents.words(answer.content)


@pytest.mark.parametrize(
    "path",
    [
        *("in_2/receipt", "in_5/receipt", "in_4/pdf", "in_6/pdf", "in_6/receipt", "in_1/credit-notes/cn_none"),
        *("in_none/pdf", "in_none/receipt", "in_1/pdf.css", "in_1/pdf/x", "in_1/PDF", "in_1%2Fpdf"),  # threat 82
    ],
)
async def test_what_has_no_document_is_not_there(browser, path):
    answer = await browser.get(f"/harbour/my/invoices/{path}")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("path", "why"),
    [("in_4", "Not all of its lines are known here."), ("in_6", "Its lines do not add up to its subtotal.")],
)
async def test_what_has_no_document_offers_none_and_says_why(browser, path, why):
    page = (await browser.get(f"/harbour/my/invoices/{path}")).text
    assert "/pdf" not in page
    assert f"There is no PDF of this document. {why}" in page


@pytest.mark.parametrize("kind", ["pdf", "receipt"])
async def test_a_document_that_the_billing_side_lacks_leads_back_to_the_invoice(browser, kind):
    answer = await browser.get(f"/harbour/my/invoices/in_3/{kind}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/harbour/my/invoices/in_3?document=none")
    assert "There is no such document" in (await browser.get(answer.headers["location"])).text
    # Said of no other invoice, whatever the URL says.
    assert "There is no such document" not in (await browser.get("/harbour/my/invoices/in_4?document=none")).text


@pytest.mark.parametrize("kind", ["pdf", "receipt"])
async def test_another_customers_invoice_is_the_same_as_none(world, browser, kind):  # threat 75
    stranger = world.client()
    await world.log_in(stranger, "else@example.com")
    theirs = await stranger.get(f"{ONE}/{kind}")
    nobodys = await stranger.get(f"/harbour/my/invoices/in_nowhere/{kind}")
    assert (theirs.status_code, theirs.content) == (404, nobodys.content)


@pytest.mark.parametrize("kind", ["pdf", "receipt"])
async def test_nobody_gets_a_document_without_logging_in(world, browser, kind):
    assert (await world.client().get(f"{ONE}/{kind}")).status_code == 401


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("HC-0001", "invoice-HC-0001.pdf"),
        ('a"; filename="b.exe', "invoice-a-filename-b-exe.pdf"),
        ("../../etc/passwd", "invoice-etc-passwd.pdf"),
        ("a\r\nSet-Cookie: x", "invoice-a-Set-Cookie-x.pdf"),
        ("請求書", "invoice.pdf"),
        ("x" * 500, f"invoice-{'x' * 60}.pdf"),
        ("", "invoice-in-1.pdf"),
    ],
)
async def test_the_name_of_a_file_is_safe_whatever_the_number_is(number, name):  # threat 97
    assert views.file_name("invoice", invoice(number=number)) == name


async def test_the_page_says_whether_the_document_is_an_electronic_invoice(world):  # I7
    said = {"taxes": (InvoiceTax("MwSt 19%", eur(190), percentage="19"),), "subtotal": eur(1000), "total": eur(1190),
            "amount_paid": eur(1190)}  # fmt: skip
    line = replace(invoice().lines[0], amount=eur(1000), taxes=(LineTax(eur(190), "19"),))
    said["customer_tax_ids"] = (BuyerTaxId("eu_vat", "DE123456789"),)  # only a business has a use for one
    whole = invoice("in_1", lines=(line,), customer_name="Jenny", customer_address=BERLIN, **said)
    them = (whole, replace(whole, id="in_2", customer_name=""), replace(whole, id="in_3", amount_paid=eur(1)))
    await keep(world, account(invoices=them))
    browser = world.client()
    await world.log_in(browser)
    pages = [(await browser.get(f"/harbour/my/invoices/{each.id}")).text for each in them]
    assert ["This PDF is also an electronic invoice" in page for page in pages] == [True, False, False]
    assert "does not say who it is billed to" in pages[1]
    assert "do not add up to the cent" in pages[2]
    answers = [(await browser.get(f"/harbour/my/invoices/{each.id}/pdf")).content for each in them]
    assert [b"factur-x.xml" in each for each in answers] == [True, False, False]
    packed = (await browser.get("/harbour/my/invoices/zip")).content
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert sum(b"factur-x.xml" in archive.read(each) for each in archive.namelist()) == 1


async def test_an_open_invoice_tells_to_which_account_and_where_to_pay(browser):
    page = (await browser.get("/harbour/my/invoices/in_2")).text
    for each in ("Pay by bank transfer", "DE02 1203 0000 0000 2020 51", "BYLADEM1001", "Harbour Coffee Roasters GmbH"):
        assert each in page, each
    assert re.search(r'<svg class="qr-code" [^>]*role="img" aria-label="Scan this with your banking app">', page)
    assert "Pay by bank transfer" not in (await browser.get(ONE)).text
    pdf = (await browser.get("/harbour/my/invoices/in_2/pdf")).content
    said = documents.words(pdf)
    for each in ("Pay by bank transfer", "DE02 1203 0000 0000 2020 51", "Payment reference HC-in_2", "Pay online"):
        assert each in said, each
    assert faults(pdf) == []
    with pikepdf.open(io.BytesIO(pdf)) as found:
        links = [str(each.A.URI) for each in found.pages[0].Annots if "/A" in each]
    assert links == ["https://portal.example/harbour/my/invoices/in_2/pay"]


async def test_what_is_charged_by_itself_asks_for_no_transfer(world):
    await keep(world, account(invoices=(invoice("in_1", "open", next_attempt_at=NOW + timedelta(days=2)),)))
    browser = world.client()
    await world.log_in(browser)
    assert "Pay by bank transfer" not in (await browser.get(ONE)).text
    assert "bank transfer" not in documents.words((await browser.get(f"{ONE}/pdf")).content)
