"""A charge that fails is retried on a schedule, then the brand's choice: days, tries and states are worked out by hand.

31.00 EUR a month; April's charge fails on 1 April. The standard schedule tries again on days 1, 2, 3, 5, 7, 9, 12 and 14:
on the 2nd, 3rd, 4th, 6th, 8th, 10th, 13th and 15th.
"""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from server.billing.ledger.changes.canceling import cancel
from server.billing.ledger.events.renewals import bring_up_to_date, catch_up, due_at
from server.billing.model import history
from server.billing.rules.dunning import REFUSED_FOR_GOOD
from server.brands.dunning import Dunning
from tests.support.ledger_accounts import APRIL, AT_ONCE, CARD, account, day, eur, item, subscription
from tests.unit.billing.test_paying import late, owed, pay

CANCEL, UNPAID, PAST_DUE = (Dunning(after_last=each) for each in ("cancel", "unpaid", "past_due"))
DAYS = (2, 3, 4, 6, 8, 10, 13, 15)
LAST = day(2026, 4, 15)
POOR = replace(CARD, behavior="insufficient_funds")
LOST = replace(CARD, behavior="lost_card")


def failing(card=POOR, **more):
    return account(subscription(**more), payment_methods=(card,) if card else ())


def only(it):
    (found,) = it.subscriptions
    return found


def test_a_failing_card_is_retried_eight_times_in_two_weeks():  # case money 9
    it, _ = bring_up_to_date(failing(), day(2026, 4, 30), PAST_DUE)
    assert [each.at for each in it.invoices[0].payments] == [APRIL, *(day(2026, 4, each) for each in DAYS)]
    assert {each.status for each in it.invoices[0].payments} == {"failed"}
    assert (it.invoices[0].next_attempt_at, it.invoices[0].amount_due) == (None, eur(3100))


@pytest.mark.parametrize("failed", range(9))
def test_each_failure_arranges_the_next_try(failed):
    moments = [APRIL, *(day(2026, 4, each) for each in DAYS)]
    it, _ = bring_up_to_date(failing(), moments[failed], PAST_DUE)
    following = moments[failed + 1] if failed < 8 else None
    assert (len(it.invoices[0].payments), it.invoices[0].next_attempt_at) == (failed + 1, following)
    assert due_at(it) == (following or day(2026, 5, 1))


def test_a_card_that_works_again_pays_at_the_next_try():
    it, _ = bring_up_to_date(failing(), day(2026, 4, 7), CANCEL)
    it, made = bring_up_to_date(replace(it, payment_methods=(CARD,)), day(2026, 4, 30), CANCEL)
    assert (it.invoices[0].status, it.invoices[0].paid_at, only(it).status) == ("paid", day(2026, 4, 8), "active")
    assert (len(made), it.invoices[0].next_attempt_at) == (1, None)


@pytest.mark.parametrize(("dunning", "status"), [(CANCEL, "canceled"), (UNPAID, "unpaid"), (PAST_DUE, "past_due")])
def test_after_the_last_try_comes_what_the_brand_chose(dunning, status):  # case money 9
    before, _ = bring_up_to_date(failing(), LAST - timedelta(microseconds=1), dunning)
    assert only(before).status == "past_due"
    it, _ = bring_up_to_date(before, LAST, dunning)
    assert only(it).status == status
    assert only(it).ended_at == (LAST if status == "canceled" else None)
    # What was used is still owed, and can be paid.
    assert (it.invoices[0].status, it.invoices[0].amount_due) == ("open", eur(3100))


def test_a_canceled_subscription_is_billed_and_tried_no_more():
    it, made = bring_up_to_date(failing(), day(2026, 9, 1), CANCEL)
    assert (len({each.id for each in made}), len(it.invoices[0].payments), due_at(it)) == (1, 9, None)


def test_unpaid_bills_nothing_until_the_newest_invoice_is_paid():
    """At Stripe these periods are drafts that nobody finalizes; the ledger makes no drafts."""
    it, made = bring_up_to_date(failing(), day(2026, 6, 20), UNPAID)
    assert ({each.id for each in made}, it.upcoming) == ({it.invoices[0].id}, ())
    paid = pay(replace(it, payment_methods=(CARD,)), now=day(2026, 6, 20)).account
    assert (only(paid).status, [each.at for each in paid.upcoming]) == ("active", [day(2026, 7, 1)])


def test_past_due_goes_on_billing_and_each_invoice_has_its_schedule():
    it, _ = bring_up_to_date(failing(), day(2026, 5, 20), PAST_DUE)
    assert [len(each.payments) for each in it.invoices] == [9, 9]
    assert only(it).status == "past_due"


def test_without_a_schedule_the_first_failure_is_the_last():
    it, _ = bring_up_to_date(failing(), APRIL, Dunning(retry_days=()))
    assert (only(it).status, len(it.invoices[0].payments)) == ("canceled", 1)


def test_the_last_failure_of_an_older_invoice_changes_nothing_once_a_newer_one_is_paid():
    """As Stripe: it is the newest invoice that counts."""
    older = owed("in_1", at=APRIL, next_attempt_at=LAST)
    newer = replace(owed("in_2", at=day(2026, 4, 8)), status="paid", amount_due=eur(0), amount_paid=eur(3100))

    def after(status, newer):
        it = late(newer, older, status=status)
        it = replace(it, subscriptions=(replace(only(it), items=(item(APRIL, day(2026, 5, 1)),)),))
        it = replace(it, customer=replace(it.customer, default_payment_method="pm_bad"), as_of=day(2026, 4, 14))
        it, _ = bring_up_to_date(it, LAST, CANCEL)
        return only(it).status, it.invoices[1].next_attempt_at, len(it.invoices[1].payments)

    assert after("active", newer) == ("active", None, 1)
    assert after("past_due", owed("in_2", at=day(2026, 4, 8))) == ("canceled", None, 1)


@pytest.mark.parametrize("card", [LOST, None], ids=["refused for good", "no method"])
def test_what_cannot_work_is_not_tried_and_the_schedule_goes_on(card):
    it, _ = bring_up_to_date(failing(card), day(2026, 4, 14), CANCEL)
    assert (len(it.invoices[0].payments), it.invoices[0].next_attempt_at) == (1 if card else 0, LAST)
    gone, _ = bring_up_to_date(it, LAST, CANCEL)
    assert only(gone).status == "canceled"
    new = replace(CARD, id="pm_new", last4="0005")
    default = replace(it.customer, default_payment_method="pm_new")
    kept, _ = bring_up_to_date(replace(it, payment_methods=(new, *it.payment_methods), customer=default), LAST, CANCEL)
    assert (only(kept).status, kept.invoices[0].paid_at) == ("active", LAST)


def test_every_code_that_banks_refuse_for_good_is_one_of_stripes():
    """https://docs.stripe.com/billing/revenue-recovery/smart-retries, the list of hard declines."""
    assert {"lost_card", "stolen_card", "authentication_required"} <= REFUSED_FOR_GOOD
    assert not {"insufficient_funds", "card_declined", "expired_card"} & REFUSED_FOR_GOOD


def test_canceling_ends_the_tries():
    it, _ = bring_up_to_date(failing(), day(2026, 4, 5), CANCEL)
    assert it.invoices[0].next_attempt_at == day(2026, 4, 6)
    it = cancel(it, "sub_1", AT_ONCE, day(2026, 4, 5))
    assert (it.invoices[0].next_attempt_at, it.invoices[0].status) == (None, "open")


def test_an_imported_debt_continues_where_it_was():
    """Four tries were made elsewhere, the fifth is told for the 6th: it is made then, and the 8th, 10th, … follow."""
    it = late(owed(at=APRIL, next_attempt_at=day(2026, 4, 6)))
    it = replace(it, customer=replace(it.customer, default_payment_method="pm_bad"), as_of=day(2026, 4, 5))
    it = replace(it, subscriptions=(replace(only(it), items=(item(APRIL, day(2026, 5, 1)),)),))
    it, _ = bring_up_to_date(it, day(2026, 4, 20), CANCEL)
    assert [each.at.day for each in it.invoices[0].payments] == [6, 8, 10, 13, 15]
    assert (only(it).status, only(it).ended_at) == ("canceled", LAST)


def test_what_is_owed_from_before_a_pause_is_tried_on_its_day():
    """May is void in the pause; April's debt is tried on the 15th, and not as if it had been once June comes."""
    it, _ = bring_up_to_date(failing(), day(2026, 4, 14), PAST_DUE)
    paused = replace(only(it), status="active", pause_behavior="void", pause_resumes_at=day(2026, 6, 1))
    it = replace(it, subscriptions=(paused,), payment_methods=(CARD,))
    assert due_at(it) == LAST
    it, made = bring_up_to_date(it, LAST, PAST_DUE)
    assert [(each.created_at, each.paid_at, each.amount_paid) for each in made] == [(APRIL, LAST, eur(3100))]
    assert only(it).pause_behavior == "void"


def test_a_sent_invoice_is_never_tried():
    sent = account(subscription(collection_method="send_invoice", days_until_due=14), payment_methods=(POOR,))
    it, _ = bring_up_to_date(sent, day(2026, 4, 29), CANCEL)
    assert (it.invoices[0].payments, it.invoices[0].next_attempt_at, only(it).status) == ((), None, "past_due")


def test_a_trial_without_a_card_does_what_the_business_chose():
    def after(choice):
        trial = subscription(
            status="trialing", trial_start_at=day(2026, 3, 1), trial_end_at=APRIL, trial_without_method=choice
        )
        it, _ = bring_up_to_date(account(trial, payment_methods=()), APRIL, CANCEL)
        return only(it).status, [(each.status, each.next_attempt_at) for each in it.invoices]

    assert after("cancel") == ("canceled", [])
    assert after("pause") == ("paused", [])
    assert after("") == ("past_due", [("open", day(2026, 4, 2))])


# --- what the customer is told --------------------------------------------------------------------------------------------


def failures(card, dunning):
    done = catch_up(failing(card), day(2026, 4, 30), dunning)
    return [each.event for each in done.notices if each.kind == "payment_failed"]


@pytest.mark.parametrize("dunning", [CANCEL, UNPAID, PAST_DUE], ids=["cancel", "unpaid", "past_due"])
def test_each_mail_says_when_the_next_try_is_and_what_follows_the_last(dunning):
    told = failures(POOR, dunning)
    assert [each.invoice.next_attempt_at for each in told] == [*(day(2026, 4, each) for each in DAYS), None]
    assert {each.after_last for each in told} == {dunning.after_last}
    assert [each.last_try_at for each in told] == [LAST] * 8 + [None]


def test_a_last_try_that_was_left_out_is_told_all_the_same():
    first, last = failures(LOST, UNPAID)
    assert (first.at, last.at, last.invoice.next_attempt_at, last.subscription.status) == (APRIL, LAST, None, "unpaid")
    done = catch_up(failing(LOST), day(2026, 4, 30), CANCEL)
    assert [each.kind for each in done.notices] == ["payment_failed", "subscription_canceled"]


@pytest.mark.parametrize(("dunning", "kind"), [(CANCEL, "subscription.ended"), (UNPAID, "subscription.unpaid")])
def test_the_history_says_it(dunning, kind):
    before = failing()
    done = catch_up(before, day(2026, 4, 30), dunning)
    lines = [*history.by_itself(before, done.account, done.invoices), *done.lines]
    assert [each.at for each in lines if each.kind == kind] == [LAST]
    assert sum(each.kind == "invoice.charge_failed" for each in lines) == 9


# --- whatever the schedule --------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    days=st.lists(st.integers(1, 60), max_size=10, unique=True).map(sorted),
    after_last=st.sampled_from(["cancel", "unpaid", "past_due"]),
    looks=st.lists(st.integers(0, 100 * 24), max_size=6).map(sorted),
)
def test_looking_often_or_once_gives_the_same(days, after_last, looks):
    dunning, end = Dunning(retry_days=tuple(days), after_last=after_last), APRIL + timedelta(days=100)
    stepwise = failing()
    for hours in looks:
        stepwise, _ = bring_up_to_date(stepwise, APRIL + timedelta(hours=hours), dunning)
    assert bring_up_to_date(stepwise, end, dunning)[0] == bring_up_to_date(failing(), end, dunning)[0]
