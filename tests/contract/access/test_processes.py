"""The promises of log-in with four processes on one database: the totals are those of one. security.md §6, two workers."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from server.access import passcodes
from server.access.limits import Limits
from server.store import Store
from tests.conftest import Clock
from tests.support.processes import processes, try_together
from tests.support.world import BRAND, World

pytestmark = pytest.mark.anyio
AT_ONCE = 64


@pytest.fixture(scope="module")
def pool() -> Iterator[Any]:
    with processes() as started:
        yield started


@pytest.fixture
async def any_world(store: Store, store_url: str, clock: Clock) -> World:
    world = World(store, clock, url=store_url, limits=Limits(on=False))
    await world.customer()
    return world


async def challenge(world: World) -> str:
    browser = world.client()
    await world.ask(browser)
    return browser.cookies[f"__Host-{BRAND}-challenge"]


async def test_four_processes_look_at_five_wrong_codes_of_64(pool: Any, any_world: World) -> None:  # threat 4
    wrong = (await challenge(any_world), await any_world.wrong_code())
    found = Counter(try_together(pool, any_world.url, [wrong] * AT_ONCE, any_world.clock()))
    assert found == {"4": 1, "3": 1, "2": 1, "1": 1, "0": AT_ONCE - 4}
    assert await any_world.store.read("SELECT attempts FROM challenge") == [(passcodes.TRIES,)]
    assert await any_world.count("session") == 0


async def test_of_64_right_codes_in_four_processes_one_logs_in(pool: Any, any_world: World) -> None:  # threat 5
    right = (await challenge(any_world), await any_world.code())
    found = Counter(try_together(pool, any_world.url, [right] * AT_ONCE, any_world.clock()))
    assert found == {"in": 1, "0": AT_ONCE - 1}
    assert (await any_world.count("session"), await any_world.count("activity")) == (1, 1)


async def test_four_processes_share_the_budget_of_an_address(
    pool: Any, any_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:  # threat 7
    """More six-digit codes than would be sent, so that the budget alone can stop the tries."""
    monkeypatch.setattr(passcodes, "OF_STRANGERS", 100)
    tokens = [await challenge(any_world) for _ in range(16)]
    wrong = await any_world.wrong_code()
    tries = [(token, wrong) for token in tokens for _ in range(4)]
    try_together(pool, any_world.url, tries, any_world.clock())
    assert await any_world.store.read("SELECT used FROM budget WHERE kind = 'wrong'") == [(passcodes.WRONG_CODES,)]
    assert await any_world.count("session") == 0
    monkeypatch.undo()
    browser = any_world.client()
    await any_world.ask(browser)
    assert any(len(code) > len("000000") for code in await any_world.codes())  # letters from now on
