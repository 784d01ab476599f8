"""Each key under `[features]` about subscriptions, and each of its values: what it does. Read from `portal.toml`, tried
on an account. Forbidden values and combinations are `tests/unit/brands/test_features.py`'s; the switches of whole pages
`tests/unit/home/test_switches.py`'s."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from server import brands
from server.billing import Coupon, Move, PromotionCode, Tell
from server.billing.ledger.changes.canceling import cancel
from server.billing.ledger.changes.planning import Terms
from server.billing.ledger.changes.retention import tell
from server.billing.model.catalog import Catalog
from server.billing.rules.canceling import may_cancel, may_resume, may_tell
from server.billing.rules.pausing import may_pause, pauses
from server.billing.rules.plans import forbidden, may_change, may_use_code, options
from server.billing.rules.restarting import may_restart
from server.brands.features import REASONS
from server.features.subscriptions.views import feedback_of
from tests.support.brands import PORTAL, write_brand
from tests.support.ledger_accounts import NOW, account, day, eur, item, price, subscription
from tests.support.pages import cancellation, offer, preview
from tests.support.plans import bought, only

SMALL = price("3100", id="price_1", product="prod_1")
BIG = price("6200", id="price_2", product="prod_2")
YEAR = price("31000", "year", id="price_3", product="prod_3")
STAY = Coupon("STAY", percent_off="50", duration="forever")
CATALOG = Catalog(
    prices={each.id: each for each in (SMALL, BIG, YEAR)},
    coupons={"STAY": STAY},
    codes=(PromotionCode("promo_1", "HALF", "STAY"),),
)
TRIAL = subscription(item(end=day(2026, 3, 20), price=SMALL), status="trialing", trial_end_at=day(2026, 3, 20))
SELLING = """
[features.subscription_update]
enabled = true
default_allowed_updates = ["price", "quantity", "promotion_code"]
{more}
[[features.subscription_update.products]]
product = "prod_1"
prices = ["price_1"]
adjustable_quantity = {{ enabled = true, minimum = 2, maximum = 5 }}
[[features.subscription_update.products]]
product = "prod_2"
prices = ["price_2"]
[[features.subscription_update.products]]
product = "prod_3"
prices = ["price_3"]
"""
RULE = '[[features.subscription_update.rules]]\nfrom = "prod_1"\nto = "price_2"\nwhen = "{}"\n'


@pytest.fixture
def read(tmp_path):
    """The features of a `portal.toml` that ends so."""
    return lambda text: brands.load(write_brand(tmp_path, portal=PORTAL + text)).config.features


@pytest.fixture
def selling(read):
    """The features of a brand that sells three plans, with more keys of `subscription_update`, and rules after it."""
    return lambda more="", after="": read(SELLING.format(more=more) + after)


def shown(features, change, it=None, at=NOW):
    return preview(it or bought(SMALL), "sub_1", change, Terms(CATALOG, features), at)


def canceled(features):
    return cancel(bought(SMALL), "sub_1", features.subscription_cancel, NOW)


# --- subscription_cancel ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("enabled", "why"), [("true", None), ("false", "disabled_by_configuration")])
def test_cancel_enabled(read, enabled, why):
    rule = read(f"[features.subscription_cancel]\nenabled = {enabled}\n").subscription_cancel
    refused = may_cancel(only(bought(SMALL)), rule, NOW)
    assert (refused.reason if refused else None) == why
    refused = may_resume(subscription(cancel_at=day(2026, 4, 1)), rule, NOW)
    assert (refused.reason if refused else None) == why


@pytest.mark.parametrize(("mode", "ends"), [("at_period_end", day(2026, 4, 1)), ("immediately", NOW)])
def test_cancel_mode(read, mode, ends):
    rule = read(f'[features.subscription_cancel]\nmode = "{mode}"\n').subscription_cancel
    assert cancellation(bought(SMALL), "sub_1", rule, NOW).ends_at == ends


@pytest.mark.parametrize(("behavior", "credit"), [("none", None), ("create_prorations", eur(1550))])
def test_cancel_proration_behavior(read, behavior, credit):
    text = f'[features.subscription_cancel]\nmode = "immediately"\nproration_behavior = "{behavior}"\n'
    assert cancellation(bought(SMALL), "sub_1", read(text).subscription_cancel, NOW).credit == credit


@pytest.mark.parametrize(("enabled", "asked"), [("true", True), ("false", False)])
def test_cancellation_reason_enabled(read, enabled, asked):
    features = read(f"[features.subscription_cancel]\ncancellation_reason.enabled = {enabled}\n")
    assert (may_tell(only(canceled(features)), features, NOW) is None) == asked


@pytest.mark.parametrize("reason", REASONS)
def test_cancellation_reason_options(read, reason):
    features = read(f'[features.subscription_cancel]\ncancellation_reason.options = ["{reason}"]\n')
    it = canceled(features)
    assert only(tell(it, "sub_1", Tell(reason, ""), features, NOW)).feedback == reason
    other = next(each for each in REASONS if each != reason)
    assert tell(it, "sub_1", Tell(other, ""), features, NOW).reason == "unknown_reason"
    assert feedback_of(only(it), features, NOW).options == (reason,)


def test_reasons_text(read):
    features = read('[features.subscription_cancel.reasons_text]\nunused = "Too much coffee"\n')
    assert feedback_of(only(canceled(features)), features, NOW).texts == {"unused": "Too much coffee"}


@pytest.mark.parametrize(("text", "coupon"), [("", None), ('retention.coupon = "STAY"', STAY)])
def test_retention_coupon(read, text, coupon):
    made = offer(bought(SMALL), "sub_1", CATALOG, read(f"[features.subscription_cancel]\n{text}\n"), NOW)
    assert (made.coupon if made else None) == coupon


# --- subscription_update ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("enabled", "why"), [("true", None), ("false", "disabled_by_configuration")])
def test_update_enabled(selling, enabled, why):
    features = selling()
    features = replace(features, subscription_update=replace(features.subscription_update, enabled=enabled == "true"))
    refused = may_change(only(bought(SMALL)), features, NOW)
    assert (refused.reason if refused else None) == why


@pytest.mark.parametrize(
    ("allowed", "change", "why"),
    [
        ("price", Move("price_2"), "price_not_offered"),
        ("quantity", Move(quantity=3), "quantity_not_adjustable"),
        ("promotion_code", Move("price_2", code="HALF"), "code_not_allowed"),
    ],
)
def test_default_allowed_updates(read, allowed, change, why):
    words = ("price", "quantity", "promotion_code")
    with_it = SELLING.format(more="").replace(str(list(words)).replace("'", '"'), "{}")
    lists = [f'["{allowed}", "price"]' if allowed != "price" else '["price"]']
    lists.append(str([each for each in words if each != allowed]).replace("'", '"'))
    on, off = (read(with_it.replace("{}", each)) for each in lists)
    assert not hasattr(shown(on, change), "reason")
    assert shown(off, change).reason == why
    assert may_use_code(on) == (allowed == "promotion_code")


def test_products_and_their_prices(selling):
    offered = options(only(bought(SMALL)), CATALOG, selling(), NOW)
    assert [each.price.id for each in offered] == ["price_1", "price_2", "price_3"]
    fewer = replace(CATALOG, prices={**CATALOG.prices, "price_9": price(id="price_9", product="prod_1")})
    assert "price_9" not in [each.price.id for each in options(only(bought(SMALL)), fewer, selling(), NOW)]


@pytest.mark.parametrize(
    ("asked", "why"), [(1, None), (2, None), (5, None), (6, "quantity_too_large"), (0, "quantity_too_small")]
)
def test_adjustable_quantity(selling, asked, why):
    """From 2 to 5; one that is outside of it may stay."""
    answer = shown(selling(), Move("price_2" if asked == 1 else "", None if asked == 1 else asked))
    assert getattr(answer, "reason", None) == why
    assert shown(selling(), Move("price_2", 3)).reason == "quantity_not_adjustable"


@pytest.mark.parametrize(
    ("behavior", "pending", "due"),
    [("none", 0, 0), ("create_prorations", 2, 0), ("always_invoice", 0, 1550)],
)
def test_update_proration_behavior(selling, behavior, pending, due):
    it = shown(selling(f'proration_behavior = "{behavior}"'), Move("price_2"))
    assert (len(it.pending), it.due_now) == (pending, eur(due))


@pytest.mark.parametrize(("anchor", "ends"), [("unchanged", day(2026, 4, 1)), ("now", day(2026, 4, 16, 12))])
def test_billing_cycle_anchor(selling, anchor, ends):
    assert shown(selling(f'billing_cycle_anchor = "{anchor}"'), Move("price_2")).period_ends_at == ends


@pytest.mark.parametrize(
    ("conditions", "cheaper", "shorter"),
    [
        ("[]", "", ""),
        ('["decreasing_item_amount"]', "decreasing_item_amount", ""),
        ('["shortening_interval"]', "", "shortening_interval"),
        (
            '["decreasing_item_amount", "shortening_interval"]',
            "decreasing_item_amount",
            "shortening_interval",
        ),
    ],
)
def test_schedule_at_period_end_conditions(selling, conditions, cheaper, shorter):
    """Cheaper: from 124 to 62 a month. Shorter: from 310 a year to 62 a month, which is more for the same time."""
    features = selling(f"schedule_at_period_end.conditions = {conditions}")
    assert shown(features, Move("price_1"), bought(BIG, 2)).deferred_by == cheaper
    assert shown(features, Move("price_2"), bought(YEAR)).deferred_by == shorter


@pytest.mark.parametrize(("behavior", "ends"), [("end_trial", True), ("continue_trial", False)])
def test_trial_update_behavior(selling, behavior, ends):
    it = shown(selling(f'trial_update_behavior = "{behavior}"'), Move("price_2"), account(TRIAL))
    assert (it.ends_trial, it.trial_ends_at) == (ends, None if ends else day(2026, 3, 20))


@pytest.mark.parametrize(("when", "deferred"), [("now", ""), ("period_end", "rule"), ("never", None)])
def test_rules(selling, when, deferred):
    features = selling(after=RULE.format(when))
    assert getattr(shown(features, Move("price_2")), "deferred_by", None) == deferred
    left_out = [each.id for each in forbidden(only(bought(SMALL)), CATALOG, features, NOW)]
    assert left_out == (["price_2"] if when == "never" else [])


# --- pause and restart --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("enabled", "why"), [("true", None), ("false", "disabled_by_configuration")])
def test_pause_enabled(read, enabled, why):
    features = read(f"[features.subscription_pause]\nenabled = {enabled}\n")
    refused = may_pause(only(bought(SMALL)), features, NOW)
    assert (refused.reason if refused else None) == why


@pytest.mark.parametrize("cycles", range(1, 13))
def test_pause_max_cycles(read, cycles):
    features = read(f"[features.subscription_pause]\nenabled = true\nmax_cycles = {cycles}\n")
    assert [each.cycles for each in pauses(only(bought(SMALL)), features, NOW)] == list(range(1, cycles + 1))


@pytest.mark.parametrize(("enabled", "why"), [("true", None), ("false", "disabled_by_configuration")])
def test_restart_enabled(read, enabled, why):
    over = subscription(status="canceled", ended_at=NOW - timedelta(days=1))
    refused = may_restart(account(over), over, read(f"[features.subscription_restart]\nenabled = {enabled}\n"))
    assert (refused.reason if refused else None) == why
