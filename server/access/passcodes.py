"""Passcodes: how one is made, kept and checked. Everything that the safety of log-in rests on is in this file, in SQL.

A challenge is one request for a code, bound by a cookie to the browser that asked; it is found by that cookie and never
by the code. The database holds a MAC of the code, so a copy of it gives nothing away.

    ask      one transaction: the client's limit, the address's lock, the old challenge, the limits, the new one, the mail
    verify   one transaction: the client's limit, the address's lock, the try, the budget, and only then the comparison

- A try is counted before the code is looked at, by a guarded UPDATE, and stays counted whatever comes: 5 a challenge.
- An address has 20 wrong six-digit codes between two of its log-ins, over all its challenges and brands, however long
  that takes. A six-digit code is sent only where all of its tries are left of them, so nobody's guesses end the code of
  somebody else; and 5 of the 20 are for the owner alone (`limits`). Otherwise the code is fifteen letters, which nobody
  guesses: nobody is locked out, and nothing is left to guess.
- A challenge ends by its own browser or by time: no other browser's request ends it. A log-in of its address takes the
  code away and leaves the challenge, since a browser whose challenge ends early would know that the address logs in.
- Neither asks whether there is such a customer before the code is right: known and unknown addresses run the same
  statements and get the same answers.

A code may also prove the address that a customer wants to change to (`email_changes`). Its challenge is found by the
customer's session instead of a cookie, and its MAC says what it is for and for whom: it is nothing to a log-in, nor a
log-in's code to it. All the limits and counters are the same ones.

Locks are always taken in the order client, address, challenge, so that no two transactions wait for each other.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from server.access import known_browsers, sealing
from server.access.entrances import Entrance
from server.access.limits import Limits, Share
from server.access.request_keys import LETTERS, is_key, request_key
from server.settings import Settings
from server.store import Row, Transaction, micros, moment, new_id, posting

TRIES = 5
WRONG_CODES = 20
OF_STRANGERS = 15
"""A stranger gets six digits while at most this many of them are spent or left to codes that were sent."""
PURPOSE = b"login"
MAIL = "passcode"
"""The kind of the mail with a code."""
CHANGE_MAIL = "email_code"
"""The kind of the mail with a code for a new address."""

_LOCK = """
INSERT INTO budget (brand, kind, subject, starts_at, used, expires_at) VALUES ('', 'lock', :address, 0, 1, :until)
ON CONFLICT (brand, kind, subject, starts_at) DO UPDATE SET used = budget.used + 1, expires_at = :until"""
_FIND = """
SELECT address, link, hardened, attempts, sent_at, expires_at, consumed_at, owned FROM challenge
 WHERE id_hash = :id_hash AND brand = :brand"""
# `expires_at` 0 and not `now`: a clock that steps back must not bring one back to life.
_KILL_SHOWN = "UPDATE challenge SET expires_at = 0 WHERE consumed_at IS NULL AND brand = :brand AND id_hash = :shown"
_KILL_OF_SESSION = (
    "UPDATE challenge SET expires_at = 0 WHERE consumed_at IS NULL AND brand = :brand AND session = :session"
)
_OF_SESSION = """
SELECT id_hash, expires_at, address, link, hardened, attempts, sent_at, expires_at, consumed_at, owned FROM challenge
 WHERE session = :session AND brand = :brand ORDER BY sent_at DESC, expires_at DESC LIMIT 1"""
# Guesses that the address has had, and those that its codes may still cost.
_GIVEN = f"""
SELECT COALESCE(SUM({TRIES} - attempts), 0) + COALESCE(
  (SELECT used FROM budget WHERE brand = '' AND kind = 'wrong' AND subject = :address AND starts_at = 0), 0)
  FROM challenge
 WHERE address = :address AND hardened = 0 AND consumed_at IS NULL AND attempts < {TRIES} AND expires_at > :now"""
_INSERT = """
INSERT INTO challenge
  (id_hash, brand, link, address, code_mac, hardened, attempts, sent_at, expires_at, owned, client_mac, session)
VALUES (:id_hash, :brand, :link, :address, :code_mac, :hardened, 0, :now, :expires_at, :owned, :client_mac, :session)"""
_TRY = f"""
UPDATE challenge SET attempts = attempts + 1
 WHERE id_hash = :id_hash AND brand = :brand AND attempts < {TRIES} AND consumed_at IS NULL AND expires_at > :now
RETURNING code_mac, address, hardened, attempts"""
_SPEND = f"""
INSERT INTO budget (brand, kind, subject, starts_at, used) VALUES ('', 'wrong', :address, 0, 1)
ON CONFLICT (brand, kind, subject, starts_at) DO UPDATE SET used = budget.used + 1 WHERE budget.used < {WRONG_CODES}
RETURNING used"""
_CLEAR = "DELETE FROM budget WHERE brand = '' AND kind = 'wrong' AND subject = :address AND starts_at = 0"
_CONSUME = "UPDATE challenge SET consumed_at = :now WHERE id_hash = :id_hash AND consumed_at IS NULL"
# No code is right any more, as hard to guess as letters: the challenge answers and ends like any other.
_VOID_OTHERS = """
UPDATE challenge SET code_mac = :void, hardened = 1
 WHERE brand = :brand AND address = :address AND consumed_at IS NULL AND id_hash <> :id_hash"""
_KILL_EVERY = "UPDATE challenge SET expires_at = 0 WHERE brand = :brand AND address = :address AND consumed_at IS NULL"
_VOID = b""

_END_EVERY = "DELETE FROM challenge"


class Challenge(msgspec.Struct, frozen=True):
    """One request for a code, as its browser may know it."""

    address: str
    link: str
    letters: bool
    """The code is fifteen letters instead of six digits. Said to known browsers alone: strangers would learn when it ends, by
    a log-in of the address."""
    sent_at: datetime
    is_live: bool
    """A right code would log in now."""
    is_free: bool = False
    """The next try is not counted for the client address: it is the owner's, or the first."""
    tries_left: int = TRIES


class Opened(msgspec.Struct, frozen=True):
    """What waits, sealed, in the outbox for the mail."""

    code: str
    browser: str
    language: str = ""
    """Of the page that asked, for customers who prefer none."""
    request_key: str = ""
    """Shown where the same ask would be refused after this one (`request_keys`)."""
    to: str = ""
    """Where it goes, if not to the customer whom the address opens: the address that somebody wants to change to."""


def new_code(letters: bool) -> str:
    if not letters:
        return f"{secrets.randbelow(10**6):06}"
    drawn = "".join(secrets.choice(LETTERS) for _ in range(15))
    return "-".join((drawn[:5], drawn[5:10], drawn[10:]))


def normalized(typed: str) -> str:
    """The code behind what was typed, pasted or filled in; empty where it cannot be one, and then no try is spent.
    Blanks and dashes do not matter, nor the width or script of the digits."""
    if len(typed) > 64:
        return ""
    text = unicodedata.normalize("NFKC", typed)
    text = "".join(each for each in text if not each.isspace() and unicodedata.category(each) not in ("Pd", "Cf"))
    text = "".join(str(unicodedata.decimal(each, each)) for each in text).upper()
    is_digits = len(text) == 6 and text.isascii() and text.isdigit()
    is_letters = len(text) == 15 and all(each in LETTERS for each in text)
    return text if is_digits or is_letters else ""


def macs(settings: Settings, challenge: bytes, address: str, code: str, purpose: bytes = PURPOSE) -> list[bytes]:
    """The MAC of a code under each key, the one of today first."""
    plain = code.replace("-", "").encode()
    keys = sealing.keys(settings.secrets, "passcode")
    return [sealing.mac(key, purpose, challenge, address.encode(), plain) for key in keys]


def open_mail(settings: Settings, mail: str, data: bytes) -> Opened | None:
    """What the outbox's row of this id seals; None when it cannot be read with the secrets of now."""
    plain = sealing.Sealer(settings.secrets).open(data, mail.encode())
    return msgspec.msgpack.decode(plain, type=Opened) if plain is not None else None


def find(rows: list[Row], now: datetime) -> Challenge | None:
    """The challenge in the rows of `finding`."""
    if not rows:
        return None
    address, link, hardened, attempts, sent_at, expires_at, consumed_at, owned = rows[0]
    is_live = consumed_at is None and attempts < TRIES and expires_at > micros(now)
    letters, is_free = bool(hardened and owned == Share.OWNERS), owned == Share.OWNERS or not attempts
    return Challenge(address, link, letters, moment(sent_at), is_live, is_free=is_free, tries_left=TRIES - attempts)


def finding(portal: Entrance, token: str) -> tuple[str, dict[str, object]]:
    """The SELECT that finds the challenge of a browser."""
    return _FIND, {"id_hash": hash_of(token), "brand": portal.name}


def lock(transaction: Transaction, address: str, now: datetime) -> None:
    """From here on this transaction is the only one about this address."""
    transaction.later(_LOCK, {"address": address, "until": micros(now + timedelta(days=1))})


class Change(msgspec.Struct, frozen=True):
    """The code is to prove a new address of a customer who is here."""

    customer_id: str
    session: bytes
    """The id_hash of the session."""

    @property
    def purpose(self) -> bytes:
        return b"email change of " + self.customer_id.encode()


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for a code, and for which address."""

    address: str
    """Canonical."""
    client: str
    browser: str
    """The family, for the mail."""
    shown: str = ""
    """The token of the challenge that the browser showed: it dies."""
    mark: str = ""
    """By which the browser may be a known one."""
    key: str = ""
    """The request key that was typed."""
    language: str = ""
    change: Change | None = None
    """None: to log in."""
    purpose: bytes = PURPOSE
    """What the code is to open, where it is to log in: a code for one purpose is none for another."""


class Asked(msgspec.Struct, frozen=True):
    """A challenge was made."""

    token: str
    """For the browser's cookie."""
    is_sent: bool
    """Its code is mailed; else strangers have had as many as they get, and no answer may say so."""


def ask(transaction: Transaction, portal: Entrance, limits: Limits, asking: Asking, now: datetime) -> Asked:
    """A new challenge and its mail. Raises `TooMany`, and then nothing was changed."""
    address, settings = asking.address, portal.settings
    is_owner = known_browsers.has_proved(transaction, portal, address, asking.mark) or is_key(
        settings, address, asking.key, now
    )
    if not is_owner:
        limits.use_client(transaction, portal.name, "send", asking.client, now)
    if asking.change:
        limits.use_client(transaction, portal.name, "send", f"customer {asking.change.customer_id}", now)
    lock(transaction, address, now)
    client_mac = sealing.mac(sealing.keys(settings.secrets, "client")[0], address.encode(), asking.client.encode())
    about = {"brand": portal.name, "address": address, "now": micros(now)}
    change, purpose = asking.change, asking.change.purpose if asking.change else asking.purpose
    session = change.session if change else None
    if session:
        transaction.later(_KILL_OF_SESSION, {"brand": portal.name, "session": session})
    elif asking.shown:
        transaction.later(_KILL_SHOWN, {"brand": portal.name, "shown": hash_of(asking.shown)})
    guesses = transaction.later(_GIVEN, {"address": address, "now": micros(now)})
    share = limits.share(transaction, address, client_mac, now, is_owner=is_owner)
    is_owners, is_sent = share is Share.OWNERS, share is not Share.NONE
    ((given,),) = guesses()
    letters = not is_sent or int(given) + TRIES > (WRONG_CODES if is_owners else OF_STRANGERS)
    token, code, mail = secrets.token_urlsafe(32), new_code(letters), new_id(now)
    about["expires_at"] = micros(now + timedelta(minutes=settings.code_minutes))
    made = {
        "id_hash": hash_of(token),
        "link": portal.link,
        "code_mac": macs(settings, hash_of(token), address, code, purpose)[0] if is_sent else _VOID,
        "hardened": int(letters),
        "owned": int(share),
        "client_mac": client_mac,
        "session": session,
    }
    transaction.later(_INSERT, {**about, **made})
    key = request_key(settings, address, now) if limits.is_key_needed(transaction, address, now) else ""
    opened = Opened(code, asking.browser, asking.language, "" if change else key, address if change else "")
    sealed = sealing.Sealer(settings.secrets).seal(msgspec.msgpack.encode(opened), mail.encode())
    if is_sent and change:
        _mail_new_address(transaction, portal, change, mail=mail, sealed=sealed, now=now)
    elif is_sent:
        _mail_code(transaction, about, mail=mail, sealed=sealed, first=is_owners, now=now)
    return Asked(token, is_sent)


def _mail_code(
    transaction: Transaction, about: Mapping[str, object], *, mail: str, sealed: bytes, first: bool, now: datetime
) -> None:
    # The oldest mails leave first: an owner's goes before whatever strangers had sent meanwhile.
    not_before = micros(now - timedelta(hours=1)) if first else micros(now)
    row = {**about, "kind": MAIL, "id": mail, "data": sealed, "not_before": not_before}
    transaction.later(posting.TO_ADDRESS, row)


def _mail_new_address(
    transaction: Transaction, portal: Entrance, change: Change, *, mail: str, sealed: bytes, now: datetime
) -> None:
    """Its row is the customer's, and where it goes is inside the seal."""
    posting.enqueue(
        transaction, brand=portal.name, customer_id=change.customer_id, kind=CHANGE_MAIL, data=sealed, now=now,
        expires_at=now + timedelta(minutes=portal.settings.code_minutes), id_=mail, waited_for=True,
    )  # fmt: skip


class Tried(msgspec.Struct, frozen=True):
    """What became of a code."""

    is_right: bool
    address: str
    tries_left: int
    """0: this challenge is over, a new code is needed."""


def attempt(
    transaction: Transaction, portal: Entrance, limits: Limits, *, id_hash: bytes, code: str, client: str, now: datetime,
    purpose: bytes = PURPOSE,
) -> Tried:  # fmt: skip
    """Spend a try, then compare. The challenge is not consumed yet: `consume`, in the same transaction, does that. Raises
    `TooMany`."""
    by_hash = {"id_hash": id_hash, "brand": portal.name}
    known = find(transaction.run(_FIND, by_hash), now)
    if known is None:
        return Tried(is_right=False, address="", tries_left=0)
    if not known.is_free:
        limits.use_client(transaction, portal.name, "try", client, now)
    lock(transaction, known.address, now)
    counted = transaction.run(_TRY, {**by_hash, "now": micros(now)})
    if not counted:
        return Tried(is_right=False, address=known.address, tries_left=0)
    code_mac, address, hardened, attempts = counted[0]
    about = {"brand": portal.name, "address": address}
    if not hardened and not transaction.run(_SPEND, {"address": address}):
        # Never so while clocks go forward, see `_GIVEN`; whatever happens, no more than the budget are looked at.
        transaction.count(_KILL_EVERY, about)
        return Tried(is_right=False, address=address, tries_left=0)
    is_right = sealing.same(bytes(code_mac), macs(portal.settings, id_hash, address, code, purpose))
    return Tried(is_right, address, TRIES - attempts)


def consume(
    transaction: Transaction, portal: Entrance, limits: Limits, *, id_hash: bytes, address: str, now: datetime
) -> bool:
    """Use the challenge up for a log-in and clear the address's failures; False when somebody else did, a moment ago."""
    if not use_up(transaction, limits, id_hash=id_hash, address=address, now=now):
        return False
    about = {"brand": portal.name, "address": address}
    transaction.later(_VOID_OTHERS, {**about, "id_hash": id_hash, "void": _VOID})
    transaction.later(_CLEAR, {"address": address})
    return True


def use_up(transaction: Transaction, limits: Limits, *, id_hash: bytes, address: str, now: datetime) -> bool:
    """Use the challenge up; it was its owner's. False when somebody else did, a moment ago."""
    if transaction.count(_CONSUME, {"id_hash": id_hash, "now": micros(now)}) != 1:
        return False
    limits.give_to_owner(transaction, address, id_hash, now)
    return True


class OfSession(msgspec.Struct, frozen=True):
    """The newest challenge of a customer's session, by which a new address is proved."""

    id_hash: bytes
    challenge: Challenge
    is_proved: bool
    """The right code was entered, and not long ago."""


def finding_of_session(portal: Entrance, change: Change) -> tuple[str, dict[str, object]]:
    return _OF_SESSION, {"session": change.session, "brand": portal.name}


def of_session(rows: list[Row], now: datetime) -> OfSession | None:
    """What is in the rows of `finding_of_session`."""
    if not rows:
        return None
    id_hash, expires_at, *rest = rows[0]
    challenge = find([tuple(rest)], now)
    is_proved = rest[6] is not None and expires_at > micros(now)
    return OfSession(bytes(id_hash), challenge, is_proved) if challenge else None


def hash_of(token: str) -> bytes:
    """The key of the challenge whose cookie holds this token."""
    return hashlib.sha256(b"challenge " + token.encode()).digest()


def end_every(transaction: Transaction) -> int:
    """End every challenge of every brand; how many there were."""
    return transaction.count(_END_EVERY)
