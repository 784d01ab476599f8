"""The page before a cancellation, and what a card says of it."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from server.billing import Activity, InvoiceLine, Money, Pending, Upcoming
from server.billing.ledger.changes.canceling import cancel
from server.features.subscriptions import cancel_views, views
from tests.support.accounts import AT_ONCE, END, FEATURES, NOW, WITH_CREDIT, account, ending, eur, invoice, subscription
from tests.support.pages import cancellation
from tests.support.rendered import renderer, words


def asked(it, features=FEATURES, whole=None, **changed):
    whole = whole or account(it)
    ending = cancellation(whole, it.id, features.subscription_cancel, NOW)
    return cancel_views.confirm_cancel(it, whole, ending, NOW, key="fresh", **changed)


def test_at_the_periods_end_nothing_is_credited():
    it = asked(subscription())
    assert (it.at_once, it.ends_at, it.credit) == (False, END, None)


def test_at_once_ends_now_and_credits_nothing_by_itself():
    it = asked(subscription(), AT_ONCE)
    assert (it.at_once, it.ends_at, it.credit) == (True, NOW, None)


def test_at_once_with_proration_credits_the_unused_time():
    whole = account(subscription(), invoices=(invoice(),))
    it = asked(subscription(), WITH_CREDIT, whole)
    assert it.at_once
    assert 0 < it.credit.amount < 1450


def test_it_says_what_would_have_been_charged():
    assert asked(subscription()).next_charge.at == END


def test_a_trial_is_said():
    assert asked(subscription(status="trialing", trial_end_at=END)).in_trial


@pytest.mark.parametrize(
    ("status", "lost"),
    [("active", True), ("incomplete", False), ("paused", False), ("past_due", False), ("unpaid", False)],
)
def test_only_time_that_was_paid_for_is_lost(status, lost):
    it = asked(subscription(status=status), AT_ONCE)
    assert ("You will not get a refund for the rest of your paid period." in words(renderer().fragment(it))) is lost


def test_an_open_invoice_stays_to_be_paid():
    late = subscription(status="past_due")
    assert asked(late, whole=account(late, invoices=(invoice(status="open"),))).debt.amount.amount == 1450


def test_what_has_not_begun_leaves_nothing_to_pay():
    unfinished = subscription(status="incomplete")
    assert asked(unfinished, whole=account(unfinished, invoices=(invoice(status="open"),))).debt is None


@pytest.mark.parametrize(("status", "due"), [("open", True), ("paid", False), ("uncollectible", False)])
def test_who_pays_by_invoice_still_owes_one_that_is_not_late(status, due):
    by_invoice = subscription(collection_method="send_invoice")
    it = asked(by_invoice, whole=account(by_invoice, invoices=(invoice(status=status),)))
    assert ("The invoice for €14.50 is still due." in words(renderer().fragment(it))) is due


@pytest.mark.parametrize(
    ("changed", "works"),
    [
        ({"status": "active"}, True),
        ({"status": "past_due"}, True),
        ({"status": "unpaid"}, False),
        ({"status": "paused"}, False),
        ({"pause_behavior": "void"}, False),
    ],
)
def test_what_cannot_be_used_is_not_said_to_be_usable_until_it_ends(changed, works):
    it = subscription(**changed)
    assert ("You can use it until then." in words(renderer().fragment(asked(it)))) is works
    after = cancel(account(it), "sub_1", FEATURES.subscription_cancel, NOW)
    card = words(renderer().fragment(views.card(after.subscriptions[0], after, FEATURES, NOW)))
    assert ("You can use it until" in card) is (changed == {"status": "active"})


@pytest.mark.parametrize(
    ("total", "says"),
    [
        (eur(1450), "You will not get the invoice for €14.50 on March 15, 2026."),
        (None, "You will not get an invoice on March 15, 2026."),
    ],
)
def test_who_pays_by_invoice_is_told_of_the_invoice_that_does_not_come(total, says):
    by_invoice = subscription(collection_method="send_invoice")
    whole = account(by_invoice, upcoming=(Upcoming("sub_1", END, total),))
    text = words(renderer().fragment(asked(by_invoice, whole=whole)))
    assert says in text
    assert "You will not be charged" not in text


def test_every_invoice_that_stays_due_is_counted():
    late = subscription(status="unpaid")
    whole = account(late, invoices=(*(invoice(f"in_{n}", "open") for n in range(3)), invoice("in_3")))
    assert "3 invoices are still due, €43.50 in all." in words(renderer().fragment(asked(late, whole=whole)))


def test_what_comes_off_pays_the_newest_of_several():
    line = InvoiceLine("il_1", "House blend", eur(-2000), proration=True, subscription="sub_1")
    late = subscription(status="past_due", pending=(Pending(line),))
    it = asked(late, AT_ONCE, account(late, invoices=tuple(invoice(f"in_{n}", "open") for n in range(3))))
    assert (it.debt.invoice, it.debt.amount, it.debt.others, it.debt.total) == ("in_1", eur(900), 1, eur(2350))


def test_what_a_credit_pays_of_an_open_invoice_is_said_apart_from_what_is_left_of_it():
    """14.50 are paid for the month, and 4.00 of a change within it are not: they come off first, the rest is credit."""
    owed = {"created_at": NOW - timedelta(days=1), "total": eur(400), "subtotal": eur(400), "amount_due": eur(400)}
    whole = account(subscription(), invoices=(invoice("in_2", status="open", **owed), invoice()))
    credited = asked(subscription(), WITH_CREDIT, account(subscription(), invoices=(invoice(),))).credit
    it = asked(subscription(), WITH_CREDIT, whole)
    assert (it.set_off, it.credit) == (eur(400), credited - eur(400))
    after = cancel(whole, "sub_1", WITH_CREDIT.subscription_cancel, NOW)
    assert (after.balance, sum(each.amount_due.amount for each in after.invoices)) == (-it.credit, 0)
    assert "€4.00 comes off the invoice that you still have to pay." in words(renderer().fragment(it))


@pytest.mark.parametrize(
    ("waits", "left", "credit"), [(-900, eur(550), None), (-1450, None, None), (-2000, None, eur(550))]
)
def test_what_stays_due_is_told_without_what_comes_off_it(waits, left, credit):
    line = InvoiceLine("il_1", "House blend", eur(waits), proration=True, subscription="sub_1")
    late = subscription(status="past_due", pending=(Pending(line),))
    it = asked(late, AT_ONCE, account(late, invoices=(invoice(status="open"),)))
    assert (it.set_off, it.credit, it.debt and it.debt.amount) == (eur(max(waits, -1450) * -1), credit, left)
    assert ("You will not get a refund" in words(renderer().fragment(it))) is False


def test_a_card_has_its_own_history_only():  # S15
    done = [Activity(NOW, "subscription.canceled", each, {}, "") for each in ("sub_1", "sub_2", "")]
    it = views.card(ending(), account(ending()), FEATURES, NOW, activities=done)
    assert [each.subscription for each in it.history] == ["sub_1"]


def test_what_waits_for_the_next_invoice_is_said_though_nothing_more_is_bought():
    line = InvoiceLine("il_1", "House blend", Money(500, "EUR"), proration=True, subscription="sub_1")
    owing = subscription(pending=(Pending(line),))
    assert [asked(owing, each).due for each in (FEATURES, AT_ONCE)] == [Money(500, "EUR")] * 2
    left = subscription(pending=(Pending(replace(line, amount=Money(-500, "EUR"))),))
    assert [asked(left, each).credit for each in (FEATURES, AT_ONCE)] == [Money(500, "EUR")] * 2
