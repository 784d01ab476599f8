"""Whose name, address or id has this in it: the same customers as when all are read, whether indexed or not."""

from __future__ import annotations

import asyncio
import random
import unicodedata
from typing import Any

import psycopg
import pytest

from server.access import customer_search
from server.billing import rows
from server.store import Store, Transaction
from tests.support.world import BRAND

pytestmark = pytest.mark.anyio

LETTERS = [
    "a",
    "A",
    "b",
    "c",
    " ",
    "  ",
    ".",
    "@",
    "_",
    "%",
    "ß",
    "ẞ",
    "ﬁ",
    "İ",
    "ı",
    "é",
    "e\u0301",
    "李",
    "明",
    "Ｐ",
    "１",
    "😀",
    "\xa0",
]
RENAME = "UPDATE customer SET name = :name WHERE brand = :brand AND id = :id"
PARTS = "SELECT customer_id, part FROM customer_part ORDER BY customer_id, part"


def folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def customer(id_: str, name: str, email: str = "", *, brand: str = BRAND, at: int = 0) -> dict[str, Any]:
    return {"brand": brand, "id": id_, "address": "", "email": email, "name": name, "created_at": at, "active": 0,
            "disabled": 0}  # fmt: skip


async def put(store: Store, *customers: dict[str, Any]) -> None:
    await store.write(lambda transaction: transaction.run_many(rows.PUT_CUSTOMER, customers))


async def index(store: Store) -> None:
    while await customer_search.index(store):
        pass


async def found(store: Store, part: str, limit: int = 51) -> list[str]:
    return [each.id for each in await customer_search.matching(store, BRAND, part, limit)]


async def expected(store: Store, part: str, limit: int = 51) -> list[str]:
    sql = "SELECT id, name, email FROM customer WHERE brand = :brand ORDER BY created_at DESC, id DESC"
    wanted = folded(part)
    everybody = await store.read(sql, {"brand": BRAND})
    return [row[0] for row in everybody if any(wanted in folded(each) for each in row)][:limit]


async def compare(store: Store, drawn: random.Random, known: list[str]) -> None:
    for _ in range(120):
        text = drawn.choice(known)
        at = drawn.randrange(len(text) + 1)
        part = text[at : at + drawn.choice([1, 2, 4, 5, 6, 8, 12, 40])] + drawn.choice(["", "", "", "a", " "])
        assert await found(store, part) == await expected(store, part), part
    for part in ("", " ", "\0", "nobody has this", "a\0b", "\udc80" * 5, "cus_0\n", "%%%%%"):
        assert await found(store, part) == await expected(store, part), part


async def test_search_finds_whom_reading_everybody_finds(store: Store) -> None:
    drawn = random.Random(24)

    def text(longest: int) -> str:
        return "".join(drawn.choices(LETTERS, k=drawn.randrange(longest)))

    def somebody(number: int, brand: str = BRAND) -> dict[str, Any]:
        id_ = f"cus_{number:03}{text(4).replace(' ', '')}"
        return customer(id_, text(40), text(20), brand=brand, at=drawn.randrange(9))

    made = [somebody(number) for number in range(150)]
    await put(store, *made, *(somebody(number, "another") for number in range(50)))
    known = [each[key] for each in made for key in ("name", "email", "id")]
    await compare(store, drawn, known)  # nobody is indexed
    await index(store)
    await compare(store, drawn, known)  # everybody is

    def change(transaction: Transaction) -> None:
        for each in drawn.sample(made, 90):
            how = drawn.randrange(3)
            if how == 0:
                rows.drop_customer(transaction, BRAND, each["id"])
            elif how == 1:
                rows.put_customer(transaction, each | {"email": text(20)})
            else:
                transaction.count(RENAME, {"brand": BRAND, "id": each["id"], "name": text(40)})

    await store.write(change)
    await put(store, *(somebody(number) for number in range(200, 240)))
    await compare(store, drawn, known)  # some are
    await index(store)
    await compare(store, drawn, known)


async def test_what_many_have_is_found_among_the_newest(store: Store) -> None:
    words = " ".join(f"same{number}" for number in range(1_000))
    await put(store, *(customer(f"cus_{number}", words, at=-number) for number in range(8)), customer("cus_9", "same"))
    await index(store)
    ((parts,),) = await store.read("SELECT COUNT(*) FROM customer_part")
    assert parts > 3 * customer_search.FEW
    assert await found(store, "same1", 3) == ["cus_0", "cus_1", "cus_2"]
    assert await found(store, "same1 s", 3) == ["cus_0", "cus_1", "cus_2"]


async def test_nothing_is_left_of_who_is_gone_or_has_another_name(store: Store) -> None:
    await put(store, customer("cus_1", "Jenny Rosenbaum", "jenny@example.com"), customer("cus_2", ""))
    await index(store)
    first = await store.read(PARTS)
    rename = {"brand": BRAND, "id": "cus_1", "name": "Ulrike Österreicher"}
    await store.write(lambda transaction: transaction.count(RENAME, rename))
    await index(store)
    assert b"jenny rosenbaum" not in [part for _, part in await store.read(PARTS)]
    assert b"jenny@example.com" in [part for _, part in await store.read(PARTS)]
    await store.write(lambda transaction: transaction.count(RENAME, rename | {"name": "Jenny Rosenbaum"}))
    await index(store)
    assert await store.read(PARTS) == first
    await store.write(lambda transaction: transaction.count(RENAME, rename))  # gone before the worker comes
    for each in ("cus_1", "cus_2", "cus_3"):
        await store.write(lambda transaction, each=each: rows.drop_customer(transaction, BRAND, each))
    assert await store.read(PARTS) == []


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_a_worker_waits_for_nobody_who_is_writing_a_customer(store: Store, store_url: str) -> None:
    """It holds customers itself: whoever it waited for may wait for one of these."""
    await put(store, *(customer(f"cus_{number}", "Jenny") for number in range(3)))
    with psycopg.connect(store_url) as another:
        another.execute(RENAME.replace(":brand", "%s").replace(":id", "'cus_1'").replace(":name", "'Ulrike'"), [BRAND])
        while await customer_search.index(store):
            pass
        assert {id_ for id_, _ in await store.read(PARTS)} == {"cus_0", "cus_2"}
        assert await found(store, "Jenny") == ["cus_2", "cus_1", "cus_0"]
    await index(store)
    assert await found(store, "ulrike") == ["cus_1"]


async def test_workers_index_at_once_while_names_change_and_customers_go(store: Store) -> None:
    everybody = [customer(f"cus_{number:02}", f"Somebody {number}", "some@example.com") for number in range(30)]
    await put(store, *everybody)

    async def change() -> None:
        for each in everybody:
            rename = {"brand": BRAND, "id": each["id"], "name": each["name"] + " the Second"}
            await store.write(lambda transaction, rename=rename: transaction.count(RENAME, rename))
            if each["id"] > "cus_20":
                await store.write(lambda transaction, each=each: rows.drop_customer(transaction, BRAND, each["id"]))

    await asyncio.gather(index(store), index(store), index(store), change())
    await index(store)
    after = await store.read(PARTS)
    await store.write(lambda transaction: transaction.count("DELETE FROM customer_part"))
    await store.write(lambda transaction: transaction.count("UPDATE customer SET indexed_name = NULL"))
    await index(store)
    assert after == await store.read(PARTS)
    assert await found(store, "the second", 99) == [f"cus_{number:02}" for number in range(20, -1, -1)]
