"""The API for a merchant's back end where Stripe bills: the same calls, and customers are Stripe's to tell of."""

from typing import Any

import pytest
import stripe

from tests.contract.stripe_backend.conftest import BRAND
from tests.stripe.faults import Fault
from tests.stripe.world import World
from tests.support.api import back_end
from tests.support.selling import offering

pytestmark = pytest.mark.anyio


@pytest.fixture
def features() -> Any:
    return offering()


def jenny(stripe_world: World) -> str:
    return next(row["id"] for row in stripe_world.tables["customer"].values() if row["email"] == "jenny@example.com")


def running(stripe_world: World, customer: str) -> str:
    rows = stripe_world.tables["subscription"].values()
    return next(
        each["id"]
        for each in rows
        if each["customer"] == customer and each["status"] == "active" and not each["cancel_at"]
    )


async def test_a_session_opens_the_portal_of_a_customer_at_stripe(shop: Any, stripe_world: World) -> None:  # F1
    end = await back_end(shop)
    made = await end.v1.billing_portal.sessions.create_async({"customer": jenny(stripe_world)})
    page = await shop.client().get(made.url, follow=True)
    assert (page.status_code, page.url.path) == (200, f"/{BRAND}/my/overview")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await end.v1.billing_portal.sessions.create_async({"customer": "cus_nobody"})
    assert (refused.value.code, refused.value.param) == ("resource_missing", "customer")


async def test_a_flow_cancels_at_stripe(shop: Any, stripe_world: World) -> None:  # F2, F3
    customer = jenny(stripe_world)
    subscription = running(stripe_world, customer)
    flow = {"type": "subscription_cancel", "subscription_cancel": {"subscription": subscription}}
    params: Any = {"customer": customer, "flow_data": flow}
    create = (await back_end(shop)).v1.billing_portal.sessions.create_async
    browser = shop.client()
    page = await browser.get((await create(params)).url, follow=True)
    done = await browser.fill(await browser.get(f"{page.url.path}?offer=declined"), follow=True)
    assert done.url.path == f"/{BRAND}/my/flow/done", done.text
    there = stripe_world.tables["subscription"][subscription]
    assert (there["cancel_at_period_end"], there["cancel_at"]) != (False, None)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await create(params)
    assert (refused.value.code, refused.value.param) == (
        "already_ending",
        "flow_data[subscription_cancel][subscription]",
    )


async def test_customers_are_asked_for_at_stripe(shop: Any, stripe_world: World) -> None:
    end = await back_end(shop)
    for call in (
        end.v1.customers.list_async({"email": "jenny@example.com"}),
        end.v1.customers.retrieve_async(jenny(stripe_world)),
        end.v1.subscriptions.list_async({"customer": jenny(stripe_world)}),
    ):
        with pytest.raises(stripe.InvalidRequestError, match=r"ask https://api\.stripe\.com"):
            await call


async def test_with_stripe_away_nothing_is_made(shop: Any, standin: Any, stripe_world: World) -> None:
    standin.faults.append(Fault("500", times=99))
    with pytest.raises(stripe.APIError) as refused:
        await (await back_end(shop)).v1.billing_portal.sessions.create_async({"customer": jenny(stripe_world)})
    assert refused.value.http_status == 503
    assert await shop.count("portal_session") == 0
