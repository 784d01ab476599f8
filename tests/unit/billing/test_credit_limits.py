"""No credit is more than what was paid for that period and was not given back yet."""

import pytest
from msgspec.structs import replace

from server.billing import Move, TaxRate
from server.billing.ledger.changes.canceling import cancel
from server.billing.model.invoice import CreditNote
from tests.support.ledger_accounts import NOW, WITH_CREDIT, account, day, eur, item, price, subscription
from tests.support.pages import apply, preview
from tests.support.plans import bought, lines, only, paid, terms

SMALL, LARGE, YEARLY = price(), price("6200", id="price_2", product="prod_2"), price("36500", "year", id="price_y")
AT_ONCE = terms(SMALL, LARGE, YEARLY, proration_behavior="always_invoice")


def moved(it, change, sold=AT_ONCE, now=NOW):
    shown = preview(it, "sub_1", change, sold, now)
    return apply(it, "sub_1", change, sold, token=shown.fingerprint, now=now).account


def with_refund(it, amount):
    """So much of what was paid last went back to the card."""
    newest, *older = it.invoices
    payment = replace(newest.payments[-1], refunded=eur(amount))
    return replace(it, invoices=(replace(newest, payments=(payment,)), *older))


def with_note(it, amount):
    """A credit note for so much."""
    newest, *older = it.invoices
    return replace(it, invoices=(replace(newest, credited=eur(amount)), *older))


@pytest.mark.parametrize(
    "give", [with_refund, with_note, lambda it, amount: with_note(with_refund(it, amount), amount)]
)
@pytest.mark.parametrize(
    ("given", "credit"),
    [(0, 1550), (100, 1550), (1550, 1550), (2000, 1100), (3099, 1), (3100, None), (5000, None)],
)
def test_a_refund_limits_a_credit_by_its_amount(give, given, credit):  # case money 4
    # 31.00 paid, half of March left: 15.50, and never more than what was not given back.
    it = give(bought(SMALL), given)
    after = cancel(it, "sub_1", WITH_CREDIT, NOW)
    assert after.balance == (eur(-credit) if credit else None)
    after = moved(it, Move("price_2"))
    assert after.invoices[0].amount_paid == eur(3100 - (credit or 0))


def with_known_note(it, amount, **where):
    """A credit note that says where its amount went."""
    newest, *older = it.invoices
    note = CreditNote("cn_1", "CN-1", "issued", NOW, eur(amount), eur(amount), **{k: eur(v) for k, v in where.items()})
    return replace(it, invoices=(replace(newest, credited=eur(amount), credit_notes=(note,)), *older))


@pytest.mark.parametrize(
    ("note", "refunded", "credit"),
    [
        # 31.00 paid; 10.00 went back as a refund, and the note is its document: 21.00 are left, half a month is 15.50.
        ({"amount": 1000, "refunded": 1000}, 1000, 1550),
        ({"amount": 2000, "refunded": 2000}, 2000, 1100),
        # The note went to the balance, and the refund is another 10.00: 11.00 are left.
        ({"amount": 1000, "to_balance": 1000}, 1000, 1100),
        ({"amount": 1000, "out_of_band": 1000}, 1000, 1100),
        # Half of the note is in the refund of 10.00: 5.00 more were given.
        ({"amount": 1000, "refunded": 500, "to_balance": 500}, 1000, 1550),
        ({"amount": 2000, "refunded": 500, "to_balance": 1500}, 1000, 600),
        ({"amount": 1600, "to_balance": 1600}, 1500, None),
    ],
)
def test_a_credit_note_and_a_refund_add_up_unless_the_note_was_refunded(note, refunded, credit):
    it = with_known_note(with_refund(bought(SMALL), refunded), **note)
    assert cancel(it, "sub_1", WITH_CREDIT, NOW).balance == (eur(-credit) if credit else None)


@pytest.mark.parametrize(("refunded", "credit"), [(0, 1550), (1000, 1100)])
def test_what_a_note_took_off_before_the_payment_is_no_part_of_a_refund(refunded, credit):
    # 10.00 were credited while the invoice was open, so 21.00 were paid; of them 10.00 went back: 11.00 are left.
    newest, *older = bought(SMALL).invoices
    payment = replace(newest.payments[-1], amount=eur(2100), refunded=eur(refunded))
    less = replace(newest, amount_paid=eur(2100), credited=eur(1000), payments=(payment,))
    it = replace(bought(SMALL), invoices=(less, *older))
    assert cancel(it, "sub_1", WITH_CREDIT, NOW).balance == eur(-credit)


def test_a_refund_of_a_taxed_invoice_counts_with_its_tax():
    # 36.89 paid, 23.80 given back: 20.00 of the net amount; 11.00 are left, and 2.09 of tax on them.
    it = with_refund(bought(SMALL, default_tax_rates=(TaxRate("t", "19", "VAT"),)), 2380)
    after = cancel(it, "sub_1", WITH_CREDIT, NOW)
    assert (lines(after.invoices[0]), after.balance) == ([-1100], eur(-1309))


def test_a_refund_is_shared_by_the_lines_of_its_invoice():
    # 31.00 and 62.00; 60.00 given back leave 11.00 and 22.00.
    two = subscription(item(), item(price=LARGE))
    it = with_refund(paid(account(), two, day(2026, 3, 1)), 6000)
    assert cancel(it, "sub_1", WITH_CREDIT, NOW).balance == eur(-3300)


@pytest.mark.parametrize(
    ("refunds", "credit"), [((0, 0), 3100), ((0, 1550), 3100), ((3100, 0), 1550), ((3100, 1550), None)]
)
def test_refunds_after_a_change_count_for_all_that_was_paid_for_the_period(refunds, credit):
    # 31.00 for March and 15.50 for the change make 46.50; 31.00 are left of the dearer plan.
    it = moved(bought(SMALL), Move("price_2"))
    first, change = refunds
    it = with_refund(it, change)
    march = replace(it.invoices[1], payments=(replace(it.invoices[1].payments[0], refunded=eur(first)),))
    it = replace(it, invoices=(it.invoices[0], march))
    assert cancel(it, "sub_1", WITH_CREDIT, NOW).balance == (eur(-credit) if credit else None)


def _paid(invoices):
    return sum(each.amount_paid.amount for each in invoices.values())


def changed_at_once(changes, sold=AT_ONCE):
    """The account after these changes at one moment and a cancellation, and all its invoices."""
    it = bought(SMALL)
    invoices = {each.id: each for each in it.invoices}
    for change in changes:
        shown = preview(it, "sub_1", change, sold, NOW)
        made = apply(it, "sub_1", change, sold, token=shown.fingerprint, now=NOW)
        it, invoices = made.account, invoices | {each.id: each for each in made.invoices}
        item = only(it).items[0]
        worth = item.quantity * int(item.price.unit_amount)
        assert worth - (it.balance.amount if it.balance else 0) == _paid(invoices) - 1550
    return cancel(it, "sub_1", WITH_CREDIT, NOW), invoices


@pytest.mark.parametrize("rounds", [1, 2, 5])
def test_many_changes_at_one_moment_credit_what_was_paid(rounds):  # case money 5
    # Years for 10 and for 1 with a month between them: all that was paid is left but the half of March that was used.
    changes = (Move("price_y", 10), Move("price_1", 1), Move("price_y", 1), Move("price_1", 1))
    it, invoices = changed_at_once(changes * rounds)
    assert -it.balance.amount == _paid(invoices) - 1550


def test_a_period_that_begins_often_at_one_moment_is_worth_its_newest_charge():
    sold = terms(SMALL, proration_behavior="always_invoice", billing_cycle_anchor="now")
    it, invoices = changed_at_once([Move(quantity=each) for each in (2, 10, 1)], sold)
    assert -it.balance.amount == _paid(invoices) - 1550
