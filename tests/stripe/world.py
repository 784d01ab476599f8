"""The state of one Stripe account: every object as a plain dict in a table, the clock, and the events.

A stored dict names other objects by id; `rendering` puts in what the answer shows. A key that begins with `_` is ours
and never leaves. `owner` is a customer's id; an account of the v2 API that is a customer has one too, its twin's.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from msgspec import msgpack

from stripe import api_version
from tests.stripe.defaults import DEFAULTS, PREFIXES
from tests.stripe.errors import missing

Json = dict[str, Any]
VERSION = api_version or ""
_SHARED = ("coupon", "promotion_code")
"""Not owned, but a change counts their redemptions."""


class Clock:
    """Stripe's time in seconds: it stands where it was started, or runs with the real one."""

    def __init__(self, start: int | None) -> None:
        self._start, self.ahead = start, 0

    @property
    def now(self) -> int:
        return (int(time.time()) if self._start is None else self._start) + self.ahead


class World:
    def __init__(self, start: int | None = None, *, livemode: bool = False) -> None:
        self.clock, self.livemode = Clock(start), livemode
        self.tables: dict[str, dict[str, Json]] = defaultdict(dict)
        self.owned: dict[str, dict[tuple[str, str], None]] = defaultdict(dict)
        self.rehearsing = False
        self.base = "https://stripe.test"
        """Where hosted pages are: the server that listens says where."""
        self.told: list[Callable[[Json], None]] = []
        """Called with each event: the webhooks listen here."""
        self._last_id = 0

    @property
    def now(self) -> int:
        return self.clock.now

    def new_id(self, kind: str) -> str:
        self._last_id += 1
        return f"{PREFIXES[kind]}_standin{self._last_id:06d}"

    def add(self, kind: str, **fields: Any) -> Json:
        """A new object of this kind, with Stripe's own values for what is not said."""
        identity = fields.pop("id", None) or self.new_id(kind)
        head = {"id": identity, "object": kind, "created": self.now, "livemode": self.livemode}
        return self.put({**head, **deepcopy(DEFAULTS.get(kind, {})), **fields})

    def put(self, row: Json) -> Json:
        self.tables[row["object"]][row["id"]] = row
        if owner := owner_of(row):
            self.owned[owner][row["object"], row["id"]] = None
        return row

    def drop(self, row: Json) -> None:
        self.tables[row["object"]].pop(row["id"], None)
        self.owned[owner_of(row) or ""].pop((row["object"], row["id"]), None)

    def get(self, kind: str, identity: str, *, param: str = "id") -> Json:
        """Raises Stripe's 404."""
        found = self.tables[kind].get(identity)
        if found is None:
            raise missing(kind, identity, param)
        return found

    def find(self, identity: str, *kinds: str) -> Json | None:
        return next((self.tables[kind][identity] for kind in kinds if identity in self.tables[kind]), None)

    def of(self, owner: str, kind: str) -> list[Json]:
        """The owner's objects of this kind, oldest first."""
        return [self.tables[kind][identity] for found, identity in self.owned[owner] if found == kind]

    def customer(self, owner: str) -> Json:
        """The customer of this id, or the one beside the account of this id."""
        found = self.tables["customer"].get(twin_of(owner))
        if found is None or found.get("deleted"):
            raise missing("customer", owner, "customer")
        return found

    def packed(self) -> bytes:
        """Every object."""
        return msgpack.encode([row for table in self.tables.values() for row in table.values()])

    def unpack(self, packed: bytes) -> None:
        """Only these objects, and the clock where it was started."""
        self.tables.clear()
        self.owned.clear()
        self.clock.ahead = 0
        for row in msgpack.decode(packed):
            self.put(row)

    def tell(self, kind: str, row: Json, previous: Json | None = None) -> None:
        """Store an event about this object, as it is now."""
        from tests.stripe.rendering import shown

        if self.rehearsing:
            return
        inside: Json = {"object": shown(self, row)} | ({"previous_attributes": previous} if previous else {})
        event = self.add("event", type=kind, data=inside, api_version=VERSION)
        for listener in self.told:
            listener(event)

    @contextmanager
    def rehearsal(self, owner: str) -> Iterator[None]:
        """Whatever happens to the owner in here never happened: no object changes, no event is told."""
        with self._undone(owner, always=True):
            before, self.rehearsing = self.rehearsing, True
            try:
                yield
            finally:
                self.rehearsing = before

    @contextmanager
    def all_or_nothing(self, owner: str) -> Iterator[None]:
        """What was done is undone if the block raises."""
        with self._undone(owner, always=False):
            yield

    @contextmanager
    def _undone(self, owner: str, *, always: bool) -> Iterator[None]:
        ahead, events = self.clock.ahead, list(self.tables["event"])
        rows = [self.tables[kind][identity] for kind, identity in self.owned[owner]]
        kept = msgpack.encode(rows + [row for kind in _SHARED for row in self.tables[kind].values()])
        worked = False
        try:
            yield
            worked = True
        finally:
            self.clock.ahead = ahead
            if always or not worked:
                for kind, identity in list(self.owned[owner]):
                    self.drop(self.tables[kind][identity])
                for row in msgpack.decode(kept):
                    self.put(row)
                for identity in self.tables["event"].keys() - set(events):
                    del self.tables["event"][identity]


def owner_of(row: Json) -> str | None:
    """The customer's id; a customer is its own, an account its twin's."""
    if row["object"] == "v2.core.account":
        return twin_of(row["id"])
    return row["id"] if row["object"] == "customer" else row.get("_owner") or row.get("customer")


def twin_of(owner: str) -> str:
    """The customer that Stripe keeps beside an account which is one: its objects name both."""
    return f"cus_{owner}" if owner.startswith("acct_") else owner


def belongs_to(owner: str) -> Json:
    """The fields of an object that say whose it is."""
    account = owner.removeprefix("cus_") if owner.startswith("cus_acct_") else None
    return {"customer": twin_of(owner), "customer_account": account or (owner if owner.startswith("acct_") else None)}
