"""Which customer an address opens."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from server.access import customer_search, directory
from server.billing import rows
from server.formats.email import EmailMistake, canonical
from server.merchant.importing.files import import_records
from tests.support import exports
from tests.support.turns import Turns
from tests.support.world import BRAND, World

pytestmark = pytest.mark.anyio

JANUARY, MARCH, MAY = (datetime(2025, month, 1, tzinfo=UTC) for month in (1, 3, 5))


async def explained(world: World) -> list[tuple[str, bool, str]]:
    found = await directory.explain(world.store, BRAND, "sam@example.com")
    return [(each.candidate.id, each.opens, each.reason) for each in found]


async def opened(world: World) -> str:
    chosen = await directory.customer_for(world.store, BRAND, "sam@example.com")
    return chosen.id if chosen else ""


async def test_the_active_one_opens_before_a_newer_inactive_one(any_world: World) -> None:  # L6, threat 42
    await any_world.customer("older", "sam@example.com", created_at=JANUARY, active=True)
    await any_world.customer("newer", "Sam@Example.com", created_at=MAY)
    assert await explained(any_world) == [("older", True, "active"), ("newer", False, "inactive")]
    await any_world.log_in(any_world.client(), "SAM@example.COM".lower())
    assert await any_world.store.read("SELECT customer_id FROM session") == [("older",)]


async def test_of_several_active_ones_the_newest_opens(any_world: World) -> None:
    await any_world.customer("a", "sam@example.com", created_at=JANUARY, active=True)
    await any_world.customer("b", "sam@example.com", created_at=MAY, active=True)
    await any_world.customer("c", "sam@example.com", created_at=MARCH)
    assert await explained(any_world) == [
        ("b", True, "newest_active"),
        ("a", False, "older"),
        ("c", False, "inactive"),
    ]


async def test_without_an_active_one_the_newest_opens(any_world: World) -> None:
    await any_world.customer("a", "sam@example.com", created_at=MARCH)
    await any_world.customer("b", "sam@example.com", created_at=MAY)
    assert await explained(any_world) == [("b", True, "newest"), ("a", False, "older")]


async def test_a_disabled_one_never_opens(any_world: World) -> None:  # threat 24
    await any_world.customer("off", "sam@example.com", created_at=MAY, active=True, disabled=True)
    assert await opened(any_world) == ""
    assert await explained(any_world) == [("off", False, "disabled")]
    await any_world.customer("on", "sam@example.com", created_at=JANUARY)
    assert await explained(any_world) == [("on", True, "only"), ("off", False, "disabled")]


async def test_created_at_the_same_moment_the_answer_is_the_same_every_time(any_world: World) -> None:
    for id_ in ("cus_B", "cus_a", "cus_C"):
        await any_world.customer(id_, "sam@example.com", created_at=MAY)
    assert await opened(any_world) == "cus_a"


async def test_another_brands_customer_with_the_address_does_not_count(any_world: World) -> None:
    await any_world.customer("other", "sam@example.com", brand="orbit", active=True)
    assert await opened(any_world) == ""


async def test_a_plus_or_a_dot_is_another_identity(any_world: World) -> None:  # threat 40
    await any_world.customer("plain", "s.am+shop@example.com")
    assert await opened(any_world) == ""


TWINS = {
    "JENNY@Example.COM": "jenny@example.com",
    "kim@example.com": "KIM@EXAMPLE.COM",
    "m\u00fcller@example.com": "",
    "jenny@b\u00fccher.example": "jenny@xn--bcher-kva.example",
    "jenny@STRASSE.example": "jenny@strasse.example",
}
"""What is stored, and what is typed to reach it; empty: nothing reaches it."""
NOBODYS = ("\u212aim@example.com", "k\u0131m@example.com", "k\u0130m@example.com", "jenny@stra\u00dfe.example")


async def test_the_same_addresses_match_on_both_stores(any_world: World) -> None:  # threats 33, 41
    """The canonical form is made in Python: no database folds case its own way."""
    rows = [exports.customer(f"cus_{number}", email=stored) for number, stored in enumerate(TWINS)]
    await import_records(any_world.store, BRAND, rows, now=MAY)
    for number, typed in enumerate(TWINS.values()):
        address = canonical(typed)
        if not isinstance(address, EmailMistake):
            chosen = await directory.customer_for(any_world.store, BRAND, address)
            assert chosen is not None
            assert chosen.id == f"cus_{number}"
    for typed in NOBODYS:
        address = canonical(typed)
        if not isinstance(address, EmailMistake):
            assert await directory.customer_for(any_world.store, BRAND, address) is None


async def test_what_an_operator_said_stays_whatever_the_billing_side_writes(any_world: World) -> None:
    id_, store = await any_world.customer(), any_world.store

    async def say(*, disabled: bool) -> bool:
        return await store.write(lambda it: directory.set_disabled(it, BRAND, id_, disabled=disabled))

    async def written(*, disabled: bool) -> int:
        account = await directory.account_of(store, BRAND, id_)
        assert account
        changed = replace(account, customer=replace(account.customer, disabled=disabled))
        values = rows.customer_values(BRAND, changed)
        return await store.write(lambda it: rows.put_customer(it, values))

    assert [await say(disabled=True), await say(disabled=True)] == [True, False]
    for disabled, by_both in ((True, (True, True)), (False, (False, True))):
        assert [await written(disabled=disabled), await written(disabled=disabled)] == [1, 0]
        assert await directory.disabled_by(store, BRAND, id_) == by_both
    assert await written(disabled=True) == 1
    assert [await say(disabled=False), await say(disabled=False)] == [True, False]
    assert await directory.disabled_by(store, BRAND, id_) == (True, False)
    assert await directory.disabled_by(store, BRAND, "nobody") == (False, False)


async def test_a_part_is_found_among_customers_of_many_pages_and_others_get_their_turn(any_world: World) -> None:
    made = [
        {"brand": BRAND, "id": f"cus_{number:05}", "address": "", "email": f"{number}@example.com", "name": f"Über  {number}",
         "created_at": number // 2, "active": 0, "disabled": 0}
        for number in range(2_500)
    ]  # fmt: skip
    await any_world.store.write(lambda transaction: transaction.run_many(rows.PUT_CUSTOMER, made))
    async with Turns() as turns:
        (oldest,) = await customer_search.matching(any_world.store, BRAND, "us_00000", 51)
    assert oldest.id == "cus_00000"
    assert turns.count >= 3
    assert [each.id for each in await customer_search.matching(any_world.store, BRAND, "über 1", 3)] == [
        "cus_01999", "cus_01998", "cus_01997"
    ]  # fmt: skip
    assert await customer_search.matching(any_world.store, BRAND, "00001 1@", 51) == []
