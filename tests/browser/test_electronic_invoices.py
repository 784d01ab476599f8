"""Electronic invoices, as a customer's accountant gets them: from the page to the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support import documents
from tests.support.pdf_rules import faults
from tests.support.visits import Doors, invoice_links

IVY = "ivy@example.com"
INSIDE, NOT_INSIDE = (
    "The PDF is an electronic invoice too",
    "The PDF holds no electronic invoice (Factur-X): it is void.",
)


# I7
@pytest.mark.parametrize("scripts", ["page", "plain_page"])
def test_a_company_abroad_saves_its_electronic_invoice(request, doors: Doors, tmp_path: Path, scripts: str):
    page: Page = request.getfixturevalue(scripts)
    doors.enter(page, "harbour", IVY)
    page.goto("/harbour/my/invoices?status=paid")
    invoice_links(page).first.click()
    expect(page.get_by_text(INSIDE)).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download the invoice (PDF)").click()
    saved.value.save_as(tmp_path / "invoice.pdf")
    pdf = (tmp_path / "invoice.pdf").read_bytes()
    assert faults(pdf) == []
    assert b"factur-x.xml" in pdf
    said = documents.as_read(pdf)
    for each in ("Consulting, one day", "Travel", "€760.50", "Tax number: IT00743110157", "reverse charge"):
        assert each in said, each


# I7
def test_an_invoice_that_cannot_be_one_says_why(page: Page, doors: Doors):
    doors.enter(page, "harbour", IVY)
    page.goto("/harbour/my/invoices?status=void")
    invoice_links(page).first.click()
    expect(page.get_by_text(NOT_INSIDE)).to_be_visible()
