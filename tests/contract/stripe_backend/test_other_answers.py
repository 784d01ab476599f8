"""The catalog, the directory, the documents and what an event leads to, with one field after the other in another shape:
nothing of ours fails, so no odd object stops a sync, a log-in or the worker, and what was copied can be read."""

from __future__ import annotations

from itertools import cycle

import pytest

from server.billing import NotFound, Refused, Unavailable
from tests.support.other_shapes import KINDS, Replayed, changes, put

pytestmark = pytest.mark.anyio


def calls(billing, world, now):
    """What asks Stripe, besides the fetch of an account and what a customer changes."""
    customer = next(each["customer"] for each in world.tables["invoice"].values() if each["status"] == "paid")
    invoice = next(each["id"] for each in world.of(customer, "invoice") if each["status"] == "paid")
    tiered = next(each["id"] for each in world.tables["price"].values() if each["billing_scheme"] == "tiered")
    first = {kind: next(iter(world.tables[kind])) for kind in ("product", "coupon", "tax_rate", "promotion_code")}
    (note,) = world.tables["credit_note"].values()
    copied = billing.copied_catalog
    return customer, {
        "price": lambda: copied.refresh("price", tiered),
        "product": lambda: copied.refresh("product", first["product"]),
        "coupon": lambda: copied.refresh("coupon", first["coupon"]),
        "tax rate": lambda: copied.refresh("tax_rate", first["tax_rate"]),
        "promotion code": lambda: billing.promotion_code(first["promotion_code"]),
        "log-in": lambda: billing.look_for(world.tables["customer"][customer]["email"]),
        "an event's customer": lambda: billing._list(customer, now),
        "payments": lambda: billing.read_payments(customer),
        "invoice": lambda: billing.document(customer, invoice, "invoice"),
        "receipt": lambda: billing.document(customer, invoice, "receipt"),
        "credit note": lambda: billing.document(note["customer"], note["invoice"], note["id"]),
    }


async def test_no_answer_of_another_shape_is_an_error_of_ours(quick, client, stripe_world, clock):
    customer, asked = calls(quick, stripe_world, clock())
    for each in (customer, next(iter(stripe_world.tables["credit_note"].values()))["customer"]):
        await quick.refetch(each, clock())
    await quick.read_payments(customer)
    quick.client = quick.copied_catalog.client = replayed = Replayed(client)
    failed, tried, kinds = [], 0, cycle(KINDS.items())
    for name, call in asked.items():
        replayed.answers.clear()
        replayed.begin()
        await call()
        for where, path in changes(replayed):
            for named, value in (next(kinds), next(kinds)):
                replayed.begin(where, put(path, value))
                tried += 1
                try:
                    await call()
                    if name in ("price", "product", "coupon", "tax rate"):
                        await quick.copied_catalog.copy()
                except (NotFound, Refused, Unavailable):
                    pass
                except Exception as error:  # noqa: BLE001 (all are told together)
                    failed.append((name, where, path, named, repr(error)))
        replayed.begin()
        await call()
    assert failed == []
    assert tried > 1_000
