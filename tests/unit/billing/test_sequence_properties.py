"""What holds for every sequence of everything that a customer can do, with generated ones."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.billing import Refusal
from server.billing.ledger.changes.canceling import cancel, resume
from server.billing.ledger.changes.pausing import pause, unpause
from server.billing.ledger.changes.schedules import undo
from server.billing.ledger.events.renewals import bring_up_to_date
from server.billing.ledger.sums.upcoming import settled
from server.billing.model.documents import decode_account, encode_account
from tests.support.ledger_accounts import eur
from tests.support.pages import apply, preview
from tests.support.plans import asked, often
from tests.support.sequences import later, odd_situations, situations, step
from tests.unit.billing.test_set_off import debt_of, moved, unpaid


def worth(money):
    return money.amount if money else 0


def accounted_for(invoices, balance):
    """What people paid, owe, were let off, and have in the balance (credit: negative)."""
    let_off = sum(
        each.total.amount + worth(each.balance_applied) - each.amount_paid.amount - each.amount_due.amount
        for each in invoices
        if each.status in ("void", "uncollectible")
    )
    return sum(each.amount_paid.amount + each.amount_due.amount for each in invoices) + let_off + worth(balance)


def nothing_is_lost(first, made, it):
    """From the first account to this one; `made`: every invoice of either, by id, as it was last."""
    known = {each.id for each in first.invoices}
    billed = sum(each.total.amount for each in made.values() if each.id not in known)
    assert accounted_for(first.invoices, first.balance) + billed == accounted_for(made.values(), it.balance)


@pytest.mark.parametrize("due", [6200, 1550, 1000])
def test_a_credit_that_pays_a_debt_of_before_loses_no_money(due):
    first = unpaid(due, balance=eur(600))
    _, after = moved(first)
    assert debt_of(after).amount_due.amount < due
    nothing_is_lost(first, {each.id: each for each in after.invoices}, after)


@settings(max_examples=often(500), deadline=None)
@given(st.data(), odd_situations())
def test_what_is_done_is_what_was_shown_and_no_money_is_made_or_lost(data, situation):
    """Changes, cancellations, pauses and their ends, new starts: each page before is held to what then happens
    (`tests.support.sequences`); and what was billed is what was paid, is owed, was voided, or stands in the balance.

    Invoices that were there before count as well: a credit pays what is still owed of them, and one of a subscription
    that never began is voided."""
    prices, it, terms = situation
    first, made = it, {each.id: each for each in it.invoices}
    for _ in range(data.draw(st.integers(2, 7))):
        it, now, invoices = later(data.draw, it)
        made |= {each.id: each for each in (*invoices, *it.invoices)}
        frozen = encode_account(it)
        after = step(data.draw, it, prices, terms, now)
        assert encode_account(it) == frozen
        if after is None or isinstance(after, Refusal):
            continue
        assert settled(after) == after
        assert decode_account(encode_account(after)) == after
        made |= {each.id: each for each in after.invoices}
        it = after
    nothing_is_lost(first, made, it)
    for each in made.values():
        if each.status not in ("void", "uncollectible"):
            asked_for = each.total.amount + worth(each.balance_applied)
            assert asked_for == each.amount_paid.amount + each.amount_due.amount
    assert len({each.number for each in made.values()}) == len(made)


@settings(max_examples=often(250), deadline=None)
@given(st.data(), odd_situations(), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_catching_up_once_after_anything_is_the_same_as_day_by_day(data, situation, days):
    prices, it, terms = situation
    for _ in range(data.draw(st.integers(1, 4))):
        it, now, _ = later(data.draw, it)
        after = step(data.draw, it, prices, terms, now)
        it = it if after is None or isinstance(after, Refusal) else after
    stepwise, invoices = it, ()
    for each in days:
        for _ in range(each):
            now += timedelta(days=1)
            stepwise, more = bring_up_to_date(stepwise, now)
            invoices += more
    assert bring_up_to_date(it, now) == (stepwise, invoices)


@settings(max_examples=often(250), deadline=None)
@given(st.data(), situations())
def test_whatever_can_be_taken_back_restores_the_account(data, situation):
    """An end that was decided, a change that waits, a pause that has not begun: each by itself, and one on top of
    the other."""
    prices, it, terms = situation
    features = terms.features
    before, now, _ = later(data.draw, it)
    (found,) = before.subscriptions
    ending = cancel(before, "sub_1", features.subscription_cancel, now)
    if ending.subscriptions[0].cancel_at:
        assert resume(ending, "sub_1", features.subscription_cancel, now) == before
    paused = pause(before, "sub_1", data.draw(st.integers(1, 3)), features, now)
    if not isinstance(paused, Refusal):
        assert unpause(paused, "sub_1", features, now) == before
    change = data.draw(asked(prices))
    shown = preview(before, "sub_1", change, terms, now)
    if isinstance(shown, Refusal) or shown.at_once:
        return
    waiting = apply(before, "sub_1", change, terms, token=shown.fingerprint, now=now).account
    over = cancel(waiting, "sub_1", features.subscription_cancel, now)
    if over.subscriptions[0].cancel_at:
        assert resume(over, "sub_1", features.subscription_cancel, now) == waiting
    assert undo(waiting, "sub_1", features, now) == before
    assert found.scheduled is None
