"""Whose name, address or id has this in it? For the merchant's search; and the worker's step that keeps it quick.

What few customers have is looked up (`store.customer_parts`), among a million as among a thousand. What many have is found by
reading the newest customers until there are enough. Whoever was not indexed since they came or changed is read too, so that
what is found is right at every moment, also when no worker runs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from server.access.directory import Candidate, candidate_of
from server.store import Row, Store, Transaction, customer_parts
from server.store.customer_parts import Texts

FEW = 2_000
"""Rows of the index: more are not read one by one."""
_AT_ONCE = 100

_NOT_INDEXED = "(indexed_name IS NULL OR indexed_name <> name OR indexed_email <> email)"
"""Word for word the condition of the index `customer_to_index`."""
# In order and up to a number that it knows, PostgreSQL takes the index whatever is sought. One statement, so that nobody is
# missed whom the worker indexes meanwhile.
_LOOK = f"""
SELECT * FROM (SELECT customer_id FROM customer_part
                WHERE brand = :brand AND part >= :from{{0}} AND part < :to{{0}} ORDER BY part LIMIT {FEW}) AS look"""
_MAY_HAVE = f"""
{" UNION ALL ".join(_LOOK.format(place) for place in range(customer_parts.EVERY))}
 UNION ALL SELECT * FROM (SELECT id FROM customer
                           WHERE brand = :brand AND {_NOT_INDEXED} ORDER BY id LIMIT {FEW}) AS others
 LIMIT {FEW}"""
_THESE = f"""
SELECT id, email, name, created_at, active, disabled FROM customer
 WHERE brand = :brand AND id IN ({", ".join(f":id{place}" for place in range(_AT_ONCE))})"""
_PAGE = """
SELECT id, email, name, created_at, active, disabled FROM customer
 WHERE brand = :brand AND (created_at, id) < (:at, :id) ORDER BY created_at DESC, id DESC LIMIT 1000"""

# `brand > ''` says to SQLite that it may begin in the index. A customer whom somebody else is writing is for the next time: who
# holds customers and waits for none makes nobody wait in a circle.
_TO_INDEX = f"""
SELECT brand, id, COALESCE(indexed_name, ''), COALESCE(indexed_email, ''), name, email FROM customer
 WHERE brand > '' AND {_NOT_INDEXED} ORDER BY brand, id LIMIT 50 /* FOR UPDATE SKIP LOCKED */"""
_ONE_TO_INDEX = f"SELECT 1 FROM customer WHERE brand > '' AND {_NOT_INDEXED} ORDER BY brand, id LIMIT 1"
_INDEXED = """
UPDATE customer SET indexed_name = :name, indexed_email = :email WHERE brand = :brand AND id = :customer_id"""


async def matching(store: Store, brand: str, part: str, limit: int) -> list[Candidate]:
    """Up to `limit` customers with this in the name, the address or the id, in any case and script; the newest ones."""
    wanted = customer_parts.folded(part)
    ids = await _ids(store, brand, wanted)
    if ids is None:
        return await _newest(store, brand, wanted, limit)
    found = _with(wanted, await _rows(store, brand, ids))
    return [candidate_of(row) for row in sorted(found, key=lambda row: (row[3], row[0]), reverse=True)[:limit]]


async def index(store: Store) -> bool:
    """Index some customers who came or changed; False: there are none. Safe to run twice and at once."""
    if not await store.read(_ONE_TO_INDEX):
        return False
    began = time.perf_counter()
    some = await store.write(_index)
    # As long again: others take SQLite's one write lock too.
    await asyncio.sleep(time.perf_counter() - began)
    return some


def _index(transaction: Transaction) -> bool:
    found = [Texts(*row) for row in transaction.run(_TO_INDEX)]
    if found:
        transaction.run_many(_INDEXED, [each._asdict() for each in found])
        customer_parts.write(transaction, found)
    return bool(found)


async def _ids(store: Store, brand: str, wanted: str) -> list[str] | None:
    """Of all who may have `wanted`; None: they are many."""
    looks = customer_parts.looks(wanted)
    if not looks:
        return None
    between = {
        f"{end}{place}": each
        for place, look in enumerate(looks)
        for end, each in zip(("from", "to"), look, strict=True)
    }
    found = await store.read(_MAY_HAVE, {"brand": brand, **between})
    return None if len(found) == FEW else list(dict.fromkeys(id_ for (id_,) in found))


async def _rows(store: Store, brand: str, ids: list[str]) -> list[Row]:
    found: list[Row] = []
    for at in range(0, len(ids), _AT_ONCE):
        some = ids[at : at + _AT_ONCE]
        some += some[-1:] * (_AT_ONCE - len(some))  # one statement, however many they are
        found += await store.read(_THESE, {"brand": brand, **{f"id{place}": each for place, each in enumerate(some)}})
        await asyncio.sleep(0)
    return found


async def _newest(store: Store, brand: str, wanted: str, limit: int) -> list[Candidate]:
    """Others who wait for the same thread get their turn between two pages."""
    last, found = (2**62, ""), list[Row]()
    while len(found) < limit and (page := await store.read(_PAGE, {"brand": brand, "at": last[0], "id": last[1]})):
        # The texts of a page at once, since most pages have it nowhere.
        if wanted in customer_parts.folded("\0".join(f"{row[2]}\0{row[1]}\0{row[0]}" for row in page)):
            found += _with(wanted, page)
        last = page[-1][3], page[-1][0]
        await asyncio.sleep(0)
    return [candidate_of(row) for row in found[:limit]]


def _with(wanted: str, rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if any(wanted in customer_parts.folded(text) for text in row[:3])]
