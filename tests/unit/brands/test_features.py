"""`[features]`: Stripe's names, values, defaults and constraints, and what Postern adds."""

import pytest

from server import brands
from server.brands.features import REASONS, Features
from tests.support.brands import PORTAL, mistakes, the_mistake, write_brand

UPDATE = """\
[features.subscription_update]
enabled = true
default_allowed_updates = ["price", "quantity"]
[[features.subscription_update.products]]
product = "prod_coffee"
prices = ["price_monthly", "price_yearly"]
adjustable_quantity = { enabled = true, minimum = 1, maximum = 5 }
[[features.subscription_update.products]]
product = "prod_tea"
prices = "price_tea"
"""


def features(tmp_path, text):
    return brands.load(write_brand(tmp_path, portal=PORTAL + text)).config.features


def refused(tmp_path, text):
    return the_mistake(write_brand(tmp_path, portal=PORTAL + text))


def test_the_defaults_are_those_of_the_table(tmp_path):
    found = features(tmp_path, "")
    assert found == Features()
    assert found.customer_update.allowed_updates == ("name", "email", "address", "phone")
    assert (found.invoice_history.enabled, found.payment_method_update.enabled) == (True, True)
    cancel, update = found.subscription_cancel, found.subscription_update
    assert (cancel.enabled, cancel.mode, cancel.proration_behavior) == (True, "at_period_end", "none")
    assert (cancel.cancellation_reason.enabled, cancel.cancellation_reason.options) == (True, REASONS)
    assert (cancel.retention.coupon, cancel.reasons_text) == ("", {})
    assert (update.enabled, update.default_allowed_updates, update.products, update.rules) == (False, (), (), ())
    assert (update.proration_behavior, update.billing_cycle_anchor) == ("none", "unchanged")
    assert (update.trial_update_behavior, update.schedule_at_period_end.conditions) == ("end_trial", ())
    assert (found.subscription_pause.enabled, found.subscription_restart.enabled) == (False, False)


@pytest.mark.parametrize(
    "key",
    [
        *("customer_update", "invoice_history", "payment_method_update", "subscription_cancel"),
        *("subscription_update", "subscription_pause", "subscription_restart"),
    ],
)
def test_every_feature_is_switched_with_a_boolean(tmp_path, key):
    assert not getattr(features(tmp_path, f"[features.{key}]\nenabled = false\n"), key).enabled
    assert refused(tmp_path, f'[features.{key}]\nenabled = "no"\n').allowed == "true or false"


@pytest.mark.parametrize(
    ("table", "key", "word", "near"),
    [
        ("subscription_cancel", "mode", "at_end", "at_period_end"),
        ("subscription_cancel", "proration_behavior", "create_proration", "create_prorations"),
        ("subscription_update", "proration_behavior", "always_invoices", "always_invoice"),
        ("subscription_update", "billing_cycle_anchor", "unchange", "unchanged"),
        ("subscription_update", "trial_update_behavior", "end_trail", "end_trial"),
    ],
)
def test_a_misspelt_word_is_refused_with_the_nearest(tmp_path, table, key, word, near):
    mistake = refused(tmp_path, f'[features.{table}]\n{key} = "{word}"\n')
    assert (mistake.line, mistake.key, mistake.found) == (4, f"features.{table}.{key}", repr(word))
    assert f"did you mean {near}?" in mistake.allowed


@pytest.mark.parametrize(
    ("table", "key", "word"),
    [
        ("customer_update", "allowed_updates", "adress"),
        ("subscription_cancel.cancellation_reason", "options", "to_expensive"),
        ("subscription_update", "default_allowed_updates", "prices"),
        ("subscription_update.schedule_at_period_end", "conditions", "shortening"),
    ],
)
def test_a_list_holds_known_words_each_once(tmp_path, table, key, word):
    mistake = refused(tmp_path, f'[features.{table}]\n{key} = [\n  "{word}",\n]\n')
    assert (mistake.line, mistake.key) == (5, f"features.{table}.{key}[0]")
    assert "did you mean" in mistake.allowed


def test_a_word_twice_in_a_list_is_refused(tmp_path):
    mistake = refused(tmp_path, '[features.customer_update]\nallowed_updates = ["name", "name"]\n')
    assert (mistake.key, mistake.found) == ("features.customer_update.allowed_updates[1]", "'name' twice")


def test_a_plan_cannot_change_where_payment_methods_cannot(tmp_path):
    mistake = refused(tmp_path, UPDATE + "[features.payment_method_update]\nenabled = false\n")
    assert (mistake.key, mistake.line) == ("features.payment_method_update.enabled", 14)
    assert "subscription_update" in mistake.allowed


def test_unused_time_is_credited_only_for_a_cancellation_at_once(tmp_path):
    text = '[features.subscription_cancel]\nproration_behavior = "create_prorations"\n'
    assert refused(tmp_path, text).key == "features.subscription_cancel.proration_behavior"
    assert (
        features(tmp_path, text + 'mode = "immediately"\n').subscription_cancel.proration_behavior
        == "create_prorations"
    )


def test_reasons_that_are_asked_need_an_option(tmp_path):
    text = "[features.subscription_cancel.cancellation_reason]\noptions = []\n"
    assert refused(tmp_path, text).found == "an empty list"
    assert features(tmp_path, text + "enabled = false\n").subscription_cancel.cancellation_reason.options == ()


def test_own_words_belong_to_a_reason_that_is_offered(tmp_path):
    text = '[features.subscription_cancel]\ncancellation_reason.options = ["unused", "other"]\n'
    own = text + '[features.subscription_cancel.reasons_text]\nunused = "I have enough coffee"\n'
    assert features(tmp_path, own).subscription_cancel.reasons_text == {"unused": "I have enough coffee"}
    mistake = refused(tmp_path, own + 'too_complex = "x"\n')
    assert (mistake.key, mistake.line) == ("features.subscription_cancel.reasons_text.too_complex", 7)
    assert mistake.allowed.endswith("cancellation_reason.options: unused, other")
    assert "did you mean unused?" in refused(tmp_path, own.replace("unused =", "unusd =")).allowed


@pytest.mark.parametrize("coupon", ["", "a b", "x" * 300, "<b>"])
def test_a_coupon_is_an_id(tmp_path, coupon):
    text = f'[features.subscription_cancel.retention]\ncoupon = "{coupon}"\n'
    assert refused(tmp_path, text).key == "features.subscription_cancel.retention.coupon"


def test_a_coupon_without_a_cancellation_is_refused(tmp_path):
    text = '[features.subscription_cancel]\nenabled = false\nretention.coupon = "stay"\n'
    assert "nobody would see it" in refused(tmp_path, text).allowed


def test_products_are_read_with_their_prices_and_quantities(tmp_path):
    coffee, tea = features(tmp_path, UPDATE).subscription_update.products
    assert (coffee.product, coffee.prices) == ("prod_coffee", ("price_monthly", "price_yearly"))
    assert (coffee.adjustable_quantity.enabled, coffee.adjustable_quantity.maximum) == (True, 5)
    assert (tea.prices, tea.adjustable_quantity.enabled) == (("price_tea",), False)


def test_more_than_ten_products_are_fine(tmp_path):
    many = "".join(
        f'[[features.subscription_update.products]]\nproduct = "p{n}"\nprices = ["x{n}"]\n' for n in range(12)
    )
    assert len(features(tmp_path, many).subscription_update.products) == 12


@pytest.mark.parametrize(
    ("product", "key"),
    [
        ('prices = ["x"]', "product"),
        ('product = "p"', "prices"),
        ('product = "p"\nprices = []', "prices"),
        ('product = "p"\nprices = ["x", "x"]', "prices[1]"),
        ('product = "p"\nprices = ["x y"]', "prices[0]"),
        ('product = "p"\nprices = ["x"]\nprice = "x"', "price"),
        ('product = "p"\nprices = ["x"]\nadjustable_quantity.minimum = -1', "adjustable_quantity.minimum"),
        (
            'product = "p"\nprices = ["x"]\nadjustable_quantity = { minimum = 5, maximum = 4 }',
            "adjustable_quantity.minimum",
        ),
        ('product = "p"\nprices = ["x"]\nadjustable_quantity.maximum = true', "adjustable_quantity.maximum"),
    ],
)
def test_an_odd_product_is_refused_at_its_key(tmp_path, product, key):
    mistake = refused(tmp_path, f"[[features.subscription_update.products]]\n{product}\n")
    assert mistake.key == f"features.subscription_update.products[0].{key}"


def test_a_product_twice_is_refused(tmp_path):
    assert "'prod_tea' twice" in refused(tmp_path, UPDATE.replace("prod_coffee", "prod_tea")).found


def test_a_list_of_anything_but_tables_is_refused(tmp_path):
    mistake = refused(tmp_path, "[features.subscription_update]\nproducts = [1]\n")
    assert mistake.key == "features.subscription_update.products[0]"


def test_changing_the_price_needs_a_product_to_move_to(tmp_path):
    text = '[features.subscription_update]\nenabled = true\ndefault_allowed_updates = ["price"]\n'
    assert refused(tmp_path, text).key == "features.subscription_update.products"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "default_allowed_updates"),
        ('default_allowed_updates = ["quantity"]', "products"),
        ('default_allowed_updates = ["quantity"]\nproducts = [{ product = "p", prices = "x" }]', "products"),
        (
            (
                'default_allowed_updates = ["promotion_code"]\nproducts = [{ product = "p", prices = "x" }]\n'
                'rules = [{ from = "a", to = "p", when = "now" }]'
            ),
            "rules",
        ),
        (
            (
                'default_allowed_updates = ["price"]\n'
                'products = [{ product = "p", prices = "x" }, { product = "q", prices = "x" }]'
            ),
            "products[1].prices",
        ),
    ],
)
def test_what_is_switched_on_and_cannot_be_used_is_refused(tmp_path, text, key):
    mistake = refused(tmp_path, f"[features.subscription_update]\nenabled = true\n{text}\n")
    assert mistake.key == f"features.subscription_update.{key}"


def test_a_rule_says_who_may_move_to_what_and_when(tmp_path):
    rule = '[[features.subscription_update.rules]]\nfrom = "price_old"\nto = ["prod_tea"]\nwhen = "period_end"\n'
    (found,) = features(tmp_path, UPDATE + rule).subscription_update.rules
    assert (found.from_, found.to, found.when) == (("price_old",), ("prod_tea",), "period_end")


@pytest.mark.parametrize(
    "rule",
    [
        'from = "a"\nto = "prod_tea"',
        'from = "a"\nto = "prod_tea"\nwhen = "later"',
        'from = "a"\nto = "prod_unknown"\nwhen = "now"',
        'to = "prod_tea"\nwhen = "now"',
        'from = "a"\nwhen = "now"',
    ],
)
def test_an_odd_rule_is_refused(tmp_path, rule):
    mistake = refused(tmp_path, UPDATE + f"[[features.subscription_update.rules]]\n{rule}\n")
    assert mistake.key.startswith("features.subscription_update.rules[0]")


@pytest.mark.parametrize("cycles", ["0", "13", "1.5", '"3"', "true"])
def test_a_pause_lasts_one_to_twelve_cycles(tmp_path, cycles):
    assert refused(tmp_path, f"[features.subscription_pause]\nmax_cycles = {cycles}\n").allowed.endswith("1 to 12")
    assert features(tmp_path, "[features.subscription_pause]\nmax_cycles = 12\n").subscription_pause.max_cycles == 12


def test_all_mistakes_of_all_features_are_told(tmp_path):
    text = "[features]\nsubscription_cancl = {}\n[features.invoice_history]\nenable = true\n[features.subscription_pause]\nmax_cycles = 0\n"
    assert [each.line for each in mistakes(write_brand(tmp_path, portal=PORTAL + text))] == [4, 6, 8]
