"""Many writes at one moment, over several stores of one database."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from server.access.limits import TooMany
from server.store import Transaction, open_store
from tests.support.world import World


async def together(any_world: World, attempts: list[Callable[[Transaction], Any]]) -> list[Any]:
    """Run the writes at one moment: each in a thread of its own, all behind one barrier, on as many connections as the
    store has. SQLite has one writer by design; so other stores on the same file stand beside it, as other processes."""
    others = [any_world.store, *(open_store(any_world.url) for _ in range(3))]
    barrier = threading.Barrier(len(attempts))

    def run(place: int) -> object:
        barrier.wait(30)
        try:
            return asyncio.run(others[place % len(others)].write(attempts[place]))
        except TooMany:
            return "too many"

    with ThreadPoolExecutor(len(attempts)) as pool:
        results = list(
            await asyncio.gather(
                *(asyncio.get_running_loop().run_in_executor(pool, run, each) for each in range(len(attempts)))
            )
        )
    for each in others[1:]:
        await each.close()
    return results
