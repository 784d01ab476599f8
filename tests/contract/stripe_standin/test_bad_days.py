"""Faults on the way, repeated requests, and events that come late, twice, never."""

from __future__ import annotations

import asyncio
import hmac
import json
from typing import Any

import httpx
import pytest
import stripe

from tests.contract.stripe_standin.shop import NOON, Shop, item_of
from tests.stripe.app import KEY, VERSION
from tests.stripe.asgi import App
from tests.stripe.faults import Fault
from tests.stripe.serving import listen
from tests.stripe.webhooks import deliver

HEADERS = {"authorization": f"Bearer {KEY}", "stripe-version": VERSION}


def _again(shop: Shop, subscription: stripe.Subscription, key: str, quantity: int) -> stripe.Subscription:
    params: Any = {
        "items": [{"id": item_of(subscription), "quantity": quantity}],
        "proration_behavior": "always_invoice",
    }
    return shop.client.v1.subscriptions.update(subscription.id, params, {"idempotency_key": key})


def _invoices(shop: Shop) -> int:
    return len(shop.client.v1.invoices.list({"customer": "cus_a", "limit": 100}).data)


def test_the_same_key_has_one_effect_and_one_answer(shop: Shop):
    subscription = shop.subscribe()
    shop.advance(NOON)
    first, second = (_again(shop, subscription, "key-1", 2) for _ in range(2))
    assert first.to_dict() == second.to_dict()
    assert second.last_response.headers["idempotent-replayed"] == "true"
    assert _invoices(shop) == 2
    assert [each.replayed for each in shop.standin.log if each.idempotency_key == "key-1"] == [False, True]


def test_the_same_key_for_something_else_is_refused_and_forgotten_after_a_day(shop: Shop):
    subscription = shop.subscribe()
    _again(shop, subscription, "key-1", 2)
    with pytest.raises(stripe.IdempotencyError):
        _again(shop, subscription, "key-1", 3)
    shop.advance(shop.world.now + 24 * 3600)
    assert _again(shop, subscription, "key-1", 3)["items"].data[0].quantity == 3


def test_a_key_whose_answer_is_still_on_its_way_is_a_conflict(shop: Shop):
    shop.standin.faults.append(Fault("late", "customer.update", seconds=0.3))
    headers = HEADERS | {"idempotency-key": "key-1"}

    async def run() -> list[httpx.Response]:
        transport = httpx.ASGITransport(App(shop.standin))
        async with httpx.AsyncClient(transport=transport, base_url="https://stripe.test", headers=headers) as client:
            both = [client.post("/v1/customers/cus_a", data={"name": "Ada"}) for _ in range(2)]
            return [*await asyncio.gather(*both), await client.post("/v1/customers/cus_a", data={"name": "Ada"})]

    first, second, third = asyncio.run(run())
    assert (first.status_code, second.status_code, third.status_code) == (200, 409, 200)
    assert second.json()["error"]["code"] == "idempotency_key_in_use"
    assert third.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("kind", ["lost", "cut", "500_done"])
def test_an_answer_that_is_lost_after_the_effect_is_found_by_the_same_key(shop: Shop, kind: str):
    subscription = shop.subscribe()
    shop.advance(NOON)
    shop.standin.faults.append(Fault(kind, "subscription.update"))
    with pytest.raises(stripe.StripeError):
        _again(shop, subscription, "key-1", 2)
    assert _invoices(shop) == 2
    if kind == "500_done":  # Stripe keeps a 500: the key answers it again, and the state must be asked for
        with pytest.raises(stripe.APIError):
            _again(shop, subscription, "key-1", 2)
    else:
        assert _again(shop, subscription, "key-1", 2)["items"].data[0].quantity == 2
    assert _invoices(shop) == 2


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("refused", stripe.APIConnectionError),
        ("429", stripe.RateLimitError),
        ("lock", stripe.RateLimitError),
        ("500", stripe.APIError),
        ("html", stripe.APIError),
    ],
)
def test_what_fails_before_the_effect_has_none(shop: Shop, kind: str, error: type[Exception]):
    subscription = shop.subscribe()
    shop.standin.faults.append(Fault(kind, "subscription.update"))
    with pytest.raises(error):
        _again(shop, subscription, "key-1", 2)
    assert shop.client.v1.subscriptions.retrieve(subscription.id)["items"].data[0].quantity == 1
    assert _again(shop, subscription, "key-1", 2)["items"].data[0].quantity == 2


def test_a_fault_that_is_not_known_is_refused_with_what_is(shop: Shop):
    with pytest.raises(ValueError, match="allowed is one of 429"):
        Fault("slow")


def test_events_tell_what_happened_newest_first(shop: Shop):
    shop.subscribe()
    types = [
        each.type
        for each in shop.client.v1.events.list({"limit": 100, "types": ["invoice.*", "customer.subscription.created"]})
    ]
    assert types == ["invoice.payment_succeeded", "invoice.paid", "invoice.finalized", "customer.subscription.created",
                     "invoice.created"]  # fmt: skip
    assert shop.client.v1.events.list({"created": {"gt": shop.world.now}}).data == []


def test_what_a_refused_request_did_is_told_to_nobody(shop: Shop):
    subscription = shop.subscribe()
    shop.pays_with("0341")
    before = shop.client.v1.events.list({"limit": 100}).data
    with pytest.raises(stripe.CardError):
        shop.update(subscription, items=[{"id": item_of(subscription), "quantity": 2}],
                    proration_behavior="always_invoice", payment_behavior="error_if_incomplete")  # fmt: skip
    assert [each.id for each in shop.client.v1.events.list({"limit": 100})] == [each.id for each in before]


def _received(shop: Shop) -> list[tuple[dict[str, Any], str, bytes]]:
    """What the webhook endpoint gets of what waits."""
    got = []

    def endpoint(request: httpx.Request) -> httpx.Response:
        got.append((json.loads(request.content), request.headers["stripe-signature"], request.content))
        return httpx.Response(200)

    async def run() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(endpoint)) as client:
            await deliver(shop.world, shop.standin.feed, client)

    asyncio.run(run())
    return got


def test_webhooks_are_signed_so_that_the_sdk_believes_them(shop: Shop):
    made = shop.client.v1.webhook_endpoints.create(
        {"url": "http://127.0.0.1:9/hook", "enabled_events": ["customer.updated"]}
    )
    shop.client.v1.customers.update("cus_a", {"name": "Ada"})
    ((event, signature, body),) = _received(shop)
    assert event["data"]["previous_attributes"] == {"name": None}
    at = signature.split(",")[0].removeprefix("t=")
    signed = hmac.new(made.secret.encode(), f"{at}.".encode() + body, "sha256").hexdigest()
    assert signature == f"t={shop.world.now},v1={signed}"


def test_webhooks_are_lost_doubled_and_out_of_order_as_ordered_and_the_list_has_them_all(shop: Shop):
    shop.client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/hook", "enabled_events": ["*"]})
    shop.standin.feed.lose, shop.standin.feed.double, shop.standin.feed.shuffle = 0.3, 0.3, True
    for number in range(40):
        shop.client.v1.customers.update("cus_a", {"name": f"Ada {number}"})
    ids = [event["id"] for event, _, _ in _received(shop)]
    assert 10 < len(set(ids)) < 40
    assert len(set(ids)) < len(ids)
    assert ids != sorted(ids)
    assert len(shop.client.v1.events.list({"limit": 100, "type": "customer.updated"}).data) == 40


def test_over_a_socket_it_counts_is_late_cuts_and_moves_its_clock(shop: Shop):
    async def run() -> None:
        server, port = await listen(App(shop.standin))
        async with (
            server,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client,
        ):
            assert (await client.get("/v1/customers/cus_a", headers=HEADERS)).json()["email"] == "a@example.com"
            await client.post("/_standin/faults", json={"kind": "cut", "operation": "customer.retrieve"})
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get("/v1/customers/cus_a", headers=HEADERS)
            await client.post(
                "/_standin/faults", json={"kind": "late", "operation": "customer.retrieve", "seconds": 0.3}
            )
            with pytest.raises(httpx.ReadTimeout):
                await client.get("/v1/customers/cus_a", headers=HEADERS, timeout=0.1)
            counted = await client.get("/_standin/log", params={"operation": "customer.retrieve"})
            assert counted.json()["count"] == 3
            before = shop.world.now
            assert (await client.post("/_standin/clock", json={"seconds": 60})).json() == {"now": before + 60}
            assert (await client.post("/_standin/faults", json={"kind": "slow"})).status_code == 400

    asyncio.run(run())
