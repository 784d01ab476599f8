"""Old rows go, on both databases, and nothing that is still asked for goes with them."""

import asyncio
from datetime import timedelta

import pytest

from server.store import cleaning, micros

pytestmark = pytest.mark.anyio
IDLE = timedelta(minutes=60)


async def put(store, table, **values):
    sql = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(':' + key for key in values)})"
    await store.write(lambda transaction: transaction.run(sql, values))


async def one_of_each(store, now, name="one"):
    at, brand = micros(now), {"brand": "plain"}
    ten_minutes, eight_hours = micros(now + timedelta(minutes=10)), micros(now + timedelta(hours=8))
    await put(
        store,
        "challenge",
        **brand,
        id_hash=name.encode(),
        link="l",
        address="a",
        code_mac=b"m",
        hardened=0,
        sent_at=at,
        expires_at=ten_minutes,
    )
    await put(store, "budget", **brand, kind="send", subject=name, starts_at=0, used=1, expires_at=ten_minutes)
    await put(
        store,
        "session",
        **brand,
        id_hash=name.encode(),
        customer_id="c",
        address="a",
        kind="login",
        browser="",
        created_at=at,
        last_seen_at=at,
        expires_at=eight_hours,
    )
    await put(
        store,
        "outbox",
        **brand,
        id=name,
        kind="passcode",
        address="a",
        created_at=at,
        not_before=at,
        expires_at=ten_minutes,
        state="sent",
    )
    await put(store, "known_browser", **brand, customer_id="c", mark_hash=name.encode(), seen_at=at)
    await put(
        store,
        "operation",
        **brand,
        customer_id="c",
        key=name,
        action="x",
        subject="",
        state="done",
        created_at=at,
        updated_at=at,
    )


async def counts(store):
    tables = ("challenge", "budget", "session", "outbox", "operation", "known_browser")
    return [(await store.read(f"SELECT COUNT(*) FROM {table}"))[0][0] for table in tables]


async def test_what_is_still_asked_for_stays(store, clock):
    await one_of_each(store, clock())
    assert await cleaning.clean(store, clock.forward(minutes=9), IDLE) == 0
    assert await counts(store) == [1, 1, 1, 1, 1, 1]


async def test_each_row_goes_when_nothing_asks_for_it_any_more(store, clock):
    await one_of_each(store, clock())
    await cleaning.clean(store, clock.forward(hours=2), IDLE)
    assert await counts(store) == [1, 0, 1, 1, 1, 1]
    await cleaning.clean(store, clock.forward(hours=24), IDLE)
    assert await counts(store) == [0, 0, 0, 1, 1, 1]
    await cleaning.clean(store, clock.forward(days=30), IDLE)
    assert await counts(store) == [0, 0, 0, 0, 0, 1]
    await cleaning.clean(store, clock.forward(days=368), IDLE)
    assert await counts(store) == [0, 0, 0, 0, 0, 1]
    await cleaning.clean(store, clock.forward(days=2), IDLE)
    assert await counts(store) == [0, 0, 0, 0, 0, 0]


async def test_wrong_codes_are_never_forgotten_by_time(store, clock):  # threat 6
    await put(store, "budget", brand="plain", kind="wrong", subject="a", starts_at=0, used=20)
    await cleaning.clean(store, clock.forward(days=3650), IDLE)
    assert (await counts(store))[1] == 1


async def test_undecided_rows_stay_however_old(store, clock):
    at = micros(clock())
    await put(
        store,
        "outbox",
        brand="plain",
        id="1",
        kind="passcode",
        address="a",
        created_at=at,
        not_before=at,
        expires_at=at,
        state="waiting",
    )
    await put(
        store,
        "operation",
        brand="plain",
        customer_id="c",
        key="1",
        action="x",
        subject="",
        state="unknown",
        created_at=at,
        updated_at=at,
    )
    await cleaning.clean(store, clock.forward(days=300), IDLE)
    assert await counts(store) == [0, 0, 0, 1, 1, 0]


async def test_cleaning_in_small_steps_and_at_once_leaves_nothing(store, clock):
    for number in range(12):
        await one_of_each(store, clock(), f"row {number}")
    later = clock.forward(days=401)
    gone = await asyncio.gather(*(cleaning.clean(store, later, IDLE, at_once=5) for _ in range(3)))
    assert sum(gone) == 72
    assert await counts(store) == [0, 0, 0, 0, 0, 0]
