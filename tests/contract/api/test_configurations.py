"""Configurations: as Stripe's, made from the declarations of `portal.toml`, in force in the sessions that name them."""

from typing import Any

import pytest
import stripe

from server.brands.features import REASONS
from tests.stripe.shapes import checked
from tests.support.accounts import invoice, keep, subscription
from tests.support.api import back_end
from tests.support.client import Client
from tests.support.selling import buyer
from tests.support.world import BRAND, World

pytestmark = pytest.mark.anyio
EVERYTHING: dict[str, Any] = {
    "business_profile": {"headline": "Welcome back", "privacy_policy_url": "https://shop.example/privacy"},
    "default_return_url": "https://shop.example/account",
    "features": {
        "customer_update": {"enabled": True, "allowed_updates": ["name", "tax_id"]},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {
            "enabled": True,
            "mode": "immediately",
            "proration_behavior": "create_prorations",
            "cancellation_reason": {"enabled": True, "options": ["unused", "other"]},
        },
        "subscription_pause": {
            "enabled": True,
            "duration": {
                "type": "interval_options",
                "interval_options": [
                    {"interval": "month", "interval_count": 1},
                    {"interval": "month", "interval_count": 6},
                ],
            },
        },
        "subscription_update": {
            "enabled": True,
            "default_allowed_updates": ["price", "quantity"],
            "products": [
                {
                    "product": "prod_1",
                    "prices": ["price_1", "price_2"],
                    "adjustable_quantity": {"enabled": True, "minimum": 2, "maximum": 9},
                }
            ],
            "proration_behavior": "always_invoice",
            "schedule_at_period_end": {"conditions": [{"type": "shortening_interval"}]},
            "trial_update_behavior": "continue_trial",
        },
    },
    "metadata": {"plan": "b2b"},
    "name": "For companies",
}
ONLY_INVOICES = {"features": {"invoice_history": {"enabled": True}}}


async def test_what_is_created_is_answered_as_stripe_does(any_world: World) -> None:  # F5
    configurations = (await back_end(any_world)).v1.billing_portal.configurations
    made = await configurations.create_async(EVERYTHING)
    for it in (made, await configurations.retrieve_async(made.id), *(await configurations.list_async()).data):
        checked(it.to_dict(), type(it), type(it).__module__)
    features = made.features.to_dict()
    for name, wanted in EVERYTHING["features"].items():
        assert features[name] == {**features[name], **wanted} or name in ("subscription_pause", "subscription_cancel")
    assert features["subscription_cancel"]["cancellation_reason"]["options"] == ["unused", "other"]
    (option,) = features["subscription_pause"]["duration"]["interval_options"]
    assert option == {"interval": "month", "interval_count": 6}
    assert (made.name, made.metadata.to_dict(), made.active, made.is_default) == (
        "For companies",
        {"plan": "b2b"},
        True,
        False,
    )
    assert made.default_return_url == "https://shop.example/account"


async def test_a_feature_that_is_left_out_is_off(any_world: World) -> None:
    made = await (await back_end(any_world)).v1.billing_portal.configurations.create_async(ONLY_INVOICES)
    on = [name for name, table in made.features.to_dict().items() if table["enabled"]]
    assert on == ["invoice_history"]


async def test_an_update_changes_what_it_names_and_nothing_else(any_world: World) -> None:
    configurations = (await back_end(any_world)).v1.billing_portal.configurations
    made = await configurations.create_async(EVERYTHING)
    any_world.clock.forward(seconds=1)
    changed = await configurations.update_async(
        made.id,
        {
            "features": {
                "subscription_cancel": {"enabled": True, "mode": "at_period_end", "proration_behavior": "none"}
            },
            "business_profile": {"headline": ""},
            "metadata": {"plan": "", "for": "all"},
            "active": False,
        },
    )
    expected = made.to_dict()
    expected["features"]["subscription_cancel"] |= {"mode": "at_period_end", "proration_behavior": "none"}
    expected["business_profile"]["headline"] = None
    expected |= {"metadata": {"for": "all"}, "active": False, "updated": made.updated + 1}
    assert changed.to_dict() == expected
    cleared = await configurations.update_async(made.id, {"metadata": "", "default_return_url": "", "name": ""})
    assert (cleared.metadata.to_dict(), cleared.default_return_url, cleared.name) == ({}, None, None)
    assert [each.id for each in (await configurations.list_async({"active": True})).data] == ["bpc_default"]
    assert [each.id for each in (await configurations.list_async({"is_default": False})).data] == [made.id]


@pytest.mark.parametrize(
    ("features", "param"),
    [
        ({"subscription_cancel": {"enabled": True, "mode": "later"}}, "features[subscription_cancel][mode]"),
        ({"subscription_cancel": {"mode": "immediately"}}, "features[subscription_cancel][enabled]"),
        (
            {"subscription_cancel": {"enabled": True, "proration_behavior": "create_prorations"}},
            "features[subscription_cancel][proration_behavior]",
        ),
        (
            {
                "subscription_cancel": {
                    "enabled": True,
                    "cancellation_reason": {"enabled": True, "feedback_options": ["fo_1"]},
                }
            },
            "features[subscription_cancel][cancellation_reason][feedback_options]",
        ),
        (
            {"payment_method_update": {"enabled": True, "payment_method_configuration": "cards"}},
            "features[payment_method_update][payment_method_configuration]",
        ),
        ({"invoice_history": {"enabled": "yes"}}, "features[invoice_history][enabled]"),
        ({"invoice_history": {"enabled": ""}}, "features[invoice_history][enabled]"),
        ("x", "features"),
        (
            {"subscription_cancel": {"enabled": True, "cancellation_reason": {"options": ["other"]}}},
            "features[subscription_cancel][cancellation_reason][enabled]",
        ),
        (
            {
                "subscription_pause": {
                    "duration": {
                        "type": "interval_options",
                        "interval_options": [{"interval": "month", "interval_count": "9" * 5000}],
                    }
                }
            },
            "features[subscription_pause][duration][interval_options][0]",
        ),
        (
            {"subscription_pause": {"enabled": True, "duration": {"type": "indefinite"}}},
            "features[subscription_pause][duration][type]",
        ),
        (
            {
                "subscription_pause": {
                    "duration": {"type": "interval_options", "interval_options": [{"interval": "week"}]}
                }
            },
            "features[subscription_pause][duration][interval_options][0]",
        ),
        (
            {
                "subscription_update": {"enabled": True, "default_allowed_updates": ["price"]},
                "payment_method_update": {"enabled": True},
            },
            "features[subscription_update][products]",
        ),
        (
            {"subscription_update": {"enabled": False, "products": [{"product": "p", "prices": ["a", "b c"]}]}},
            "features[subscription_update][products][0][prices][1]",
        ),
    ],
)
async def test_what_cannot_be_is_refused_by_its_name(world: World, features: Any, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await (await back_end(world)).v1.billing_portal.configurations.create_async({"features": features})
    assert refused.value.param == param
    assert refused.value.code
    assert await world.count("api_configuration") == 0


@pytest.mark.parametrize(
    ("update", "param"),
    [
        ({"active": ""}, "active"),
        ({"features": {"subscription_cancel": {"enabled": ""}}}, "features[subscription_cancel][enabled]"),
        ({"features": "x"}, "features"),
        ({"metadata": "x"}, "metadata"),
        ({"login_page": "x"}, "login_page"),
        ({"business_profile": "x"}, "business_profile"),
    ],
)
async def test_an_update_that_cannot_be_changes_nothing(world: World, update: dict[str, Any], param: str) -> None:
    """A blank in particular switches nothing on."""
    configurations = (await back_end(world)).v1.billing_portal.configurations
    made = await configurations.create_async(ONLY_INVOICES)
    before = await configurations.update_async(made.id, {"active": False})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await configurations.update_async(made.id, update)
    assert refused.value.param == param
    assert (await configurations.retrieve_async(made.id)).to_dict() == before.to_dict()


async def test_the_default_is_the_brands_and_only_read(world: World) -> None:
    configurations = (await back_end(world)).v1.billing_portal.configurations
    default = await configurations.retrieve_async("bpc_default")
    assert default.is_default
    assert default.login_page.url == f"{world.settings.origin}/{BRAND}/p/login/{world.link()}/"
    with pytest.raises(stripe.InvalidRequestError, match=r"portal\.toml"):
        await configurations.update_async("bpc_default", {"name": "x"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await configurations.create_async({**ONLY_INVOICES, "login_page": {"enabled": True}})
    assert refused.value.param == "login_page[enabled]"


async def inside(world: World, params: dict[str, Any]) -> Client:
    """A browser in a session of jenny's that names a configuration made of these."""
    portal = (await back_end(world)).v1.billing_portal
    made = await portal.configurations.create_async(params)
    session = await portal.sessions.create_async({"customer": "cus_jenny", "configuration": made.id})
    browser = world.client()
    assert (await browser.get(session.url)).status_code == 303
    return browser


async def test_it_is_in_force_for_every_page_and_verb_of_the_session(any_world: World) -> None:
    await keep(any_world, buyer(), invoice("in_9"))
    browser = await inside(any_world, {**ONLY_INVOICES, "default_return_url": "https://shop.example/account"})
    page = (await browser.get(f"/{BRAND}/my/overview")).text
    assert "https://shop.example/account" in page
    for path in ("payment-methods", "details"):
        assert f'href="/{BRAND}/my/{path}"' not in page
    form = {"customer": "cus_jenny", "key": "k" * 22, "fingerprint": "x", "name": "Eve", "step": "save"}
    for path in (
        *("payment-methods", "payment-methods/add", "payment-methods/pm_1/default", "payment-methods/pm_1/remove"),
        *("details/contact", "details/address", "details/shipping", "details/tax-ids"),
        *("subscriptions/sub_1/cancel", "subscriptions/sub_1/change", "subscriptions/sub_1/pause"),
        *("subscriptions/sub_1/restart", "subscriptions/sub_1/feedback"),
    ):
        assert (await browser.get(f"/{BRAND}/my/{path}")).status_code == 404, path
        if path != "payment-methods":
            assert (await browser.post(f"/{BRAND}/my/{path}", data=form)).status_code == 404, path
    assert (await browser.get(f"/{BRAND}/my/invoices")).status_code == 200
    own = any_world.client()
    await any_world.log_in(own)
    assert (await own.get(f"/{BRAND}/my/subscriptions/sub_1/cancel")).status_code == 200


async def test_no_page_leads_to_what_it_does_not_offer(world: World) -> None:
    """Nor does a card in trouble, whose parts know no session."""
    await keep(
        world, buyer(subscription(status="past_due", default_payment_method="pm_1"), invoices=(invoice(status="open"),))
    )
    hidden = ("my/payment-methods", "my/invoices", "unpin", "/cancel")
    everything = world.client()
    await world.log_in(everything)
    texts = {"business_profile": {"privacy_policy_url": "https://shop.example/privacy"}}
    browser = await inside(world, {"features": {"customer_update": {"enabled": False}}, **texts})
    for fragment in (False, True):
        full = (await everything.get(f"/{BRAND}/my/overview", fragment=fragment)).text
        assert all(each in full for each in hidden), fragment
        shown = (await browser.get(f"/{BRAND}/my/overview", fragment=fragment)).text
        assert not [each for each in hidden if each in shown]
    page = (await browser.get(f"/{BRAND}/my/overview")).text
    assert "https://shop.example/privacy" in page
    assert f'href="/{BRAND}/account/"' not in page


async def test_what_it_adds_to_the_brands_is_in_force_too(any_world: World) -> None:
    await keep(any_world, buyer(subscription()))
    pause = {"enabled": True, "duration": {"type": "interval_options", "interval_options": [{"interval": "month"}]}}
    browser = await inside(any_world, {"features": {"subscription_pause": pause}})
    page = await browser.get(f"/{BRAND}/my/subscriptions/sub_1/pause")
    done = await browser.fill(page, cycles="1")
    assert done.status_code == 200
    assert "Pausing" in done.text


async def test_a_change_counts_at_once_and_an_inactive_one_makes_no_session(any_world: World) -> None:
    await keep(any_world, buyer())
    browser = await inside(any_world, {"features": {"subscription_cancel": {"enabled": True}}})
    assert (await browser.get(f"/{BRAND}/my/subscriptions/sub_1/cancel")).status_code == 200
    portal = (await back_end(any_world)).v1.billing_portal
    (made, _) = (await portal.configurations.list_async()).data
    change = {"features": {"subscription_cancel": {"enabled": False}}, "active": False}
    await portal.configurations.update_async(made.id, change)
    assert (await browser.get(f"/{BRAND}/my/subscriptions/sub_1/cancel")).status_code == 404
    with pytest.raises(stripe.InvalidRequestError, match="inactive") as refused:
        await portal.sessions.create_async({"customer": "cus_jenny", "configuration": made.id})
    assert refused.value.param == "configuration"


async def test_reasons_are_those_of_the_configuration(world: World) -> None:
    made = await (await back_end(world)).v1.billing_portal.configurations.create_async(
        {
            "features": {
                "subscription_cancel": {
                    "enabled": True,
                    "cancellation_reason": {"enabled": True, "options": list(REASONS[:2])},
                }
            }
        }
    )
    assert made.features.subscription_cancel.cancellation_reason.options == list(REASONS[:2])
