"""Whatever the ledger refuses, and whatever page has become stale: not a row of the store is another one afterwards."""

import asyncio
import tempfile
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from server.billing import Canceled, Changed, NotFound, Refused
from server.billing.ledger.changes.canceling import cancellation
from server.billing.ledger.changes.pausing import mark_of_unpausing
from server.billing.ledger.changes.restarting import restarts
from server.billing.ledger.ledger import Ledger
from server.billing.model.documents import encode_account
from server.billing.rules.discounts import canonical
from server.store import micros, open_store
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


def verb(draw, ledger, it, prices, terms):
    """Something that is asked of the ledger, often for what cannot be had, or with an odd token."""
    subscription = draw(st.sampled_from(("sub_1", "sub_1", "sub_1", "sub_1", "sub_none")))
    who = ("cus_1", subscription)
    name = draw(st.sampled_from(("change", "change", "cancel", "cancel", "resume", "undo_change", "pause", "unpause",
                                 "restart", "retain", "feedback")))  # fmt: skip
    if name == "change":
        return lambda **how: ledger.change(*who, draw(asked(prices)), token=draw(_TOKENS), **how)
    if name == "cancel":
        rule = terms.features.subscription_cancel
        right = cancellation(it, "sub_1", rule, it.as_of).token
        return lambda **how: ledger.cancel(*who, token=draw(st.sampled_from(("", "0.0", right))), **how)
    more = {
        "pause": (draw(st.integers(0, 5)),),
        "restart": (draw(st.sampled_from(("price_none", prices[0].id))),),
        "feedback": (draw(st.sampled_from(("unused", "moon"))), draw(st.sampled_from(("", "x" * 501)))),
    }
    token = {"token": draw(st.sampled_from(("", "x", *marks(it, terms))))} if name in ("unpause", "restart") else {}
    return lambda **how: getattr(ledger, name)(*who, *more.get(name, ()), **token, **how)


def marks(it, terms):
    """What the pages that start a subscription again, or end its pause, send back."""
    found = it.subscription("sub_1")
    offered = restarts(it, found, terms.catalog, terms.features, it.as_of)
    return mark_of_unpausing(it, found, it.as_of), *(each.token for each in offered)


_TOKENS = st.sampled_from(("", "x", "1773662400000000.0000"))
FOUND: set[str] = set()


async def try_it(data, situation, store):
    prices, start, terms = situation
    it, now, _ = later(data.draw, start)
    await fill(store, it, terms)
    ledger = Ledger(store, "plain", terms.features)
    for number in range(3):
        it = await ledger.account("cus_1", now)
        before = await everything(store)
        try:
            done = await verb(data.draw, ledger, it, prices, terms)(key=f"key-{number}", now=now, browser="")
        except (Refused, NotFound) as refused:
            FOUND.add(getattr(refused, "reason", "not_found"))
            assert await everything(store) == before
            continue
        stale = (isinstance(done, Changed) and done.preview) or (isinstance(done, Canceled) and done.cancellation)
        if stale:
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
