"""kill -9 at every point of every write: one effect, the same key again, and nothing left open.

Each write is done once to its end. Then a process of its own is killed at each of its points in turn (`support.dying`),
the worker comes, and customer and shop are as if nobody had died.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import pytest
from msgspec.structs import replace

from server.billing import Cancel, Contact, Move, Resume, Retain, Tell, UndoMove, Unpin, rows
from server.billing.stripe.operations import ALONE
from server.brands.features import CustomerUpdate, Schedule
from server.store import Store
from tests.contract.stripe_standin.shop import MAY, NOON, Shop
from tests.contract.stripe_writes.counter import CANCEL_NOW, MOVES, PRICES, Counter, features
from tests.stripe.asgi import App
from tests.stripe.serving import listen
from tests.support.dying import POINTS, Job, Nursery, nursery

__all__ = ["nursery"]
pytestmark = pytest.mark.anyio
WAITS = features(subscription_update=replace(MOVES, schedule_at_period_end=Schedule(("decreasing_item_amount",))))
DETAILS = features(customer_update=CustomerUpdate(allowed_updates=("name", "tax_id")))


class Write(NamedTuple):
    verb: str
    given: tuple[Any, ...] = ()
    named: Mapping[str, Any] = MappingProxyType({})


Arranged = Callable[[Counter, Shop], Awaitable[Write]]


def act(action: Any, price: str = "price_basic", allowed: Any = None, first: Any = None, **more: Any) -> Arranged:
    """An action on a subscription, as its page shows it."""

    async def arranged(counter: Counter, shop: Shop) -> Write:
        counter.features = allowed or counter.features
        subscription = shop.subscribe(price, **more)
        shop.advance(NOON)
        if first:
            await counter.do(subscription, first, key="first")
        shown = ""
        if isinstance(action, Cancel | Move | Retain):
            preview: Any = await counter.billing.preview(counter.by(), subscription.id, action)
            shown = preview.fingerprint
        return Write("apply", (subscription.id, action), {"shown": shown})

    return arranged


async def unpin(counter: Counter, shop: Shop) -> Write:
    shop.card("pm_pinned", "1111")
    return await act(Unpin(), default_payment_method="pm_pinned")(counter, shop)


async def everywhere(_: Counter, shop: Shop) -> Write:
    shop.card("pm_pinned", "1111")
    shop.subscribe(default_payment_method="pm_good")
    return Write("set_default", ("pm_pinned",), {"everywhere": True})


async def remove(_: Counter, shop: Shop) -> Write:
    shop.card("pm_other", "1111")
    shop.subscribe(default_payment_method="pm_good")
    return Write("remove_payment_method", ("pm_good",))


async def pay(_: Counter, shop: Shop) -> Write:
    subscription = shop.subscribe()
    shop.pays_with("0341")
    shop.advance(MAY + 3601)
    return Write("pay", (shop.invoice(subscription).id, "pm_good"))


async def rename(counter: Counter, _: Shop) -> Write:
    counter.features = DETAILS
    return Write("update_customer", (Contact("New Name"),))


async def number_added(counter: Counter, _: Shop) -> Write:
    counter.features = DETAILS
    return Write("add_tax_id", ("eu_vat", "DE136695976"))


async def number_removed(counter: Counter, shop: Shop) -> Write:
    counter.features = DETAILS
    made = shop.client.v1.customers.tax_ids.create("cus_a", {"type": "eu_vat", "value": "DE136695976"})
    return Write("remove_tax_id", (made.id,))


WRITES: dict[str, Arranged] = {
    "cancel at the period's end": act(Cancel()),
    "cancel at once": act(Cancel(), allowed=features(subscription_cancel=CANCEL_NOW)),
    "cancel under a schedule of ours": act(Cancel(), "price_big", WAITS, first=Move(price="price_basic")),
    "resume": act(Resume(), first=Cancel()),
    "move at once": act(Move(price="price_big")),
    "move at the period's end": act(Move(price="price_basic"), "price_big", WAITS),
    "undo a move": act(UndoMove(), "price_big", WAITS, first=Move(price="price_basic")),
    "take the offer": act(Retain()),
    "say why": act(Tell("unused"), first=Cancel()),
    "unpin": unpin,
    "a default for everything": everywhere,
    "remove a method": remove,
    "pay": pay,
    "change details": rename,
    "add a tax id": number_added,
    "remove a tax id": number_removed,
}


def unnumbered(text: str) -> str:
    """Without the numbers in the stand-in's ids: each preview takes some."""
    return re.sub(r"(_standin)\d+", r"\1", text)


class Scene:
    """One shop and its customer, with a database of which only this brand's rows are theirs."""

    def __init__(self, store: Store, database: str, brand: str) -> None:
        self.shop = Shop()
        self.shop.world.add("coupon", id="stay", percent_off=20, duration="once")
        self.counter = Counter(self.shop, store, brand)
        self.store, self.database, self.brand = store, database, brand

    async def arranged(self, write: Arranged) -> Write:
        await self.counter.sell(*PRICES)
        await self.counter.billing.copied_catalog.refresh("coupon", "stay")
        found = await write(self.counter, self.shop)
        self.before, self.log_before = len(self.counter.wrote()), len(self.shop.standin.log)
        self.keys_before = len(self.counter.keys_sent())
        return found

    async def run(self, nursery: Nursery, write: Write, point: str = "", number: int = 0) -> int:
        async with (await listen(App(self.shop.standin)))[0] as server:
            base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            job = Job(self.database, base, self.brand, write.verb, self.counter.by("form"), write.given, dict(write.named),
                      point=point, number=number)  # fmt: skip
            return (await nursery.run(job))[0]

    async def state(self) -> Any:
        """What customer and shop have of it now, and what the history says."""
        account = await self.counter.billing.refetch("cus_a", self.counter.now + timedelta(hours=1))
        lines = await self.counter.billing.history("cus_a")
        told = sorted((each.kind, sorted(each.data.items())) for each in lines)
        return unnumbered(msgspec.json.encode((account, told)).decode())

    async def is_begun(self) -> bool:
        key = {"brand": self.brand, "customer": "cus_a", "key": "form"}
        return bool(await self.store.read(rows.OPERATION, key))

    def wrote(self) -> list[str]:
        return [unnumbered(each) for each in self.counter.wrote()[self.before :]]


@pytest.fixture
def scenes(sqlite_store: Store, sqlite_url: str) -> Callable[[], Scene]:
    numbers = itertools.count()
    return lambda: Scene(sqlite_store, sqlite_url, f"brand{next(numbers)}")


@pytest.mark.parametrize("name", WRITES)
async def test_a_process_that_is_killed_at_any_point_leaves_one_effect(scenes, nursery, name):
    whole = scenes()
    assert await whole.run(nursery, await whole.arranged(WRITES[name])) == 0
    wanted, steps = await whole.state(), whole.wrote()
    assert steps
    stored = range(1, nursery.stored + 1)
    points = [
        (point, number) for point in POINTS for number in (stored if point == "stored" else range(1, len(steps) + 1))
    ]
    for point, number in points:
        scene = scenes()
        write = await scene.arranged(WRITES[name])
        assert await scene.run(nursery, write, point, number) == -9, (point, number)
        await brought_to_its_end(scene, write)
        assert (await scene.state(), scene.wrote()) == (wanted, steps), (point, number)
        keys_are_kept(scene, dies_in=steps[number - 1] if point in ("sent", "answered") else "")
        assert scene.shop.standin.violations == []


async def brought_to_its_end(scene: Scene, write: Write) -> None:
    """By the worker, where the operation was kept; else nothing was done, and the customer sends the form again."""
    begun, counter = await scene.is_begun(), scene.counter
    if not begun:
        assert scene.wrote() == []
    await counter.later(minutes=1)
    assert await counter.later(minutes=2) == 0
    billing, by = counter.begun(), replace(counter.by("form"), now=counter.now + ALONE + timedelta(seconds=1))
    await getattr(billing, write.verb)(by, *write.given, **write.named)
    assert await counter.later(minutes=3) == 0


def keys_are_kept(scene: Scene, *, dies_in: str) -> None:
    """Each request has one key, however often it is sent; the one in which the process died was sent twice."""
    log = scene.shop.standin.log
    posts = [each for each in log if each.idempotency_key.startswith("postern-")][scene.keys_before :]
    for key in {each.idempotency_key for each in posts}:
        first, *others = (each for each in posts if each.idempotency_key == key)
        assert all((each.path, each.params, each.replayed) == (first.path, first.params, True) for each in others)
    if dies_in:
        verb, _, path = dies_in.partition(" ")
        assert sum((each.verb, unnumbered(each.path)) == (verb, path) for each in log[scene.log_before :]) == 2, dies_in
