"""Old rows go, a few at a time, so that nobody who writes meanwhile waits for long.

| table | a row goes |
|---|---|
| `challenge` | an hour after its code lapsed: until then it knows the address for the next try |
| `budget` | when its window is over; an address's wrong codes have no window and stay until its log-in |
| `session` | a day after its end, see `sessions.REMEMBERED` |
| `operation` | thirty days after a decided one was asked for: a form is not sent again so late |

Deleting what is gone already deletes nothing, so this may run twice and in several processes at once. `outbox` has a
clean-up of its own, `activity`, accounts and invoices are history and stay.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from server.store import Store, micros

BATCH = 500
_MOST_BATCHES = 200  # of one table in one round; the rest is for the next

_OLD = (
    ("challenge", "id_hash", "expires_at < :before", timedelta(hours=1)),
    ("session", "id_hash", "expires_at < :before", timedelta(days=1)),
    ("budget", "brand, kind, subject, starts_at", "expires_at < :before", timedelta(0)),
    (
        "operation",
        "brand, customer_id, key",
        "created_at < :before AND state IN ('done', 'failed')",
        timedelta(days=30),
    ),
)


async def clean_up(store: Store, now: datetime) -> int:
    """Delete what is old; how many rows went."""
    gone = 0
    for table, key, is_old, age in _OLD:
        sql = f"DELETE FROM {table} WHERE {is_old} AND ({key}) IN (SELECT {key} FROM {table} WHERE {is_old} LIMIT {BATCH})"
        gone += await _delete(store, sql, {"before": micros(now - age)})
    return gone


async def _delete(store: Store, sql: str, parameters: dict[str, int]) -> int:
    gone = 0
    for _ in range(_MOST_BATCHES):
        went = await store.write(lambda transaction: transaction.count(sql, parameters))
        gone += went
        if went < BATCH:
            break
    return gone
