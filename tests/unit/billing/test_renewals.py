"""What happens by itself. Sums and dates are worked out by hand; stepping is checked against jumping."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from server.billing import Coupon, Discount, Money, TaxRate
from server.billing.ledger.events.renewals import bring_up_to_date, due_at
from server.billing.ledger.sums.upcoming import settled
from tests.support.accounts import lines_add_up
from tests.support.ledger_accounts import CARD, account, day, eur, item, price, subscription


def only(found):
    assert len(found) == 1
    return found[0]


def test_nothing_happens_before_a_period_ends():
    before = account(subscription())
    after, invoices = bring_up_to_date(before, day(2026, 3, 31, 23))
    assert (after, invoices) == (replace(before, as_of=day(2026, 3, 31, 23)), ())


def test_a_period_is_charged_when_it_begins():
    after, invoices = bring_up_to_date(account(subscription()), day(2026, 4, 1))
    invoice = only(invoices)
    assert (invoice.status, invoice.total, invoice.amount_paid, invoice.amount_due) == (
        "paid",
        eur(3100),
        eur(3100),
        eur(0),
    )
    assert (invoice.created_at, invoice.number) == (day(2026, 4, 1), "ABC-0001")
    assert after.subscriptions[0].items[0].current_period_end_at == day(2026, 5, 1)
    assert after.subscriptions[0].latest_invoice == invoice.id == after.invoices[0].id


def test_months_that_were_missed_are_each_charged_on_their_day():
    _, invoices = bring_up_to_date(account(subscription()), day(2026, 6, 15))
    assert [each.created_at for each in invoices] == [day(2026, 4, 1), day(2026, 5, 1), day(2026, 6, 1)]
    assert [each.number for each in invoices] == ["ABC-0001", "ABC-0002", "ABC-0003"]


def test_the_account_keeps_the_latest_invoices_and_says_that_there_are_older_ones():
    after, invoices = bring_up_to_date(account(subscription()), day(2027, 6, 1))
    assert len(invoices) == 15
    assert len(after.invoices) == 12
    assert after.invoices[0] == invoices[-1]
    assert after.has_older_invoices


def test_items_that_begin_together_share_an_invoice():
    items = (item(unit_amount="1000"), item(unit_amount="500", id="price_2", quantity=2))
    _, invoices = bring_up_to_date(account(subscription(*items)), day(2026, 4, 1))
    assert [line.amount for line in only(invoices).lines] == [eur(1000), eur(1000)]


def test_items_with_different_periods_are_charged_apart():
    yearly = item(end=day(2027, 3, 1), unit_amount="9900", interval="year", id="price_2")
    _, invoices = bring_up_to_date(account(subscription(item(), yearly)), day(2026, 5, 1))
    assert [each.total for each in invoices] == [eur(3100), eur(3100)]


def test_a_trial_ends_with_the_first_charge():
    trial = subscription(
        item(end=day(2026, 3, 20)), status="trialing", trial_end_at=day(2026, 3, 20),
        billing_cycle_anchor_at=day(2026, 3, 20),
    )  # fmt: skip
    after, invoices = bring_up_to_date(account(trial), day(2026, 3, 20))
    assert after.subscriptions[0].status == "active"
    assert after.subscriptions[0].items[0].current_period_end_at == day(2026, 4, 20)
    assert only(invoices).total == eur(3100)


def test_a_subscription_ends_when_it_was_decided_and_charges_nothing_more():
    ending = subscription(cancel_at_period_end=True, cancel_at=day(2026, 4, 1), canceled_at=day(2026, 3, 5))
    after, invoices = bring_up_to_date(account(ending), day(2026, 7, 1))
    ended = after.subscriptions[0]
    assert (ended.status, ended.ended_at, ended.canceled_at) == ("canceled", day(2026, 4, 1), day(2026, 3, 5))
    assert invoices == ()


@pytest.mark.parametrize(
    ("method", "failure"),
    [
        (replace(CARD, behavior="insufficient_funds"), "insufficient_funds"),
        (replace(CARD, behavior="requires_action"), "authentication_required"),
        (replace(CARD, exp_year=2026, exp_month=3), "expired_card"),
    ],
)
def test_a_charge_that_fails_leaves_an_open_invoice(method, failure):
    after, invoices = bring_up_to_date(account(subscription(), payment_methods=(method,)), day(2026, 4, 1))
    invoice = only(invoices)
    assert (invoice.status, invoice.amount_due, invoice.payments[0].failure) == ("open", eur(3100), failure)
    assert after.subscriptions[0].status == "past_due"


def test_a_card_works_until_the_end_of_its_month():
    card = replace(CARD, exp_year=2026, exp_month=4)
    after, _ = bring_up_to_date(account(subscription(), payment_methods=(card,)), day(2026, 4, 1))
    assert after.subscriptions[0].status == "active"


def test_without_a_payment_method_the_invoice_stays_open():
    after, invoices = bring_up_to_date(account(subscription(), payment_methods=()), day(2026, 4, 1))
    assert (only(invoices).status, only(invoices).payments) == ("open", ())
    assert after.subscriptions[0].status == "past_due"


def test_a_pinned_payment_method_is_charged_instead_of_the_default():
    failing = replace(CARD, id="pm_2", behavior="lost_card")
    pinned = subscription(default_payment_method="pm_2")
    after, _ = bring_up_to_date(account(pinned, payment_methods=(CARD, failing)), day(2026, 4, 1))
    assert after.subscriptions[0].status == "past_due"


def test_a_charge_that_works_again_puts_a_subscription_in_order():
    after, _ = bring_up_to_date(account(subscription(status="past_due")), day(2026, 4, 1))
    assert after.subscriptions[0].status == "active"


def test_a_sent_invoice_is_due_later_and_past_due_after_that():
    sent = account(subscription(collection_method="send_invoice", days_until_due=14))
    waiting, invoices = bring_up_to_date(sent, day(2026, 4, 14))
    assert (only(invoices).status, only(invoices).due_at) == ("open", day(2026, 4, 15))
    assert waiting.subscriptions[0].status == "active"
    late, _ = bring_up_to_date(waiting, day(2026, 4, 15))
    assert late.subscriptions[0].status == "past_due"


def test_credit_is_used_before_the_payment_method():
    after, invoices = bring_up_to_date(account(subscription(), balance=eur(-1000)), day(2026, 4, 1))
    invoice = only(invoices)
    assert (invoice.total, invoice.balance_applied, invoice.amount_paid) == (eur(3100), eur(-1000), eur(2100))
    assert after.balance is None


def test_credit_beyond_the_total_stays_in_the_balance():
    after, invoices = bring_up_to_date(account(subscription(), balance=eur(-5000)), day(2026, 4, 1))
    assert (only(invoices).status, only(invoices).amount_paid, only(invoices).payments) == ("paid", eur(0), ())
    assert after.balance == eur(-1900)


def test_a_debt_comes_on_top():
    after, invoices = bring_up_to_date(account(subscription(), balance=eur(400)), day(2026, 4, 1))
    assert only(invoices).amount_paid == eur(3500)
    assert after.balance is None


def test_a_balance_in_another_currency_is_left_alone():
    after, invoices = bring_up_to_date(account(subscription(), balance=Money(-1000, "USD")), day(2026, 4, 1))
    assert only(invoices).amount_paid == eur(3100)
    assert after.balance == Money(-1000, "USD")


def test_a_discount_for_once_is_gone_after_one_invoice():
    once = Discount(id="di", coupon=Coupon(id="c", percent_off="50", duration="once"))
    _, invoices = bring_up_to_date(account(subscription(discounts=(once,))), day(2026, 5, 1))
    assert [each.total for each in invoices] == [eur(1550), eur(3100)]


def test_a_discount_for_some_months_ends_with_them():
    months = Coupon(id="c", percent_off="50", duration="repeating", duration_in_months=3)
    discount = Discount(id="di", coupon=months, start_at=day(2026, 3, 1), end_at=day(2026, 6, 1))
    after, invoices = bring_up_to_date(account(subscription(discounts=(discount,))), day(2026, 6, 1))
    assert [each.total for each in invoices] == [eur(1550), eur(1550), eur(3100)]
    assert after.subscriptions[0].discounts == ()


def test_tax_is_charged():
    taxed = subscription(default_tax_rates=(TaxRate("t", "10", "Tax"),))
    _, invoices = bring_up_to_date(account(taxed), day(2026, 4, 1))
    assert (only(invoices).taxes[0].amount, only(invoices).total) == (eur(310), eur(3410))


@pytest.mark.parametrize(
    ("behavior", "statuses"), [("void", ["void"]), ("mark_uncollectible", ["uncollectible"]), ("keep_as_draft", [])]
)
def test_a_paused_collection_asks_for_no_money(behavior, statuses):
    after, invoices = bring_up_to_date(account(subscription(pause_behavior=behavior)), day(2026, 4, 1))
    assert [each.status for each in invoices] == statuses
    assert all(each.amount_due == eur(0) for each in invoices)
    assert after.subscriptions[0].status == "active"
    assert after.subscriptions[0].items[0].current_period_end_at == day(2026, 5, 1)


def test_collection_begins_again_when_the_pause_is_over():
    paused = subscription(pause_behavior="void", pause_resumes_at=day(2026, 4, 15))
    _, invoices = bring_up_to_date(account(paused), day(2026, 5, 1))
    assert [each.status for each in invoices] == ["void", "paid"]


def test_an_incomplete_subscription_expires_after_23_hours():
    unfinished = subscription(status="incomplete", created_at=day(2026, 3, 16))
    after, _ = bring_up_to_date(account(unfinished), day(2026, 3, 16, 23))
    assert (after.subscriptions[0].status, after.subscriptions[0].ended_at) == (
        "incomplete_expired",
        day(2026, 3, 16, 23),
    )


@pytest.mark.parametrize("status", ["canceled", "incomplete_expired", "paused", "levitating"])
def test_what_does_not_run_is_never_charged(status):
    still = account(subscription(status=status))
    assert due_at(still) is None
    assert bring_up_to_date(still, day(2030, 1, 1))[1] == ()


def test_an_unpaid_subscription_goes_on_without_invoices():
    after, invoices = bring_up_to_date(account(subscription(status="unpaid")), day(2026, 5, 2))
    assert invoices == ()
    assert after.subscriptions[0].items[0].current_period_end_at == day(2026, 6, 1)


def test_an_interval_that_we_do_not_know_is_never_due():
    assert due_at(account(subscription(item(interval="lunation")))) is None


@pytest.mark.parametrize(
    ("changes", "due"),
    [
        ({}, day(2026, 4, 1)),
        ({"cancel_at": day(2026, 3, 20)}, day(2026, 3, 20)),
        ({"status": "trialing", "trial_end_at": day(2026, 3, 25)}, day(2026, 3, 18)),  # its reminder
        ({"pause_behavior": "void", "pause_resumes_at": day(2026, 3, 22)}, day(2026, 3, 22)),
    ],
)
def test_an_account_is_due_at_the_first_thing_that_happens(changes, due):
    assert due_at(account(subscription(**changes))) == due


def test_the_next_charge_is_what_will_be_billed():
    sold = subscription(
        discounts=(Discount(id="di", coupon=Coupon(id="c", percent_off="10", duration="forever")),),
        default_tax_rates=(TaxRate("t", "8.875", "Sales tax"),),
    )
    upcoming = only(settled(account(sold)).upcoming)
    _, invoices = bring_up_to_date(account(sold), upcoming.at)
    assert (upcoming.at, upcoming.total) == (day(2026, 4, 1), only(invoices).total)
    assert upcoming.total == eur(3038)  # 2790 and 247.6125 tax


@pytest.mark.parametrize(
    "changes",
    [
        {"cancel_at": day(2026, 4, 1)},
        {"status": "canceled"},
        {"status": "unpaid"},
        {"pause_behavior": "void"},
        {"status": "levitating"},
    ],
)
def test_no_next_charge_is_promised_where_none_comes(changes):
    assert settled(account(subscription(**changes))).upcoming == ()


def test_subscriptions_stand_newest_first_and_ended_ones_last():
    found = account(
        subscription(id="old", created_at=day(2024, 1, 1)),
        subscription(id="ended", created_at=day(2026, 1, 1), status="canceled"),
        subscription(id="new", created_at=day(2025, 1, 1)),
    )
    assert [each.id for each in settled(found).subscriptions] == ["new", "old", "ended"]


INTERVALS = st.sampled_from([("day", 1), ("day", 9), ("week", 1), ("month", 1), ("month", 2), ("year", 1)])
DAYS = st.integers(0, 80).map(lambda days: day(2026, 1, 1) + timedelta(days=days))


@st.composite
def subscriptions(draw, identity):
    start = draw(DAYS)
    items = []
    for index in range(draw(st.integers(1, 3))):
        interval, count = draw(INTERVALS)
        length = {"day": 1, "week": 7, "month": 28, "year": 365}[interval] * count
        of = price(draw(st.sampled_from(["0", "999", "33.5"])), interval, count, id=f"price_{index}")
        items.append(item(start, start + timedelta(days=length), draw(st.integers(0, 3)), price=of))
    coupon = Coupon(id="c", percent_off="33.3", duration=draw(st.sampled_from(["once", "forever"])))
    trial = draw(st.booleans())
    return subscription(
        *items,
        id=identity,
        status="trialing" if trial else draw(st.sampled_from(["active", "past_due", "unpaid", "incomplete", "paused"])),
        created_at=start,
        billing_cycle_anchor_at=start,
        trial_end_at=items[0].current_period_end_at if trial else None,
        cancel_at=draw(st.none() | DAYS.map(lambda at: at + timedelta(days=40))),
        collection_method=draw(st.sampled_from(["charge_automatically", "send_invoice"])),
        days_until_due=draw(st.integers(0, 20)),
        pause_behavior=draw(st.sampled_from(["", "void", "keep_as_draft"])),
        pause_resumes_at=draw(st.none() | DAYS),
        discounts=draw(st.sampled_from([(), (Discount(id="di", coupon=coupon),)])),
        default_tax_rates=draw(st.sampled_from([(), (TaxRate("t", "19", inclusive=True),), (TaxRate("t", "8.875"),)])),
    )


@st.composite
def accounts(draw):
    found = [draw(subscriptions(f"sub_{index}")) for index in range(draw(st.integers(1, 3)))]
    card = replace(
        CARD, behavior=draw(st.sampled_from(["", "lost_card"])), exp_year=draw(st.sampled_from([2026, 2040]))
    )
    return settled(
        account(*found, payment_methods=(card,), balance=draw(st.none() | st.integers(-5000, 5000).map(eur)))
    )


@settings(max_examples=25, deadline=None)
@given(accounts(), st.lists(st.integers(1, 30), min_size=1, max_size=5))
def test_catching_up_once_is_the_same_as_looking_every_few_days(before, steps):
    now, stepwise, invoices = day(2026, 1, 1), before, ()
    for step in steps:
        now += timedelta(days=step)
        stepwise, more = bring_up_to_date(stepwise, now)
        invoices += more
    assert bring_up_to_date(before, now) == (stepwise, invoices)


@settings(max_examples=25, deadline=None)
@given(accounts(), st.integers(0, 150))
def test_nothing_stays_due(before, days):
    now = day(2026, 1, 1) + timedelta(days=days)
    after, _ = bring_up_to_date(before, now)
    due = due_at(after)
    assert due is None or due > now


@settings(max_examples=25, deadline=None)
@given(accounts(), st.integers(0, 150))
def test_money_is_never_made_or_lost(before, days):
    """What was invoiced is what was paid, what is open, what was voided, and what the balance gave."""
    after, invoices = bring_up_to_date(before, day(2026, 1, 1) + timedelta(days=days))
    assert all(lines_add_up(each) for each in invoices)  # I7
    billed = sum(each.total.amount for each in invoices)
    written_off = sum(
        each.total.amount + (each.balance_applied or eur(0)).amount for each in invoices if each.status == "void"
    )
    collected = sum(each.amount_paid.amount + each.amount_due.amount for each in invoices)
    balances = [(each.balance or eur(0)).amount for each in (before, after)]
    assert balances[0] + billed == collected + written_off + balances[1]
