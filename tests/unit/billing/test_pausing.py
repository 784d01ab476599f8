"""Pausing, ending a pause, starting again, and the way out of each status."""

import pytest
from msgspec.structs import replace

from server.billing import Account, Catalog, Move, Refusal
from server.billing.ledger.changes.canceling import cancel
from server.billing.ledger.changes.pausing import pause, unpause
from server.billing.ledger.changes.restarting import restart
from server.billing.ledger.events.renewals import bring_up_to_date
from server.billing.rules.pausing import may_pause, may_unpause, pauses
from server.billing.rules.remedies import remedies_of
from server.billing.rules.restarting import may_restart
from server.brands.features import Features, InvoiceHistory, SubscriptionCancel, SubscriptionPause, SubscriptionRestart
from tests.support.ledger_accounts import AT_ONCE, CARD, NOW, WITH_CREDIT, account, day, eur, item, price, subscription
from tests.support.pages import apply, preview, restarts, unpausing
from tests.support.plans import bought, lines, offered, only, terms

PAUSING = Features(subscription_pause=SubscriptionPause(enabled=True, max_cycles=3))
BROKEN = (replace(CARD, behavior="card_declined"),)


def paused(cycles=2, it=None):
    return pause(it or bought(price()), "sub_1", cycles, PAUSING, NOW)


def test_a_pause_is_as_long_as_the_configuration_allows():
    found = pauses(only(bought(price())), PAUSING, NOW)
    assert [each.cycles for each in found] == [1, 2, 3]
    assert {each.begins_at for each in found} == {day(2026, 4, 1)}
    assert [each.resumes_at for each in found] == [day(2026, 5, 1), day(2026, 6, 1), day(2026, 7, 1)]
    assert pause(bought(price()), "sub_1", 4, PAUSING, NOW) == Refusal("too_many_cycles", "3")
    assert pause(bought(price()), "sub_1", 0, PAUSING, NOW) == Refusal("too_many_cycles", "3")


def test_a_pause_on_the_31st_keeps_the_31st():
    found = pauses(only(bought(price(), at=day(2026, 1, 31))), PAUSING, day(2026, 2, 3))
    assert [each.resumes_at for each in found] == [day(2026, 3, 31), day(2026, 4, 30), day(2026, 5, 31)]


def test_nothing_is_asked_for_during_a_pause_and_then_it_goes_on():
    it = paused(2)
    assert it.upcoming == ()
    after, invoices = bring_up_to_date(it, day(2026, 6, 1))
    assert [(each.status, each.amount_paid) for each in invoices] == [
        ("void", eur(0)),
        ("void", eur(0)),
        ("paid", eur(3100)),
    ]
    assert (only(after).pause_behavior, only(after).paused_at) == ("", None)


def test_pausing_twice_changes_nothing():
    it = paused(2)
    assert pause(it, "sub_1", 3, PAUSING, NOW) is it
    assert pause(it, "sub_2", 3, PAUSING, NOW) == Refusal("not_found")


@pytest.mark.parametrize(
    ("changes", "features", "why"),
    [
        ({}, Features(), "disabled_by_configuration"),
        ({"status": "canceled"}, PAUSING, "ended"),
        ({"cancel_at": NOW}, PAUSING, "ended"),
        ({"cancel_at": day(2026, 4, 1)}, PAUSING, "ending"),
        ({"status": "trialing"}, PAUSING, "not_active"),
        ({"status": "past_due"}, PAUSING, "not_active"),
        ({"pause_behavior": "void"}, PAUSING, "already_paused"),
        ({"collection_method": "send_invoice"}, PAUSING, "sent_invoice"),
        ({"schedule": "sub_sched_1"}, PAUSING, "scheduled_by_business"),
    ],
)
def test_why_it_cannot_be_paused(changes, features, why):
    found = subscription(**changes)
    assert may_pause(found, features, NOW) == Refusal(why)
    assert pauses(found, features, NOW) == ()


def test_an_interval_that_we_do_not_know_cannot_be_paused():
    assert may_pause(subscription(item(interval="lunation")), PAUSING, NOW) == Refusal("not_recurring")


def test_a_pause_that_has_not_begun_ends_for_nothing():
    it = bought(price())
    assert unpausing(paused(2, it), only(paused(2, it)), PAUSING, NOW) is None
    assert unpause(paused(2, it), "sub_1", PAUSING, NOW) == it


@pytest.mark.parametrize("is_in_sight", [True, False])
def test_a_pause_that_ends_early_begins_a_period_that_is_paid(is_in_sight):
    """Out of sight: an account holds twelve invoices, and another subscription may have made those."""
    it, _ = bring_up_to_date(paused(3), day(2026, 4, 10))
    it = it if is_in_sight else replace(it, invoices=())
    charge = unpausing(it, only(it), PAUSING, day(2026, 4, 10))
    after = unpause(it, "sub_1", PAUSING, day(2026, 4, 10))
    assert (charge.due, after.invoices[0].amount_paid) == (eur(3100), eur(3100))
    assert (only(after).current_period_end_at, only(after).pause_behavior) == (day(2026, 5, 10), "")


def test_a_pause_does_not_end_early_where_nothing_can_be_charged():
    it, _ = bring_up_to_date(paused(3), day(2026, 4, 10))
    broken = replace(it, payment_methods=BROKEN)
    assert unpause(broken, "sub_1", PAUSING, day(2026, 4, 10)) == Refusal("payment_failed", "card_declined")
    missing = replace(it, payment_methods=())
    assert unpause(missing, "sub_1", PAUSING, day(2026, 4, 10)) == Refusal("payment_method_missing")


def test_where_the_bank_asks_first_a_pause_ends_behind_and_a_second_try_makes_no_second_invoice():
    it, _ = bring_up_to_date(paused(3), day(2026, 4, 10))
    asking = replace(it, payment_methods=(replace(CARD, behavior="requires_action"),))
    after = unpause(asking, "sub_1", PAUSING, day(2026, 4, 10))
    assert (only(after).status, only(after).pause_behavior) == ("past_due", "")
    assert (after.invoices[0].status, after.invoices[0].amount_due) == ("open", eur(3100))
    assert unpause(after, "sub_1", PAUSING, day(2026, 4, 10)) is after
    unshown = replace(PAUSING, invoice_history=InvoiceHistory(enabled=False))
    assert unpause(asking, "sub_1", unshown, day(2026, 4, 10)).reason == "payment_needs_confirmation"


@pytest.mark.parametrize(
    ("changes", "features", "why"),
    [
        ({}, PAUSING, "not_paused"),
        ({"pause_behavior": "void"}, PAUSING, "paused_by_business"),
        ({"pause_behavior": "void", "paused_at": NOW}, Features(), "disabled_by_configuration"),
        ({"status": "canceled"}, PAUSING, "ended"),
    ],
)
def test_why_a_pause_cannot_be_ended(changes, features, why):
    it = account(subscription(**changes))
    assert may_unpause(only(it), features, NOW) == Refusal(why)
    assert unpause(it, "sub_1", features, NOW) in (Refusal(why), it)
    assert unpause(it, "sub_2", features, NOW) == Refusal("not_found")


def test_a_period_that_was_not_paid_gives_no_credit():
    it, _ = bring_up_to_date(paused(3), day(2026, 4, 10))
    assert cancel(it, "sub_1", WITH_CREDIT, day(2026, 4, 10)).balance is None


@pytest.mark.parametrize("behavior", ["void", "mark_uncollectible", "keep_as_draft"])
def test_what_waits_for_an_invoice_outlives_a_pause(behavior):
    small, large = price(), price("6200", id="price_2")
    sold = terms(small, large, proration_behavior="create_prorations")
    it = bought(small)
    page = preview(it, "sub_1", Move("price_2"), sold, NOW)
    it = apply(it, "sub_1", Move("price_2"), sold, token=page.fingerprint, now=NOW).account
    it = replace(
        it,
        subscriptions=(replace(only(it), pause_behavior=behavior, pause_resumes_at=day(2026, 5, 1)),),
    )
    after, invoices = bring_up_to_date(it, day(2026, 5, 1))
    assert (lines(invoices[-1]), only(after).pending) == ([-1550, 3100, 6200], ())


# --- starting again

RESTARTING = replace(offered(price()), subscription_restart=SubscriptionRestart(enabled=True))
CATALOG = terms(price()).catalog


def ended(**more) -> Account:
    return cancel(bought(price(), 2, **more), "sub_1", AT_ONCE, NOW)


def test_an_ended_subscription_begins_again_as_a_new_one():
    (way,) = restarts(ended(), only(ended()), CATALOG, RESTARTING, NOW)
    assert (way.price, way.quantity, way.charge.due, way.period_ends_at) == (
        price(), 2, eur(6200), day(2026, 4, 16, 12),
    )  # fmt: skip
    after = restart(ended(), "sub_1", "price_1", CATALOG, features=RESTARTING, now=NOW)
    new, old = after.subscriptions
    assert (new.status, new.current_period_end_at, old.status) == ("active", day(2026, 4, 16, 12), "canceled")
    assert after.invoices[0].amount_paid == eur(6200)
    assert old.restarted_as == new.id == after.invoices[0].subscription


def test_it_begins_again_once():
    after = restart(ended(), "sub_1", "price_1", CATALOG, features=RESTARTING, now=NOW)
    assert restart(after, "sub_1", "price_1", CATALOG, features=RESTARTING, now=day(2026, 3, 17)) is after
    assert may_restart(after, after.subscription("sub_1"), RESTARTING) == Refusal("already_restarted")


def test_it_begins_again_at_a_price_of_today():
    new = price("3500", id="price_new")
    sold = terms(replace(price(), active=False), new)
    features = replace(sold.features, subscription_restart=SubscriptionRestart(enabled=True))
    assert [each.price.id for each in restarts(ended(), only(ended()), sold.catalog, features, NOW)] == ["price_new"]
    refused = restart(ended(), "sub_1", "price_1", sold.catalog, features=features, now=NOW)
    assert refused == Refusal("price_not_offered")
    assert restarts(ended(), only(ended()), Catalog(), features, NOW) == ()


@pytest.mark.parametrize("new", [price(""), price("3100", "lunation")])
def test_it_does_not_begin_again_at_a_price_that_nothing_is_known_of(new):
    refused = restart(ended(), "sub_1", "price_1", terms(new).catalog, features=RESTARTING, now=NOW)
    assert refused == Refusal("price_not_offered")


def test_it_does_not_begin_again_where_nothing_can_be_charged():
    broken = replace(ended(), payment_methods=BROKEN)
    refused = restart(broken, "sub_1", "price_1", CATALOG, features=RESTARTING, now=NOW)
    assert refused == Refusal("payment_failed", "card_declined")


@pytest.mark.parametrize(
    ("found", "features", "why"),
    [
        (subscription(status="canceled"), Features(), "disabled_by_configuration"),
        (subscription(), RESTARTING, "not_ended"),
        (subscription(status="incomplete_expired"), RESTARTING, "not_ended"),
        (subscription(item(), item(id="price_2"), status="canceled"), RESTARTING, "several_items"),
        (subscription(item(usage="metered"), status="canceled"), RESTARTING, "usage_based"),
        (subscription(status="canceled", collection_method="send_invoice"), RESTARTING, "sent_invoice"),
    ],
)
def test_why_it_cannot_begin_again(found, features, why):
    it = account(found)
    assert restart(it, "sub_1", "price_1", CATALOG, features=features, now=NOW) == Refusal(why)
    assert restarts(it, found, CATALOG, features, NOW) == ()
    assert restart(it, "sub_2", "price_1", CATALOG, features=features, now=NOW) == Refusal("not_found")


# --- the way out, row S12

OPEN = replace(bought(price()).invoices[0], status="open", amount_due=eur(3100), amount_paid=eur(0))


@pytest.mark.parametrize(
    ("changes", "ways"),
    [
        ({}, ()),
        ({"status": "trialing"}, ()),
        ({"status": "past_due"}, ("pay",)),
        ({"status": "unpaid"}, ("pay",)),
        ({"status": "incomplete"}, ("pay",)),
        ({"status": "paused"}, ("unpause",)),
        ({"status": "levitating"}, ("contact",)),
        ({"cancel_at": day(2026, 4, 1)}, ("resume",)),
        ({"pause_behavior": "void", "paused_at": NOW}, ("unpause",)),
        ({"pause_behavior": "void"}, ("contact",)),
        ({"status": "canceled"}, ("restart",)),
        ({"status": "incomplete_expired"}, ()),
    ],
)
def test_each_status_has_its_way_out(changes, ways):
    features = replace(PAUSING, subscription_restart=SubscriptionRestart(enabled=True))
    it = account(subscription(**changes), invoices=(OPEN,))
    assert remedies_of(only(it), it, features, NOW) == ways


def test_a_card_that_does_not_work_asks_for_another_one():
    it = account(subscription(status="past_due"), invoices=(OPEN,), payment_methods=BROKEN)
    assert remedies_of(only(it), it, PAUSING, NOW) == ("pay", "payment_method")
    it = account(subscription(), payment_methods=())
    assert remedies_of(only(it), it, PAUSING, NOW) == ("payment_method",)
    it = account(subscription(collection_method="send_invoice"), payment_methods=())
    assert remedies_of(only(it), it, PAUSING, NOW) == ()


def test_who_owes_nothing_that_can_be_paid_asks_the_business():
    it = account(subscription(status="unpaid"))
    assert remedies_of(only(it), it, PAUSING, NOW) == ("contact",)


def test_an_end_that_cannot_be_taken_back_is_no_way():
    off = Features(subscription_cancel=SubscriptionCancel(enabled=False))
    it = account(subscription(cancel_at=day(2026, 4, 1)))
    assert remedies_of(only(it), it, off, NOW) == ()


# --- a trial that ended in a pause ---------------------------------------------------------------------------------------


def waiting(**more):
    """Its trial ended on the 1st with nothing to charge."""
    return account(subscription(status="paused", trial_end_at=day(2026, 3, 1)), **more)


def test_a_trial_that_ended_in_a_pause_goes_on_when_it_is_paid():
    it = waiting()
    assert unpausing(it, only(it), PAUSING, NOW).due == eur(3100)
    after = unpause(it, "sub_1", Features(), NOW)
    assert (only(after).status, only(after).current_period_end_at) == ("active", day(2026, 4, 16, 12))
    assert (after.invoices[0].status, after.invoices[0].amount_paid) == ("paid", eur(3100))
    assert [(each.at, each.total) for each in after.upcoming] == [(day(2026, 4, 16, 12), eur(3100))]


def test_a_trial_that_ended_in_a_pause_stays_so_without_a_payment():
    for methods, why in (((), "payment_method_missing"), ((replace(CARD, behavior="lost_card"),), "payment_failed")):
        assert unpause(waiting(payment_methods=methods), "sub_1", Features(), NOW).reason == why
