"""What the operator is told."""

import pytest

from server import counters
from server.store import StoreUnavailable
from tests.support.world import World

pytestmark = pytest.mark.anyio


async def test_a_process_that_runs_is_healthy(world):
    answer = await world.client().get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


async def test_a_process_with_its_database_is_ready(world):
    assert (await world.client().get("/readyz")).status_code == 200


class Away:
    """A database that does not answer."""

    async def read(self, *_):
        raise StoreUnavailable("gone")

    async def write(self, *_):
        raise StoreUnavailable("gone")


async def test_without_its_database_it_is_not_ready(clock):
    world = World(Away(), clock)
    assert (await world.client().get("/readyz")).status_code == 503
    assert "postern_mails_waiting " not in (await world.client().get("/metrics")).text


async def test_metrics_name_every_counter_and_no_customer(world):
    client = world.client()
    await client.post("/harbour/login", data={"email": "jenny@example.com", "link": world.link()})
    text = (await client.get("/metrics")).text
    for name in ("answers", "logins", "mails_sent", "mails_failed", "mails_dropped", "store_errors"):
        assert f"# TYPE postern_{name}_total counter" in text
    assert "postern_mails_waiting 1" in text
    assert "jenny" not in text


def test_answers_are_counted_by_class_of_status():
    before = counters.exposition(None)
    counters.count("answers", 'status="2xx"')
    assert counters.exposition(None) != before


def test_a_counter_that_nobody_declared_is_refused():
    with pytest.raises(KeyError):
        counters.count("surprises")
