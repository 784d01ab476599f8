"""Publishing that is killed in the middle, by a real SIGKILL: at a statement of its transaction, or at an operation on the
folder of releases.

`python -m tests.support.releasing DATABASE THEMES RELEASES` builds the brand once; for each line that it reads, such as
`statement 3` or `os.rename 1`, it forks a process that publishes the brand and serves it, and dies there. It answers how that
ended: `-9`, or `0` where it came to its end first.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from server.brands import load_all
from server.merchant.releases import releasing, rows, sources
from server.merchant.releases.following import Following
from server.settings import Settings
from server.store import open_store
from tests.support import mortal

BRAND = "harbour"


class _Counting:
    """Calls of what is around, of which one is the last."""

    def __init__(self, number: int) -> None:
        self.left = number

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            mortal.die()


class _Dying:
    """A transaction that ends before a statement, or before its commit."""

    def __init__(self, transaction: Any, counting: _Counting) -> None:
        self._transaction, self._counting = transaction, counting

    def run(self, *given: Any) -> Any:
        self._counting.step()
        return self._transaction.run(*given)

    def count(self, *given: Any) -> Any:
        self._counting.step()
        return self._transaction.count(*given)


async def _publish(settings: Settings, database: str, files: dict[str, bytes], point: str, number: str) -> None:
    store, counting = open_store(database), _Counting(int(number))
    add = rows.adding(BRAND, files, operator="", now=datetime.now(UTC), allow=releasing.anybody)

    def dying(transaction: Any) -> int:
        done = add(_Dying(transaction, counting) if point == "statement" else transaction)
        if point == "statement":
            counting.step()
        return done

    await store.write(dying)
    if point != "statement":
        inside = str(settings.releases)

        def audit(event: str, given: tuple[Any, ...]) -> None:
            is_read = event == "open" and given[1] in ("r", "rb", None)
            if event == point and not is_read and any(str(each).startswith(inside) for each in given[:2]):
                counting.step()

        sys.addaudithook(audit)
    await Following(settings, store, load_all(settings.themes)).look()
    await store.close()


def main(database: str, themes: str, releases: str) -> None:
    settings = Settings(
        secrets=(b"k" * 32,), origin="https://portal.example", themes=Path(themes), releases=Path(releases)
    )
    files = sources.built(settings, BRAND, sources.copied(settings.themes, BRAND))
    mortal.answer(partial(_publish, settings, database, files))


if __name__ == "__main__":
    main(*sys.argv[1:])
