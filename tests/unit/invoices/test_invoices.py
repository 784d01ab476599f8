"""What the list of invoices and one invoice say."""

import pytest

from server.billing import Address, BuyerTaxId, CreditNote, InvoiceLine, InvoicePage, Payment
from server.features.invoices import credit_note_views, views
from tests.support.accounts import END, NOW, START, account, eur, invoice
from tests.support.rendered import renderer, words


@pytest.mark.parametrize(
    ("status", "due_at", "shown", "badge"),
    [
        ("paid", None, "paid", "good"),
        ("open", None, "open", "warn"),
        ("open", END, "open", "warn"),
        ("open", START, "overdue", "bad"),
        ("paid", START, "paid", "good"),
        ("void", None, "void", "quiet"),
        ("uncollectible", None, "uncollectible", "bad"),
        ("dreamt", None, "other", "quiet"),
    ],
)
def test_every_status_has_a_word_and_a_badge(status, due_at, shown, badge):
    it = views.row(invoice(status=status, due_at=due_at), NOW)
    assert (it.status, it.badge, it.word) == (shown, badge, status)


def test_a_credit_was_not_paid():
    it = views.detail(invoice(total=eur(-1550), amount_paid=eur(0), paid_at=NOW), NOW)
    assert (it.row.status, it.row.word, it.has_receipt) == ("credited", "paid", False)
    shown = words(renderer().fragment(it))
    assert "Credited" in shown
    assert "Paid" not in shown


def test_an_invoice_is_for_its_first_line():
    line = invoice().lines[0]
    more = InvoiceLine("il_2", "Filter papers", eur(300))
    it = views.row(invoice(lines=(line, more)), NOW)
    assert (it.what_for, it.more_lines) == ("House blend", 1)


def test_an_invoice_without_lines_is_for_nothing_that_we_know():
    it = views.row(invoice(lines=()), NOW)
    assert (it.what_for, it.more_lines) == ("", 0)


def test_what_is_due_is_said_where_it_is_not_the_whole():
    assert views.row(invoice(status="open"), NOW).amount_due is None
    assert views.row(invoice(status="open", amount_due=eur(450)), NOW).amount_due == eur(450)
    assert views.row(invoice(), NOW).amount_due is None


def test_the_overview_shows_the_latest_five():
    whole = account(invoices=tuple(invoice(f"in_{n}") for n in range(9, 0, -1)))
    assert [each.id for each in views.latest(whole, NOW)] == ["in_9", "in_8", "in_7", "in_6", "in_5"]


def test_a_page_knows_its_cursor_and_the_next():
    it = views.listing(InvoicePage((invoice(),), before="in_1"), NOW, before="in_2")
    assert (it.before, it.older) == ("in_2", "in_1")


def test_payments_stand_in_the_order_of_time_and_tries_that_go_on_are_left_out():
    tries = (
        Payment("py_3", "open", eur(1450), END),
        Payment("py_2", "paid", eur(1450), NOW),
        Payment("py_1", "failed", eur(1450), START, failure="expired_card"),
    )
    assert [each.id for each in views.detail(invoice(payments=tries), NOW).payments] == ["py_1", "py_2"]


@pytest.mark.parametrize(
    ("status", "due", "can"), [("open", 1450, True), ("open", 0, False), ("paid", 0, False), ("void", 1450, False)]
)
def test_only_an_open_invoice_with_something_due_can_be_paid(status, due, can):
    assert views.detail(invoice(status=status, amount_due=eur(due)), NOW).can_still_be_paid is can


def test_an_invoice_without_an_address_says_none():
    assert views.detail(invoice(), NOW).billed_to is None
    assert views.detail(invoice(customer_address=Address(city="Hamburg")), NOW).billed_to.city == "Hamburg"


def test_a_line_without_both_ends_has_no_period():
    line = InvoiceLine("il_1", "Set-up", eur(500), period_start_at=START)
    assert not views.detail(invoice(lines=(line,)), NOW).lines[0].has_period


def test_whose_tax_it_is_has_the_number_that_the_law_asks_for():
    numbers = (BuyerTaxId("eu_vat", "IT00743110157"), BuyerTaxId("eu_vat", ""))
    it = invoice(customer_name="Officina Ferrari", customer_tax_exempt="reverse", customer_tax_ids=numbers)
    note = CreditNote("cn_1", "CN-1", "issued", NOW, eur(100), eur(100))
    for view in (views.detail(it, NOW), credit_note_views.shown(it, note)):
        text = words(renderer().fragment(view))
        assert "Officina Ferrari EU VAT number" in text
        assert text.count("IT00743110157") == 1
        assert "The recipient owes the tax (reverse charge)." in text


def test_a_change_of_plan_is_for_the_new_plan_and_not_for_what_is_given_back():
    lines = (InvoiceLine("il_1", "Solo", eur(-500), proration=True), InvoiceLine("il_2", "Business", eur(1450)))
    assert views.row(invoice(lines=lines), NOW).what_for == "Business"
    assert views.row(invoice(lines=lines[:1]), NOW).what_for == "Solo"
