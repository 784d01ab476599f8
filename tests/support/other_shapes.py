"""Answers of Stripe's in the shape of another version: a client that repeats what was answered, with one field changed."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable, Iterator
from pathlib import Path as File
from typing import Any

from server.billing.stripe import fetching
from server.billing.stripe.client import Client, Raw
from tests.stripe.app import KEY

Change = Callable[[Any], None]
Path = tuple[str | int, ...]
GONE = object()
KINDS: dict[str, Any] = {
    "gone": GONE,
    "null": None,
    "text": "novel",
    "list": [7],
    "object": {"novel": [1]},
    "huge": 10**30,
}
"""What comes in the place of a value."""
_CODE = [each.read_text("utf-8") for each in File(fetching.__file__).parent.glob("*.py") if each.stem != "fields"]
READ = set(re.findall(r"\w+", "".join(_CODE)))
"""The names of the fields that the portal may read, and some more."""


class Replayed(Client):
    """Asks the real client once, then repeats its answers. `change` is done to a copy of those of one place: a method and
    a path without ids, before or after the first write. Nothing else than its first round reaches Stripe."""

    def __init__(self, real: Client) -> None:
        super().__init__(KEY, base="http://stripe.test")
        self._real = real
        self.answers: dict[tuple[str, str, str, str], Raw] = {}
        self._packed: dict[tuple[str, str, str, str], bytes] = {}
        self.wrote: list[tuple[str, str]] = []
        self.where, self.change = "", _nothing

    def begin(self, where: str = "", change: Change | None = None) -> None:
        """Another round, with that change in it."""
        self.wrote, self.where, self.change = [], where, change or _nothing

    def stay(self) -> None:
        """The round goes on without its change."""
        self.where = ""

    async def _ask(self, method: str, path: str, params: Any, *, key: str) -> Raw:
        phase = "after" if self.wrote else "before"
        if key:
            self.wrote.append((f"{method} {path}", key))
            phase = "write"
        asked = (phase, method, path, repr(sorted(params.items())))
        if asked not in self.answers:
            self.answers[asked] = await self._real._ask(method, path, params, key=key)
            self._packed[asked] = pickle.dumps(self.answers[asked])
        answer = pickle.loads(self._packed[asked])  # noqa: S301 (a third of the time of a deep copy, and ours)
        if place_of(asked) == self.where:
            self.change(answer)
        return answer

    async def close(self) -> None:
        await super().close()
        await self._real.close()


def place_of(asked: tuple[str, str, str, str]) -> str:
    phase, method, path, _ = asked
    return f"{phase} {method} " + re.sub(r"/(cus|acct|sub|in|re|pm|cs|txi|promo|price|prod|si|seti)_\w+", "/ID", path)


def _nothing(_: Any) -> None:
    pass


def paths_of(value: Any, path: Path = ()) -> Iterator[Path]:
    """Of everything in there that is read; of a list, the way into its first."""
    if path and path[-1] not in READ and path[-1] != 0:
        return
    if path:
        yield path
    inside: Any = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for name, each in inside:
        yield from paths_of(each, (*path, name))


def put(path: Path, value: Any) -> Change:
    def change(answer: Any) -> None:
        *way, last = path
        for step in way:
            if not (isinstance(answer, dict) and step in answer) and not (isinstance(answer, list) and answer):
                return
            answer = answer[step]
        if isinstance(answer, dict) and value is GONE:
            answer.pop(last, None)
        elif isinstance(answer, list) and value is GONE:
            del answer[:1]
        elif isinstance(answer, dict) or (isinstance(answer, list) and answer):
            answer[last] = copy.deepcopy(value)

    return change


def changes(client: Replayed) -> list[tuple[str, Path]]:
    """Each field that is read in the answers so far, with its place."""
    found = {(place_of(asked), path): None for asked, answer in client.answers.items() for path in paths_of(answer)}
    return list(found)
