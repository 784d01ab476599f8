"""The sample customers of the demo and of the tests, as Stripe-shaped JSON: they are imported by the same path as a
merchant's own. The addresses are the same in every brand; what they bought fits the brand.

| address (@example.com) | who it is |
|---|---|
| jenny | one active subscription, two cards, 30 invoices |
| sam | two customers; the newer one has no active subscription |
| pat | past due, with an open invoice |
| tina | in a trial |
| lee | ends at the period's end, pays in yen |
| ivy | invoices only, of every status, with electronic ones among them; a customer of the v2 API |
| max | three subscriptions, one of them with several items |
| dee | disabled |
| kim | pays by invoice: one is open |
| noa | collection paused, a discount, a PayPal account |
| uma | a status and a payment method that nobody knows |
| eve | a name, a memo and a tax id full of markup |
| ann | canceled long ago; the last payment was given back in part |
| ray | one subscription in each state that needs something done: incomplete, unpaid, paused, never begun; one that the business ends |
| zoe | the default card has expired, another one expires and is named by a subscription |
| bea | past due: the bank wants each payment confirmed |
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from server.publishing.samples.many import many, write_many
from server.publishing.samples.shapes import Json
from server.publishing.samples.trouble import Everybody

__all__ = ["ADDRESSES", "many", "records", "write_many"]

ADDRESSES = tuple(
    f"{name}@example.com"
    for name in (
        *("jenny", "sam", "pat", "tina", "lee", "ivy", "max", "dee", "kim", "noa", "uma", "eve", "ann", "ray", "zoe"),
        "bea",
    )
)


def records(brand: str, now: datetime) -> list[Json]:
    """Everything that a brand's sample ledger is filled with; the same arguments give the same objects."""
    return list(_everything(brand, now))


def _everything(brand: str, now: datetime) -> Iterator[Json]:
    cast = Everybody(brand, now)
    yield from cast.catalog()
    for person in (
        cast.jenny, cast.sam, cast.pat, cast.tina, cast.lee, cast.ivy, cast.max, cast.dee,
        cast.kim, cast.noa, cast.uma, cast.eve, cast.ann, cast.ray, cast.zoe, cast.bea,
    ):  # fmt: skip
        yield from person()
