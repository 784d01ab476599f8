"""What Stripe answers to previews and writes, with one field after the other in another shape: the page is whole, or it is
refused; a write happens as a whole, whatever is heard of it, and the worker ends it."""

from __future__ import annotations

from itertools import cycle

import msgspec
import pytest
from msgspec.structs import replace

from server.billing import (
    Cancel,
    Move,
    NotFound,
    Pause,
    Refused,
    Restart,
    Retain,
    Stale,
    Unavailable,
    Uncertain,
    Unpause,
)
from server.billing.model.documents import decode_account, encode_account
from server.brands.features import Schedule
from tests.contract.stripe_standin.shop import DAY, MAY
from tests.contract.stripe_writes.counter import CANCEL_NOW, MOVES, PRICES, features
from tests.contract.stripe_writes.test_killing import WRITES
from tests.support.other_shapes import KINDS, Replayed, changes, put

pytestmark = pytest.mark.anyio
NO = (NotFound, Refused, Unavailable, Uncertain)
WRITTEN = ("move at the period's end", "cancel at once", "take the offer", "pay", "change details", "add a tax id")
LATER = features(subscription_update=replace(MOVES, schedule_at_period_end=Schedule(("decreasing_item_amount",))))


async def selling(counter, shop):
    """The catalog is copied, and a code is there to be typed."""
    shop.world.add("coupon", id="stay", percent_off=20, duration="once")
    shop.world.add("coupon", id="half", percent_off=50.0, duration="once", name="Half")
    code = {"coupon": "half", "type": "coupon"}
    shop.world.add("promotion_code", id="promo_spring", code="SPRING", active=True, promotion=code)
    await counter.sell(*PRICES)
    await counter.billing.copied_catalog.refresh("coupon", "stay")


@pytest.fixture
async def replaying(counter):
    """The counter's backend from now on asks a client that repeats what it heard."""
    billing = counter.billing
    real = billing.client

    def begun():
        billing.client = billing.copied_catalog.client = Replayed(real)
        return billing.client

    yield begun
    billing.client = real


@pytest.mark.parametrize("name", WRITTEN)
async def test_a_write_that_is_answered_oddly_happens_as_a_whole(counter, shop, replaying, name):
    await selling(counter, shop)
    write = await WRITES[name](counter, shop)
    client, failed = replaying(), []

    async def sent(key):
        try:
            done = await getattr(counter.billing, write.verb)(counter.by(key), *write.given, **write.named)
        except NO as error:
            return type(error).__name__
        return "stale" if isinstance(done, Stale) else "done"

    assert await sent("whole") == "done"
    wanted, kinds = [asked for asked, _ in client.wrote], cycle(KINDS.items())
    for number, (where, path) in enumerate(changes(client)):
        named, value = next(kinds)
        if (path, named) == (("id",), "text"):
            continue  # an id that is another's is of the right shape
        if not where.startswith(("write", "after") if name == WRITTEN[0] else "write"):
            continue  # what a page shows is below; the account after it is the same for each
        client.begin()
        await counter.billing.refetch("cus_a", counter.now)
        client.begin(where, put(path, value))
        try:
            first = await sent(f"form {number}")
            client.stay()
            await counter.later(minutes=1)
            left = await counter.later(minutes=2)
            steps = list({key: asked for asked, key in client.wrote}.values())
            found = first, left, steps, await sent(f"form {number}")
            account = await counter.billing.account("cus_a", counter.now)
            assert decode_account(encode_account(account)) == account
        except Exception as error:  # noqa: BLE001 (all are told together)
            found = repr(error)
        if found not in (("done", 0, wanted, "done"), ("Uncertain", 0, wanted, "done")):
            failed.append((where, path, named, found))
    assert failed == []


async def test_a_preview_of_another_shape_is_whole_or_refused(counter, shop, replaying):
    counter.features = LATER
    await selling(counter, shop)
    small, large, ended = (shop.subscribe(each) for each in ("price_basic", "price_big", "price_basic"))
    away = shop.subscribe("price_basic")
    await counter.billing.refetch("cus_a", counter.now)
    await counter.do(away, Pause(cycles=1))
    shop.client.v1.subscriptions.cancel(ended.id)
    shop.advance(MAY + 5 * DAY)
    await counter.billing.refetch("cus_a", counter.now)
    asked = [
        (small, Move(price="price_big", code="spring"), LATER),
        (small, Move(price="price_yearly"), LATER),
        (large, Move(price="price_basic"), LATER),
        (small, Cancel(), features(subscription_cancel=CANCEL_NOW)),
        (small, Retain(), LATER),
        (away, Unpause(), LATER),
        (ended, Restart(price="price_basic"), LATER),
    ]
    failed, refused, kinds = [], 0, cycle(KINDS.items())
    for subscription, action, allowed in asked:
        counter.features, client = allowed, replaying()
        whole = await counter.billing.preview(counter.by(), subscription.id, action)
        assert client.answers, action
        for where, path in changes(client):
            for named, value in (next(kinds), next(kinds)):
                client.begin(where, put(path, value))
                try:
                    shown = await counter.billing.preview(counter.by(), subscription.id, action)
                    msgspec.convert(msgspec.to_builtins(shown), type(shown))
                except NO:
                    refused += 1
                except Exception as error:  # noqa: BLE001
                    failed.append((type(action).__name__, where, path, named, repr(error)))
        client.stay()
        assert await counter.billing.preview(counter.by(), subscription.id, action) == whole
    assert failed == []
    assert refused > 50
