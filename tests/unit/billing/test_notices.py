"""Which mails are due of what happened, and when a customer is reminded. Moments are worked out by hand."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from server.billing import Refusal
from server.billing.ledger.changes.canceling import cancel, resume
from server.billing.ledger.events.renewals import AT_ONCE as EVENTS
from server.billing.ledger.events.renewals import catch_up, due_at
from server.billing.ledger.sums.upcoming import upcoming_of
from server.billing.model.notices import LINES_IN_A_MAIL, Event, decode, encode
from server.billing.rules import notices
from server.billing.rules.notices import FRESH, shortened
from server.brands.features import SubscriptionCancel
from tests.support.accounts import invoice
from tests.support.ledger_accounts import (
    APRIL,
    AT_ONCE,
    CARD,
    MARCH,
    NOW,
    WITH_CREDIT,
    account,
    day,
    eur,
    item,
    subscription,
)
from tests.unit.billing.test_renewals import accounts


def told(before, now):
    """Kind, moment and case of what is told on the way."""
    return [(each.kind, each.event.at, each.event.state, each.days) for each in catch_up(before, now).notices]


def trial(begins, ends, **more):
    return subscription(
        item(begins, ends), status="trialing", created_at=begins, trial_start_at=begins, trial_end_at=ends,
        billing_cycle_anchor_at=ends, **more,
    )  # fmt: skip


def yearly(**more):
    return subscription(item(day(2026, 3, 1), day(2027, 3, 1), interval="year", unit_amount="9900"), **more)


def test_a_charge_that_works_gives_a_receipt():
    assert told(account(subscription()), APRIL) == [("receipt", APRIL, "", 0)]


def test_a_charge_that_fails_is_told_with_its_reason():
    card = replace(CARD, behavior="insufficient_funds")
    [notice] = catch_up(account(subscription(), payment_methods=(card,)), APRIL).notices
    assert notice.kind == "payment_failed"
    assert notice.event.invoice.payments[-1].failure == "insufficient_funds"
    assert notice.event.method == card


def test_a_bank_that_wants_to_be_asked_gives_another_mail():
    card = replace(CARD, behavior="requires_action")
    assert told(account(subscription(), payment_methods=(card,)), APRIL)[0][0] == "payment_action_required"


def test_without_a_payment_method_the_charge_has_failed_too():
    [notice] = catch_up(account(subscription(), payment_methods=()), APRIL).notices
    assert (notice.kind, notice.event.method, notice.event.invoice.payments) == ("payment_failed", None, ())


def test_an_invoice_that_is_sent_is_told_and_once_more_when_it_is_late():
    sent = subscription(collection_method="send_invoice", days_until_due=14)
    found = told(account(sent), day(2026, 4, 20))
    assert found == [("invoice", APRIL, "sent", 0), ("invoice", day(2026, 4, 15), "overdue", 0)]


@pytest.mark.parametrize(
    "changed", [{"balance": eur(-5000)}, {"subscriptions": (subscription(item(unit_amount="0")),)}]
)
def test_nothing_to_pay_gives_no_receipt(changed):
    assert told(replace(account(subscription()), **changed), APRIL) == []


def test_a_voided_invoice_is_not_told():
    assert told(account(subscription(pause_behavior="void")), APRIL) == []


def test_a_subscription_that_ends_by_itself_is_told_once():
    ending = subscription(cancel_at_period_end=True, cancel_at=APRIL, canceled_at=MARCH)
    assert told(account(ending), day(2026, 9, 1)) == [("subscription_canceled", APRIL, "ended", 0)]


def test_one_that_was_never_begun_does_not_end():
    assert told(account(subscription(status="incomplete", created_at=NOW)), day(2026, 9, 1)) == []


def owed(id_):
    return invoice(
        id_, "open", created_at=MARCH, due_at=None, total=eur(3100), subtotal=eur(3100), amount_due=eur(3100)
    )


def asked(before, change, now=NOW):
    after = change(before)
    assert not isinstance(after, Refusal)
    return notices.of_a_command(before, after, now, upcoming_of)


def test_canceling_at_the_periods_end_says_when_it_ends_and_until_when_that_is_news():
    [notice] = asked(account(subscription()), lambda it: cancel(it, "sub_1", SubscriptionCancel(), NOW))
    assert (notice.kind, notice.event.state, notice.until) == ("subscription_canceled", "ends", APRIL)


@pytest.mark.parametrize(("rule", "state"), [(SubscriptionCancel(), "ends"), (AT_ONCE, "ended")])
def test_a_cancellation_says_what_is_still_to_be_paid(rule, state):
    late = replace(account(subscription(status="past_due")), invoices=(owed("in_2"), owed("in_1")))
    [notice] = asked(late, lambda it: cancel(it, "sub_1", rule, NOW))
    assert (notice.event.state, notice.event.debt) == (state, eur(6200))


def test_canceling_at_once_says_that_it_has_ended_and_what_is_credited():
    [notice] = asked(account(subscription()), lambda it: cancel(it, "sub_1", AT_ONCE, NOW))
    assert (notice.event.state, notice.event.credit) == ("ended", None)
    paid = account(subscription())
    [notice] = asked(paid, lambda it: cancel(it, "sub_1", WITH_CREDIT, NOW))
    assert notice.event.credit is not None
    assert notice.event.credit.amount > 0


def test_taking_a_cancellation_back_is_told():
    ending = account(subscription(cancel_at_period_end=True, cancel_at=APRIL, canceled_at=MARCH))
    [notice] = asked(ending, lambda it: resume(it, "sub_1", SubscriptionCancel(), NOW))
    assert (notice.event.state, notice.event.upcoming.at) == ("kept", APRIL)


def test_a_change_that_is_charged_is_told_with_its_receipt_also_when_it_is_dated_as_it_was_shown():
    before = account(subscription())
    shown_at = NOW - timedelta(minutes=10)
    made = replace(catch_up(before, APRIL).invoices[0], created_at=shown_at)
    changed = replace(before.subscriptions[0], items=(item(quantity=2),))
    changed_notice, receipt = notices.of_a_command(
        before, replace(before, subscriptions=(changed,), invoices=(made,)), NOW, upcoming_of
    )
    assert (changed_notice.event.state, changed_notice.event.invoice, receipt.kind) == ("now", made, "receipt")


def test_a_change_that_moves_no_plan_is_not_told():
    before = account(subscription())
    after = replace(before, subscriptions=(replace(before.subscriptions[0], feedback="unused"),))
    assert notices.of_a_command(before, after, NOW, upcoming_of) == []


def test_a_payment_that_fails_in_front_of_the_customer_gives_no_mail():
    failed = catch_up(account(subscription(), payment_methods=(replace(CARD, behavior="lost_card"),)), APRIL).account
    [invoice] = failed.invoices
    again = replace(invoice, payments=(*invoice.payments, replace(invoice.payments[0], id="inpay_2")))
    assert notices.of_invoice(invoice, again, failed, APRIL, present=True) is None
    assert notices.of_invoice(invoice, again, failed, APRIL, present=False).name == f"unpaid {invoice.id} 2"


def test_a_trial_is_spoken_of_seven_days_before_its_end():
    found = told(account(trial(day(2026, 3, 16), day(2026, 4, 15))), day(2026, 4, 14))
    assert found == [("trial_ending", day(2026, 4, 8), "", 0)]


@pytest.mark.parametrize(("days", "lead"), [(3, 1.5), (7, 3.5), (8, 4), (14, 7), (30, 7)])
def test_a_short_trial_is_spoken_of_when_half_of_it_is_over(days, lead):
    ends = day(2026, 3, 17) + timedelta(days=days)
    [found] = told(account(trial(day(2026, 3, 17), ends)), ends - timedelta(minutes=1))
    assert found[1] == ends - timedelta(days=lead)


@pytest.mark.parametrize("changes", [{"cancel_at": day(2026, 4, 15)}, {"pause_behavior": "void"}])
def test_a_trial_that_nothing_follows_is_not_spoken_of(changes):
    assert told(account(trial(day(2026, 3, 16), day(2026, 4, 15), **changes)), day(2026, 4, 14)) == []


def test_a_year_is_spoken_of_before_it_is_charged_again():
    found = told(account(yearly()), day(2027, 2, 28))
    days = {45: day(2027, 1, 15), 30: day(2027, 1, 30), 15: day(2027, 2, 14), 7: day(2027, 2, 22)}
    assert found == [("renewal_reminder", at, "", lead) for lead, at in days.items()]


@pytest.mark.parametrize("changes", [{"cancel_at": day(2027, 3, 1)}, {"status": "unpaid"}, {"pause_behavior": "void"}])
def test_a_year_that_is_not_charged_again_is_not_spoken_of(changes):
    assert told(account(yearly(**changes)), day(2027, 2, 28)) == []


def test_a_month_needs_no_reminder():
    assert {kind for kind, *_ in told(account(subscription()), day(2026, 9, 1))} == {"receipt"}


def test_an_expiring_card_is_told_on_the_first_day_of_its_last_month():
    card = replace(CARD, exp_year=2026, exp_month=4)
    [found] = [
        each
        for each in told(account(subscription(), payment_methods=(card,)), day(2026, 4, 30))
        if each[0] != "receipt"
    ]
    assert found == ("card_expiring", day(2026, 4, 1, 9), "", 0)


@pytest.mark.parametrize(
    "changes",
    [{"cancel_at": day(2026, 5, 1)}, {"collection_method": "send_invoice"}, {"default_payment_method": "pm_2"}],
)
def test_a_card_that_nothing_is_charged_to_afterwards_is_not_told(changes):
    card = replace(CARD, exp_year=2026, exp_month=4)
    both = (card, replace(CARD, id="pm_2"))
    found = told(account(subscription(**changes), payment_methods=both), day(2026, 4, 30))
    assert "card_expiring" not in [kind for kind, *_ in found]


def test_what_lies_behind_an_account_is_never_spoken_of():
    late = replace(account(yearly()), as_of=day(2027, 2, 20))
    assert told(late, day(2027, 2, 28)) == [("renewal_reminder", day(2027, 2, 22), "", 7)]
    assert due_at(replace(late, as_of=day(2027, 2, 25))) == day(2027, 3, 1)


def test_a_reminder_that_came_true_is_stale():
    notice = catch_up(account(trial(day(2026, 3, 16), day(2026, 4, 15))), day(2026, 4, 14)).notices[0]
    assert notice.until == day(2026, 4, 15)
    assert catch_up(account(subscription()), APRIL).notices[0].until == APRIL + FRESH


def test_an_account_with_more_events_than_fit_in_one_call_loses_no_reminder():
    daily = subscription(item(interval="day", end=day(2026, 3, 2)), id="sub_2")
    card = replace(CARD, exp_year=2027, exp_month=12)
    before = replace(account(daily, payment_methods=(card,)), as_of=day(2026, 3, 1))
    now, kinds, calls = day(2027, 12, 31), [], 0
    while (due := due_at(before)) is not None and due <= now:
        done = catch_up(before, now)
        before, calls = done.account, calls + 1
        kinds += [each.kind for each in done.notices]
    assert calls == -(-(kinds.count("receipt") + 1) // EVENTS) > 1
    assert kinds.count("card_expiring") == 1


def test_the_mail_of_a_long_invoice_is_short():
    invoice = catch_up(account(subscription()), APRIL).invoices[0]
    long = shortened(replace(invoice, lines=invoice.lines * 500))
    assert (len(long.lines), long.has_more_lines) == (LINES_IN_A_MAIL, True)
    assert len(encode(Event(APRIL, invoice=long))) < 10_000


def test_what_is_told_survives_the_outbox():
    for each in catch_up(account(yearly(), subscription(id="sub_2")), day(2027, 2, 28)).notices:
        assert decode(encode(each.event)) == each.event


@settings(max_examples=30, deadline=None)
@given(accounts(), st.lists(st.integers(1, 90), min_size=1, max_size=6))
def test_looking_once_gives_the_mails_and_the_account_of_looking_every_few_days(before, steps):
    before = replace(before, as_of=day(2025, 12, 31))
    now, stepwise, found = day(2026, 1, 1), before, ()
    for step in steps:
        now += timedelta(days=step)
        done = catch_up(stepwise, now)
        stepwise, found = done.account, found + done.notices
    at_once = catch_up(before, now)
    while (due := due_at(at_once.account)) is not None and due <= now:
        more = catch_up(at_once.account, now)
        at_once = replace(more, notices=at_once.notices + more.notices)
    while (due := due_at(stepwise)) is not None and due <= now:
        more = catch_up(stepwise, now)
        stepwise, found = more.account, found + more.notices
    assert stepwise == at_once.account
    assert found == at_once.notices
    assert len({each.name for each in found}) == len(found) - _reminders_of_one_renewal(found)


def _reminders_of_one_renewal(found):
    """The days of one renewal are one event: a brand sends one of them."""
    events = [each.name for each in found if each.kind == "renewal_reminder"]
    return len(events) - len(set(events))
