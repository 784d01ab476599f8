"""Stripe's webhook: what is signed is taken once, and nothing else gets as far as the store."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from msgspec.structs import replace

from server.billing.stripe import signatures
from server.settings import StripeSecrets, stripe_suffix
from tests.stripe.webhooks import signature
from tests.support.world import BRAND, ORIGIN, SETTINGS, World, brands
from tests.unit.security.test_broken_requests import asked, scope_of

pytestmark = pytest.mark.anyio
SECRET = "whsec_0123456789abcdef"
URL = f"/{BRAND}/webhooks/stripe"


@pytest.fixture
def shop(any_world):
    """A portal whose brands Stripe bills, with a webhook secret."""
    return stripe_world(any_world.store, any_world.clock, SECRET)


def stripe_world(store, clock, secret):
    found = StripeSecrets("rk_test_0123456789", secret)
    settings = replace(SETTINGS, stripe={stripe_suffix(each.name): found for each in brands()})
    return World(store, clock, settings=settings, backend="stripe")


NO_PAGE = {
    "sec-fetch-site": None,
    "sec-fetch-mode": None,
    "sec-fetch-dest": None,
    "origin": None,
    "content-type": "application/json",
}


def event(**changed):
    head = {"id": "evt_1", "object": "event", "created": 1, "livemode": False, "type": "customer.updated"}
    return json.dumps(head | {"data": {"object": {"object": "customer", "id": "cus_1"}}} | changed).encode()


async def send(world, body, *, secret=SECRET, after=0, header=None, **headers):
    """Post it as Stripe does: no cookie, no origin, no page."""
    at = int(world.clock().timestamp()) + after
    signed = {"stripe-signature": signature(secret, body, at) if header is None else header}
    sent = {**NO_PAGE, **signed, **headers}
    return await world.client().post(URL, content=body, headers=sent)


async def marked(world):
    return [row[2] for row in await world.rows("stripe_dirty")]


async def test_a_signed_event_marks_what_it_touches(shop):
    answer = await send(shop, event())
    assert answer.status_code == 200
    assert await marked(shop) == ["cus_1"]


async def test_an_event_that_breaks_off_is_no_fault_of_ours(shop, caplog):  # threats 94, 95
    part = {"type": "http.request", "body": b"{", "more_body": True}
    signed = scope_of("POST", URL, (b"stripe-signature", b"t=1,v1=0"), (b"content-type", b"application/json"))
    with caplog.at_level(logging.ERROR):
        status, _ = await asked(shop, signed, part, {"type": "http.disconnect"})
    assert (status, caplog.records) == (400, [])


@pytest.mark.parametrize("secret", ["whsec_another0123456789", ""])
async def test_an_event_that_another_key_signed_is_refused(shop, secret):  # threat 88
    assert (await send(shop, event(), secret=secret)).status_code == 400
    assert await marked(shop) == []


def test_an_empty_secret_signs_nothing(clock):  # threat 88
    header = signature("", event(), int(clock().timestamp()))
    assert not signatures.is_genuine(header, event(), "", clock())


async def test_a_brand_without_a_webhook_secret_has_no_webhook(sqlite_store, clock):  # threat 88
    bare = stripe_world(sqlite_store, clock, "")
    assert (await send(bare, event(), secret="")).status_code == 404


@pytest.mark.parametrize(("after", "status"), [(-301, 400), (-299, 200), (299, 200), (301, 400), (3600, 400)])
async def test_an_old_event_and_one_of_the_future_are_refused(shop, after, status):  # threat 89
    assert (await send(shop, event(), after=after)).status_code == status


async def test_the_same_event_again_is_taken_and_does_nothing(shop):  # threat 89
    for _ in range(2):
        assert (await send(shop, event())).status_code == 200
    assert len(await shop.rows("stripe_event")) == 1
    assert [row[3] for row in await shop.rows("stripe_dirty")] == [1]


async def test_the_signature_is_over_the_bytes_as_they_came(shop):  # threat 90
    body = event()
    header = signature(SECRET, body, int(shop.clock().timestamp()))
    assert (await send(shop, json.dumps(json.loads(body), indent=1).encode(), header=header)).status_code == 400
    assert (await send(shop, body, header=header)).status_code == 200


async def test_of_32_copies_at_once_one_counts_and_all_are_taken(shop):  # threat 91
    answers = await asyncio.gather(*(send(shop, event()) for _ in range(32)))
    assert {each.status_code for each in answers} == {200}
    assert len(await shop.rows("stripe_event")) == 1
    assert [row[3] for row in await shop.rows("stripe_dirty")] == [1]


@pytest.mark.parametrize("changed", [{"livemode": True}, {"account": "acct_other"}])
async def test_an_event_of_the_other_mode_or_of_another_account_is_kept_and_has_no_effect(shop, changed):  # threat 93
    assert (await send(shop, event(**changed))).status_code == 200
    assert len(await shop.rows("stripe_event")) == 1
    assert await marked(shop) == []


async def test_an_event_of_an_older_version_is_a_pointer_all_the_same(shop):  # threat 93
    old = {"api_version": "2019-01-01", "data": {"object": {"object": "customer", "id": "cus_1", "balance": "?"}}}
    assert (await send(shop, event(**old))).status_code == 200
    assert await marked(shop) == ["cus_1"]


class NoStore:
    def __getattr__(self, name):
        raise AssertionError(f"the store was asked ({name})")


async def test_a_body_that_is_not_signed_costs_no_statement(shop):  # threat 94
    portal = shop.state.portals[BRAND]
    shop.state.portals[BRAND] = type(portal)(
        **{name: getattr(portal, name) for name in portal.__slots__} | {"store": NoStore()}
    )
    for number in range(1000):
        header = "" if number % 2 else f"t={int(shop.clock().timestamp())},v1={number:064x}"
        assert (await send(shop, event(), header=header)).status_code in (400, 403)


async def test_a_large_body_is_cut_off_before_it_is_hashed(shop):  # threat 94
    assert (await send(shop, b"x" * 10_000_000)).status_code == 413
    junk = b"{" * (1024 * 1024)
    assert (await send(shop, junk, header="t=1,v1=00")).status_code == 400
    assert (await send(shop, junk)).status_code == 400  # signed, and no event


@pytest.mark.parametrize(
    "header", ["t=,v1=", "v1=00", "t=1", "t=1,t=2,v1=00", "t=" + "9" * 400, "\x00", "t=-1,v1=0", "," * 5000]
)
async def test_an_odd_signature_is_refused(shop, header):
    assert (await send(shop, event(), header=header)).status_code in (400, 403)


async def test_a_page_cannot_post_there_without_a_signature(shop):
    unsigned = {**NO_PAGE, "cookie": "x=y", "sec-fetch-site": "cross-site"}
    answer = await shop.client().post(URL, content=event(), headers=unsigned)
    assert answer.status_code == 403
    signed = await send(shop, event(), origin=ORIGIN, cookie="x=y")
    assert signed.status_code == 200
    assert "set-cookie" not in signed.headers
