"""How often is too often, counted in the database so that two workers do not double it.

| what | at most | counted by |
|---|---|---|
| codes sent to an address for anybody who asks, over all brands | 3 in any hour, 5 in any day | the challenges, exactly |
| of these, for one client address | 2 in any hour, 3 in any day | the same |
| codes sent to an address for its owner, over all brands | 2 in any hour, 5 in any day | the same |
| codes asked for by a client address at a brand | 20 in an hour | `budget`, a window that its first use opens |
| codes to other addresses that a customer may want to change to | 20 in an hour, beside all of the above | the same |
| codes tried by a client address at a brand | 30 in 10 minutes | the same |
| requests with one key of the API | 250 in 10 seconds | the same |
| passkeys asked for by an operator of the studio | 30 in 10 minutes | the same |
| test mails of an operator of the studio | 5 in an hour | the same |
| declarations by a client address at a brand | 10 in an hour | the same |
| their PDFs for a client address at a brand | 30 in 10 minutes | the same |
| confirmations of declarations to an address, over all brands | 5 in a day; beyond them a declaration counts, and its page is the confirmation | the same |
| another code for the same browser | after 60 seconds | the challenge |

Who is the owner before log-in? A browser from which the address has logged in (`known_browsers`), and the person who enters the
request key of a mail (`request_keys`). The two shares of an address never mix, so that a stranger can neither spend the
owner's nor see what the owner spent. Neither does a client address's limit stop an owner, nor the first try of a code.
When the owner's share is spent, the other one is open to the owner like to everybody; and a code that logged in was the
owner's after all, and moves to that share while it has room.

A stranger is told to wait only for what was asked for at the same client address. When others have spent the strangers'
share, the answer is the usual one and no mail leaves: to say so would say that somebody else asks for this address.

A client address is an IPv4 address or an IPv6 /64. These limits are comfort and defence in depth. What the safety of
a code rests on, the tries of a challenge and the budget of an address, is in `passcodes.py` and is never off.
`docs/security.md` has the table of who can use up what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from server.store import Transaction, micros, moment

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
STRANGERS = ((3, _HOUR), (5, _DAY))
ONE_STRANGER = ((2, _HOUR), (3, _DAY))
OWNERS = ((2, _HOUR), (5, _DAY))
CLIENT_SENDS = (20, _HOUR)
CLIENT_TRIES = (30, timedelta(minutes=10))
API_REQUESTS = (250, timedelta(seconds=10))
TEST_MAILS = (5, _HOUR)
DECLARATIONS = (10, _HOUR)
CONFIRMATIONS = (5, _DAY)
_OF_CLIENTS = {"send": CLIENT_SENDS, "try": CLIENT_TRIES, "declare": DECLARATIONS, "document": CLIENT_TRIES}
RESEND_AFTER = timedelta(seconds=60)

# One statement counts and decides: of two that come at once, one waits for the other's row. A use beyond the cap
# changes nothing and returns no row.
_USE = """
INSERT INTO budget (brand, kind, subject, starts_at, used, expires_at)
VALUES (:brand, :kind, :subject, 0, 1, :ends)
ON CONFLICT (brand, kind, subject, starts_at) DO UPDATE SET
  used = CASE WHEN budget.expires_at <= :now THEN 1 ELSE budget.used + 1 END,
  expires_at = CASE WHEN budget.expires_at <= :now THEN :ends ELSE budget.expires_at END
WHERE budget.used < :cap OR budget.expires_at <= :now
RETURNING used"""
_ENDS = "SELECT expires_at FROM budget WHERE brand = :brand AND kind = :kind AND subject = :subject AND starts_at = 0"


def _of_both(sql: str, joined: str) -> str:
    """One statement that asks for both windows of a limit, `since0` and `since1`."""
    return joined.join(f"({sql.format(place=place)})" for place in (0, 1))


# The send that has to grow old before another may follow: of three an hour, the third newest within the hour.
_SENDS = "SELECT " + _of_both(
    """SELECT sent_at FROM challenge WHERE address = :address AND sent_at > :since{place} AND owned = :owned
        ORDER BY sent_at DESC LIMIT 1 OFFSET :skip{place}""",
    ", ",
)
_ASKS_OF_ONE = "SELECT " + _of_both(
    """SELECT sent_at FROM challenge
        WHERE address = :address AND sent_at > :since{place} AND owned <> 1 AND client_mac = :client_mac
        ORDER BY sent_at DESC LIMIT 1 OFFSET :skip{place}""",
    ", ",
)
_WHO_SPENT = "SELECT 1 WHERE EXISTS " + _of_both(
    """SELECT 1 FROM challenge WHERE address = :address AND sent_at > :since{place} AND owned = 0
        GROUP BY client_mac HAVING COUNT(*) >= :cap{place}""",
    " OR EXISTS ",
)
_OWN = f"""
UPDATE challenge SET owned = 1 WHERE id_hash = :id_hash AND {
    " AND ".join(
        f"(SELECT COUNT(*) FROM challenge o WHERE o.address = :address AND o.owned = 1 AND o.sent_at > :since{place}) < {cap}"
        for place, (cap, _) in enumerate(OWNERS)
    )
}"""


class Share(IntEnum):
    """Of which share a challenge is, as its row says."""

    STRANGERS = 0
    OWNERS = 1
    NONE = 2
    """Strangers have spent theirs: no code is sent, and no answer says so."""


class TooMany(Exception):
    """Asked too often; `retry_at` is when it may be tried again, with nothing else in the way."""

    def __init__(self, retry_at: datetime) -> None:
        super().__init__("too often")
        self.retry_at = retry_at


class NeedsKey(TooMany):
    """Too many codes for this address were asked for from here; its owner gets one with the request key of the newest mail."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the table above. Tests alone pass others: `on=False` shows that nothing else rests on them."""

    on: bool = True

    def use_client(self, transaction: Transaction, brand: str, kind: str, client: str, now: datetime) -> None:
        """Count one `send`, `try`, `declare` or `document` of a client address at a brand. Raises `TooMany`."""
        row: dict[str, object] = {"brand": brand, "kind": f"client_{kind}", "subject": client}
        self._use(transaction, row, _OF_CLIENTS[kind], now)

    def may_confirm(self, transaction: Transaction, address: str, now: datetime) -> bool:
        """Count one confirmation of a declaration to the address, if it may have one more."""
        try:
            self._use(transaction, {"brand": "", "kind": "declared", "subject": address}, CONFIRMATIONS, now)
        except TooMany:
            return False
        return True

    def use_key(self, transaction: Transaction, brand: str, key_id: str, now: datetime) -> None:
        """Count one request with a key of the API. Raises `TooMany`."""
        self._use(transaction, {"brand": brand, "kind": "api", "subject": key_id}, API_REQUESTS, now)

    def use_test_mail(self, transaction: Transaction, brand: str, address: str, now: datetime) -> None:
        """Count one test mail of an operator. Raises `TooMany`."""
        self._use(transaction, {"brand": brand, "kind": "test_mail", "subject": address}, TEST_MAILS, now)

    def _use(
        self, transaction: Transaction, row: dict[str, object], most: tuple[int, timedelta], now: datetime
    ) -> None:
        cap, window = most
        counted = {**row, "now": micros(now), "ends": micros(now + window), "cap": cap if self.on else 1 << 62}
        if not transaction.run(_USE, counted):
            ((ends,),) = transaction.run(_ENDS, row)
            raise TooMany(moment(ends))

    def share(
        self, transaction: Transaction, address: str, client_mac: bytes, now: datetime, *, is_owner: bool
    ) -> Share:
        """Of which share one more code for the address is. The address's lock is held (`passcodes.lock`), so nobody sends
        meanwhile. Raises `NeedsKey` for a stranger, `TooMany` for the owner."""
        strangers = self._waits(transaction, _SENDS, STRANGERS, now, {"address": address, "owned": 0})
        if is_owner:
            owners = self._waits(transaction, _SENDS, OWNERS, now, {"address": address, "owned": 1})
            if not owners():
                return Share.OWNERS
            if of_strangers := strangers():
                raise TooMany(max(of_strangers))
            return Share.STRANGERS
        about = {"address": address, "client_mac": client_mac}
        if own := self._waits(transaction, _ASKS_OF_ONE, ONE_STRANGER, now, about)():
            raise NeedsKey(max(own))
        return Share.NONE if strangers() else Share.STRANGERS

    def give_to_owner(self, transaction: Transaction, address: str, id_hash: bytes, now: datetime) -> None:
        """The challenge logged its owner in: it counts no more as a stranger's, where the owner's share has room."""
        since = {f"since{place}": micros(now - window) for place, (_, window) in enumerate(OWNERS)}
        transaction.later(_OWN, {"id_hash": id_hash, "address": address, **since})

    def is_key_needed(self, transaction: Transaction, address: str, now: datetime) -> bool:
        """Whether some stranger, wherever it is, would get no code for the address now."""
        if not self.on:
            return False
        strangers = self._waits(transaction, _SENDS, STRANGERS, now, {"address": address, "owned": 0})
        parameters: dict[str, object] = {"address": address}
        for place, (cap, window) in enumerate(ONE_STRANGER):
            parameters |= {f"since{place}": micros(now - window), f"cap{place}": cap}
        return bool(transaction.run(_WHO_SPENT, parameters) or strangers())

    def _waits(
        self,
        transaction: Transaction,
        sql: str,
        caps: Sequence[tuple[int, timedelta]],
        now: datetime,
        about: Mapping[str, object],
    ) -> Callable[[], list[datetime]]:
        """Asked now, answered when it is called: when each window that is full has room again."""
        parameters = dict(about)
        for place, (cap, window) in enumerate(caps):
            parameters |= {f"since{place}": micros(now - window), f"skip{place}": cap - 1}
        asked = transaction.later(sql, parameters)

        def waits() -> list[datetime]:
            (found,) = asked()
            ends = [moment(at) + window for at, (_, window) in zip(found, caps, strict=True) if at is not None]
            return ends if self.on else []

        return waits

    def may_resend_at(self, sent_at: datetime) -> datetime:
        return sent_at + RESEND_AFTER if self.on else sent_at
