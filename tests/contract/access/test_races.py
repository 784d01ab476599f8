"""Many at once against one code, over both stores. Promises, never skipped: security.md §2."""

from collections import Counter

import pytest

from server.access import passcodes
from server.access.entry import Entered, enter
from server.access.limits import Limits
from tests.support.together import together
from tests.support.world import BRAND, World

pytestmark = pytest.mark.anyio

AT_ONCE = 64


def attempt(world: World, token: str, code: str):
    portal = world.portal()
    now = world.clock()
    return lambda transaction: enter(
        transaction,
        portal,
        Limits(on=False),
        challenge=token,
        code=code,
        session="",
        mark="",
        client="203.0.113.7",
        browser="",
        now=now,
    )


async def challenge_of(world: World, address: str = "jenny@example.com", peer: str = "203.0.113.7") -> str:
    browser = world.client(peer=peer)
    await world.ask(browser, address)
    return browser.cookies[f"__Host-{BRAND}-challenge"]


async def test_of_64_wrong_codes_at_once_exactly_5_are_looked_at(any_world: World) -> None:  # threat 4
    await any_world.customer()
    token, wrong = await challenge_of(any_world), await any_world.wrong_code()
    results = await together(any_world, [attempt(any_world, token, wrong)] * AT_ONCE)
    left = Counter(each.tries_left for each in results)
    # Five were counted, and told 4, 3, 2, 1 and 0 tries left; the other 59 were refused without a look.
    assert left == {4: 1, 3: 1, 2: 1, 1: 1, 0: AT_ONCE - 4}
    assert await any_world.store.read("SELECT attempts FROM challenge") == [(passcodes.TRIES,)]
    assert await any_world.store.read("SELECT used FROM budget WHERE kind = 'wrong'") == [(passcodes.TRIES,)]
    assert await any_world.count("session") == 0


async def test_of_64_right_codes_at_once_exactly_one_logs_in(any_world: World) -> None:  # threat 5
    await any_world.customer()
    token, right = await challenge_of(any_world), await any_world.code()
    results = await together(any_world, [attempt(any_world, token, right)] * AT_ONCE)
    assert sum(isinstance(each, Entered) for each in results) == 1
    assert await any_world.count("session") == 1
    assert await any_world.count("activity") == 1


async def test_the_budget_of_an_address_holds_over_challenges_tried_at_once(any_world: World) -> None:  # threat 7
    await any_world.customer()
    tokens = []
    for _ in range(3):
        tokens.append(await challenge_of(any_world, peer=f"198.51.100.{len(tokens)}"))
        any_world.clock.forward(seconds=61)
    wrong = await any_world.wrong_code()
    # More than a six-digit code would have been sent with: what SQL alone must hold.
    spend = "INSERT INTO budget (brand, kind, subject, starts_at, used) VALUES ('', 'wrong', :address, 0, 13)"
    about = {"address": "jenny@example.com"}
    await any_world.store.write(lambda transaction: transaction.count(spend, about))
    await together(any_world, [attempt(any_world, tokens[each % 3], wrong) for each in range(30)])
    assert await any_world.store.read("SELECT used FROM budget WHERE kind = 'wrong'") == [(passcodes.WRONG_CODES,)]
    # 7 were left of the budget. One more try was spent by whoever found it empty, and then all three were dead.
    ((tried,),) = await any_world.store.read("SELECT SUM(attempts) FROM challenge")
    assert tried <= 7 + 1


async def test_strangers_who_ask_at_once_get_three_codes(any_world: World) -> None:  # threats 7, 21
    await any_world.customer()
    portal, now = any_world.portal(), any_world.clock()

    def ask(number: int):
        asking = passcodes.Asking(address="jenny@example.com", client=f"198.51.100.{number}", browser="")
        return lambda transaction: passcodes.ask(transaction, portal, Limits(), asking, now)

    results = await together(any_world, [ask(each) for each in range(AT_ONCE)])
    assert sum(each.is_sent for each in results) == 3
    assert await any_world.count("outbox") == 3
    count = "SELECT owned, COUNT(*) FROM challenge GROUP BY owned ORDER BY owned"
    assert await any_world.store.read(count) == [(0, 3), (2, AT_ONCE - 3)]


async def test_of_what_a_known_browser_asks_at_once_two_are_of_its_own_share(any_world: World) -> None:
    await any_world.customer()  # threats 20, 21
    browser = any_world.client()
    await any_world.log_in(browser)
    any_world.clock.forward(days=2)
    portal, now = any_world.portal(), any_world.clock()
    mark = browser.cookies[f"__Host-{BRAND}-browser"]
    askings = [
        passcodes.Asking(address="jenny@example.com", client=f"198.51.100.{each}", browser="", mark=mark)
        for each in range(AT_ONCE)
    ]
    asks = [lambda transaction, it=each: passcodes.ask(transaction, portal, Limits(), it, now) for each in askings]
    results = await together(any_world, asks)
    assert results.count("too many") == AT_ONCE - 5
    count = "SELECT owned, COUNT(*) FROM challenge WHERE consumed_at IS NULL GROUP BY owned ORDER BY owned"
    assert await any_world.store.read(count) == [(0, 3), (1, 2)]


async def test_a_client_address_is_counted_once_for_each_use(any_world: World) -> None:  # threat 21
    def use(transaction) -> None:
        Limits().use_client(transaction, BRAND, "send", "203.0.113.7", any_world.clock())

    results = await together(any_world, [use] * AT_ONCE)
    assert results.count("too many") == AT_ONCE - 20
