"""Refusals that an operator wants to know of: logged once, counted each time, and without an address."""

import json
import logging

import pytest
from msgspec.structs import replace

from server import telemetry
from server.mail.smtp import KeepingMailer, MailTemporary
from server.settings import StripeSecrets, stripe_suffix
from server.store import StoreFull, StoreUnavailable
from server.worker import Worker
from tests.stripe.webhooks import signature
from tests.support.world import SETTINGS, World, brands

pytestmark = pytest.mark.anyio
NO_PAGE = {"sec-fetch-site": None, "sec-fetch-mode": None, "sec-fetch-dest": None, "origin": None,
           "content-type": "application/json"}  # fmt: skip


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


async def strangers_of_many_addresses(world):
    for number in range(8):
        await world.ask(world.client(f"203.0.113.{number}"), "jenny@example.com")


async def one_stranger(world):
    for _ in range(7):
        await world.ask(world.client("203.0.113.9"), "jenny@example.com")


async def a_client_that_asks_for_many(world):
    for number in range(25):
        await world.ask(world.client("203.0.113.9"), f"jenny{number}@example.com")


async def a_client_that_guesses(world):
    browser = world.client("203.0.113.9")
    for number in range(8):
        await world.ask(browser, f"jenny{number}@example.com")
        for _ in range(5):
            await world.try_code(browser, await world.wrong_code(f"jenny{number}@example.com"))


@pytest.mark.parametrize(
    ("reaches", "times"),
    [(strangers_of_many_addresses, 5), (one_stranger, 5), (a_client_that_asks_for_many, 5), (a_client_that_guesses, 2)],
)
async def test_a_limit_that_is_reached_is_told_once_and_counted_without_the_address(world, stream, reaches, times):
    before = counted("limit_reached")
    await reaches(world)
    (line,) = lines(stream, "limit_reached")
    for part in ("jenny", "203.0.113"):
        assert part not in stream.getvalue()
    assert line["level"] == "warning"
    assert counted("limit_reached") == before + times


@pytest.mark.parametrize(("error", "kind"), [(StoreUnavailable, "database_away"), (StoreFull, "disk_full")])
async def test_a_database_that_takes_nothing_is_told_once_and_counted_without_the_address(clock, stream, error, kind):
    class Away:
        async def read(self, *_):
            raise error("SQLite: disk I/O error")

        write = read

    world, before = World(Away(), clock), counted(kind)
    for _ in range(3):
        await world.client().get("/harbour/my/overview", headers={"cookie": "__Host-harbour-session=x"})
        assert (await world.ask(world.client("203.0.113.9"))).status_code == 503
    (line,) = lines(stream, kind)
    assert line["why"] == "SQLite: disk I/O error"
    for part in ("jenny", "203.0.113"):
        assert part not in stream.getvalue()
    assert counted(kind) == before + 6


async def test_a_mail_server_that_is_away_is_told_once_and_counted(sqlite_store, clock, stream):
    mailer, before = KeepingMailer(), counted("mail_server_away")
    mailer.refusal = MailTemporary("the mail server could not be used (TimeoutError)")
    working = Worker((), sqlite_store, mailer, clock)
    for _ in range(3):
        assert await working.check_mail_server() == str(mailer.refusal)
    (line,) = lines(stream, "mail_server_away")
    assert line["why"] == str(mailer.refusal)
    assert counted("mail_server_away") == before + 3


async def test_a_signature_that_is_wrong_is_told_once_and_counted(sqlite_store, clock, stream):
    found = {stripe_suffix(each.name): StripeSecrets("rk_test_0123456789", "whsec_0123456789") for each in brands()}
    world = World(sqlite_store, clock, settings=replace(SETTINGS, stripe=found), backend="stripe")
    body, before = b'{"customer": "cus_1", "email": "jenny@example.com"}', counted("bad_signature")
    for _ in range(3):
        signed = {"stripe-signature": signature("whsec_another", body, int(clock().timestamp()))}
        sent = await world.client().post("/harbour/webhooks/stripe", content=body, headers={**NO_PAGE, **signed})
        assert sent.status_code == 400
    (line,) = lines(stream, "bad_signature")
    assert line["brand"] == "harbour"
    assert "jenny" not in stream.getvalue()
    assert counted("bad_signature") == before + 3
