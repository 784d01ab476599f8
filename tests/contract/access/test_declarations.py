"""Declarations made without logging in, over both stores: many at once, and what a row may become."""

import pytest

from server.access import declarations
from server.access.declarations import Content
from server.access.limits import CONFIRMATIONS, DECLARATIONS, Limits
from tests.support.together import together
from tests.support.world import BRAND, World

pytestmark = pytest.mark.anyio
AT_ONCE = 32


def declaring(world: World, contract: str, client: str = "203.0.113.7"):
    said, now = Content("cancel", "Jenny", "jenny@example.com", contract, "ordinary"), world.clock()
    return lambda it: declarations.declare(it, BRAND, Limits(), said, client=client, days=7, now=now)


async def test_of_32_clicks_at_once_one_is_written_down(any_world: World) -> None:
    results = await together(any_world, [declaring(any_world, "Plan")] * AT_ONCE)
    assert sum(each.is_new for each in results) == 1
    assert len({each.case.id for each in results}) == 1
    assert await any_world.count("declaration") == 1


async def test_of_32_declarations_at_once_a_client_makes_ten_and_an_address_gets_five_mails(any_world: World) -> None:
    results = await together(any_world, [declaring(any_world, f"Plan {number}") for number in range(AT_ONCE)])
    made = [each for each in results if each != "too many"]
    assert len(made) == await any_world.count("declaration") == DECLARATIONS[0]
    assert sum(each.is_mailed for each in made) == CONFIRMATIONS[0]


async def test_of_32_answers_at_once_one_counts(any_world: World) -> None:
    made = await any_world.store.write(declaring(any_world, "Plan"))
    now = any_world.clock()

    def answering(number: int):
        return lambda it: declarations.answer(
            it, BRAND, made.case.id, operator=f"{number}@shop.example", words=f"{number}", now=now
        )

    results = await together(any_world, [answering(number) for number in range(AT_ONCE)])
    assert sum(results) == 1
    _, (kept,) = await declarations.of_brand(any_world.store, BRAND)
    assert kept.operator == f"{kept.answer}@shop.example"
    assert kept.document == made.case.document
    late = {"subscription": "sub_1", "ends_at": now, "now": now}
    await any_world.store.write(lambda it: declarations.apply(it, BRAND, made.case.id, **late))
    assert (await declarations.find(any_world.store, BRAND, made.case.id)) == kept
