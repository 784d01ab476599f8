"""A year of invoices to take along, as a table and as PDFs."""

import csv
import io
import zipfile
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from server.billing import InvoiceLine, InvoiceTax, Money
from server.features.invoices import exports
from tests.support import documents
from tests.support.accounts import account, eur, invoice, keep
from tests.support.spreadsheets import FORMULAS, PARTINGS, cells, is_formula

pytestmark = pytest.mark.anyio
URL = "/harbour/my/invoices"
NEWEST = datetime(2026, 2, 20, tzinfo=UTC)


@pytest.fixture
async def browser(world):
    """Jenny's: 30 invoices, some ten days apart."""
    them = tuple(invoice(f"in_{n:02}", created_at=NEWEST - timedelta(days=10 * n)) for n in range(30))
    await keep(world, account(invoices=them[:12], has_older_invoices=True, created_at=them[-1].created_at), *them[12:])
    found = world.client()
    await world.log_in(found)
    return found


async def rows_of(*invoices, zone="UTC"):
    async def pages():
        yield tuple(invoices)

    body = b"".join([each async for each in exports.as_csv(pages(), ZoneInfo(zone))])
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


async def test_the_list_offers_a_year_as_files(browser):
    page = (await browser.get(URL)).text
    assert f'href="{URL}/csv?year=2026" download' in page
    assert f'href="{URL}/zip?year=2026" download' in page
    assert f'href="{URL}/zip?year=2025" download' in (await browser.get(f"{URL}?year=2025")).text


async def test_a_years_table_has_every_invoice_of_it_once(browser):  # I6
    answer = await browser.get(f"{URL}/csv?year=2025")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="invoices-2025.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbfnumber,date,")
    assert answer.content.count(b"\r\n") == answer.content.count(b"\n") == 25
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [each["id"] for each in rows] == [f"in_{n:02}" for n in range(6, 30)]
    assert {each["date"][:4] for each in rows} == {"2025"}


async def test_a_row_says_the_whole_invoice():
    it = invoice(
        lines=(InvoiceLine("il_1", "House blend", eur(1450)), InvoiceLine("il_2", 'A "quoted", line\nbroken', eur(1))),
        taxes=(InvoiceTax("VAT", eur(232)),),
        customer_name="Jenny; Rosenbaum",
        created_at=datetime(2026, 1, 1, 3, tzinfo=UTC),
    )
    [row] = await rows_of(it, zone="America/New_York")
    assert row["date"] == "2025-12-31"
    assert (row["total"], row["tax"], row["discount"], row["currency"]) == ("14.50", "2.32", "0.00", "EUR")
    assert row["lines"] == 'House blend; A "quoted", line broken'
    assert row["billed_to"] == "Jenny; Rosenbaum"


@pytest.mark.parametrize(("between", "quotes"), PARTINGS)
@pytest.mark.parametrize("text", FORMULAS)
async def test_a_text_is_never_a_formula_however_the_cells_are_parted(text, between, quotes):
    lines = (InvoiceLine("il_1", "Beans", eur(1)), InvoiceLine("il_2", text, eur(-290)))
    it = invoice(number=text, status=text, customer_name=text, customer_email=text, lines=lines, total=eur(-290))

    async def pages():
        yield (it,)

    raw = b"".join([each async for each in exports.as_csv(pages(), ZoneInfo("UTC"))]).decode("utf-8-sig")
    assert [each for each in cells(raw, between, quotes=quotes) if is_formula(each)] == []


def test_a_text_that_is_no_formula_stays_as_it_is():
    for text in ("Jenny; Rosenbaum", "A-1", "5 = 3 + 2", "a@b.example", "Größe - groß", "'tis"):
        assert exports.harmless(text) == text


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [(1450, "EUR", "14.50"), (-290, "EUR", "-2.90"), (5, "EUR", "0.05"), (1450, "JPY", "1450"), (1450, "BHD", "1.450"),
     (10**15, "EUR", "10000000000000.00"), (0, "EUR", "0.00")],
)  # fmt: skip
async def test_amounts_have_the_decimals_of_their_currency(amount, currency, written):
    assert exports.decimal(Money(amount, currency)) == written


async def test_a_years_pdfs_come_in_one_file(browser):  # I6
    answer = await browser.get(f"{URL}/zip?year=2026")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="invoices-2026.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"invoice-HC-in-0{n}.pdf" for n in range(6)]
        assert archive.infolist()[0].date_time[:3] == (2026, 2, 20)
        for n, each in enumerate(archive.infolist()):
            assert f"HC-in_0{n}" in documents.words(archive.read(each))


async def test_two_files_of_one_name_are_two_files():
    async def files():
        for n in range(3):
            yield "invoice-1.pdf", NEWEST, b"%d" % n

    whole = b"".join([each async for each in exports.as_zip(files())])
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "invoice-1.pdf": b"0",
            "invoice-1-2.pdf": b"1",
            "invoice-1-3.pdf": b"2",
        }


async def test_a_file_leaves_before_the_next_is_made():
    made = []

    async def files():
        for n in range(5):
            made.append(n)
            yield f"{n}.pdf", NEWEST, bytes(1000)

    sent = 0
    async for part in exports.as_zip(files()):
        assert len(part) < 1500
        sent += 1
        assert len(made) <= sent
    assert sent == 6


@pytest.mark.parametrize("kind", ["csv", "zip"])
@pytest.mark.parametrize("query", ["?year=2019", "?year=abc", "?year=2025%2F..", "?year=2026&year=x"])
async def test_a_year_that_is_not_offered_is_not_there(browser, kind, query):
    assert (await browser.get(f"{URL}/{kind}{query}")).status_code == 404


async def test_without_a_year_all_of_them_are_taken_along(browser):
    answer = await browser.get(f"{URL}/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="invoices.csv"'
    assert answer.content.count(b"\r\n") == 31


@pytest.mark.parametrize("kind", ["csv", "zip"])
async def test_nobody_takes_anything_along_without_logging_in(world, kind):
    assert (await world.client().get(f"{URL}/{kind}?year=2026")).status_code == 401


@pytest.mark.parametrize("kind", ["csv", "zip"])
async def test_nobody_takes_along_what_is_anothers(world, browser, kind):  # threat 75
    await keep_other(world)
    stranger = world.client()
    await world.log_in(stranger, "else@example.com")
    content = (await stranger.get(f"{URL}/{kind}?year=2026")).content
    if kind == "csv":
        assert content.count(b"\r\n") == 2
        assert b"in_theirs" in content
    else:
        assert zipfile.ZipFile(io.BytesIO(content)).namelist() == ["invoice-HC-in-theirs.pdf"]


async def keep_other(world):
    await keep(
        world, account(id="cus_else", email="else@example.com", invoices=(invoice("in_theirs", created_at=NEWEST),))
    )


async def test_an_archive_says_which_invoices_it_lacks_and_why(world):
    them = (invoice("in_1"), invoice("in_2", hosted=True), invoice("in_3", total=eur(1)))
    await keep(world, account(invoices=them))
    browser = world.client()
    await world.log_in(browser)
    with zipfile.ZipFile(io.BytesIO((await browser.get(f"{URL}/zip?year=2026")).content)) as archive:
        assert archive.namelist() == ["invoice-HC-in-1.pdf", "README.txt"]
        said = archive.read("README.txt").decode("utf-8-sig")
    assert "HC-in_2  €14.50  Its PDF is made where it is billed" in said
    assert "HC-in_3  €0.01  Its parts do not add up to its total." in said
    assert "HC-in_1" not in said


async def test_a_year_of_the_billing_sides_own_pdfs_is_an_archive_that_says_so(world):
    await keep(world, account(invoices=(invoice(hosted=True),)))
    browser = world.client()
    await world.log_in(browser)
    page = (await browser.get(URL)).text
    assert "/zip" not in page
    assert "PDFs are downloaded one by one" in page
    with zipfile.ZipFile(io.BytesIO((await browser.get(f"{URL}/zip?year=2026")).content)) as archive:
        assert archive.namelist() == ["README.txt"]
