"""A credit for time that is still owed comes off that debt, and never goes to the balance while the debt stays.

62.00 for March, open; half of March is left on the 16th at noon, 31.00. The small plan costs 31.00, its half 15.50.
"""

import pytest
from msgspec.structs import replace

from server.billing import Move
from server.billing.ledger.events.renewals import bring_up_to_date
from tests.support.ledger_accounts import NOW, account, day, eur, item, price, subscription
from tests.support.pages import apply, preview
from tests.support.plans import only, paid, terms

SMALL, LARGE = price(), price("6200", id="price_2", product="prod_2")
YEARLY = price("36500", "year", id="price_y")
AT_ONCE = terms(SMALL, LARGE, YEARLY, proration_behavior="always_invoice")


def unpaid(due=6200, balance=None, **more):
    """March of the large plan, with so much of its invoice still to pay: a bank debit under way, say."""
    it = paid(account(), subscription(item(price=LARGE)), day(2026, 3, 1))
    debt = replace(
        it.invoices[0],
        status="open",
        paid_at=None,
        payments=(),
        amount_due=eur(due),
        amount_paid=eur(6200 - due),
        **more,
    )
    return replace(it, invoices=(debt,), balance=balance)


def moved(it):
    change = Move("price_1")
    shown = preview(it, "sub_1", change, AT_ONCE, NOW)
    return shown, apply(it, "sub_1", change, AT_ONCE, token=shown.fingerprint, now=NOW).account


def debt_of(it):
    return next(each for each in it.invoices if each.created_at == day(2026, 3, 1))


def test_a_downgrade_on_an_open_invoice_makes_it_smaller_and_gives_no_credit():
    shown, after = moved(unpaid())
    assert (debt_of(after).amount_due, debt_of(after).status, after.balance) == (eur(6200 - 1550), "open", None)
    assert (shown.set_off, shown.credited, shown.due_now) == (eur(1550), eur(0), eur(0))
    assert debt_of(after).adds_up


def test_on_a_paid_invoice_it_goes_to_the_balance_as_before():
    it = paid(account(), subscription(item(price=LARGE)), day(2026, 3, 1))
    shown, after = moved(it)
    assert (after.balance, shown.set_off, shown.credited) == (eur(-1550), None, eur(1550))


@pytest.mark.parametrize(("due", "left", "balance"), [(1550, 0, None), (1000, 0, -550), (1551, 1, None)])
def test_what_is_more_than_the_debt_goes_to_the_balance(due, left, balance):
    shown, after = moved(unpaid(due))
    assert (debt_of(after).amount_due, after.balance) == (eur(left), eur(balance) if balance else None)
    assert debt_of(after).status == ("open" if left else "paid")
    assert shown.credited == eur(-balance if balance else 0)


def test_a_credit_that_was_there_stays():
    _, after = moved(unpaid(balance=eur(-500)))
    assert (debt_of(after).amount_due, after.balance) == (eur(4650), eur(-500))


def test_a_debt_in_the_balance_is_paid_first():
    _, after = moved(unpaid(balance=eur(600)))
    assert (debt_of(after).amount_due, after.balance) == (eur(6200 - 950), None)


def test_an_invoice_of_another_subscription_is_not_touched():
    it = unpaid(subscription="sub_2")
    _, after = moved(it)
    assert (debt_of(after), after.balance) == (debt_of(it), eur(-1550))


def test_the_sum_of_what_is_owed_falls_by_the_credit():
    for due in (6200, 3100, 100):
        before = unpaid(due)
        _, after = moved(before)
        owed = [sum(each.amount_due.amount for each in it.invoices) for it in (before, after)]
        assert owed[0] - owed[1] - (after.balance.amount if after.balance else 0) == 1550


def test_the_next_period_is_paid_in_full():
    _, after = moved(unpaid())
    after, made = bring_up_to_date(after, day(2026, 4, 1))
    assert [each.amount_paid for each in made] == [eur(3100)]
    assert only(after).items[0].price == SMALL
