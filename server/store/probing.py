"""Can the database be written? Asked by `/readyz` and by `doctor`, and answered by writing.

Reading alone would not tell: a full disk, a read-only file and a lock that somebody keeps still let everybody read, and
nobody log in. The row is large enough to need room of its own, and gone again before the transaction ends.
"""

from __future__ import annotations

from server.store import Transaction

_ROW = {"brand": "", "kind": "probe", "id": ""}
_WRITE = "INSERT INTO catalog (brand, kind, id, document) VALUES (:brand, :kind, :id, :document)"
_TAKE_BACK = "DELETE FROM catalog WHERE brand = :brand AND kind = :kind AND id = :id"
_DOCUMENT = bytes(16_384)


def write_and_take_back(transaction: Transaction) -> None:
    """For `Store.write`, which raises `StoreUnavailable` where it cannot. Leaves nothing."""
    transaction.count(_WRITE, {**_ROW, "document": _DOCUMENT})
    transaction.count(_TAKE_BACK, _ROW)
