"""What an import has read, before any of it is believed: a temporary database, so that files may come in any order and
be larger than memory. It is gone when it is closed.

What needs no other object is mapped at once and staged in our types; everything else is staged as it came and mapped
when everything is read. What is wrong with a record is told to `problems`, and what its fields say beyond what is read
to `notes`; the record is not staged then.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from server.billing.model.account import ENDED
from server.billing.stripe import legacy, mapping, mapping_accounts, mapping_catalog
from server.billing.stripe.fields import findings
from server.billing.stripe.reading import MappingError, ident, owner, part
from server.merchant.importing import charges
from server.merchant.importing.reading import ImportRefused, Place, Problems, encoded
from server.merchant.importing.report import Notes

_SCHEMA = """
CREATE TABLE staged (kind TEXT, id TEXT, owner TEXT, digest BLOB, file TEXT, line INTEGER, steps BLOB, document BLOB,
                     is_copy INTEGER, PRIMARY KEY (kind, id)) WITHOUT ROWID"""
_PUT = """
INSERT INTO staged VALUES (:kind, :id, :owner, :digest, :file, :line, :steps, :document, :is_copy)
ON CONFLICT (kind, id) DO NOTHING"""
_REPLACE = """
UPDATE staged SET owner = :owner, digest = :digest, file = :file, line = :line, steps = :steps, document = :document,
is_copy = :is_copy WHERE kind = :kind AND id = :id"""
_BEFORE = "SELECT owner, digest, is_copy, file, line FROM staged WHERE kind = :kind AND id = :id"
_COLUMNS = "kind, id, owner, digest, file, line, steps, document, is_copy"

# What is mapped at once: the mapping gives the owner and the struct.
_ALONE: dict[str, Callable[[Any], tuple[str, Any]]] = {
    "payment_method": mapping.payment_method,
    "tax_id": mapping.tax_id,
    "product": lambda raw: ("", mapping_catalog.product(raw)),
    "coupon": lambda raw: ("", mapping_catalog.coupon(raw)),
    "promotion_code": lambda raw: ("", mapping_catalog.promotion_code(raw)),
    "tax_rate": lambda raw: ("", mapping_catalog.tax_rate(raw)),
}
CATALOG = ("product", "price", "coupon", "promotion_code", "tax_rate", "discount")
OWNED = (
    "customer", "payment_method", "tax_id", "subscription", "invoice", "subscription_schedule", "invoiceitem",
    "credit_note",
)  # fmt: skip
_LATER = (
    "price", "discount", "customer", "subscription", "invoice", "subscription_schedule", "invoiceitem", "credit_note"
)  # fmt: skip
_SOURCES = ("card", "bank_account", "source")
_PARTS = ("tax_ids", "metadata")
"""Fields that are read with their object, or that are the merchant's own."""
_OVER = (*ENDED, "completed", "released")
"""Of subscriptions and of schedules: what such an object says is not billed."""
_ACCOUNTS = ("v2.core.account", "account")


@dataclass(frozen=True, slots=True)
class Staged:
    kind: str
    id: str
    owner: str
    digest: bytes
    place: Place
    document: bytes
    is_copy: bool = False
    """It came inside another object, or in the shape of an older one."""

    @property
    def is_detached(self) -> bool:
        """A payment method that belongs to nobody any more, see `detach`."""
        return self.kind == "payment_method" and not self.document


class Staging:
    def __init__(self, live: bool | None, problems: Problems, notes: Notes, *, without_automatic_tax: bool) -> None:
        """`live`: whether the brand is; None: the first object that says so decides for all. `without_automatic_tax`:
        whether the ledger may bill what Stripe would have added a tax to."""
        self.live, self.problems, self.notes = live, problems, notes
        self._may_lack_tax = without_automatic_tax
        self.ignored: Counter[str] = Counter()
        self._database = sqlite3.connect("")
        self._detached: dict[str, tuple[bytes, Place]] = {}
        self.charges = charges.Charges(self._database)
        self._database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SCHEMA + ";")

    def close(self) -> None:
        self._database.close()

    def add(self, place: Place, raw: dict[str, Any]) -> None:
        """Stage one record, and the whole objects inside it."""
        self._try(place, raw, expanded=False)

    def _try(self, place: Place, raw: dict[str, Any], *, expanded: bool) -> None:
        try:
            self._add(place, raw, expanded=expanded)
        except MappingError as error:
            kind = str(raw.get("object"))[:60]
            refusal = place.refusal(error.problem + legacy.hint(kind, raw), error.path)
            self.broken(refusal, kind, is_fatal=error.path == "$.livemode")
        except ImportRefused as error:
            self.broken(error, str(raw.get("object"))[:60])

    def broken(self, refusal: ImportRefused, kind: str, *, is_fatal: bool = False) -> None:
        """That record is left out, if the run goes on at all."""
        self.problems.add(refusal, is_fatal=is_fatal)
        self.notes.of(kind).leave_out("wrong")

    def _add(self, place: Place, came: dict[str, Any], *, expanded: bool) -> None:
        raw = _todays(came)
        kind = raw.get("object")
        if not isinstance(kind, str):
            raise MappingError('expected the kind of object, such as "customer", got nothing', "$.object")
        canonical = encoded(place, raw)
        self._check_mode(raw)
        known_kind = "customer" if kind in _ACCOUNTS else kind
        if kind in charges.KINDS:
            self.charges.add(kind, raw, place.at("$"))
            return
        if known_kind not in CATALOG and known_kind not in OWNED:
            self.ignored[kind[:60]] += 1
            return
        if raw.get("deleted") is True:
            raise MappingError("a deleted object has nothing to import; leave it out", "$.deleted")
        if not expanded:
            self._note(place, kind, raw)
        whose, identity, document = _prepared(kind, raw)
        if known_kind in OWNED and not whose:
            if known_kind in ("subscription", "invoice"):
                raise MappingError("expected the id of a customer, got nothing", "$.customer")
            if kind == "payment_method":
                self._detached[identity] = (_digest(canonical), place)
            else:
                self.ignored[f"{kind} of nobody"] += 1
            return
        row = {"kind": known_kind, "id": identity, "owner": whose, "digest": _digest(canonical)}
        where = {"file": str(place.file), "line": place.line, "steps": msgspec.msgpack.encode(place.steps)}
        self._put(place, {**row, **where, "document": document, "is_copy": expanded or raw is not came})
        for key, inside in _expansions(raw):
            self._try(Place(place.file, place.line, (*place.steps, *key)), inside, expanded=True)

    def _put(self, place: Place, row: dict[str, Any]) -> None:
        """An object by itself says more than its copy inside another, or in the shape of an older one. Of two that differ
        the later one counts, and that is named; two owners of one object are refused."""
        if self._database.execute(_PUT, row).rowcount:
            return
        owner, digest, was_copy, file, line = self._database.execute(_BEFORE, row).fetchone()
        if owner != row["owner"]:
            problem = f"{row['kind']} {row['id']} belongs to {owner} in {file}:{line}, got {row['owner']}"
            raise MappingError(problem, "$.customer")
        if row["is_copy"]:
            return
        if not was_copy and digest != row["digest"]:
            self.notes.name(row["kind"], "came twice, and not the same; the later one counts", place.at("$"))
        self._database.execute(_REPLACE, row)

    def _note(self, place: Place, kind: str, raw: dict[str, Any]) -> None:
        """What the record says beyond what is read. Raises `MappingError` for what is refused."""
        for each in findings(kind, raw):
            if not each.is_refused:
                self.notes.name(each.name, each.why, place.at(each.path))
            elif each.field.endswith("automatic_tax.enabled") and (self._may_lack_tax or raw.get("status") in _OVER):
                self.notes.name(each.name, "the ledger bills it without that tax", place.at(each.path))
            else:
                raise MappingError(each.why, each.path)
        if legacy.is_old(kind, raw):
            self.notes.name(kind, f"of an old API version, read as far as it says; {legacy.EXPORT_WITH}", place.at("$"))
        if kind == "coupon" and "applies_to" not in raw:
            self.notes.name("coupon.applies_to", "was not expanded: it counts for every product", place.at("$"))

    def _check_mode(self, raw: dict[str, Any]) -> None:
        live = raw.get("livemode")
        if not isinstance(live, bool):
            return
        if self.live is None:
            self.live = live
        if live is not self.live:
            words = ("test data", "live data")
            raise MappingError(f"{words[live]} for {words[self.live]}: the two are never mixed", "$.livemode")

    def snapshot(self) -> tuple[Problems, Notes]:
        """What reading found, so that a second try of the writing begins with it."""
        return deepcopy((self.problems, self.notes))

    def restore(self, read: tuple[Problems, Notes]) -> None:
        self.problems, self.notes = deepcopy(read)

    def count(self) -> int:
        """How many customers there is something of."""
        return int(self._database.execute("SELECT count(DISTINCT owner) FROM staged WHERE owner <> ''").fetchone()[0])

    def detach(self, owner_of: Callable[[str], str]) -> None:
        """Stage the payment methods that belong to nobody any more, without a document: each is the customer's whose it
        was. One that comes as somebody's, too, is theirs."""
        unknown = 0
        for identity, (digest, place) in self._detached.items():
            whose = owner_of(identity)
            unknown += not whose
            if whose:
                where = {"file": str(place.file), "line": place.line, "steps": msgspec.msgpack.encode(place.steps)}
                row = {"kind": "payment_method", "id": identity, "owner": whose, "digest": digest, **where}
                self._database.execute(_PUT, {**row, "document": b"", "is_copy": False})
        if unknown:
            self.ignored["payment_method of nobody"] = unknown

    def one(self, kind: str, identity: str) -> Staged | None:
        found = self._rows("WHERE kind = ? AND id = ?", (kind, identity))
        return next(found, None)

    def catalog(self) -> Iterator[Staged]:
        return self._rows("WHERE owner = '' ORDER BY kind, id", ())

    def by_owner(self) -> Iterator[list[Staged]]:
        """Everything of one customer after the other."""
        self._database.execute("CREATE INDEX IF NOT EXISTS staged_by_owner ON staged (owner, kind, id)")
        together: list[Staged] = []
        for each in self._rows("WHERE owner <> '' ORDER BY owner, kind, id", ()):
            if together and together[0].owner != each.owner:
                yield together
                together = []
            together.append(self._with_charges(each))
        if together:
            yield together

    def _with_charges(self, each: Staged) -> Staged:
        """An invoice with its charges is another record than the one without."""
        if each.kind != "invoice":
            return each
        raw = msgspec.msgpack.decode(each.document)
        whole = self.charges.into(raw)
        if whole == raw:
            return each
        document = msgspec.msgpack.encode(whole)
        return replace(each, document=document, digest=_digest(document))

    def _rows(self, where: str, values: tuple[str, ...]) -> Iterator[Staged]:
        for row in self._database.execute(f"SELECT {_COLUMNS} FROM staged {where}", values):
            kind, identity, whose, digest, file, line, steps, document, is_copy = row
            place = Place(Path(file), line, tuple(msgspec.msgpack.decode(steps)))
            yield Staged(kind, identity, whose, digest, place, document, bool(is_copy))


def _digest(document: bytes) -> bytes:
    return blake2b(document, digest_size=16).digest()


def _prepared(kind: str, raw: dict[str, Any]) -> tuple[str, str, bytes]:
    """Whose it is, its id, and what is kept of it until everything is read."""
    if kind in _ALONE:
        whose, mapped = _ALONE[kind](raw)
        return whose, mapped.id, msgspec.msgpack.encode(mapped)
    if kind in _LATER:
        account = raw.get("customer_account")
        if kind == "customer":
            whose = mapping.customer({**raw, "discount": None})[0].id
            return whose, whose, msgspec.msgpack.encode(raw)
        whose = owner(raw.get("customer"), account if isinstance(account, str) else None)
        return whose if kind in OWNED else "", ident(raw, "$"), msgspec.msgpack.encode(raw)
    customer = mapping_accounts.account(raw)
    return customer.id, customer.id, msgspec.msgpack.encode(raw)


def _todays(raw: dict[str, Any]) -> dict[str, Any]:
    """Plans are prices, and cards of the time before payment methods are those."""
    if raw.get("object") == "plan":
        return {**legacy.price_of(raw), "object": "price"}
    if raw.get("object") in _SOURCES and raw.get("customer") is not None:
        return legacy.payment_method_of(raw, raw.get("created") or 0)
    return raw


def _expansions(raw: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    """Whole objects inside this one, in whichever field: because the request expanded them, or because old versions did."""
    settings = raw.get("invoice_settings")
    inside: list[tuple[tuple[str, ...], Any]] = [((key,), each) for key, each in raw.items() if key not in _PARTS]
    if isinstance(settings, dict):
        method = settings.get("default_payment_method")
        inside.append((("invoice_settings", "default_payment_method"), method))
    if raw.get("object") == "promotion_code":  # before 2025 its coupon was always whole
        yield from (
            (steps, each)
            for steps, each in (
                (("coupon",), raw.get("coupon")),
                (("promotion", "coupon"), part(raw, "promotion", "coupon")),
            )
            if isinstance(each, dict) and each.get("object") == "coupon"
        )
    holder = raw if raw.get("object") == "customer" else {}
    for steps, value in inside:
        for more, each in _objects(value):
            kind = each.get("object")
            if kind in OWNED and each.get("deleted") is not True:
                yield (*steps, *more), each
            elif kind in _SOURCES and isinstance(each.get("id"), str):
                whose = {"customer": each.get("customer") or holder.get("id")}
                created = {"created": each.get("created") or holder.get("created")}
                yield (*steps, *more), {**each, **whose, **created}


def _objects(value: Any) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    """What a field holds: an object, or the entries of an array or of a list answer."""
    steps: tuple[str | int, ...] = ()
    if isinstance(value, dict) and isinstance(value.get("data"), list):
        steps, value = ("data",), value["data"]
    if isinstance(value, dict):
        yield steps, value
    elif isinstance(value, list):
        yield from (((*steps, index), each) for index, each in enumerate(value) if isinstance(each, dict))
