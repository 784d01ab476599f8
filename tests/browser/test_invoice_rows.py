"""Each row I1 to I7 of the portal's features, as a customer goes through it: with scripts in place, and without any.

`tests/unit/test_rows.py` holds that no row is left out.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support import documents
from tests.support.pdf_rules import faults
from tests.support.rehearsal import Rehearsal
from tests.support.visits import JENNY, Enter, button, card, invoice_links, link, menu, reads

ANN = "ann@example.com"  # a discount, a refund and a credit note
BEA = "bea@example.com"  # past due; the bank wants each payment confirmed
IVY = "ivy@example.com"  # invoices only, of every status
PAT = "pat@example.com"  # past due; the card on file is declined
RAY = "ray@example.com"  # owes for two, and has another card that works


def invoices(page: Page) -> Page:
    menu(page, "Invoices").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Invoices")
    return page


def choose(page: Page, **chosen: str) -> None:
    """The list of that year or status."""
    for label, value in chosen.items():
        page.get_by_label(label.capitalize()).select_option(value)
    button(page, "Show")


def saved(page: Page, name: str) -> bytes:
    """What the link downloads."""
    with page.expect_download() as download:
        page.get_by_role("link", name=name).first.click()
    path = download.value.path()
    assert isinstance(path, Path)
    return path.read_bytes()


def pay(page: Page) -> None:
    """Press what pays, not what leads there."""
    button(page, "Pay ")


def add_a_card_that_works(page: Page, by: str = "Use another card or account") -> None:
    button(page, by)
    page.get_by_label("Card number").fill("4242 4242 4242 4242")
    page.get_by_label("Expires").fill("12/30")
    page.get_by_label("Security code").fill("123")
    button(page, "Add this card")
    reads(page, "Your new payment method was added", "Nothing was charged yet.")
    expect(page.get_by_role("radio", name="4242")).to_be_checked()


def test_the_list_says_what_each_invoice_is_and_older_ones_come_on_demand(enter: Enter):  # I1
    page = invoices(enter("harbour", JENNY))
    newest = page.get_by_role("main").get_by_role("listitem").first
    for each in ("Harbour Espresso, 500 g", "Paid", "€16.50", "-0030"):
        expect(newest).to_contain_text(each)
    expect(invoice_links(page)).to_have_count(12)
    dates = [page.get_by_role("main").get_by_role("time").nth(each).get_attribute("datetime") for each in range(12)]
    assert dates == sorted(dates, reverse=True)  # type: ignore[type-var]
    for oldest in ("-0007", "-0001"):
        link(page, "Show older invoices")
        expect(page.get_by_role("main").get_by_text(oldest).first).to_be_visible()
    reads(page, "You have seen all your invoices.")
    expect(page.get_by_role("link", name="Show older invoices")).to_have_count(0)
    page = invoices(enter("plain", IVY))
    reads(page, "Due", "Paid", "Void", "No longer due", "Consulting, one day and 1 more")
    reads(invoices(enter("harbour", "tina@example.com")), "No invoices yet.")


def test_an_invoice_shows_every_part_of_its_sum(enter: Enter, stage: Rehearsal):  # I2
    page = invoices(enter("harbour", ANN))
    newest = page.get_by_role("main").get_by_role("listitem").first
    for _ in range(20 if stage.stripe else 0):  # who paid, and what went back, the worker reads after the account
        if "refunded" in newest.inner_text():
            break
        page.wait_for_timeout(500)
        page.reload()
    expect(newest).to_contain_text("€3.00 refunded")
    invoice_links(page).first.click()
    table = page.get_by_role("table")
    for label, amount in (
        ("Harbour Espresso, 500 g", "€16.50"),
        ("Subtotal", "€16.50"),
        ("Discount: Welcome, 20% off", "-€3.30"),
        ("VAT 19% (included)", "€2.11"),
        ("Total", "€13.20"),
        ("Amount paid", "€13.20"),
    ):
        line = table.get_by_role("row").filter(
            has=page.get_by_role("rowheader", name=re.compile(f"^{re.escape(label)}"))
        )
        expect(line.last).to_contain_text(amount)
    reads(page, "Billed to", "Storgatan 12", "Uppsala", "Paid on", "ann@example.com")
    paid, credited = (card(page, "Payments").get_by_role("listitem").nth(each) for each in (0, 1))
    for each in ("Paid with Visa •••• 1111", "€3.00 refunded", "€13.20"):
        expect(paid).to_contain_text(each)
    for each in ("Credit note", "-€3.00"):
        expect(credited).to_contain_text(each)

    page = invoices(enter("harbour", PAT))
    invoice_links(page).first.click()
    reads(page, "$17.96 is due", "Sales tax 8.875%", "Failed with Visa •••• 0341", "We will try to charge it again")


def test_an_invoice_and_its_receipt_are_saved_as_documents(enter: Enter, stage: Rehearsal):  # I3
    page = invoices(enter("orbit", JENNY))
    invoice_links(page).first.click()
    number = page.get_by_role("heading", level=1).inner_text().removeprefix("Invoice ")
    if stage.stripe:  # both are Stripe's own, asked for on the click
        assert saved(page, "Download the invoice (PDF)").startswith(b"%PDF")
        link(page, "Download the receipt (PDF)")
        expect(page.get_by_role("main")).to_contain_text(f"Receipt for invoice {number}")
        return
    for name, title in (("Download the invoice (PDF)", "Invoice"), ("Download the receipt (PDF)", "Receipt")):
        pdf = saved(page, name)
        assert faults(pdf) == []
        said = documents.as_read(pdf)
        for each in (title, number, "Orbit Solo", "€12.00", "Jenny Rosenbaum"):
            assert each in said, (each, name)


def test_what_is_open_is_paid_and_a_refusal_says_why(enter: Enter, stage: Rehearsal):  # I4
    page = enter("orbit", PAT)
    page.bring_to_front()  # in Firefox no tab behind another has the focus
    reads(page, "Overdue", " is due")
    link(page, "Pay now")
    expect(page.get_by_role("radio", name="0341")).to_be_checked()
    pay(page)
    reads(page, "The payment with Visa •••• 0341 failed", "There was not enough money in the account.")
    reads(page, "Pay another way, or try again when there is enough money in the account.")
    add_a_card_that_works(page)
    pay(page)
    reads(page, "This invoice is paid", "Orbit Solo is active")
    expect(page.locator(":focus")).to_contain_text("This invoice is paid")
    expect(page.get_by_role("link", name="Download the receipt (PDF)")).to_be_visible()
    link(page, "Go to the overview")
    for each in ("Active", "4242"):
        expect(card(page, "Orbit Solo")).to_contain_text(each)
    expect(page.get_by_role("link", name="Pay", exact=True)).to_have_count(0)

    page = enter("orbit", RAY)
    link(page, "Pay now")
    page.get_by_role("radio", name="5454").check()
    pay(page)
    reads(page, "This invoice is paid", "Paid with Mastercard •••• 5454")
    the_bank_asks(enter("harbour", BEA), at_stripe=bool(stage.stripe))


def the_bank_asks(page: Page, *, at_stripe: bool) -> None:
    link(page, "Pay now")
    if at_stripe:  # on the invoice's page there, which leads nowhere: the customer comes back by themselves
        before = page.url
        pay(page)
        button(page, "Complete authentication")
        expect(page.get_by_role("main")).to_contain_text("in minor units, paid.")
        page.goto(before.partition("/pay")[0])
        reads(page, "Paid on")
        return
    reads(page, "Your bank asks you to confirm the payment.")
    pay(page)
    button(page, "Fail")
    reads(page, "You did not confirm the payment with your bank.")
    pay(page)
    button(page, "Complete")
    reads(page, "This invoice is paid")


def test_who_has_invoices_only_comes_in_and_pays(enter: Enter):  # I5
    page = enter("orbit", IVY)
    reads(page, "You have no subscriptions.")
    page.get_by_role("link", name=re.compile("^Pay ")).first.click()
    reads(page, "You have no payment method yet.")
    add_a_card_that_works(page, by="Add a card or account")
    pay(page)
    reads(page, "This invoice is paid", "Thank you. You do not need to do anything else.")


def test_invoices_are_found_by_year_and_status_and_taken_along(enter: Enter, stage: Rehearsal):  # I6
    page = invoices(enter("harbour", IVY))
    choose(page, status="Void")
    expect(invoice_links(page)).to_have_count(1)
    choose(page, status="Any status")
    expect(invoice_links(page)).to_have_count(5)

    page = invoices(enter("harbour", JENNY))
    years = [each.inner_text() for each in page.get_by_label("Year").get_by_role("option").all()][1:]
    choose(page, year=years[1], status="Paid")
    expect(page.get_by_role("link", name="Spreadsheet (CSV)")).to_have_attribute("href", re.compile(f"year={years[1]}"))
    shown = [each.inner_text() for each in invoice_links(page).all()]
    assert len(shown) == 12
    assert all(each.endswith(years[1]) for each in shown)
    rows = list(csv.DictReader(io.StringIO(saved(page, "Spreadsheet (CSV)").decode("utf-8-sig"))))
    assert all(each["date"].startswith(years[1]) and each["total"] == "16.50" for each in rows)
    if stage.stripe:
        expect(page.get_by_role("link", name="All PDFs (ZIP)")).to_have_count(0)
        assert len(rows) == 12
    else:
        every_document_is_in_one_file(page, rows)
    choose(page, year=years[1], status="Void")
    reads(page, "No invoices match.")
    link(page, "Show all invoices")
    expect(invoice_links(page)).to_have_count(12)


def every_document_is_in_one_file(page: Page, rows: list[dict[str, str]]) -> None:
    with zipfile.ZipFile(io.BytesIO(saved(page, "All PDFs (ZIP)"))) as files:
        names = files.namelist()
        assert files.testzip() is None
        assert documents.page_count(files.read(names[0])) == 1
    assert len(rows) == len(names) == 12
    assert all(any(row["number"] in name for name in names) for row in rows)


def test_an_electronic_invoice_is_inside_the_document_or_the_page_says_why_not(enter: Enter, stage: Rehearsal):  # I7
    page = invoices(enter("harbour", IVY))
    choose(page, status="Paid")
    expect(invoice_links(page)).to_have_count(2)
    invoice_links(page).first.click()
    if stage.stripe:  # Stripe makes the document: the portal says nothing of what is inside
        expect(page.get_by_role("link", name="Download the invoice (PDF)")).to_be_visible()
        expect(page.get_by_role("main")).not_to_contain_text("electronic invoice")
        return
    reads(page, "This PDF is also an electronic invoice")
    pdf = saved(page, "Download the invoice (PDF)")
    assert faults(pdf) == []
    assert b"factur-x.xml" in pdf
    said = documents.as_read(pdf)
    for each in (
        "Consulting, one day",
        "Travel",
        "€760.50",
        "EU VAT number (Partita IVA): IT00743110157",
        "reverse charge",
    ):
        assert each in said, each
    link(page, "All invoices")
    choose(page, status="Void")
    expect(invoice_links(page)).to_have_count(1)
    invoice_links(page).first.click()
    reads(page, "This PDF is not an electronic invoice (Factur-X): the invoice is void.")
