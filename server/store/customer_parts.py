"""What a search by a part of a customer's name, address or id looks up: the table `customer_part`.

A row says how a text goes on from some place: its first `LONGEST` bytes from there. Every third place has a row. Whatever is
sought in a text begins at one of these places, or one or two bytes before one; so three looks into the index, for what is
sought, for it without its first byte and without its first two, find all texts that may have it. Whether they do have it,
the caller finds out: the looks find a little more. The index takes a third of the room that a row for each place would.

Texts are folded here and not by a database, since the two fold letters beyond ASCII differently. Who changes what these
functions answer also sets `customer.indexed_name` to NULL, by a migration: then the worker makes all rows again.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from server.store import Transaction

EVERY, SHORTEST, LONGEST = 3, 3, 32
"""Bytes: from one row's place to the next one's; of a row at least and at most."""

_PUT = """
INSERT INTO customer_part (brand, part, customer_id) VALUES (:brand, :part, :customer_id) ON CONFLICT DO NOTHING"""
_DROP = "DELETE FROM customer_part WHERE brand = :brand AND part = :part AND customer_id = :customer_id"


def folded(text: str) -> str:
    """As texts are compared: in any case, width and spacing."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def looks(wanted: str) -> list[tuple[bytes, bytes]]:
    """Between which bytes the rows are (from, and to before) that a text with `wanted` (folded) has at least one of; none: it is too
    short to be looked up."""
    sought = _bytes(wanted)
    if len(sought) < SHORTEST + EVERY - 1:
        return []
    # No byte of UTF-8 is FF: whatever begins with these bytes is before them with an FF.
    begins = [sought[at : at + LONGEST] for at in range(EVERY)]
    return [(each, each + b"\xff") for each in begins]


class Texts(NamedTuple):
    """Of a customer whom the caller has locked."""

    brand: str
    customer_id: str
    indexed_name: str
    indexed_email: str
    """These two have rows."""
    name: str
    email: str


def write(transaction: Transaction, customers: Iterable[Texts]) -> None:
    """The rows of these customers."""
    old, new = set[tuple[str, bytes, str]](), set[tuple[str, bytes, str]]()
    for brand, id_, indexed_name, indexed_email, name, email in customers:
        wanted = parts(name, email, id_)
        old |= {(brand, each, id_) for each in parts(indexed_name, indexed_email, id_) - wanted}
        # Also those that should be there: nobody asked whether the id has its rows.
        new |= {(brand, each, id_) for each in wanted}
    _run_many(transaction, _DROP, old)
    _run_many(transaction, _PUT, new)


def drop(transaction: Transaction, brand: str, customer_id: str, before: tuple[str, str]) -> None:
    """The customer is gone."""
    _run_many(transaction, _DROP, {(brand, each, customer_id) for each in parts(*before, customer_id)})


def _run_many(transaction: Transaction, sql: str, keys: Iterable[tuple[str, bytes, str]]) -> None:
    # In the order of the index, of whose pages few stay in memory.
    rows = [{"brand": brand, "part": part, "customer_id": id_} for brand, part, id_ in sorted(keys)]
    if rows:
        transaction.run_many(sql, rows)


def parts(*texts: str) -> set[bytes]:
    """The rows of a customer with these texts."""
    found = (_bytes(folded(each)) for each in texts)
    return {each[at : at + LONGEST] for each in found for at in range(0, len(each) - SHORTEST + 1, EVERY)}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
