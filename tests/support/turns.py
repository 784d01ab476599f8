"""How often others had the event loop while something went on."""

from __future__ import annotations

import asyncio
from typing import Self


class Turns:
    """Counts the rounds of the event loop from when it is entered."""

    def __init__(self) -> None:
        self.count = 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._take())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _take(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0)
