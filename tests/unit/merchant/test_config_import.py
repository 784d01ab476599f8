"""A configuration of Stripe's portal becomes the tables of `portal.toml`."""

import json
import tomllib
from pathlib import Path

import pytest

from server import __main__ as commands
from server import brands
from server.brands import ThemeError
from server.brands.portal_file import PortalConfig
from server.brands.reading.declared import entries
from server.merchant.config_import import ConfigRefused, import_config
from tests.support.brands import write_brand

PORTAL = """\
# ours
[business]
name = "Plain" # the name

[features.subscription_cancel]
# how it ends
mode = "at_period_end" # for now
reasons_text.other = "Something else"
retention.coupon = "STAY"

[features.subscription_restart]
enabled = true
"""


def configuration(**features):
    return {
        "id": "bpc_1",
        "object": "billing_portal.configuration",
        "active": True,
        "business_profile": {"headline": "Hello", "privacy_policy_url": None, "terms_of_service_url": None},
        "default_return_url": "https://example.com/back",
        "features": features,
        "livemode": False,
        "metadata": {"team": "billing"},
    }


CANCEL = {
    "cancellation_reason": {"enabled": True, "options": ["too_expensive", "other"]},
    "enabled": True,
    "mode": "immediately",
    "proration_behavior": "create_prorations",
}
UPDATE = {
    "billing_cycle_anchor": "now",
    "default_allowed_updates": ["price", "quantity"],
    "enabled": True,
    "products": [
        {"product": "prod_a", "prices": ["price_1", "price_2"],
         "adjustable_quantity": {"enabled": True, "minimum": 1, "maximum": 10}},
        {"product": "prod_b", "prices": ["price_3"]},
    ],
    "proration_behavior": "always_invoice",
    "schedule_at_period_end": {"conditions": [{"type": "shortening_interval"}]},
    "trial_update_behavior": "continue_trial",
}  # fmt: skip


@pytest.fixture
def brand(tmp_path):
    return write_brand(tmp_path, portal=PORTAL)


def carried(brand, tmp_path, found):
    file = tmp_path / "configuration.json"
    file.write_text(found if isinstance(found, str) else json.dumps(found))
    return import_config(brand, file)


def test_names_and_values_are_carried_over(brand, tmp_path):
    done = carried(brand, tmp_path, configuration(subscription_cancel=CANCEL, subscription_update=UPDATE))
    portal = brands.load(brand).config
    cancel, update = portal.features.subscription_cancel, portal.features.subscription_update
    assert (cancel.mode, cancel.proration_behavior) == ("immediately", "create_prorations")
    assert cancel.cancellation_reason.options == ("too_expensive", "other")
    assert [each.prices for each in update.products] == [("price_1", "price_2"), ("price_3",)]
    assert (update.products[0].adjustable_quantity.maximum, update.billing_cycle_anchor) == (10, "now")
    assert update.schedule_at_period_end.conditions == ("shortening_interval",)
    assert (portal.business.headline, portal.business.default_return_url) == ("Hello", "https://example.com/back")
    assert done.tables == ("business", "features.subscription_cancel", "features.subscription_update")
    assert done.unplaced == ()


def test_comments_and_what_only_we_have_stay(brand, tmp_path):
    carried(brand, tmp_path, configuration(subscription_cancel=CANCEL))
    text = (brand / "portal.toml").read_text()
    assert all(each in text for each in ("# ours", "# the name", "# how it ends", "# for now"))
    features = brands.load(brand).config.features
    assert features.subscription_cancel.retention.coupon == "STAY"
    assert features.subscription_cancel.reasons_text == {"other": "Something else"}
    assert features.subscription_restart.enabled


def test_the_same_again_changes_nothing(brand, tmp_path):
    found = configuration(subscription_cancel=CANCEL, subscription_update=UPDATE)
    carried(brand, tmp_path, found)
    first = (brand / "portal.toml").read_text()
    carried(brand, tmp_path, found)
    assert (brand / "portal.toml").read_text() == first


def test_what_has_no_place_is_named(brand, tmp_path):
    found = configuration(
        shopping={"enabled": True},
        subscription_cancel={**CANCEL, "proration_behavior": "always_invoice"},
    )
    done = carried(brand, tmp_path, found | {"login_page": {"enabled": True, "url": "https://x"}, "colors": "red"})
    told = " | ".join(done.unplaced)
    assert all(each in told for each in ("features.shopping", "login_page: ", "colors", "became create_prorations"))


def test_a_list_gives_its_default(brand, tmp_path):
    other = configuration(subscription_cancel=CANCEL) | {"is_default": True}
    carried(brand, tmp_path, {"object": "list", "data": [configuration(), other]})
    assert brands.load(brand).config.features.subscription_cancel.mode == "immediately"


@pytest.mark.parametrize(
    "found", ["", "{", "[]", "{}", '{"object": "customer"}', '{"object": "list", "data": []}',
              '{"object": "billing_portal.configuration", "features": []}', "[" * 100_000]
)  # fmt: skip
def test_what_is_no_configuration_is_refused(brand, tmp_path, found):
    with pytest.raises(ConfigRefused, match=r"configuration\.json: "):
        carried(brand, tmp_path, found)
    assert (brand / "portal.toml").read_text() == PORTAL


@pytest.mark.parametrize(
    "features",
    [
        {"subscription_cancel": {**CANCEL, "mode": "at_period_end"}},
        {"subscription_cancel": {**CANCEL, "mode": "someday"}},
        {"subscription_cancel": {**CANCEL, "mode": {"a": [{"b": 1}]}}},
        {"subscription_cancel": {**CANCEL, "cancellation_reason": {"enabled": True, "options": ["unused"]}}},
        {"subscription_update": UPDATE, "payment_method_update": {"enabled": False}},
        {"subscription_update": {**UPDATE, "products": "all"}},
    ],
)
def test_a_combination_that_is_not_allowed_changes_nothing(brand, tmp_path, features):
    with pytest.raises((ThemeError, ConfigRefused), match=r"portal\.toml|configuration\.json: \$\.features"):
        carried(brand, tmp_path, configuration(**features))
    assert (brand / "portal.toml").read_text() == PORTAL


def test_the_command_says_what_it_did(brand, tmp_path, monkeypatch, capsys):
    file = tmp_path / "configuration.json"
    file.write_text(json.dumps(configuration(subscription_cancel=CANCEL, shopping={"enabled": True})))
    monkeypatch.setenv("PORTAL_THEMES", str(brand.parent))
    assert commands.main(["config", "import", brand.name, str(file)]) == 0
    told = capsys.readouterr().out
    assert "features.subscription_cancel" in told
    assert "No place for: features.shopping" in told
    assert commands.main(["config", "import", brand.name, str(tmp_path / "nothing.json")]) == 1
    assert "Nothing was changed" in capsys.readouterr().err


# --- odd files ------------------------------------------------------------------------------------------------------------

JUNK = (None, 0, 10**30, 1.5, True, "", "x\0\u202e", "price_1", [], [1], ["a", {"type": 1}], {}, {"a": {"b": [{}]}})


def whole():
    """Every field that Stripe's object has."""
    return configuration(
        customer_update={"enabled": True, "allowed_updates": ["email", "address", "phone", "tax_id", "name", "shipping"]},
        invoice_history={"enabled": True},
        payment_method_update={"enabled": True, "payment_method_configuration": "pmc_1"},
        subscription_cancel=CANCEL,
        subscription_update=UPDATE,
    ) | {"application": None, "login_page": {"enabled": True, "url": "https://billing.stripe.com/p/login/x"},
         "name": "Ours", "is_default": True, "created": 1, "updated": 2}  # fmt: skip


def places(node, path=()):
    """The way to everything in it."""
    yield from ([path] if path else [])
    for key, each in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from places(each, (*path, key))


def put(node, path, value):
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value


def test_the_whole_object_and_the_least_one_are_carried_over(brand, tmp_path):
    done = carried(brand, tmp_path, whole())
    found = brands.load(brand).config.features
    assert found.customer_update.allowed_updates == ("email", "address", "phone", "tax_id", "name", "shipping")
    assert (found.subscription_cancel.mode, found.subscription_update.billing_cycle_anchor) == ("immediately", "now")
    assert found.payment_method_update.payment_method_configuration == "pmc_1"
    assert {each.partition(":")[0] for each in done.unplaced} == {"login_page", "name"}
    before = (brand / "portal.toml").read_text()
    assert carried(brand, tmp_path, {"object": "billing_portal.configuration", "features": {}}).tables == ()
    assert (brand / "portal.toml").read_text() == before


def test_a_file_with_anything_anywhere_is_taken_or_refused_and_never_breaks_the_brand(brand, tmp_path):
    before = (brand / "portal.toml").read_text()
    for number, path in enumerate(places(whole())):
        for junk in JUNK[number % 5 :: 5]:
            odd = json.loads(json.dumps(whole()))
            put(odd, path, junk)
            (brand / "portal.toml").write_text(before)
            try:
                carried(brand, tmp_path, odd)
            except (ConfigRefused, ThemeError):
                assert (brand / "portal.toml").read_text() == before
            else:
                brands.load(brand)


def test_every_path_that_a_key_says_it_has_in_stripes_configuration_is_carried_over(brand, tmp_path):
    """What is declared is what the import does: nothing is named in vain, and nothing that has a place is left out."""
    found = whole()
    found["business_profile"] = {
        "headline": "Hello", "privacy_policy_url": "https://a.example/p", "terms_of_service_url": "https://a.example/t",
    }  # fmt: skip
    found["features"]["subscription_pause"] = {"enabled": True}
    carried(brand, tmp_path, found)
    written = tomllib.loads((brand / "portal.toml").read_text())
    for entry in entries(PortalConfig):
        if entry.stripe and not entry.below:
            theirs, ours = at(found, entry.stripe), at(written, entry.path)
            assert theirs not in (None, [])
            assert ours == [each["type"] for each in theirs] if entry.path.endswith("conditions") else ours == theirs


def at(node, path):
    """What is at a path such as `products[].product`: of the first table of each list."""
    for key in path.split("."):
        node = node[key.removesuffix("[]")]
        node = node[0] if key.endswith("[]") else node
    return node


@pytest.mark.parametrize(
    "reasons",
    [
        '\n[features.subscription_cancel.cancellation_reason]\n# why\noptions = ["other"] # all of them\n',
        '\n[features.subscription_cancel.cancellation_reason]\n# why\noptions = ["other"] # all of them\nenabled = false\n',
    ],
)
def test_comments_in_a_table_below_stay_too(brand, tmp_path, reasons):
    text = PORTAL.replace("\n[features.subscription_restart]", f"{reasons}\n[features.subscription_restart]")
    (brand / "portal.toml").write_text(text)
    carried(brand, tmp_path, configuration(subscription_cancel=CANCEL))
    assert all(each in (brand / "portal.toml").read_text() for each in ("# why", "# all of them"))
    asked = brands.load(brand).config.features.subscription_cancel.cancellation_reason
    assert (asked.enabled, asked.options) == (True, ("too_expensive", "other"))


def test_products_that_stripe_left_out_are_asked_for_by_the_name_of_the_expansion(brand, tmp_path):  # case import 40
    case = Path(__file__).parents[2] / "corpora" / "exports" / "40-portal-configurations.json"
    with pytest.raises(ConfigRefused, match=r"expand\[\]=data\.features\.subscription_update\.products"):
        import_config(brand, case)
    answer = json.loads(case.read_text())
    answer["data"][1]["features"]["subscription_update"]["enabled"] = False
    file = tmp_path / "configuration.json"
    file.write_text(json.dumps(answer))
    assert import_config(brand, file).taken == "bpc_a, the default of 2 configurations"
