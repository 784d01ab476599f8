"""Where the studio computes, and how often it may be asked to, so that customers do not notice it.

    work = await apart(read, folder)

Customers are answered by the event loop of the same process, and Python runs one thread at a time: beside many threads that
compute, each answer would wait for all of them. So what takes long is done one after the other, in one thread, which hands
over after each `TURN`.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
TURN = 0.001
"""Seconds after which the thread that computes lets others go on; Python's own are 0.005."""

_thread = ThreadPoolExecutor(1, thread_name_prefix="studio")


async def apart(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` answers, asked in the studio's thread."""
    return await asyncio.get_running_loop().run_in_executor(_thread, partial(work, *args, **kwargs))


class TooOften(Exception):
    """An operator asked more often than somebody can type."""


class Pace:
    """Counts what each operator asks this process for."""

    def __init__(self, most: int) -> None:
        self._most = most
        """In any second."""
        self._times: dict[str, deque[float]] = {}

    def use(self, address: str) -> None:
        """Count one request of an operator. Raises `TooOften`."""
        now, times = time.monotonic(), self._times.setdefault(address, deque(maxlen=self._most))
        if len(times) == self._most and now - times[0] < 1:
            raise TooOften
        times.append(now)
