"""What a stranger does for an address takes nothing from its owner: one test for each row of the table in
`docs/security.md`, whose first column names it. Threats 19 and 20."""

import re
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from server.access import passcodes
from server.access.request_keys import is_key, request_key
from server.mail import outbox
from server.mail.delivery import Delivery
from server.mail.smtp import KeepingMailer
from tests.support.client import Client
from tests.support.world import BRAND, SETTINGS, World

pytestmark = pytest.mark.anyio
JENNY = "jenny@example.com"


async def known_browser(world: World, address: str = JENNY) -> Client:
    """A browser from which the address logged in yesterday."""
    browser = world.client()
    await world.log_in(browser, address)
    world.clock.forward(days=1, minutes=1)
    return browser


def stranger(world: World, number: int) -> Client:
    return world.client(peer=f"198.51.{number // 250}.{number % 250 + 1}")


async def ask_as_strangers(world: World, times: int, address: str = JENNY, first: int = 0) -> list[int]:
    """Each from a client address and a browser of its own."""
    return [(await world.ask(stranger(world, first + each), address)).status_code for each in range(times)]


async def guess(world: World, browser: Client, times: int, address: str = JENNY) -> list[int]:
    wrong = await world.wrong_code(address)
    return [(await world.try_code(browser, wrong)).status_code for _ in range(times)]


async def mailed(world: World) -> list[str]:
    """The texts of the mails that leave now."""
    mailer = KeepingMailer()
    delivery = Delivery({BRAND: world.portal()}, world.store, mailer, world.clock)
    for job in await outbox.claim(world.store, world.clock(), 100):
        await delivery.deliver(job)
    return [str(each.get_body(("plain",)).get_content()) for each in mailer.messages]  # type: ignore[union-attr]


async def newest(world: World) -> tuple[str, bool]:
    """The newest code, and whether it is of the owner's share."""
    ((owned,),) = await world.store.read("SELECT owned FROM challenge ORDER BY sent_at DESC, owned DESC LIMIT 1")
    return await world.code(), bool(owned)


async def test_a_code_that_was_sent_outlives_whatever_strangers_ask(any_world: World) -> None:  # threat 19
    await any_world.customer()
    owner = any_world.client()
    await any_world.ask(owner)
    code = await any_world.code()
    any_world.clock.forward(seconds=1)
    await ask_as_strangers(any_world, 30)
    assert (await any_world.try_code(owner, code)).status_code == 303


async def test_a_code_that_was_sent_outlives_whatever_strangers_guess(any_world: World) -> None:  # threats 7, 19
    await any_world.customer()
    owner = any_world.client()
    for number in range(2):
        asking = stranger(any_world, number)
        await any_world.ask(asking)
        await guess(any_world, asking, 5)
        any_world.clock.forward(hours=1)
    await any_world.ask(owner)
    code = await any_world.code()
    assert len(code) == 6  # the five guesses that were left of strangers' fifteen are this code's now
    any_world.clock.forward(seconds=1)
    for number in range(2, 4):
        asking = stranger(any_world, number)
        await any_world.ask(asking)
        assert len(await any_world.code()) == 17
        await guess(any_world, asking, 5)
    assert (await any_world.try_code(owner, code)).status_code == 303


async def test_strangers_wrong_codes_leave_six_digits_to_the_known_browser(any_world: World) -> None:  # threats 6, 20
    await any_world.customer()
    owner = await known_browser(any_world)
    for number in range(6):
        asking = stranger(any_world, number)
        await any_world.ask(asking)
        await guess(any_world, asking, 5)
        any_world.clock.forward(hours=5)
    await any_world.ask(owner)
    assert len(await any_world.code()) == 6
    await guess(any_world, owner, 5)
    compared = "SELECT SUM(attempts) FROM challenge WHERE hardened = 0 AND consumed_at IS NULL"
    assert await any_world.store.read(compared) == [(passcodes.WRONG_CODES,)]
    any_world.clock.forward(seconds=61)
    await any_world.ask(owner)
    assert len(await any_world.code()) == 17
    assert (await any_world.try_code(owner, await any_world.code())).status_code == 303


async def test_of_what_strangers_ask_for_in_a_day_nothing_stops_the_known_browser(any_world: World) -> None:
    await any_world.customer()  # threat 20
    owner = await known_browser(any_world)
    begun, logged_in = any_world.clock(), 0
    for number in range(1000):
        await any_world.ask(stranger(any_world, number))
        if number in (10, 250, 260, 600, 990):
            await any_world.ask(owner)
            code, owned = await newest(any_world)
            assert owned
            assert (await any_world.try_code(owner, code)).status_code == 303
            logged_in += 1
        any_world.clock.forward(seconds=86)
    assert logged_in == 5
    sent = await any_world.store.read("SELECT created_at FROM outbox WHERE kind = 'passcode' ORDER BY created_at")
    within = [row[0] for row in sent if row[0] >= passcodes.micros(begun)]
    assert len(within) <= 10
    assert all(len([at for at in within if first <= at < first + 3600 * 10**6]) <= 5 for first in within)  # threat 21


async def test_a_new_browser_gets_a_code_with_the_key_of_the_newest_mail(any_world: World) -> None:  # threat 20
    await any_world.customer()
    texts = []
    for number in range(40):
        await any_world.ask(stranger(any_world, number))
        texts += await mailed(any_world)
        any_world.clock.forward(minutes=7)
    keys = [re.findall(r"^ +([A-Z]{4}-[A-Z]{4}-[A-Z]{4})$", each, re.MULTILINE) for each in texts]
    assert [len(each) for each in keys] == [0, 0, 1, 1, 1]  # each after which strangers are refused
    new = any_world.client(peer="192.0.2.77")
    refused = await any_world.ask(new)
    assert refused.status_code == 429
    wrong = await new.fill(refused, request_key="BCDF-GHJK-LMNP")
    assert wrong.status_code == 429
    assert "Enter the request key" in wrong.text
    answer = await new.fill(wrong, request_key=keys[-1][0].lower().replace("-", " "), follow=True)
    assert answer.status_code == 200
    code, owned = await newest(any_world)
    assert owned
    assert (await any_world.try_code(new, code)).status_code == 303


def test_a_request_key_is_of_one_address_and_one_or_two_days(clock: Any) -> None:
    key, now = request_key(SETTINGS, JENNY, clock()), clock()
    assert is_key(SETTINGS, JENNY, key, now)
    assert is_key(SETTINGS, JENNY, key.lower(), now + timedelta(days=1))
    assert not is_key(SETTINGS, JENNY, key, now + timedelta(days=2))
    assert not is_key(SETTINGS, "jenny@example.org", key, now)
    rotated = replace(SETTINGS, secrets=(b"another secret of the tests, 0123456789", *SETTINGS.secrets))
    assert is_key(rotated, JENNY, key, now)
    assert request_key(rotated, JENNY, now) != key
    assert not any(is_key(SETTINGS, JENNY, each, now) for each in ("", key[:-1], key + "B", "BCDF-GHJK-LMNP"))


async def test_one_stranger_leaves_a_code_to_a_new_browser_elsewhere(any_world: World) -> None:  # threat 20
    await any_world.customer()
    one = any_world.client(peer="198.51.100.1")
    statuses = []
    for _ in range(20):
        statuses.append((await any_world.ask(any_world.client(peer="198.51.100.1"))).status_code)
        any_world.clock.forward(seconds=61)
    assert statuses == [200] * 2 + [429] * 18
    assert (await any_world.ask(one)).status_code == 429
    await any_world.log_in(any_world.client(peer="192.0.2.77"))


async def test_the_mails_of_all_brands_are_one_mailbox(any_world: World) -> None:  # threat 21
    statuses = []
    for number, brand in enumerate(("harbour", "orbit", "plain") * 2):
        statuses.append((await any_world.ask(stranger(any_world, number), JENNY, brand)).status_code)
    assert statuses == [200] * 3 + [429] * 3


async def test_the_wrong_codes_of_all_brands_are_one_count(any_world: World) -> None:  # threat 6
    for number, brand in enumerate(("harbour", "orbit", "plain")):
        asking = stranger(any_world, number)
        await any_world.ask(asking, JENNY, brand)
        wrong = await any_world.wrong_code(JENNY, brand)
        for _ in range(5):
            await any_world.try_code(asking, wrong, brand)
    any_world.clock.forward(hours=1)
    await any_world.ask(stranger(any_world, 9))
    assert len(await any_world.code()) == 17


async def test_neighbors_of_a_client_address_stop_no_known_browser(any_world: World) -> None:  # threat 20
    await any_world.customer()
    owner = await known_browser(any_world)
    for number in range(25):
        await any_world.ask(any_world.client(), f"n{number}@example.com")
    assert (await any_world.ask(any_world.client(), "another@example.com")).status_code == 429
    await any_world.ask(owner)
    spend = "INSERT INTO budget (brand, kind, subject, starts_at, used, expires_at) VALUES ('harbour', 'client_try', '203.0.113.7', 0, 30, :ends) ON CONFLICT (brand, kind, subject, starts_at) DO UPDATE SET used = 30, expires_at = :ends"
    ends = {"ends": passcodes.micros(any_world.clock() + timedelta(minutes=10))}
    await any_world.store.write(lambda transaction: transaction.count(spend, ends))
    assert await guess(any_world, owner, 2) == [422, 422]
    assert (await any_world.try_code(owner, await any_world.code())).status_code == 303


async def test_neighbors_of_a_client_address_take_nobodys_first_try(any_world: World) -> None:  # threat 20
    await any_world.customer()
    new = any_world.client()
    await any_world.ask(new)
    for number in range(8):
        neighbor, address = any_world.client(), f"n{number}@example.com"
        await any_world.ask(neighbor, address)
        last = await guess(any_world, neighbor, 5, address)
    assert last[-1] == 429
    assert (await any_world.try_code(new, await any_world.code())).status_code == 303


async def test_a_known_browser_is_mailed_before_what_strangers_sent(any_world: World) -> None:  # threat 20
    await any_world.customer()
    owner = await known_browser(any_world)
    await mailed(any_world)
    for number in range(30):
        await any_world.ask(stranger(any_world, number), f"n{number}@example.com")
    any_world.clock.forward(seconds=5)
    await any_world.ask(owner)
    (first,) = await outbox.claim(any_world.store, any_world.clock(), 1)
    assert first.address == JENNY


async def test_no_session_and_no_known_browser_ends_by_what_strangers_do(any_world: World) -> None:  # threat 46
    await any_world.customer()
    owner = any_world.client()
    await any_world.log_in(owner)
    kept = await any_world.rows("session"), await any_world.rows("known_browser")
    for number in range(5):
        asking = stranger(any_world, number)
        await any_world.ask(asking)
        await guess(any_world, asking, 6)
        await asking.post(f"/{BRAND}/login/resend", data={"next": ""})
        await asking.post(f"/{BRAND}/logout")
        any_world.clock.forward(minutes=5)
    assert (await any_world.rows("session"), await any_world.rows("known_browser")) == kept
    assert (await owner.get(f"/{BRAND}/my/overview")).status_code == 200


async def test_a_mark_of_ones_own_account_is_no_reserve_at_another(any_world: World) -> None:  # threats 19, 27
    await any_world.customer()
    await any_world.customer("cus_mallory", "mallory@example.com")
    mallory = await known_browser(any_world, "mallory@example.com")
    await ask_as_strangers(any_world, 3)
    assert (await any_world.ask(mallory)).status_code == 429
    assert await any_world.store.read("SELECT owned FROM challenge WHERE address = :a", {"a": JENNY}) == [(0,)] * 3


async def test_strangers_do_not_see_what_the_owner_asked_for(any_world: World) -> None:  # threats 26, 29
    await any_world.customer()
    owner = await known_browser(any_world)
    seen = {}
    for address in (JENNY, "ghost@example.com"):
        if address == JENNY:
            await any_world.ask(owner)
            await any_world.log_in(owner)
        seen[address] = await ask_as_strangers(any_world, 6, address)
        await any_world.store.write(
            lambda transaction: transaction.count("DELETE FROM budget WHERE kind LIKE 'client%'")
        )
    assert seen[JENNY] == seen["ghost@example.com"] == [200] * 3 + [429] * 3


async def test_a_code_that_logged_in_counts_as_the_owners(any_world: World) -> None:
    await any_world.customer()
    for _ in range(2):
        await any_world.log_in(any_world.client())
        any_world.clock.forward(seconds=1)
    assert await ask_as_strangers(any_world, 4) == [200] * 3 + [429]
    assert await any_world.store.read("SELECT COUNT(*) FROM outbox WHERE kind = 'passcode'") == [(5,)]


async def test_no_text_of_whoever_asks_is_in_the_mail(world: World) -> None:  # threat 38
    await world.customer()
    claims = world.client(**{"User-Agent": "Claim your prize at evil.example", "Accept-Language": "evil.example"})
    await world.ask(claims, next="evil.example", **{"kept.line1": "evil.example"})
    (text,) = await mailed(world)
    assert "evil.example" not in text
    assert "prize" not in text
