"""Many writes at one moment, over several stores of one database."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from server.access.limits import TooMany
from server.store import Store, Transaction, open_store
from tests.support.world import World

OTHERS = 3


async def together(any_world: World, attempts: list[Callable[[Transaction], Any]]) -> list[Any]:
    """Run the writes at one moment, on as many connections as the stores have. Other stores of the same database stand beside
    the world's, in threads with event loops of their own, as other processes would; all begin behind one barrier."""
    barrier = threading.Barrier(OTHERS + 1)
    results: list[Any] = [None] * len(attempts)

    async def run(store: Store, place: int) -> None:
        async def one(number: int) -> None:
            try:
                results[number] = await store.write(attempts[number])
            except TooMany:
                results[number] = "too many"

        barrier.wait(30)
        await asyncio.gather(*map(one, range(place, len(attempts), OTHERS + 1)))

    async def beside(place: int) -> None:
        store = open_store(any_world.url)
        try:
            await run(store, place)
        finally:
            await store.close()

    others = [asyncio.to_thread(asyncio.run, beside(place)) for place in range(OTHERS)]
    running = [asyncio.ensure_future(each) for each in others]
    await asyncio.sleep(0)  # their threads are started
    await run(any_world.store, OTHERS)
    await asyncio.gather(*running)
    return results
