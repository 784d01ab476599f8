"""Where the studio computes, and how often it may be asked to, so that customers do not notice it.

    work = await apart(read, folder)

Customers are answered by the event loop of the same process, and Python runs one thread at a time: beside many threads that
compute, each answer would wait for all of them. So what takes long is done one after the other, in one thread, which hands
over after each `TURN`.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import monotonic
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
MOST_KNOWN = 1_000
"""Operators, and tokens of theirs, that a `Pace` remembers; the one that was not used for longest goes first."""
TURN = 0.001
"""Seconds after which the thread that computes lets others go on; Python's own are 0.005."""

_thread = ThreadPoolExecutor(1, thread_name_prefix="studio")


async def apart(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` answers, asked in the studio's thread."""
    return await asyncio.get_running_loop().run_in_executor(_thread, partial(work, *args, **kwargs))


class TooOften(Exception):
    """An operator asked more often than somebody can type."""


class Pace:
    """Counts what each operator asks this process for.

    Who asks is known after a look-up in the store. Whoever has spent a second's requests is refused without one, by the
    token of the request: a token is remembered once it has opened something, so nobody can make one up, and nobody is
    refused for what others do.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        """In any second."""
        self._times: OrderedDict[str, deque[float]] = OrderedDict()
        self._whose: OrderedDict[bytes, str] = OrderedDict()

    def use(self, address: str, token: bytes) -> None:
        """Count one request of an operator, who has shown this token. Raises `TooOften`."""
        _put(self._whose, token, address)
        times = _put(self._times, address, self._times.get(address) or deque(maxlen=self._most))
        if self.is_spent(token):
            raise TooOften
        times.append(monotonic())

    def is_spent(self, token: bytes) -> bool:
        """Whether a request that shows this token is refused."""
        times = self._times.get(self._whose.get(token, ""))
        return times is not None and len(times) == self._most and monotonic() - times[0] < 1


def _put(kept: OrderedDict[K, V], key: K, value: V) -> V:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > MOST_KNOWN:
        kept.popitem(last=False)
    return value
