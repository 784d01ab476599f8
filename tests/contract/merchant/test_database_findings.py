"""What `doctor` says of PostgreSQL, of a pooler before it and of a second server."""

from __future__ import annotations

from typing import Any

import pytest

from server.merchant import database_findings
from server.store import Store

pytestmark = pytest.mark.anyio
ONE, TWO = "postgresql://portal:a,b@db1/portal", "postgresql://portal@db1,db2:5433/portal"


class Answering:
    """PostgreSQL as it would answer behind something."""

    def __init__(self, *row: str) -> None:
        self.row = row

    async def read(self, _sql: str, _parameters: Any = None) -> list[tuple[str, ...]]:
        return [self.row]


async def found(store: Any, url: str = ONE) -> dict[str, tuple[bool, str]]:
    return {each.what: (each.is_fine, each.words + each.remedy) for each in await database_findings.look(store, url)}


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_a_server_alone_has_its_limits_and_no_second_one(store: Store, store_url: str) -> None:
    assert [fine for fine, _ in (await found(store)).values()] == [True]
    fine, words = (await found(store, store_url.replace("host=", "host=/nowhere,")))["second database server"]
    assert (fine, "synchronous_standby_names" in words) == (False, True)


async def test_a_pooler_that_takes_the_limits_away_is_told_with_the_command() -> None:
    fine, words = (await found(Answering("", "0", "0", "on", "", "portal")))["time limits of the database"]
    assert not fine
    assert "ALTER ROLE \"portal\" SET lock_timeout = '5s'" in words
    fine, words = (await found(Answering("", "5s", "10s", "on", "", "portal")))["time limits of the database"]
    assert (fine, "pooler" in words) == (True, True)


@pytest.mark.parametrize(("commit", "standbys", "fine"), [("on", "b", True), ("local", "b", False), ("on", "", False)])
async def test_a_second_server_must_have_each_commit(commit: str, standbys: str, fine: bool) -> None:
    told = await found(Answering("yes", "5s", "10s", commit, standbys, "portal"), TWO)
    assert told["second database server"][0] is fine
