"""Nobody can tell whether an address is a customer's. Rows of security.md §3 B.

A whole conversation is held once for each kind of address, and everything that a browser could see is compared byte for
byte: statuses, bodies, headers with their lengths, cookies with their attributes.
"""

import re
from typing import Any

import pytest

from tests.support.client import Client, without_marks
from tests.support.world import BRAND, World

pytestmark = pytest.mark.anyio

# Equally long, so that lengths may be compared too.
KNOWN, UNKNOWN, DISABLED, TAKEN = "known@example.com", "ghost@example.com", "bared@example.com", "three@example.com"
ADDRESSES = (KNOWN, UNKNOWN, DISABLED, TAKEN)


class Counting:
    """A store that notes the statements that run through it."""

    def __init__(self, store: Any) -> None:
        self._store, self.statements = store, []

    async def read(self, sql: str, parameters: Any = None) -> Any:
        self.statements.append(sql)
        return await self._store.read(sql, parameters)

    async def write(self, work: Any) -> Any:
        return await self._store.write(lambda transaction: work(self._noting(transaction)))

    async def close(self) -> None:
        await self._store.close()

    def _noting(self, transaction: Any) -> Any:
        noted = self.statements

        class Noting:
            def run(self, sql: str, parameters: Any = None) -> Any:
                noted.append(sql)
                return transaction.run(sql, parameters)

            def count(self, sql: str, parameters: Any = None) -> int:
                noted.append(sql)
                return int(transaction.count(sql, parameters))

            def later(self, sql: str, parameters: Any = None) -> Any:
                noted.append(sql)
                return transaction.later(sql, parameters)

        return Noting()


async def settle(world: World) -> None:
    await world.customer("cus_known", KNOWN, active=True)
    await world.customer("cus_disabled", DISABLED, disabled=True)
    for number in range(3):
        await world.customer(f"cus_{number}", TAKEN, active=number == 1)


async def conversation(world: World, address: str, language: str) -> list[tuple[Any, ...]]:
    """Ask, ask again, come back, try five wrong codes and one more, resend early and late, ask too often."""
    browser: Client = world.client()
    seen = []

    async def say(method: str, path: str, **rest: Any) -> None:
        answer = await browser.request(method, f"/{BRAND}/{path}", **rest)
        headers = sorted((name, _plain(value, address)) for name, value in answer.headers.multi_items())
        seen.append((method, _plain(path, address), answer.status_code, _plain(answer.text, address), headers))
        if method == "POST" and answer.status_code == 303:
            await say("GET", answer.headers["location"].removeprefix(f"/{BRAND}/"))

    form = {"email": address, "link": world.link(), "language": language}
    await say("POST", "login", data={**form, "link": "test_another"})
    await say("POST", "login", data=form)
    await say("POST", "login", data=form)
    await say("GET", "login/code")
    await say("HEAD", "login/code")
    wrong = await world.wrong_code(address)
    for code in ("", "12", *[wrong] * 6):
        await say("POST", "login/code", data={"code": code})
    await say("GET", "login/code")
    await say("POST", "login", data=form, fragment=True)
    await say("GET", "login/code", fragment=True)
    await say("POST", "login/resend", data={"next": ""})
    world.clock.forward(seconds=61)
    await say("POST", "login/resend", data={"next": "invoices"})
    await say("POST", "login/code", data={"code": await world.wrong_code(address)}, fragment=True)
    for _ in range(4):
        world.clock.forward(seconds=61)
        await say("POST", "login/resend", data={"next": ""})
    return seen


def _plain(text: str, address: str) -> str:
    """Without what is random by design: the address itself, and the cookie's token, whose length stays, with its mark."""
    text = without_marks(text)
    text = re.sub(r"(challenge=)([^;]*)", lambda found: found[1] + f"<{len(found[2])}>", text)
    return text.replace(address, "<address>").replace(address.replace("@", "%40"), "<address>")


@pytest.mark.parametrize("language", ["en", "de"])
async def test_every_conversation_is_the_same_to_the_byte(
    world: World, language: str
) -> None:  # threats 26, 29, 30, 32
    await settle(world)
    assert world.portal().account_choice  # three customers have one of the addresses, and may choose after log-in
    begun = world.clock()
    transcripts = []
    for address in ADDRESSES:
        world.clock.at = begun
        # They all come from one client address, whose limits are not the question.
        await world.store.write(lambda transaction: transaction.count("DELETE FROM budget WHERE kind LIKE 'client%'"))
        transcripts.append(await conversation(world, address, language))
    for address, transcript in zip(ADDRESSES, transcripts, strict=True):
        assert transcript == transcripts[0], address
    assert f'<html lang="{language}"' in transcripts[0][2][3]
    statuses = [each[2] for each in transcripts[0]]
    assert {200, 303, 404, 422, 429} <= set(statuses), "the conversation does not visit every kind of answer"


async def test_the_same_statements_run_for_every_address(world: World) -> None:  # threats 27, 31
    await settle(world)
    counting = Counting(world.store)
    told = World(counting, world.clock, url=world.url)  # type: ignore[arg-type]
    runs = []
    for address in ADDRESSES:
        browser = told.client()
        counting.statements.clear()
        assert (await told.ask(browser, address)).status_code == 200
        asked = list(counting.statements)
        wrong = await world.wrong_code(address)
        counting.statements.clear()
        assert (await told.try_code(browser, wrong)).status_code == 422
        runs.append((asked, list(counting.statements)))
        assert not any("FROM customer" in sql or "account" in sql for sql in (*asked, *counting.statements))
    assert runs == [runs[0]] * len(ADDRESSES)


async def test_before_a_right_code_nobody_asks_the_billing_side(world: World) -> None:  # threat 31
    class Nobody:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"billing.{name} was asked before log-in")

    told = World(world.store, world.clock, billing=lambda *_: Nobody())
    await settle(world)
    for address in ADDRESSES:
        browser = told.client()
        assert (await told.ask(browser, address)).status_code == 200
        assert (await told.try_code(browser, await world.wrong_code(address))).status_code == 422


async def test_every_address_gets_a_row_for_a_mail_and_only_the_worker_looks_it_up(world: World) -> None:  # threat 28
    await settle(world)
    for address in ADDRESSES:
        await world.ask(world.client(), address)
    rows = await world.store.read("SELECT address, state, length(data) FROM outbox")
    assert {each[0] for each in rows} == set(ADDRESSES)
    assert len({each[1:] for each in rows}) == 1
