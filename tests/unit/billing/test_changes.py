"""Cancel and resume: what is refused, what happens, what it is worth."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from server.billing import ENDED, Coupon, Discount, Invoice, InvoiceLine, InvoiceTax, Payment, Refusal, TaxRate
from server.billing.ledger.changes.canceling import cancel, resume
from server.billing.ledger.events.renewals import bring_up_to_date
from server.billing.ledger.sums.upcoming import settled
from server.billing.rules.canceling import may_cancel, may_resume
from tests.support.ledger_accounts import (
    AT_ONCE,
    AT_PERIOD_END,
    NOW,
    SWITCHED_OFF,
    WITH_CREDIT,
    account,
    day,
    eur,
    item,
    subscription,
)
from tests.support.pages import cancellation
from tests.unit.billing.test_renewals import accounts

ENDING = {"cancel_at_period_end": True, "cancel_at": day(2026, 4, 1), "canceled_at": day(2026, 3, 2)}


def paid(total: int = 3100, **more) -> Invoice:
    """The invoice of March, which `subscription()` is in."""
    line = InvoiceLine(id="il", description="Coffee", amount=eur(3100), price="price_1", subscription="sub_1",
                       period_start_at=day(2026, 3, 1), period_end_at=day(2026, 4, 1))  # fmt: skip
    fields = {"status": "paid", "amount_paid": eur(total), "amount_due": eur(0), "lines": (line,)} | more
    return Invoice(id="in_1", number="A-1", currency="EUR", created_at=day(2026, 3, 1), subtotal=eur(3100),
                   total=eur(total), subscription="sub_1", **fields)  # fmt: skip


def test_a_cancellation_at_period_end_ends_with_the_period():
    after = cancel(account(subscription()), "sub_1", AT_PERIOD_END, NOW).subscriptions[0]
    assert (after.status, after.cancel_at_period_end, after.cancel_at) == ("active", True, day(2026, 4, 1))
    assert after.canceled_at == NOW


def test_the_first_of_several_periods_ends_all():
    sold = subscription(item(), item(end=day(2027, 3, 1), interval="year", id="price_2"))
    assert cancel(account(sold), "sub_1", AT_PERIOD_END, NOW).subscriptions[0].cancel_at == day(2026, 4, 1)


def test_a_trial_ends_with_itself():
    trial = subscription(item(end=day(2026, 3, 20)), status="trialing", trial_end_at=day(2026, 3, 20))
    after = cancel(account(trial), "sub_1", AT_PERIOD_END, NOW)
    assert after.subscriptions[0].cancel_at == day(2026, 3, 20)
    assert bring_up_to_date(after, day(2026, 5, 1))[1] == ()


def test_a_cancellation_at_once_ends_now_and_costs_nothing():
    after = cancel(account(subscription()), "sub_1", AT_ONCE, NOW)
    ended = after.subscriptions[0]
    assert (ended.status, ended.ended_at, ended.canceled_at) == ("canceled", NOW, NOW)
    assert (after.invoices, after.balance, after.upcoming) == ((), None, ())


@pytest.mark.parametrize(("status", "then"), [("incomplete", "incomplete_expired"), ("paused", "canceled")])
@pytest.mark.parametrize("rule", [AT_PERIOD_END, WITH_CREDIT])
def test_what_has_no_running_period_ends_now_in_either_mode(status, then, rule):
    after = cancel(account(subscription(status=status)), "sub_1", rule, NOW).subscriptions[0]
    assert (after.status, after.ended_at, after.canceled_at) == (then, NOW, NOW)


def test_the_unused_time_is_credited_to_the_second():
    # 16 March 12:00: 15.5 of 31 days are left, half of 31.00.
    after = cancel(account(subscription(), invoices=(paid(),)), "sub_1", WITH_CREDIT, NOW)
    final = after.invoices[0]
    assert (after.balance, final.total, final.status, final.amount_due) == (eur(-1550), eur(-1550), "paid", eur(0))
    line = final.lines[0]
    assert (line.amount, line.proration) == (eur(-1550), True)
    assert (line.period_start_at, line.period_end_at) == (NOW, day(2026, 4, 1))
    assert after.subscriptions[0].latest_invoice == final.id


def test_a_third_of_a_cent_is_rounded_once():
    # 20 days of 31 are left at 12 March: 31.01 x 20/31 = 20.0064…
    invoice = paid(3101, lines=(replace(paid().lines[0], amount=eur(3101)),))
    after = cancel(account(subscription(), invoices=(invoice,)), "sub_1", WITH_CREDIT, day(2026, 3, 12))
    assert after.balance == eur(-2001)


def test_what_was_discounted_is_not_credited():
    sold = subscription(discounts=(Discount(id="di", coupon=Coupon(id="c", percent_off="50", duration="forever")),))
    assert cancellation(account(sold), "sub_1", WITH_CREDIT, NOW).credit == eur(775)  # half of 15.50


def test_tax_on_top_is_credited_too():
    sold = subscription(default_tax_rates=(TaxRate("t", "10", "Tax"),))
    meaning = cancellation(account(sold), "sub_1", WITH_CREDIT, NOW)
    assert meaning.credit == eur(1705)  # 15.50 and 1.55


def test_tax_inside_is_credited_once():
    invoice = paid(taxes=(InvoiceTax("MwSt 24%", eur(600), inclusive=True),))
    after = cancel(account(subscription(), invoices=(invoice,)), "sub_1", WITH_CREDIT, NOW)
    assert after.balance == eur(-1550)
    assert after.invoices[0].taxes == (InvoiceTax("MwSt 24%", eur(-300), inclusive=True),)


def test_usage_is_not_credited():
    sold = subscription(item(unit_amount="3100"), item(unit_amount="99", id="price_2", usage="metered", quantity=5))
    assert cancellation(account(sold), "sub_1", WITH_CREDIT, NOW).credit == eur(1550)


@pytest.mark.parametrize(
    "invoice",
    [
        paid(status="open", amount_paid=eur(0), amount_due=eur(3100)),
        paid(status="void", amount_paid=eur(0)),
        paid(credited=eur(3100)),
        paid(payments=(Payment(id="p", status="paid", amount=eur(3100), at=NOW, refunded=eur(3100)),)),
    ],
)
def test_only_what_was_paid_and_kept_is_credited(invoice):
    after = cancel(account(subscription(), invoices=(invoice,)), "sub_1", WITH_CREDIT, NOW)
    assert (after.balance, len(after.invoices)) == (None, 1)


@pytest.mark.parametrize("status", ["trialing", "past_due", "unpaid", "paused"])
def test_what_is_not_paid_for_gives_no_credit(status):
    assert cancellation(account(subscription(status=status)), "sub_1", WITH_CREDIT, NOW).credit is None


def test_the_page_before_shows_what_the_change_then_does():
    before = account(subscription(), invoices=(paid(),))
    meaning = cancellation(before, "sub_1", WITH_CREDIT, NOW)
    after = cancel(before, "sub_1", WITH_CREDIT, NOW)
    assert (meaning.at_once, meaning.ends_at) == (True, after.subscriptions[0].ended_at)
    assert -meaning.credit == after.balance
    assert meaning.lines == after.invoices[0].lines


def test_at_period_end_never_prorates():
    rule = replace(WITH_CREDIT, mode="at_period_end")
    assert cancellation(account(subscription()), "sub_1", rule, NOW).credit is None
    assert cancel(account(subscription()), "sub_1", rule, NOW).balance is None


@pytest.mark.parametrize(
    ("changes", "rule", "reason"),
    [
        ({}, SWITCHED_OFF, "disabled_by_configuration"),
        ({"status": "levitating"}, AT_PERIOD_END, "unknown_status"),
        ({"status": "canceled"}, AT_PERIOD_END, "ended"),
        ({"status": "incomplete_expired"}, SWITCHED_OFF, "ended"),
        ({"cancel_at": day(2026, 3, 1)}, AT_PERIOD_END, "ended"),
        (ENDING, AT_PERIOD_END, "already_ending"),
        ({"cancel_at": day(2026, 9, 1)}, AT_ONCE, "already_ending"),
    ],
)
def test_why_a_subscription_cannot_be_canceled(changes, rule, reason):
    assert may_cancel(subscription(**changes), rule, NOW) == Refusal(reason)


@pytest.mark.parametrize("status", ["active", "trialing", "past_due", "unpaid", "incomplete", "paused"])
def test_whatever_is_alive_can_be_canceled(status):
    assert may_cancel(subscription(status=status), AT_PERIOD_END, NOW) is None


@pytest.mark.parametrize(
    ("changes", "rule", "reason"),
    [
        ({}, AT_PERIOD_END, "nothing_to_resume"),
        (ENDING, SWITCHED_OFF, "disabled_by_configuration"),
        ({"status": "canceled", **ENDING}, AT_PERIOD_END, "ended"),
        ({"cancel_at": NOW}, AT_PERIOD_END, "ended"),
    ],
)
def test_why_an_end_cannot_be_taken_back(changes, rule, reason):
    assert may_resume(subscription(**changes), rule, NOW) == Refusal(reason)


@pytest.mark.parametrize("changes", [ENDING, {"cancel_at": day(2026, 9, 1)}])
def test_both_ways_to_say_ends_then_are_taken_back(changes):
    after = resume(account(subscription(**changes)), "sub_1", AT_PERIOD_END, NOW).subscriptions[0]
    assert (after.cancel_at_period_end, after.cancel_at, after.canceled_at) == (False, None, None)


@pytest.mark.parametrize("changes", [ENDING, {"status": "canceled"}, {"cancel_at": day(2026, 9, 1)}])
@pytest.mark.parametrize("rule", [AT_PERIOD_END, WITH_CREDIT])
def test_cancelling_twice_changes_nothing(changes, rule):
    before = account(subscription(**changes))
    assert cancel(before, "sub_1", rule, NOW) is before


def test_resuming_what_goes_on_changes_nothing():
    before = account(subscription())
    assert resume(before, "sub_1", AT_PERIOD_END, NOW) is before


@pytest.mark.parametrize("change", [cancel, resume])
def test_a_subscription_of_somebody_else_is_not_there(change):
    assert change(account(subscription()), "sub_2", AT_PERIOD_END, NOW) == Refusal("not_found")


@pytest.mark.parametrize(("change", "status"), [(cancel, "active"), (resume, "active"), (cancel, "levitating")])
def test_what_the_configuration_forbids_is_refused(change, status):
    changes = ENDING if change is resume else {}
    refused = change(account(subscription(status=status, **changes)), "sub_1", SWITCHED_OFF, NOW)
    assert refused == Refusal("disabled_by_configuration")


def test_a_subscription_with_a_schedule_can_be_canceled():
    assert may_cancel(subscription(schedule="sub_sched_1"), AT_PERIOD_END, NOW) is None


@settings(max_examples=25, deadline=None)
@given(accounts())
def test_cancel_and_resume_restore_the_account(found):
    found = replace(found, subscriptions=tuple(replace(each, cancel_at=None) for each in found.subscriptions))
    before, _ = bring_up_to_date(settled(found), NOW)
    for each in before.subscriptions:
        canceled = cancel(before, each.id, AT_PERIOD_END, NOW)
        if canceled.subscription(each.id).status not in ENDED:
            assert resume(canceled, each.id, AT_PERIOD_END, NOW) == before


@settings(max_examples=25, deadline=None)
@given(accounts(), st.sampled_from([AT_PERIOD_END, AT_ONCE, WITH_CREDIT]))
def test_other_subscriptions_and_the_customer_are_never_touched(found, rule):
    before, _ = bring_up_to_date(found, NOW)
    for each in before.subscriptions:
        after = cancel(before, each.id, rule, NOW)
        others = {other.id: other for other in after.subscriptions if other.id != each.id}
        assert others == {other.id: other for other in before.subscriptions if other.id != each.id}
        assert after.payment_methods == before.payment_methods
        assert (after.customer.email, after.customer.created_at) == (before.customer.email, before.customer.created_at)


@settings(max_examples=25, deadline=None)
@given(accounts())
def test_the_credit_is_never_more_than_the_price(found):
    before, _ = bring_up_to_date(found, NOW)
    for each in before.subscriptions:
        if may_cancel(each, WITH_CREDIT, NOW) is None:
            credit = cancellation(before, each.id, WITH_CREDIT, NOW).credit
            paid_for = sum(invoice.total.amount for invoice in before.invoices if invoice.subscription == each.id)
            most = max(paid_for, 2 * sum(4 * 10**3 for _ in each.items))
            assert credit is None or 0 < credit.amount <= most
