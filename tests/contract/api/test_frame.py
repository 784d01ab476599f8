"""The frame of the API: keys, errors, idempotency, limits. Every call is the official SDK's, or plain HTTP where it has none."""

import asyncio
import json
import re
from io import StringIO
from typing import Any

import httpx
import pytest
import stripe
from msgspec.structs import replace

from server import telemetry
from server.access import api_keys, portal_sessions
from server.access.sealing import Sealer
from server.features.api import replays
from server.store import Transaction
from server.store.telling import VERSION
from tests.conftest import Clock
from tests.stripe.shapes import checked
from tests.support.accounts import keep, subscription
from tests.support.api import back_end, key_for, sdk
from tests.support.selling import buyer
from tests.support.served import PLAIN
from tests.support.together import together
from tests.support.world import BRAND, SETTINGS, World

pytestmark = pytest.mark.anyio
SESSIONS = "/v1/billing_portal/sessions"
CONFIGURATIONS = "/v1/billing_portal/configurations"


def http(world: World, key: str = "", **headers: str) -> httpx.AsyncClient:
    shown = {"authorization": f"Bearer {key}", **headers} if key else headers
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(world.app), base_url=world.settings.origin, headers=shown, verify=PLAIN
    )


async def test_a_key_that_is_none_opens_nothing(any_world: World) -> None:
    await any_world.customer()
    for key in ("sk_test_" + "0" * 48, "rk_live_x", "x"):
        with pytest.raises(stripe.AuthenticationError) as refused:
            await sdk(any_world, key).v1.billing_portal.sessions.create_async({"customer": "cus_jenny"})
        assert refused.value.http_status == 401
        assert key not in str(refused.value) or len(key) < 20
    answer = await http(any_world).get(CONFIGURATIONS)
    assert answer.status_code == 401
    assert "did not provide an API key" in answer.json()["error"]["message"]


async def test_a_revoked_key_opens_nothing(any_world: World) -> None:
    key = await key_for(any_world)
    await sdk(any_world, key).v1.billing_portal.configurations.list_async()
    (kept,) = await api_keys.of_brand(any_world.store, BRAND)
    assert kept.used_at == any_world.clock()
    await any_world.store.write(lambda it: api_keys.revoke(it, BRAND, kept.id, any_world.clock()))
    with pytest.raises(stripe.AuthenticationError):
        await sdk(any_world, key).v1.billing_portal.configurations.list_async()


async def test_the_store_does_not_hold_the_key_and_no_hash_that_could_be_tried(any_world: World) -> None:
    key = await key_for(any_world)
    kept = repr(await any_world.rows("api_key"))
    assert key not in kept
    assert key[8:] not in kept
    (row,) = await any_world.store.read("SELECT mac FROM api_key")
    other = replace(SETTINGS, secrets=(b"another secret of the tests, 0123456789",))
    assert await api_keys.find(any_world.store, other, key) is None
    assert bytes(row[0]) == api_keys._macs(SETTINGS, key)[0]


async def test_a_key_goes_on_after_the_secrets_were_changed(any_world: World) -> None:
    key, old = await key_for(any_world), SETTINGS.secrets
    new = replace(SETTINGS, secrets=(b"the new secret of these tests, 0123456789", *old))
    found = await api_keys.find(any_world.store, new, key)
    assert found
    await any_world.store.write(lambda it: api_keys.used(it, new, key, found, any_world.clock()))
    assert await api_keys.find(any_world.store, replace(new, secrets=new.secrets[:1]), key)


@pytest.mark.parametrize("permission", api_keys.PERMISSIONS)
async def test_a_restricted_key_does_what_it_names_and_nothing_else(any_world: World, permission: str) -> None:
    await any_world.customer()
    end = await back_end(any_world, permission)
    portal = end.v1.billing_portal
    calls = {
        "portal.sessions": lambda: portal.sessions.create_async({"customer": "cus_jenny"}),
        "portal.configurations": portal.configurations.list_async,
        "customers.read": lambda: end.v1.customers.retrieve_async("cus_jenny"),
    }
    for needed, call in calls.items():
        if needed == permission:
            await call()
        else:
            with pytest.raises(stripe.PermissionError, match=needed):
                await call()


async def test_a_restricted_key_expands_only_what_it_may_read(any_world: World) -> None:
    await any_world.customer()
    params: Any = {"customer": "cus_jenny", "expand": ["configuration"]}
    end = await back_end(any_world, "portal.sessions")
    with pytest.raises(stripe.PermissionError, match=r"portal\.configurations"):
        await end.v1.billing_portal.sessions.create_async(params)
    both = await back_end(any_world, "portal.sessions", "portal.configurations")
    made = await both.v1.billing_portal.sessions.create_async(params)
    assert not isinstance(made.configuration, str)
    assert await any_world.count("portal_session") == 1
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        await both.v1.billing_portal.sessions.create_async({**params, "expand": [{"customer": "x"}]})


async def refused_as_missing(call: Any, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await call
    assert (refused.value.code, refused.value.param) == ("resource_missing", param)


async def test_keys_of_one_brand_and_mode_open_nothing_of_another(any_world: World) -> None:
    await any_world.customer()
    await any_world.customer("cus_orbit", "olga@example.com", brand="orbit")
    mine = await back_end(any_world)
    made = await mine.v1.billing_portal.configurations.create_async(
        {"features": {"invoice_history": {"enabled": True}}}
    )
    others = {
        "another brand": await back_end(any_world, brand="orbit"),
        "the other mode": await back_end(any_world, live=True),
    }
    for other in others.values():
        portal = other.v1.billing_portal
        await refused_as_missing(portal.sessions.create_async({"customer": "cus_jenny"}), "customer")
        await refused_as_missing(portal.configurations.retrieve_async(made.id), "configuration")
        await refused_as_missing(portal.configurations.update_async(made.id, {"name": "x"}), "configuration")
        await refused_as_missing(other.v1.customers.retrieve_async("cus_jenny"), "id")
        await refused_as_missing(other.v1.subscriptions.list_async({"customer": "cus_jenny"}), "customer")
        listed = await portal.configurations.list_async()
        assert made.id not in [each.id for each in listed.data]
        assert not (await other.v1.customers.list_async({"email": "jenny@example.com"})).data
    await refused_as_missing(mine.v1.billing_portal.sessions.create_async({"customer": "cus_orbit"}), "customer")
    with pytest.raises(stripe.InvalidRequestError, match="test mode, but a live mode key"):
        await others["the other mode"].v1.customers.retrieve_async("cus_jenny")
    assert await any_world.count("portal_session") == 0


async def test_what_the_api_does_not_have_is_told_in_the_words_that_sdks_read(world: World) -> None:
    portal = await back_end(world)
    for call in (
        portal.v1.prices.create_async({"currency": "eur"}),
        portal.v1.customers.delete_async("cus_jenny"),
        portal.v1.subscriptions.retrieve_async("sub_1"),
        portal.v1.checkout.sessions.create_async({}),
    ):
        with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL") as refused:
            await call
        assert refused.value.http_status == 404


async def test_another_account_is_refused_and_not_taken_for_this_one(world: World) -> None:
    await world.customer()
    end = await back_end(world)
    for meant in ({"stripe_account": "acct_1"}, {"stripe_context": "acct_1"}):
        with pytest.raises(stripe.PermissionError, match="one account"):
            await end.v1.billing_portal.sessions.create_async({"customer": "cus_jenny"}, meant)
    assert await world.count("portal_session") == 0


async def test_customers_and_subscriptions_are_as_stripe_writes_them(any_world: World) -> None:
    await keep(any_world, buyer(subscription()))
    end = await back_end(any_world)
    (customer,) = (await end.v1.customers.list_async({"email": "Jenny@Example.com"})).data
    listed = await end.v1.subscriptions.list_async({"customer": customer.id})
    for it in (customer, await end.v1.customers.retrieve_async(customer.id), *listed.data):
        checked(it.to_dict(), type(it), type(it).__module__)
    (bought,) = listed.data
    assert (bought.currency, bought["items"].data[0].price.currency) == ("eur", "eur")


async def test_cookies_are_nothing_to_the_api_and_keys_nothing_to_pages(world: World) -> None:
    await world.customer()
    browser, key = world.client(), await key_for(world)
    await world.log_in(browser)
    form = {"customer": "cus_jenny"}
    evil = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    refused = await browser.post(SESSIONS, data=form, headers=evil)
    assert refused.status_code == 403
    own = await browser.post(SESSIONS, data=form)
    assert own.status_code == 403  # no page of ours posts there either
    assert (await browser.get(CONFIGURATIONS)).status_code == 401
    assert (await http(world, key).post(SESSIONS, data=form)).status_code == 200
    shown = {"authorization": f"Bearer {key}"}
    for path in (
        f"/{BRAND}/logout",
        f"/{BRAND}/login",
        f"{SESSIONS}/x/../../../{BRAND}/logout",
        "/v1/anything",
        "/v1/any.thing",
        "/v1",
    ):
        assert (await browser.post(path, data=form, headers={**evil, **shown})).status_code in (400, 403, 404), path
    assert await world.count("session") == 1


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"customer": {"id": "cus_jenny"}}, "found a hash; allowed: the id of a customer"),
        ({"customer": "cus_jenny", "flow_data": "x"}, "found 'x'; allowed: a hash"),
        (
            {"customer": "cus_jenny", "flow_data": {"subscription_update_confirm": {"items": "x"}}},
            "found 'x'; allowed: a list of hashes",
        ),
    ],
)
async def test_what_is_wrong_is_said_in_the_words_of_a_form(world: World, params: Any, said: str) -> None:
    await world.customer()
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await (await back_end(world)).v1.billing_portal.sessions.create_async(params)
    assert str(refused.value.user_message).endswith(said)


async def test_an_unknown_parameter_is_refused_by_name_at_every_depth(world: World) -> None:
    await world.customer()
    key = await key_for(world)
    wrong = {
        SESSIONS: (
            "customers",
            "flow_data[typ]",
            "flow_data[after_completion][redirect][url]",
            "flow_data[subscription_cancel][retention][coupon]",
        ),
        CONFIGURATIONS: (
            "feature",
            "features[invoices]",
            "features[subscription_cancel][when]",
            "features[subscription_update][schedule_at_period_end][when]",
            "business_profile[name]",
        ),
    }
    for path, names in wrong.items():
        for name in names:
            answer = await http(world, key).post(
                path,
                data={"customer": "cus_jenny", "features[invoice_history][enabled]": "true", name: "x"}
                if path == CONFIGURATIONS
                else {"customer": "cus_jenny", name: "x"},
            )
            error = answer.json()["error"]
            assert (answer.status_code, error["code"]) == (400, "parameter_unknown"), (name, error)
            assert error["param"] in (name, "customer")
            if path == SESSIONS:
                assert error["param"] == name
    answer = await http(world, key).get(f"{CONFIGURATIONS}?limits=3")
    assert answer.json()["error"]["param"] == "limits"
    assert await world.count("portal_session") == 0


@pytest.mark.parametrize(
    "form",
    [
        b"customer=a&customer=b",
        b"customer[x]=a&customer=b",
        b"flow_data=x&flow_data[type]=y",
        b"a" * 300,
        b"a[b",
        b"=x",
        b"customer=%ff",
        b"customer=a%00b",
        b"a" + b"[b]" * 9 + b"=x",
        b"&".join(b"a[%d]=1" % each for each in range(1001)),
    ],
)
async def test_a_broken_form_is_refused_with_words(world: World, form: bytes) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    answer = await http(world, await key_for(world)).post(SESSIONS, content=form, headers=kind)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.headers["request-id"].startswith("req_")


async def test_a_body_beyond_64_kib_or_of_another_kind_is_refused(world: World) -> None:
    client = http(world, await key_for(world))
    kind = {"content-type": "application/x-www-form-urlencoded"}
    answer = await client.post(SESSIONS, content=b"customer=" + b"a" * 64 * 1024, headers=kind)
    assert answer.status_code == 413
    assert "error" in answer.json()
    assert (await client.post(SESSIONS, json={"customer": "cus_jenny"})).status_code == 400


async def test_every_answer_has_an_id_and_the_version(world: World) -> None:
    client = http(world, await key_for(world), **{"stripe-version": "2020-08-27"})
    answers = [
        await client.get(CONFIGURATIONS),
        await client.get("/v1/coupons"),
        await client.get(f"{CONFIGURATIONS}/bpc_nobodys"),
    ]
    assert [each.status_code for each in answers] == [200, 404, 404]
    assert len({each.headers["request-id"] for each in answers}) == 3
    assert {each.headers["stripe-version"] for each in answers} == {VERSION}
    assert all(each.headers["cache-control"] == "no-store" for each in answers)
    assert "Unrecognized request URL (GET: /v1/coupons)" in answers[1].json()["error"]["message"]


async def test_the_same_key_with_the_same_request_answers_the_same(any_world: World, clock: Clock) -> None:
    await any_world.customer()
    end = await back_end(any_world)
    create, options = end.v1.billing_portal.sessions.create_async, {"idempotency_key": "order 7"}
    first = await create({"customer": "cus_jenny"}, options)
    again = await create({"customer": "cus_jenny"}, options)
    assert (again.id, again.url) == (first.id, first.url)
    headers = again.last_response.headers
    assert headers["idempotent-replayed"] == "true"
    assert headers["original-request"] == first.last_response.headers["request-id"]
    with pytest.raises(stripe.IdempotencyError):
        await create({"customer": "cus_jenny", "locale": "de"}, options)
    with pytest.raises(stripe.InvalidRequestError):
        await create({"customer": "cus_nobody"}, {"idempotency_key": "order 8"})
    await create({"customer": "cus_jenny"}, {"idempotency_key": "order 8"})  # a refusal is not kept
    with pytest.raises(stripe.IdempotencyError):
        await create({"customer": "cus_jenny"}, {"idempotency_key": "x" * 256})
    assert first.url.rpartition("/")[2].encode() not in b"".join(
        bytes(each[3]) for each in await any_world.rows("api_request")
    )
    clock.forward(hours=25)
    assert (await create({"customer": "cus_jenny", "locale": "de"}, options)).id != first.id


async def test_64_creations_with_one_key_make_one_session(any_world: World) -> None:
    await any_world.customer()
    now, sealer = any_world.clock(), Sealer(any_world.settings.secrets)

    def change(transaction: Transaction) -> dict[str, Any]:
        made = portal_sessions.create(transaction, BRAND, "cus_jenny", portal_sessions.Terms(is_live=False), now)
        return {"id": made.id, "url": made.token}

    def create(number: int) -> Any:
        it = replays.named("key_1", "once", ("POST", SESSIONS, b"customer=cus_jenny"), f"req_{number}", now)
        return lambda transaction: replays.once(transaction, sealer, it, change)

    answers = await together(any_world, [create(each) for each in range(64)])
    assert len({each.body if isinstance(each, replays.Replay) else each for each in answers}) == 1
    assert sum(isinstance(each, bytes) for each in answers) == 1
    assert await any_world.count("portal_session") == 1
    # And by the SDK, on one server.
    create_async = (await back_end(any_world)).v1.billing_portal.sessions.create_async
    made = await asyncio.gather(
        *(create_async({"customer": "cus_jenny"}, {"idempotency_key": "sdk"}) for _ in range(8))
    )
    assert len({each.url for each in made}) == 1
    assert await any_world.count("portal_session") == 2


async def test_a_key_that_asks_too_often_hears_when_to_try_again(any_world: World, clock: Clock) -> None:
    key = await key_for(any_world)
    await any_world.store.write(
        lambda it: it.count(
            "INSERT INTO budget (brand, kind, subject, starts_at, used, expires_at) SELECT brand, 'api', id, 0, 250, :ends FROM api_key",
            {"ends": int(clock().timestamp() + 7) * 1_000_000},
        )
    )
    with pytest.raises(stripe.RateLimitError) as refused:
        await sdk(any_world, key).v1.billing_portal.configurations.list_async()
    assert refused.value.headers["retry-after"] == "7"
    other = await back_end(any_world)
    await other.v1.billing_portal.configurations.list_async()
    clock.forward(seconds=8)
    await sdk(any_world, key).v1.billing_portal.configurations.list_async()


async def test_a_list_is_read_page_by_page_both_ways(any_world: World, clock: Clock) -> None:
    end = await back_end(any_world)
    configurations = end.v1.billing_portal.configurations
    made = []
    for _ in range(5):
        clock.forward(seconds=1)
        made.insert(0, (await configurations.create_async({"features": {"invoice_history": {"enabled": True}}})).id)
    everything = [*made, "bpc_default"]
    found = await configurations.list_async({"limit": 2})
    assert [each.id async for each in found.auto_paging_iter()] == everything
    back = await configurations.list_async({"limit": 2, "ending_before": everything[4]})
    assert [each.id for each in back.data] == everything[2:4]
    assert back.has_more
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await configurations.list_async({"starting_after": "bpc_nobodys"})
    assert (refused.value.code, refused.value.param) == ("resource_missing", "starting_after")


async def test_no_secret_of_a_request_is_in_the_log(world: World, stream: StringIO) -> None:
    await world.customer()
    key = await key_for(world)
    made = await sdk(world, key).v1.billing_portal.sessions.create_async({"customer": "cus_jenny"})
    await world.client().get(made.url)
    # What the two clients of this test write themselves is not the server's.
    said = "".join(
        line for line in stream.getvalue().splitlines(True) if not re.search('"logger": "(stripe|httpx)', line)
    )
    assert made.last_response.headers["request-id"] in said
    assert key not in said
    for secret in (key, made.url):
        assert secret[-20:] not in telemetry.redacted(f"a line with {secret} in it")
    assert made.url.rpartition("/")[2] not in said
    assert json.loads(next(line for line in said.splitlines() if '"api"' in line))["brand"] == BRAND
