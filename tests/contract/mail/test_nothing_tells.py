"""What a log-in leaves in the counters, in the queue and in the log is the same for every address, whatever the mail
server does: nobody who reads them learns who is a customer."""  # threats 26 to 29

import asyncio
import json
import re

import pytest

from server.mail import outbox
from server.mail.smtp import KeepingMailer, MailPermanent, MailTemporary
from server.worker import Worker

pytestmark = pytest.mark.anyio


class Hanging:
    """A mail server that takes the connection and never says another word."""

    async def send(self, _message):
        await asyncio.Event().wait()

    rehearse = send

    async def check(self):
        return "fine so far"


def refusing(error):
    mailer = KeepingMailer()
    mailer.refusal = error
    return mailer


MAILERS = {
    "takes it": KeepingMailer,
    "refuses it for now": lambda: refusing(MailTemporary("421")),
    "refuses it for good": lambda: refusing(MailPermanent("550")),
    "hangs": Hanging,
}


async def told(world, clock, stream, mailer, address):
    """Metrics before the worker, in the middle and after it, and the log from `info` on; numbers as they changed."""
    worker = Worker(tuple(world.routed.state.portals.values()), world.store, mailer(), clock)
    stream.truncate(0)
    before = await metrics(world)
    await world.ask(world.client(), address)
    found = [await metrics(world)]
    for seconds in (0, 1, 70, 700):
        clock.forward(seconds=seconds)
        await worker.mail()
        await asyncio.sleep(0.2)
        found.append(await metrics(world))
    await worker.stop()
    lines = [json.loads(line) for line in stream.getvalue().replace("\0", "").splitlines()]
    log = [
        {key: value for key, value in line.items() if key not in ("at", "mail", "reference")}
        for line in lines
        if line["level"] != "debug"
    ]
    return [{name: value - before[name] for name, value in each.items()} for each in found], log


async def metrics(world):
    body = (await world.operations("/metrics")).body
    found = dict(re.findall(r"^(postern_\S+) (\S+)$", body, re.MULTILINE))
    return {name: float(value) for name, value in found.items() if "round_age" not in name}


@pytest.mark.parametrize("mailer", MAILERS)
async def test_counters_queue_and_log_do_not_depend_on_the_address(any_world, clock, stream, mailer):
    await any_world.customer()
    await any_world.customer("cus_off", "off@example.com", disabled=True)
    said = {}
    for address in ("jenny@example.com", "nobody@example.com", "off@example.com"):
        said[address] = await told(any_world, clock, stream, MAILERS[mailer], address)
        await any_world.store.write(lambda it: it.count("DELETE FROM outbox"))
    assert said["jenny@example.com"] == said["nobody@example.com"] == said["off@example.com"]
    changes = said["jenny@example.com"][0]
    assert [each['postern_mails_waiting{what="passcodes"}'] for each in changes] == [1, 0, 0, 0, 0]
    assert changes[-1]["postern_passcodes_taken_total"] == 1


async def test_other_mails_are_counted_by_what_became_of_them(any_world, clock):
    await any_world.customer()
    before = await metrics(any_world)
    worker = Worker(tuple(any_world.routed.state.portals.values()), any_world.store, KeepingMailer(), clock)
    browser = any_world.client()
    await any_world.log_in(browser)
    browser = any_world.client("203.0.113.99")
    clock.forward(seconds=61)
    await any_world.log_in(browser)  # a new browser: its owner is told by mail
    waiting = (await outbox.backlog(any_world.store))["others"].count
    await worker.mail()
    await worker.settled()
    after = await metrics(any_world)
    sent = after['postern_mails_total{outcome="sent"}'] - before['postern_mails_total{outcome="sent"}']
    assert (waiting, sent) == (1, 1)
