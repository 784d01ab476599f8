"""Whatever the ledger refuses, and whatever page has become stale: not a row of the store is another one afterwards."""

import asyncio
import tempfile
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from server.billing import (
    Cancel,
    Move,
    NotFound,
    Pause,
    Refusal,
    Refused,
    Restart,
    Restarts,
    Resume,
    Retain,
    Stale,
    Tell,
    UndoMove,
    Unpause,
)
from server.billing.model.documents import encode_account
from server.billing.rules.discounts import canonical
from server.store import micros, open_store
from tests.support.pages import ledger_of
from tests.support.plans import asked, often
from tests.support.sequences import later, odd_situations

TABLES = ("account", "invoice", "operation", "activity", "outbox", "redemption", "catalog", "customer")
_CUSTOMER = """
INSERT INTO customer (brand, id, address, email, name, created_at, active, disabled)
VALUES ('plain', 'cus_1', 'jenny@example.com', 'jenny@example.com', '', 0, 1, 0)"""
_ACCOUNT = """
INSERT INTO account (brand, customer_id, version, as_of, due_at, document)
VALUES ('plain', 'cus_1', 1, :at, 0, :document)"""
_CATALOG = "INSERT INTO catalog (brand, kind, id, document) VALUES ('plain', :kind, :id, :document)"
_CODE = "INSERT INTO promotion_code (brand, code, id) VALUES ('plain', :code, :id)"


async def fill(store, it, terms):
    sold = [("price", each) for each in terms.catalog.prices.values()]
    sold += [("coupon", each) for each in terms.catalog.coupons.values()]
    sold += [("promotion_code", each) for each in terms.catalog.codes]
    rows = [{"kind": kind, "id": each.id, "document": msgspec.msgpack.encode(each)} for kind, each in sold]
    codes = [{"code": canonical(each.code), "id": each.id} for each in terms.catalog.codes]

    def write(transaction):
        for table in TABLES:
            transaction.count(f"DELETE FROM {table}")
        transaction.count("DELETE FROM promotion_code")
        transaction.count(_CUSTOMER)
        transaction.count(_ACCOUNT, {"at": micros(it.as_of), "document": encode_account(it)})
        transaction.run_many(_CATALOG, rows)
        transaction.run_many(_CODE, codes)

    await store.write(write)


async def everything(store):
    return [await store.read(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in TABLES]


def action(draw, prices):
    """Something that is asked of the ledger, often what cannot be had."""
    kind = draw(st.sampled_from((Move, Move, Cancel, Cancel, Resume, UndoMove, Pause, Unpause, Restart, Retain, Tell)))
    if kind is Move:
        return draw(asked(prices))
    more = {
        Pause: (draw(st.integers(0, 5)),),
        Restart: (draw(st.sampled_from(("price_none", prices[0].id))),),
        Tell: (draw(st.sampled_from(("unused", "moon"))), draw(st.sampled_from(("", "x" * 501)))),
    }
    return kind(*more.get(kind, ()))


async def marks(ledger, by, it, wanted):
    """What the form of such a page may send back: what the page showed, or what somebody made up."""
    try:
        shown = await ledger.preview(by, "sub_1", wanted)
    except (TypeError, NotFound):
        return _TOKENS
    options = shown.options if isinstance(shown, Restarts) else (shown,)
    return (*_TOKENS, *(each.fingerprint for each in options if not isinstance(each, Refusal)))


_TOKENS = ("", "x", "0.0", "1773662400000000.0000")
FOUND: set[str] = set()


async def try_it(data, situation, store):
    prices, start, terms = situation
    it, now, _ = later(data.draw, start)
    await fill(store, it, terms)
    ledger = ledger_of(store, "plain", terms.features)
    for number in range(3):
        it = await ledger.account("cus_1", now)
        before = await everything(store)
        by, wanted = ledger.by(key=f"key-{number}", now=now), action(data.draw, prices)
        subscription = data.draw(st.sampled_from(("sub_1", "sub_1", "sub_1", "sub_1", "sub_none")))
        shown = data.draw(st.sampled_from(await marks(ledger, by, it, wanted)))
        try:
            done = await ledger.apply(by, subscription, wanted, shown=shown)
        except (Refused, NotFound) as refused:
            FOUND.add(getattr(refused, "reason", "not_found"))
            assert await everything(store) == before
            continue
        if isinstance(done, Stale):
            FOUND.add("stale")
            assert await everything(store) == before


def test_what_is_refused_or_stale_leaves_every_row_as_it_was():
    FOUND.clear()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:{Path(folder) / 'store.sqlite'}")

        @settings(max_examples=often(120), deadline=None)
        @given(st.data(), odd_situations())
        def every(data, situation):
            asyncio.run(try_it(data, situation, store))

        every()
        asyncio.run(store.close())
    # It would hold of nothing, too: such came about.
    assert {"stale", "not_found"} <= FOUND
    assert len(FOUND) > 5
