"""Refusals that an operator wants to know of: logged once, counted each time, and without an address."""

import json
import logging

import pytest

from server import telemetry
from server.store import StoreUnavailable
from tests.support.world import World

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _nothing_was_logged(monkeypatch):
    monkeypatch.setattr(telemetry, "_refusals", {})


def lines(stream, kind):
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [each for each in found if each.get("refusal") == kind]


def counted(kind):
    (line,) = [each for each in telemetry.exposition().splitlines() if f'refusals_total{{kind="{kind}"}}' in each]
    return float(line.rpartition(" ")[2])


def test_a_kind_is_logged_once_and_counted_each_time(stream, monkeypatch):
    at, before = [1000.0], counted("unknown_host")
    monkeypatch.setattr(telemetry.time, "monotonic", lambda: at[0])
    for _ in range(5):
        telemetry.refused(logging.getLogger("x"), "unknown_host", "no such host")
    assert [line["unsaid_before"] for line in lines(stream, "unknown_host")] == [0]
    at[0] += telemetry.QUIET
    telemetry.refused(logging.getLogger("x"), "unknown_host", "no such host")
    assert [line["unsaid_before"] for line in lines(stream, "unknown_host")] == [0, 4]
    assert counted("unknown_host") == before + 6


async def test_an_unknown_host_is_told(world, stream):
    for _ in range(3):
        await world.client().get("/harbour/login", headers={"host": "evil.example"})
    (line,) = lines(stream, "unknown_host")
    assert (line["level"], line["host"]) == ("warning", "evil.example")


async def test_a_limit_that_is_reached_is_told_without_the_address(world, stream):
    for number in range(8):
        await world.ask(world.client(f"203.0.113.{number}"), "jenny@example.com")
    (line,) = lines(stream, "limit_reached")
    assert "jenny" not in json.dumps(line)
    assert "203.0.113" not in json.dumps(line)


async def test_a_database_that_is_away_is_told(clock, stream):
    class Away:
        async def read(self, *_):
            raise StoreUnavailable("SQLite: disk I/O error")

    world = World(Away(), clock)
    for _ in range(3):
        await world.client().get("/harbour/my/overview", headers={"cookie": "__Host-harbour-session=x"})
    (line,) = lines(stream, "database_away")
    assert line["why"] == "SQLite: disk I/O error"
