"""What the operator is told, on an address of their own."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from datetime import timedelta

import pytest

from server import telemetry
from server.features.operations.answers import PATIENCE, Operations
from server.features.operations.listener import Listener
from server.store import StoreFull, StoreUnavailable, open_store, rounds
from tests.support.served import free_port
from tests.support.world import World

pytestmark = pytest.mark.anyio


async def test_a_process_that_runs_is_healthy(world):
    answer = await world.operations("/healthz")
    assert (answer.status, answer.body) == (200, "ok\n")


async def test_it_is_ready_while_a_worker_does_its_rounds(world, clock):
    assert (await world.operations("/readyz")).status == 503
    await rounds.note(world.store, "mail", clock())
    clock.at += PATIENCE
    assert (await world.operations("/readyz")).status == 200
    clock.forward(seconds=1)
    answer = await world.operations("/readyz")
    assert answer.status == 503
    assert "no worker" in answer.body


async def test_another_step_of_the_worker_is_no_sign_that_mail_leaves(world, clock):
    await rounds.note(world.store, "clean_up", clock())
    assert (await world.operations("/readyz")).status == 503


async def test_a_round_of_a_host_whose_clock_is_behind_takes_nothing_back(world, clock):
    await rounds.note(world.store, "mail", clock())
    await rounds.note(world.store, "mail", clock() - timedelta(minutes=5))
    assert (await world.operations("/readyz")).status == 200


async def test_it_is_ready_once_the_portal_takes_connections_and_no_longer_than_that(world, clock):
    await rounds.note(world.store, "mail", clock())
    its = ("127.0.0.1", free_port())
    operations = Operations(world.store, clock, public=its)
    answer = await operations.answer("/readyz")
    assert (answer.status, answer.body) == (503, "no HTTP worker takes connections\n")
    with socket.create_server(its):
        assert (await operations.answer("/readyz")).status == 200
    assert (await operations.answer("/readyz")).status == 503


class Away:
    """A database that does not answer."""

    def __init__(self, error=StoreUnavailable):
        self._error = error

    async def read(self, *_):
        raise self._error("gone")

    async def write(self, *_):
        raise self._error("gone")


@pytest.mark.parametrize(("error", "kind"), [(StoreUnavailable, "database_away"), (StoreFull, "disk_full")])
async def test_without_its_database_it_is_not_ready_and_metrics_say_why(clock, error, kind):
    world = World(Away(error), clock)
    before = counted(f'postern_refusals_total{{kind="{kind}"}}')
    assert (await world.operations("/readyz")).status == 503
    text = (await world.operations("/metrics")).body
    assert "postern_mails_waiting{" not in text
    assert counted(f'postern_refusals_total{{kind="{kind}"}}') == before + 2


def counted(series):
    (line,) = [each for each in telemetry.exposition().splitlines() if each.startswith(series + " ")]
    return float(line.rpartition(" ")[2])


async def test_metrics_name_every_counter_and_no_customer(world, clock):
    await world.ask(world.client(), "jenny@example.com")
    await rounds.note(world.store, "check_mail_server", clock(), "it does not answer")
    clock.forward(seconds=7)
    text = (await world.operations("/metrics")).body
    for name in telemetry.COUNTERS:
        assert f"# TYPE postern_{name}_total counter" in text
    for line in (
        'postern_mails_waiting{what="passcodes"} 1.0',
        'postern_mails_oldest_seconds{what="passcodes"} 7.0',
        'postern_mails_oldest_seconds{what="others"} 0.0',
        'postern_worker_round_age_seconds{step="check_mail_server"} 7.0',
        "postern_mail_server_up 0.0",
        'postern_refusals_total{kind="bad_signature"} 0.0',
    ):
        assert line in text.splitlines(), line
    assert "jenny" not in text


async def test_answers_are_counted_by_class_of_status(world):
    before = counted('postern_answers_total{status="4xx"}')
    await world.client().get("/nothing")
    assert counted('postern_answers_total{status="4xx"}') == before + 1


@pytest.mark.parametrize(("name", "label"), [("surprises", ""), ("answers", "9xx"), ("logins", "x")])
def test_a_counter_that_nobody_declared_is_refused(name, label):
    with pytest.raises(KeyError):
        telemetry.count(name, label)


def test_the_listener_answers_these_three_paths_and_ends(tmp_path, clock):
    port = free_port()
    listener = Listener(Operations(open_store(f"sqlite:{tmp_path / 'x.sqlite'}"), clock), "127.0.0.1", port)
    listener.start()
    try:
        assert asked(port, "/healthz") == (200, b"ok\n")
        assert asked(port, "/metrics?x=1")[0] == 200
        assert asked(port, "/readyz")[0] == 503
        assert asked(port, "/harbour/login")[0] == 404
        assert asked(port, "/healthz", "HEAD") == (200, b"")
        assert asked(port, "/healthz", "POST")[0] == 501
    finally:
        listener.stop()
    with pytest.raises(urllib.error.URLError):
        asked(port, "/healthz")


def asked(port, path, method="GET"):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 (our own server)
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
