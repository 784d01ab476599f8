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
from tests.support.client import Client, without_marks
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
    ((owned,),) = await world.store.read(
        "SELECT owned = 1 FROM challenge ORDER BY sent_at DESC, owned = 1 DESC LIMIT 1"
    )
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


async def test_in_a_day_of_a_thousand_asks_its_owner_gets_in_at_every_hour(any_world: World) -> None:  # threats 20, 21
    """By the known browser, and by a new one with what the mailbox holds: at every hour, and each time as if the owner had
    asked for nothing before (by itself, an owner has two codes in an hour and five in a day)."""
    await any_world.customer()
    owner = await known_browser(any_world)
    begun, inbox = any_world.clock(), list[str]()
    for number in range(1000):
        await any_world.ask(stranger(any_world, number))
        inbox += await mailed(any_world)
        if number % 41 == 40:
            await gets_in_by_a_known_browser(any_world, owner)
            await gets_in_by_the_mailbox(any_world, inbox[-1], number)
        any_world.clock.forward(seconds=86)
    assert len(inbox) == 5
    assert any_world.clock() - begun < timedelta(days=1)


async def gets_in_by_a_known_browser(world: World, owner: Client) -> None:
    before = await world.store.read("SELECT id_hash FROM challenge")
    assert (await world.ask(owner)).status_code == 200
    code, owned = await newest(world)
    assert owned
    assert (await world.try_code(owner, code)).status_code == 303
    await owner.post(f"/{BRAND}/logout")
    await undo(world, before)


async def gets_in_by_the_mailbox(world: World, mail: str, number: int) -> None:
    """What the owner does in a new browser: asks, gets nothing, and follows the link of the newest mail."""
    await mailed(world)
    before, new = await world.store.read("SELECT id_hash FROM challenge"), world.client(peer=f"192.0.2.{number % 250}")
    assert (await world.ask(new)).status_code == 200
    assert await mailed(world) == [], "strangers have left a code: the key is not needed"
    (link,) = re.findall(r"https://portal\.example(/\S+/login\?request_key=\S+)", mail)
    # As it was filled in: the button is all that the owner presses.
    assert (await new.fill(await new.get(link), follow=True)).status_code == 200
    code, owned = await newest(world)
    assert owned
    assert (await world.try_code(new, code)).status_code == 303
    await mailed(world)
    await undo(world, before)


async def undo(world: World, kept: list[Any]) -> None:
    """What the owner asked for since then never was; the browser that got in is not known."""
    kept_hashes = {bytes(each) for (each,) in kept}

    def work(transaction: Any) -> None:
        for (each,) in transaction.run("SELECT id_hash FROM challenge"):
            if bytes(each) not in kept_hashes:
                transaction.count("DELETE FROM challenge WHERE id_hash = :each", {"each": each})

    await world.store.write(work)


async def test_a_log_in_takes_the_other_codes_of_its_address_away(any_world: World) -> None:
    await any_world.customer()
    one, other = any_world.client(), any_world.client()
    await any_world.ask(one)
    first = await any_world.code()
    any_world.clock.forward(seconds=1)
    await any_world.ask(other)
    assert (await any_world.try_code(other, await any_world.code())).status_code == 303
    assert (await any_world.try_code(one, first)).status_code == 422
    assert await any_world.count("session") == 1


async def test_a_new_browser_gets_a_code_with_the_key_of_the_newest_mail(any_world: World) -> None:  # threat 20
    await any_world.customer()
    texts = []
    for number in range(40):
        await any_world.ask(stranger(any_world, number))
        texts += await mailed(any_world)
        any_world.clock.forward(minutes=7)
    keys = [re.findall(r"^ +([A-Z]{4}-[A-Z]{4}-[A-Z]{4})$", each, re.MULTILINE) for each in texts]
    assert [len(each) for each in keys] == [0, 0, 1, 1, 1]  # each after which strangers get none
    new = any_world.client(peer="192.0.2.77")
    assert (await any_world.ask(new)).status_code == 200
    page = await new.get(any_world.portal().paths.login_by_key(""))  # as the code form links it
    assert f'value="{JENNY}"' in page.text
    wrong = await new.fill(page, request_key="BCDF-GHJK-LMNP", follow=True)
    assert (wrong.status_code, await mailed(any_world)) == (422, [])
    assert "Enter the request key" in wrong.text
    answer = await new.fill(page, request_key=keys[-1][0].lower().replace("-", " "), follow=True)
    assert answer.status_code == 200
    code, owned = await newest(any_world)
    assert owned
    assert (await any_world.try_code(new, code)).status_code == 303


async def test_the_link_of_a_mail_fills_the_key_in_and_sends_nothing(any_world: World) -> None:  # threats 20, 62
    await any_world.customer()
    key = request_key(SETTINGS, JENNY, any_world.clock())
    before = await any_world.rows("challenge"), await any_world.rows("budget"), await any_world.rows("outbox")
    page = await any_world.client().get(any_world.portal().paths.login_with_key(JENNY, key))
    assert f'value="{key}"' in page.text
    assert f'value="{JENNY}"' in page.text
    assert (await any_world.rows("challenge"), await any_world.rows("budget"), await any_world.rows("outbox")) == before
    other = await any_world.client().get(f"/{BRAND}/login?request_key=%22%3E%3Cscript%3E")
    assert "script%3E" not in other.text
    assert "<script>" not in other.text


async def test_no_answer_says_that_others_ask_for_an_address(any_world: World) -> None:  # threats 26, 29
    """Strangers asked for one address by the dozen, and for the other nobody did."""
    await any_world.customer()
    await ask_as_strangers(any_world, 12)
    seen = {}
    for address in (JENNY, "anne@example.com"):
        asking = any_world.client(peer="192.0.2.9")
        answers = [await any_world.ask(asking, address)]
        answers += [await any_world.try_code(asking, "000000") for _ in range(5)]
        answers += [await asking.post(f"/{BRAND}/login/resend", data={"next": ""})]
        seen[address] = [(each.status_code, each.text.replace(address, "")) for each in answers]
        seen[address] = [
            (status, re.sub("(jenny|anne)(%40|@)", "", without_marks(text))) for status, text in seen[address]
        ]
    assert seen[JENNY] == seen["anne@example.com"]
    assert len(await any_world.codes("anne@example.com")) == 2
    assert len(await any_world.codes()) == 3


async def test_no_answer_says_that_an_address_logged_in(any_world: World) -> None:  # threats 26, 27
    """A stranger's live challenge, and how the codes after fifteen wrong ones look, are the same whether or not the owner
    logs in meanwhile."""
    await any_world.customer()
    owner = await known_browser(any_world)
    begun, seen = any_world.clock(), {}
    for address in (JENNY, "anne@example.com"):
        any_world.clock.at = begun
        texts = []
        for number in range(3):
            guessing = stranger(any_world, number)
            await any_world.ask(guessing, address)
            await guess(any_world, guessing, 5, address)
            any_world.clock.forward(hours=1)
        watching = stranger(any_world, 7)
        texts.append(await any_world.ask(watching, address))
        any_world.clock.forward(seconds=1)
        if address == JENNY:
            await any_world.ask(owner)
            assert (await any_world.try_code(owner, (await newest(any_world))[0])).status_code == 303
        texts.append(await watching.get(f"/{BRAND}/login/code"))
        texts += [await any_world.try_code(watching, "000000") for _ in range(6)]
        any_world.clock.forward(hours=1)
        texts.append(await any_world.ask(stranger(any_world, 8), address))
        seen[address] = [
            (each.status_code, re.sub("(jenny|anne)(%40|@)", "", without_marks(each.text))) for each in texts
        ]
    assert seen[JENNY] == seen["anne@example.com"]


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
    for number, brand in enumerate(("harbour", "orbit", "plain") * 2):
        await any_world.ask(stranger(any_world, number), JENNY, brand)
    assert await any_world.count("outbox") == 3


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
    await any_world.ask(mallory)
    owned = "SELECT owned FROM challenge WHERE address = :a ORDER BY owned"
    assert await any_world.store.read(owned, {"a": JENNY}) == [(0,)] * 3 + [(2,)]
    assert len(await any_world.codes()) == 3


async def test_strangers_do_not_see_what_the_owner_asked_for(any_world: World) -> None:  # threats 26, 29
    await any_world.customer()
    owner = await known_browser(any_world)
    seen = {}
    for address in (JENNY, "ghost@example.com"):
        if address == JENNY:
            await any_world.ask(owner)
            await any_world.log_in(owner)
        before = len(await any_world.codes(address))
        statuses = await ask_as_strangers(any_world, 6, address)
        seen[address] = statuses, len(await any_world.codes(address)) - before
        await any_world.store.write(
            lambda transaction: transaction.count("DELETE FROM budget WHERE kind LIKE 'client%'")
        )
    assert seen[JENNY] == seen["ghost@example.com"] == ([200] * 6, 3)


async def test_a_code_that_logged_in_counts_as_the_owners(any_world: World) -> None:
    await any_world.customer()
    for _ in range(2):
        await any_world.log_in(any_world.client())
        any_world.clock.forward(seconds=1)
    await ask_as_strangers(any_world, 4)
    assert await any_world.store.read("SELECT COUNT(*) FROM outbox WHERE kind = 'passcode'") == [(5,)]


async def test_no_text_of_whoever_asks_is_in_the_mail(world: World) -> None:  # threat 38
    await world.customer()
    claims = world.client(**{"User-Agent": "Claim your prize at evil.example", "Accept-Language": "evil.example"})
    await world.ask(claims, next="evil.example", **{"kept.line1": "evil.example"})
    (text,) = await mailed(world)
    assert "evil.example" not in text
    assert "prize" not in text
