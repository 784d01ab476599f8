"""The API for a merchant's back end where Stripe bills: the same calls, and customers are Stripe's to tell of."""

import asyncio
from typing import Any

import pytest
import stripe

from server.access.passcodes import open_mail
from tests.contract.stripe_backend.conftest import BRAND
from tests.stripe.faults import Fault
from tests.stripe.world import World
from tests.support.api import back_end
from tests.support.selling import offering

pytestmark = pytest.mark.anyio
EMAIL = f"/{BRAND}/my/details/email"
WRITES = {"customer": "customer.update", "v2.core.account": "v2.core.account.update"}


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


@pytest.mark.parametrize("kind", ["customer", "v2.core.account"])
async def test_the_address_changes_at_stripe_once_it_was_proved(  # F8
    shop: Any, standin: Any, stripe_world: World, kind: str
) -> None:
    rows = stripe_world.tables[kind].values()
    field, old = {"customer": ("email", "jenny@example.com")}.get(kind, ("contact_email", "ivy@example.com"))
    row = next(each for each in rows if each[field] == old)
    if kind == "v2.core.account":
        row["configuration"] = {"customer": {"applied": True}}
    portal = (await back_end(shop)).v1.billing_portal
    features: Any = {"customer_update": {"enabled": True, "allowed_updates": ["email"]}}
    made = await portal.configurations.create_async({"features": features})
    params: Any = {"customer": row["id"], "configuration": made.id}
    browser, other = shop.client(), shop.client()
    for each in (browser, other):
        await each.get((await portal.sessions.create_async(params)).url, follow=True)
    page = await browser.fill(await browser.get(EMAIL), email="new@example.net", follow=True)
    sql = "SELECT id, data FROM outbox WHERE kind = 'email_code' AND data IS NOT NULL"
    ((id_, data),) = await shop.store.read(sql)
    opened = open_mail(shop.settings, id_, bytes(data))
    assert opened
    assert opened.to == "new@example.net"
    # Stripe is away: nothing changes, the proof stays, and the same may be asked for again without the code.
    standin.faults.append(Fault("500", times=99))
    away = await browser.fill(page, code=opened.code)
    assert away.status_code == 503
    assert stripe_world.tables[kind][row["id"]][field] == old
    standin.faults.clear()
    # Stripe does it and answers an error: the account shows that it was done.
    standin.faults.append(Fault("500_done", WRITES[kind]))
    answers = await asyncio.gather(*(browser.fill(away) for _ in range(4)))
    assert [each.status_code for each in answers] == [303] * 4
    assert stripe_world.tables[kind][row["id"]][field] == "new@example.net"
    writes = [each for each in standin.log if each.verb == "post" and each.path.endswith(row["id"])]
    assert [each.fault for each in writes] == ["500_done"], writes
    assert await shop.store.read("SELECT address, email FROM customer WHERE id = :id", {"id": row["id"]}) == [
        ("new@example.net", "new@example.net")
    ]
    assert (await browser.get(f"/{BRAND}/my/details")).status_code == 200
    assert (await other.get(f"/{BRAND}/my/details")).status_code == 401
    told = "SELECT kind, state FROM outbox WHERE kind = 'email_changed'"
    assert await shop.store.read(told) == [("email_changed", "waiting")]
