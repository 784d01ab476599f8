"""What a subscription may be changed to, when, and why not: each key of `subscription_update` with each of its values."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from server.billing import Move, PlanChange, Refusal, TaxRate
from server.billing.ledger.changes.schedules import undo
from server.billing.ledger.events.renewals import bring_up_to_date
from server.billing.rules.plans import may_change, may_undo, options
from server.brands.features import AdjustableQuantity, Features, Rule, Schedule, SubscriptionCancel, SubscriptionUpdate
from tests.support.ledger_accounts import NOW, SWITCHED_OFF, account, day, eur, item, price, subscription
from tests.support.pages import apply, preview
from tests.support.plans import bought, only, terms

SMALL = price()
LARGE = price("6200", id="price_2", product="prod_2")
YEARLY = price("30000", "year", id="price_y")
WEEKLY = price("1500", "week", id="price_w")
FREE = price("0", id="price_free", product="prod_free")
ALL = (SMALL, LARGE, YEARLY, WEEKLY, FREE)
LATER = {"schedule_at_period_end": Schedule(("decreasing_item_amount", "shortening_interval"))}
LIMITED = AdjustableQuantity(enabled=True, minimum=2, maximum=5)
FIXED = AdjustableQuantity()
TAX = TaxRate("t", "10", "Tax")


def shown(it, change, sold, now=NOW):
    return preview(it, "sub_1", change, sold, now)


def reason(it, change, sold, now=NOW):
    found = shown(it, change, sold, now)
    assert isinstance(found, Refusal), found
    assert apply(it, "sub_1", change, sold, token="", now=now) == found
    return found.reason


# --- which subscriptions, rows S6, S11 and S12


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"status": "canceled"}, "ended"),
        ({"status": "incomplete_expired"}, "ended"),
        ({"cancel_at": day(2026, 3, 1)}, "ended"),
        ({"cancel_at": day(2026, 4, 1)}, "ending"),
        ({"status": "past_due"}, "payment_due"),
        ({"status": "unpaid"}, "payment_due"),
        ({"status": "incomplete"}, "payment_due"),
        ({"status": "paused"}, "paused"),
        ({"status": "levitating"}, "unknown_status"),
        ({"pause_behavior": "void"}, "collection_paused"),
        ({"collection_method": "send_invoice"}, "sent_invoice"),
        ({"schedule": "sub_sched_1"}, "scheduled_by_business"),
    ],
)
def test_why_a_plan_cannot_be_changed(changes, why):
    found = subscription(**changes)
    assert may_change(found, terms(*ALL).features, NOW) == Refusal(why)
    assert reason(account(found), Move("price_2"), terms(*ALL)) == why
    assert options(found, terms(*ALL).catalog, terms(*ALL).features, NOW) == ()


@pytest.mark.parametrize(
    ("items", "why"),
    [
        ((item(), item(id="price_2")), "several_items"),
        ((item(usage="metered"),), "usage_based"),
        ((item(price=replace(SMALL, recurring=None)),), "not_recurring"),
        ((item(interval="lunation"),), "not_recurring"),
    ],
)
def test_what_can_only_be_canceled_says_why(items, why):
    assert may_change(subscription(*items), terms(*ALL).features, NOW) == Refusal(why)


@pytest.mark.parametrize("status", ["active", "trialing"])
def test_what_runs_can_be_changed(status):
    assert may_change(subscription(status=status), terms(*ALL).features, NOW) is None


@pytest.mark.parametrize(
    "update",
    [SubscriptionUpdate(), SubscriptionUpdate(enabled=True), SubscriptionUpdate(default_allowed_updates=("price",))],
)
def test_nothing_is_offered_where_the_configuration_offers_nothing(update):
    features = Features(subscription_update=update)
    assert may_change(subscription(), features, NOW) == Refusal("disabled_by_configuration")


@pytest.mark.parametrize(
    ("update", "limits", "why"),
    [
        (("price",), FIXED, "nothing_to_change_to"),
        (("quantity",), FIXED, "nothing_to_change_to"),
        (("quantity",), LIMITED, None),
        (("promotion_code",), FIXED, None),
    ],
)
def test_there_must_be_something_to_change_to(update, limits, why):
    features = terms(SMALL, default_allowed_updates=update, limits=limits).features
    assert may_change(subscription(), features, NOW) == (Refusal(why) if why else None)


def test_a_subscription_of_somebody_else_is_not_there():
    assert preview(bought(SMALL), "sub_2", Move("price_2"), terms(*ALL), NOW) == Refusal("not_found")


# --- prices and quantities, rows S6 and S7


@pytest.mark.parametrize(
    ("change", "allowed", "why"),
    [
        (Move("price_2"), ("quantity", "promotion_code"), "price_not_offered"),
        (Move(quantity=3), ("price", "promotion_code"), "quantity_not_adjustable"),
        (Move(code="X"), ("price", "quantity"), "code_not_allowed"),
        (Move(), ("price", "quantity"), "no_change"),
        (Move("price_1", 1), ("price", "quantity"), "no_change"),
        (Move("price_of_nobody"), ("price", "quantity"), "price_not_offered"),
    ],
)
def test_only_what_is_allowed_can_be_changed(change, allowed, why):
    assert reason(bought(SMALL), change, terms(*ALL, default_allowed_updates=allowed)) == why


@pytest.mark.parametrize(
    "other",
    [
        replace(LARGE, active=False),
        replace(LARGE, currency="USD"),
        replace(LARGE, recurring=None),
        price("6200", id="price_2", usage="metered"),
        price("6200", "lunation", id="price_2"),
        # Nothing says what they cost, and nothing is not free.
        replace(LARGE, unit_amount=""),
        replace(LARGE, unit_amount="", billing_scheme="tiered", tiers_mode="volume"),
    ],
)
def test_a_price_that_cannot_be_had_is_not_offered(other):
    sold = terms(SMALL, other)
    assert reason(bought(SMALL), Move("price_2"), sold) == "price_not_offered"
    found = options(only(bought(SMALL)), sold.catalog, sold.features, NOW)
    assert [each.price.id for each in found] == ["price_1"]


def test_a_price_that_is_sold_but_not_listed_is_not_offered():
    sold = terms(SMALL, LARGE)
    unlisted = replace(sold, features=terms(SMALL).features)
    assert reason(bought(SMALL), Move("price_2"), unlisted) == "price_not_offered"


@pytest.mark.parametrize(
    ("quantity", "why", "detail"),
    [(1, "quantity_too_small", "2"), (6, "quantity_too_large", "5"), (-1, "quantity_too_small", "2")],
)
def test_a_quantity_stays_within_its_limits(quantity, why, detail):
    found = shown(bought(SMALL, 3), Move(quantity=quantity), terms(SMALL, limits=LIMITED))
    assert found == Refusal(why, detail)


@pytest.mark.parametrize("quantity", [2, 5])
def test_the_limits_themselves_are_allowed(quantity):
    assert shown(bought(SMALL, 3), Move(quantity=quantity), terms(SMALL, limits=LIMITED)).after.quantity == quantity


def test_a_quantity_that_nobody_chose_is_brought_within_the_limits_of_the_new_plan():
    assert shown(bought(SMALL, 9), Move("price_2"), terms(SMALL, LARGE, limits=LIMITED)).after.quantity == 5
    assert shown(bought(SMALL, 9), Move("price_2"), terms(SMALL, LARGE, limits=FIXED)).after.quantity == 9


def test_a_quantity_that_costs_beyond_all_sums_is_refused():
    dear = price("999999999999", id="price_2")
    limits = AdjustableQuantity(enabled=True, minimum=1, maximum=999_999)
    assert reason(bought(SMALL), Move("price_2", 999_999), terms(SMALL, dear, limits=limits)) == "quantity_too_large"


def test_the_options_are_the_listed_prices_with_the_present_one_first():
    sold = terms(*ALL, limits=LIMITED, **LATER)
    found = options(only(bought(LARGE, 3)), sold.catalog, sold.features, NOW)
    assert [(each.price.id, each.when, each.current) for each in found] == [
        ("price_2", "now", True),
        ("price_1", "period_end", False),
        ("price_y", "now", False),
        ("price_w", "period_end", False),
        ("price_free", "period_end", False),
    ]
    assert {(each.quantity, each.minimum, each.maximum, each.adjustable) for each in found} == {(3, 2, 5, True)}
    assert [each.cancels for each in found] == [False, False, False, False, True]


# --- what waits for the end of the period, row S9


@pytest.mark.parametrize(
    ("before", "change", "conditions", "deferred_by"),
    [
        (LARGE, Move("price_1"), (), ""),
        (LARGE, Move("price_1"), ("decreasing_item_amount",), "decreasing_item_amount"),
        (LARGE, Move("price_1"), ("shortening_interval",), ""),
        (SMALL, Move("price_2"), ("decreasing_item_amount", "shortening_interval"), ""),
        (LARGE, Move(quantity=1), ("decreasing_item_amount",), "decreasing_item_amount"),
        (LARGE, Move(quantity=3), ("decreasing_item_amount",), ""),
        (SMALL, Move("price_y"), ("decreasing_item_amount", "shortening_interval"), ""),
        (YEARLY, Move("price_1"), ("shortening_interval",), "shortening_interval"),
        (YEARLY, Move("price_1"), ("decreasing_item_amount",), ""),  # 62.00 a month are more than 600.00 a year
        (YEARLY, Move("price_w"), ("shortening_interval", "decreasing_item_amount"), "shortening_interval"),
        (SMALL, Move("price_w"), ("decreasing_item_amount",), ""),  # 30.00 a week are more than 62.00 a month
    ],
)
def test_a_change_waits_where_a_condition_holds(before, change, conditions, deferred_by):
    found = shown(bought(before, 2), change, terms(*ALL, schedule_at_period_end=Schedule(conditions)))
    assert (found.deferred_by, found.at_once) == (deferred_by, not deferred_by)
    if deferred_by:
        assert (found.due_now, found.charge, found.pending) == (eur(0), None, ())
        assert found.applies_at == only(bought(before, 2)).current_period_end_at


def test_a_scheduled_change_can_be_taken_back_and_canceled_over():
    it = bought(LARGE)
    sold = terms(*ALL, **LATER)
    made = apply(it, "sub_1", Move("price_1"), sold, token=shown(it, Move("price_1"), sold).fingerprint, now=NOW)
    assert may_undo(only(made.account), sold.features, NOW) is None
    assert undo(made.account, "sub_1", sold.features, NOW) == it
    assert undo(it, "sub_1", sold.features, NOW) is it
    assert may_undo(only(it), sold.features, NOW) == Refusal("nothing_scheduled")
    off = Features(subscription_cancel=SubscriptionCancel())
    assert undo(made.account, "sub_1", off, NOW) == Refusal("disabled_by_configuration")
    assert undo(it, "sub_2", sold.features, NOW) == Refusal("not_found")


def test_a_change_at_once_gives_up_the_one_that_was_to_come():
    it = bought(LARGE, 2)
    sold = terms(*ALL, **LATER)
    down = apply(it, "sub_1", Move("price_1"), sold, token=shown(it, Move("price_1"), sold).fingerprint, now=NOW)
    up = shown(down.account, Move(quantity=3), sold)
    assert up.replaces == only(down.account).scheduled
    after = apply(down.account, "sub_1", Move(quantity=3), sold, token=up.fingerprint, now=NOW).account
    assert only(after).scheduled is None


# --- rules


@pytest.mark.parametrize(("when", "at_once", "deferred_by"), [("now", True, ""), ("period_end", False, "rule")])
@pytest.mark.parametrize(("from_", "to"), [("price_2", "price_1"), ("prod_2", "prod_1"), ("prod_2", "price_1")])
def test_a_rule_decides_before_the_conditions(from_, to, when, at_once, deferred_by):
    rules = (Rule((from_,), (to,), when), Rule((from_,), (to,), "never"))
    found = shown(bought(LARGE), Move("price_1"), terms(*ALL, rules=rules, **LATER))
    assert (found.at_once, found.deferred_by) == (at_once, deferred_by)


def test_a_rule_can_forbid_a_move():
    sold = terms(*ALL, rules=(Rule(("prod_2",), ("prod_1",), "never"),))
    assert reason(bought(LARGE), Move("price_1"), sold) == "forbidden_by_rule"
    assert "price_1" not in [each.price.id for each in options(only(bought(LARGE)), sold.catalog, sold.features, NOW)]
    assert shown(bought(SMALL), Move("price_2"), sold).at_once


def test_a_rule_is_about_moves_between_prices_not_about_quantities():
    sold = terms(*ALL, rules=(Rule(("prod_1",), ("prod_1",), "never"),))
    assert shown(bought(SMALL), Move(quantity=3), sold).at_once
    assert reason(bought(SMALL), Move("price_y"), sold) == "forbidden_by_rule"


# --- a price of zero counts as a cancellation


@pytest.mark.parametrize(
    ("cancel", "at_once", "credited"),
    [
        (SubscriptionCancel(), False, 0),
        (SubscriptionCancel(mode="immediately"), True, 0),
        (SubscriptionCancel(mode="immediately", proration_behavior="create_prorations"), True, 1550),
    ],
)
@pytest.mark.parametrize("proration", ["none", "create_prorations", "always_invoice"])
def test_a_move_to_nothing_follows_the_cancellation(cancel, at_once, credited, proration):
    sold = terms(*ALL, proration_behavior=proration)
    sold = replace(sold, features=replace(sold.features, subscription_cancel=cancel))
    found = shown(bought(SMALL), Move("price_free"), sold)
    assert (found.cancels, found.at_once, found.credited, found.due_now) == (True, at_once, eur(credited), eur(0))
    assert found.deferred_by == ("" if at_once else "cancellation")


def test_a_quantity_of_nothing_counts_as_a_cancellation_too():
    assert shown(bought(SMALL), Move(quantity=0), terms(*ALL)).deferred_by == "cancellation"


def test_who_may_not_cancel_may_not_move_to_nothing():
    sold = terms(*ALL)
    sold = replace(sold, features=replace(sold.features, subscription_cancel=SWITCHED_OFF))
    assert reason(bought(SMALL), Move("price_free"), sold) == "cancellation_not_offered"


def test_a_rule_decides_when_a_plan_moves_to_nothing():
    rules = (Rule(("prod_1",), ("prod_free",), "now"),)
    found = shown(bought(SMALL), Move("price_free"), terms(*ALL, rules=rules, proration_behavior="always_invoice"))
    assert (found.at_once, found.credited) == (True, eur(0))


# --- S13: late and at once


@pytest.fixture
def sold():
    return terms(*ALL, proration_behavior="always_invoice")


def test_within_half_an_hour_the_numbers_stand(sold):
    it = bought(SMALL)
    page = shown(it, Move("price_2"), sold)
    made = apply(it, "sub_1", Move("price_2"), sold, token=page.fingerprint, now=NOW + timedelta(minutes=30))
    assert (made.preview, made.invoices[0].amount_paid) == (replace(page, fingerprint=""), page.due_now)


@pytest.mark.parametrize("late", [timedelta(minutes=30, microseconds=1), timedelta(days=400), -timedelta(seconds=1)])
def test_a_page_that_is_too_old_is_shown_again(sold, late):
    it = bought(SMALL)
    page = shown(it, Move("price_2"), sold)
    it, _ = bring_up_to_date(it, NOW + late)
    answer = apply(it, "sub_1", Move("price_2"), sold, token=page.fingerprint, now=NOW + late)
    assert isinstance(answer, PlanChange)
    assert answer.fingerprint != page.fingerprint


@pytest.mark.parametrize("token", ["", "x", "1773662400000000.", "-1.x", "9" * 40, "1773662400000000.0000", "²"])
def test_a_token_that_is_none_changes_nothing(sold, token):
    it = bought(SMALL)
    assert apply(it, "sub_1", Move("price_2"), sold, token=token, now=NOW) == shown(it, Move("price_2"), sold)


def test_a_token_is_for_the_change_that_was_shown(sold):
    it = bought(SMALL)
    page = shown(it, Move("price_2"), sold)
    assert isinstance(apply(it, "sub_1", Move("price_2", 4), sold, token=page.fingerprint, now=NOW), PlanChange)


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda it: replace(it, balance=eur(-5)),
        lambda it: replace(it, payment_methods=()),
        lambda it: replace(it, subscriptions=(replace(only(it), description="Another name"),)),
        lambda it: replace(it, subscriptions=(replace(only(it), default_tax_rates=()),)),
    ],
)
def test_whatever_changed_in_between_is_shown_first(sold, meanwhile):
    it = replace(bought(SMALL), balance=eur(-7))
    it = replace(it, subscriptions=(replace(only(it), default_tax_rates=(TAX,)),))
    page = shown(it, Move("price_2"), sold)
    assert isinstance(apply(meanwhile(it), "sub_1", Move("price_2"), sold, token=page.fingerprint, now=NOW), PlanChange)


def test_another_configuration_is_shown_first(sold):
    it = bought(SMALL)
    page = shown(it, Move("price_2"), sold)
    other = terms(*ALL, proration_behavior="create_prorations")
    assert isinstance(apply(it, "sub_1", Move("price_2"), other, token=page.fingerprint, now=NOW), PlanChange)
