"""The page before a cancellation, and what a card says of it."""

from msgspec.structs import replace

from server.billing import Activity, InvoiceLine, Money, Pending
from server.features.subscriptions import cancel_views, views
from tests.support.accounts import AT_ONCE, END, FEATURES, NOW, WITH_CREDIT, account, ending, invoice, subscription
from tests.support.pages import cancellation


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


def test_an_open_invoice_stays_to_be_paid():
    late = subscription(status="past_due")
    assert asked(late, whole=account(late, invoices=(invoice(status="open"),))).debt.amount.amount == 1450


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
