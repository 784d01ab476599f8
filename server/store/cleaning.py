"""The upkeep of the database: drops old rows, and finds out whether it can be written.

Old is what nothing will ask for again:

| table | goes | because |
|---|---|---|
| `challenge` | a day after it was sent | a code lives ten minutes; a late visitor still finds the address filled in |
| `budget` | once its window is over | those without a window count wrong codes until the address logs in: never by time |
| `session` | a day after it ended | the log-in after it still finds the address filled in |
| `provider_session` | a day after it ended | the page of one that is over says so |
| `portal_session` | 30 days after it was made, and not before its session ended | until then it can be recovered |
| `api_request` | after a day | an Idempotency-Key counts that long |
| `event` | 30 days after it was made, once it does not wait | until then it can be sent again |
| `outbox` | 30 days after it was decided | the limits look back a day, `customers search` a month |
| `studio_session`, `studio_ceremony`, `studio_word` | a day after they ended | nothing asks for them any more |
| `studio_draft` | 30 days after it was changed last | an operator goes on from it until then |
| `studio_upload` | 30 days after it came, with its draft | the draft names it |
| `known_browser` | 400 days after the last log-in from it | its cookie is gone by then |
| `declaration` | four years after it was made, once it is decided | until then somebody may have to prove it |
| `operation` | 30 days after it was done | a form may be sent again while it is open |

Any number of processes may clean at once. Each statement takes a limited number of rows, so that on SQLite nobody waits
long for the one write lock.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from server.store import Store, Transaction, micros

AT_ONCE = 2000

# By table: its key, the column by whose index the oldest are found, and which rows are old.
_OLD = (
    ("challenge", "id_hash", "expires_at", "expires_at < :day_ago AND sent_at < :day_ago"),
    ("session", "id_hash", "expires_at", "expires_at < :day_ago"),
    ("session", "id_hash", "last_seen_at", "last_seen_at < :idle_since"),
    ("provider_session", "id_hash", "expires_at", "expires_at < :day_ago"),
    (
        "portal_session",
        "id",
        "created_at",
        """created_at < :month_ago AND NOT EXISTS
             (SELECT 1 FROM session s WHERE s.portal_session = portal_session.id AND s.portal_session > '')""",
    ),
    ("studio_session", "id_hash", "expires_at", "expires_at < :day_ago OR last_seen_at < :idle_since"),
    ("studio_ceremony", "challenge", "expires_at", "expires_at < :day_ago"),
    ("studio_word", "address", "expires_at", "expires_at < :day_ago"),
    ("outbox", "id", "created_at", "created_at < :month_ago AND state <> 'waiting'"),
    ("budget", "brand, kind, subject, starts_at", "expires_at", "expires_at < :now"),
    ("operation", "brand, customer_id, key", "created_at", "created_at < :month_ago AND state IN ('done', 'failed')"),
    ("api_request", "key_id, name", "created_at", "created_at < :day_ago"),
    ("event", "id, endpoint", "created_at", "created_at < :month_ago AND state <> 'waiting'"),
    ("known_browser", "brand, customer_id, mark_hash", "seen_at", "seen_at < :kept_since"),
    ("declaration", "id", "declared_at", "declared_at < :years_ago AND state <> 'open'"),
    ("studio_draft", "operator, brand", "changed_at", "changed_at < :month_ago"),
    (
        "studio_upload",
        "operator, brand, name",
        "uploaded_at",
        """uploaded_at < :month_ago AND NOT EXISTS
             (SELECT 1 FROM studio_draft d WHERE d.operator = studio_upload.operator AND d.brand = studio_upload.brand)""",
    ),
)


def _statements(at_once: int) -> tuple[str, ...]:
    # In order and up to a number that it knows, PostgreSQL takes the index also where it does not know which moment is asked for.
    return tuple(
        f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {is_old} ORDER BY {age} LIMIT {at_once})"
        f" AND ({is_old})"
        for table, key, age, is_old in _OLD
    )


STATEMENTS = _statements(AT_ONCE)


async def clean(store: Store, now: datetime, idle: timedelta, at_once: int = AT_ONCE) -> int:
    """Drop what is old; answers how many rows. `idle`: a session without a request for this long has ended."""
    parameters = {
        "now": micros(now),
        "day_ago": micros(now - timedelta(days=1)),
        "idle_since": micros(now - timedelta(days=1) - idle),
        "kept_since": micros(now - timedelta(days=400)),
        "month_ago": micros(now - timedelta(days=30)),
        "years_ago": micros(now - timedelta(days=4 * 365 + 1)),
    }
    gone = 0
    for sql in _statements(at_once):
        wanted = {key: value for key, value in parameters.items() if f":{key}" in sql}
        while True:
            dropped = await store.write(lambda transaction, sql=sql, wanted=wanted: transaction.count(sql, wanted))  # type: ignore[misc]
            gone += dropped
            if dropped < at_once:
                break
    return gone


_PROBE = {"brand": "", "kind": "probe", "id": ""}
_WRITE = "INSERT INTO catalog (brand, kind, id, document) VALUES (:brand, :kind, :id, :document)"
_TAKE_BACK = "DELETE FROM catalog WHERE brand = :brand AND kind = :kind AND id = :id"
_DOCUMENT = bytes(16_384)
_NO_ROW = "UPDATE catalog SET document = document WHERE brand = :brand AND kind = :kind AND id = :id"


def may_write(transaction: Transaction) -> None:
    """Does the database take writes from us? For `Store.write`, which raises `StoreUnavailable` where it does not. No row is
    written, so that the disk may be full all the same."""
    transaction.count(_NO_ROW, _PROBE)


def write_and_take_back(transaction: Transaction) -> None:
    """Can the database be written? For `Store.write`, which raises `StoreUnavailable` where it cannot. Leaves nothing.

    Reading alone would not tell: a full disk, a read-only file and a lock that somebody keeps still let everybody read,
    and nobody log in. The row is large enough to need its own room.
    """
    transaction.count(_WRITE, {**_PROBE, "document": _DOCUMENT})
    transaction.count(_TAKE_BACK, _PROBE)
