"""Each row D1 to D4 of the portal's features, as a customer goes through it: with scripts in place, and without any.

`tests/unit/test_rows.py` holds that no row is left out.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.support.documents import words
from tests.support.rehearsal import Rehearsal
from tests.support.visits import JENNY, Enter, button, card, has_scripts, link, menu, mistakes, reads

MAX, TINA = "max@example.com", "tina@example.com"


def edit(page: Page, what: str) -> None:
    link(page, f"Edit {what}")


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).last.click()


def field(page: Page, name: str) -> Locator:
    """By the label's words, `_` for a space."""
    label = name.replace("_", " ")
    return page.get_by_label(re.compile(rf"^{label}( \(optional\))?$"))


def fill(page: Page, **typed: str) -> None:
    for name, text in typed.items():
        field(page, name).fill(text)


def choose_country(page: Page, code: str, label: str) -> None:
    """Until the form has a field of that country: at once in place, by a button without scripts."""
    page.get_by_label("Country").select_option(code)
    if not has_scripts(page):
        button(page, "Use this country")
    expect(page.get_by_label(label, exact=True)).to_be_visible()


def is_said(page: Page, text: str) -> None:
    """The page says it, and it has the focus where it came in place: so it is read out once."""
    reads(page, text)
    page.bring_to_front()  # in Firefox no tab behind another has the focus
    if has_scripts(page):
        expect(page.get_by_role("status")).not_to_contain_text(text)
        expect(page.get_by_text(text).first.locator("..")).to_be_focused()


def is_to_mend(page: Page, **wrong: str) -> None:
    """The summary names them in the order of their fields, and leads to the last."""
    summary = mistakes(page).filter(has_text="Please correct")
    page.bring_to_front()
    if has_scripts(page):
        expect(summary).to_be_focused()
    expect(summary.get_by_role("link")).to_have_text([re.compile(each) for each in wrong.values()])
    summary.get_by_role("link").last.click()
    expect(field(page, [*wrong][-1])).to_be_focused()


def test_name_addresses_phone_and_tax_numbers_are_changed_as_their_country_writes_them(enter: Enter):  # D1
    page = enter("harbour", MAX)
    link(page, "Manage Billing details")
    edit(page, "name and phone")
    fill(page, Name_or_company="", Phone="nobody")
    save(page)
    is_to_mend(page, Name_or_company="Please fill in", Phone="enter the full number")
    fill(page, Name_or_company="Max & Söhne", Phone="+49 40 1234567")
    page.get_by_label("Phone").press("Enter")
    is_said(page, "Your details are saved.")
    reads(page, "Max & Söhne", "+49 40 1234567")

    addresses_follow_their_country(page)
    a_parcel_goes_elsewhere_or_not(page)
    menu(page, "History").click()
    reads(page, "Changed billing details", "Name, Phone")

    page = enter("orbit", JENNY)
    menu(page, "Billing details").click()
    tax_numbers_come_and_go(page)


def addresses_follow_their_country(page: Page) -> None:
    edit(page, "billing address")
    choose_country(page, "JP", "Prefecture")
    choose_country(page, "AE", "Emirate")
    choose_country(page, "US", "ZIP code")
    expect(page.get_by_label("Address line 1")).to_have_value("510 Townsend St")
    if has_scripts(page):
        expect(page.get_by_label("Country")).to_be_focused()
        expect(page.get_by_label("Country")).to_have_css("outline-style", "solid")
        expect(page.get_by_role("status")).to_contain_text("for addresses in this country: United States")
    page.get_by_label("State").select_option("California")
    fill(page, City="San Francisco", ZIP_code="9410")
    save(page)
    is_to_mend(page, ZIP_code="enter one for the country you chose")
    choose_country(page, "GB", "Postcode")
    fill(page, Address_line_1="10 Downing Street", Town_or_city="London", Postcode="sw1a2aa")
    page.get_by_label("Postcode").press("Enter")
    is_said(page, "Your billing address is saved.")
    expect(card(page, "Billing address")).to_contain_text(re.compile("Downing Street.*London.*SW1A 2AA", re.DOTALL))


def a_parcel_goes_elsewhere_or_not(page: Page) -> None:
    edit(page, "shipping address")
    button(page, "Copy the billing address")
    expect(page.get_by_label("Postcode")).to_have_value("SW1A 2AA")
    expect(page.get_by_label("Name or company")).to_have_value("Max & Söhne")
    choose_country(page, "FR", "Postal code")
    fill(page, Name_or_company="", Address_line_1="", City="", Postal_code="59800")
    save(page)
    is_to_mend(page, Name_or_company="Please fill in", Address_line_1="Please fill in", City="Please fill in")
    fill(page, Name_or_company="Max")
    fill(page, Address_line_1="8 rue des Tanneurs", Postal_code="59800", City="Lille")
    fill(page, Phone_for_deliveries="+33 3 20 12 34 56")
    save(page)
    is_said(page, "Your shipping address is saved.")
    expect(card(page, "Shipping address")).to_contain_text(re.compile("59800 Lille.*France", re.DOTALL))
    edit(page, "shipping address")
    button(page, "Remove this address")
    is_said(page, "Your shipping address is removed.")
    expect(card(page, "Shipping address")).to_contain_text("None yet")


def tax_numbers_come_and_go(page: Page) -> None:
    numbers = card(page, "Tax IDs")
    expect(numbers).to_contain_text(re.compile("EU VAT number DE123456789.*Verified", re.DOTALL))
    link(page, "Add a tax ID")
    expect(page.get_by_label("Type")).to_have_value("eu_vat")
    fill(page, Number="DE136695977")
    button(page, "Add tax ID")
    is_to_mend(page, Number="This does not look like the kind of number")
    fill(page, Number="de 136 695 976")
    page.get_by_role("button", name="Add tax ID").dblclick()
    is_said(page, "Your tax ID is added.")
    new = numbers.get_by_role("listitem").filter(has_text="DE136695976")
    expect(new).to_contain_text("Not verified yet")
    link(page, "Add a tax ID")
    page.get_by_label("Type").select_option("us_ein")
    fill(page, Number="12-3456789")
    button(page, "Add tax ID")
    is_said(page, "Your tax ID is added.")
    expect(numbers.get_by_role("listitem")).to_have_count(3)
    link(page, "Remove DE136695976")
    reads(page, "Past invoices keep it.")
    button(page, "Remove tax ID")
    is_said(page, "Your tax ID is removed.")
    expect(new).to_have_count(0)


def test_the_address_of_log_in_is_shown_and_cannot_be_changed(enter: Enter):  # D2
    page = enter("harbour", TINA)
    menu(page, "Billing details").click()
    contact = card(page, "Contact")
    expect(contact).to_contain_text(TINA)
    expect(contact).to_contain_text("The email address cannot be changed here, because you log in with it.")
    edit(page, "name and phone")
    expect(page.get_by_label("Name or company")).to_have_value("Tina Moreau")
    expect(page.get_by_role("main").get_by_label(re.compile("mail", re.IGNORECASE))).to_have_count(0)


def test_an_issued_invoice_keeps_what_it_said(enter: Enter, stage: Rehearsal, tmp_path: Path):  # D3
    page = enter("harbour", JENNY)
    menu(page, "Billing details").click()
    reads(page, "Changes appear on your next invoice.")
    edit(page, "name and phone")
    fill(page, Name_or_company="Rosenbaum Verlag GmbH")
    save(page)
    is_said(page, "Your details are saved.")
    reads(page, "Past invoices do not change.", "Rosenbaum Verlag GmbH")
    menu(page, "Invoices").click()
    page.get_by_role("main").get_by_role("listitem").first.get_by_role("link").first.click()
    reads(page, "Billed to", "Jenny Rosenbaum")
    expect(page.get_by_role("main")).not_to_contain_text("Verlag")
    with page.expect_download() as taken:
        link(page, "Download the invoice (PDF)")
    taken.value.save_as(tmp_path / "invoice.pdf")
    pdf = (tmp_path / "invoice.pdf").read_bytes()
    if stage.stripe:  # the document is Stripe's own, which Stripe keeps as it was issued
        assert pdf.startswith(b"%PDF")
        return
    paper = words(pdf)
    assert "Jenny Rosenbaum" in paper
    assert "Verlag" not in paper


def test_everything_the_portal_knows_is_taken_along(enter: Enter, tmp_path: Path):  # D4
    page = enter("harbour", JENNY)
    menu(page, "Billing details").click()
    with page.expect_download() as taken:
        link(page, "Download your data (JSON)")
    assert re.fullmatch(r"harbour-\d{4}-\d\d-\d\d\.json", taken.value.suggested_filename)
    taken.value.save_as(tmp_path / "all.json")
    taken.value.delete()  # or Firefox numbers the next of that name
    told = json.loads((tmp_path / "all.json").read_text("utf-8"))
    assert (told["customer"]["name"], told["customer"]["email"]) == ("Jenny Rosenbaum", JENNY)
    assert len(told["invoices"]) == 30
    assert {each["last4"] for each in told["payment_methods"]} == {"4242", "4444"}
    assert all(told[part] for part in ("subscriptions", "sessions", "mails"))
