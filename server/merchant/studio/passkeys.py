"""Passkeys of operators: what an authenticator is asked to sign, and whether what it signed is right.

    begin         a ceremony: random bytes, kept as a row for one session, five minutes long
    take          the row, once: whatever becomes of the answer, the same bytes are never accepted again
    registered    what was signed for a new passkey; `add` keeps it
    recognized    what was signed by one that is known; `used` notes it

The host's name and the origin must be the studio's, and the authenticator must have verified its user. A first passkey
needs a word that `operators add` printed, so that whoever reads a mailbox cannot make one; each further one, a passkey
shown a moment ago. The counter of a passkey only rises: one that falls is a copy's, and is refused.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import msgspec
import webauthn
from webauthn.helpers import bytes_to_base64url, options_to_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from server.access import sealing
from server.access.request_keys import LETTERS
from server.merchant.studio.place import Studio
from server.merchant.studio.sessions import Session
from server.store import Row, Store, Transaction, micros, moment

LIVES = timedelta(minutes=5)
WORD_LIVES = timedelta(days=7)
REGISTER, VERIFY = "register", "verify"
_GROUPS, _GROUP = 4, 5
_NAME = 60

_BEGIN = """
INSERT INTO studio_ceremony (challenge, session, kind, expires_at) VALUES (:challenge, :session, :kind, :expires_at)"""
_DROP = "DELETE FROM studio_ceremony WHERE session = :session"
_TAKE = "DELETE FROM studio_ceremony WHERE session = :session AND kind = :kind RETURNING challenge, expires_at"
_COLUMNS = "id, address, public_key, sign_count, name, created_at, used_at"
_OF = f"SELECT {_COLUMNS} FROM studio_passkey WHERE address = :address ORDER BY created_at, id"
_ADD = f"""
INSERT INTO studio_passkey ({_COLUMNS}) VALUES (:id, :address, :public_key, :sign_count, :name, :now, :now)
ON CONFLICT (id) DO NOTHING"""
# Two answers at once are judged by the same counter: only one of them may move it.
_USED = """
UPDATE studio_passkey SET sign_count = :sign_count, used_at = :now
 WHERE id = :id AND address = :address AND sign_count = :seen"""
_REMOVE = "DELETE FROM studio_passkey WHERE id = :id AND address = :address"
_FORGET = "DELETE FROM studio_passkey WHERE address = :address"
_WORD = """
INSERT INTO studio_word (address, mac, expires_at) VALUES (:address, :mac, :expires_at)
ON CONFLICT (address) DO UPDATE SET mac = :mac, expires_at = :expires_at"""
_HAS_WORD = "SELECT 1 FROM studio_word WHERE address = :address AND mac = :mac AND expires_at > :now"
_USE_WORD = "DELETE FROM studio_word WHERE address = :address AND mac = :mac AND expires_at > :now"
_DROP_WORD = "DELETE FROM studio_word WHERE address = :address"


class Wrong(Exception):
    """What came is not what was asked for; the message says why, for the history."""


class NotAsked(Exception):
    """The session was asked to sign nothing, or too long ago."""


class Passkey(msgspec.Struct, frozen=True):
    id: bytes
    address: str
    public_key: bytes
    sign_count: int
    name: str
    created_at: datetime
    used_at: datetime

    @property
    def key(self) -> str:
        """The id as text, for a form."""
        return bytes_to_base64url(self.id)


async def of(store: Store, address: str) -> tuple[Passkey, ...]:
    return _passkeys(await store.read(_OF, {"address": address}))


def of_in(transaction: Transaction, address: str) -> tuple[Passkey, ...]:
    return _passkeys(transaction.run(_OF, {"address": address}))


def options_to_register(studio: Studio, session: Session, known: Sequence[Passkey], challenge: bytes) -> str:
    """What the browser is told, as JSON."""
    user = sealing.mac(sealing.keys(studio.settings.secrets, "studio user")[0], session.address.encode())
    options = webauthn.generate_registration_options(
        rp_id=_host(studio),
        rp_name="Postern Studio",
        user_name=session.address,
        user_id=user,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each.id) for each in known],
    )
    return options_to_json(options)


def options_to_verify(studio: Studio, known: Sequence[Passkey], challenge: bytes) -> str:
    """The same for showing one that is known."""
    options = webauthn.generate_authentication_options(
        rp_id=_host(studio),
        challenge=challenge,
        allow_credentials=[PublicKeyCredentialDescriptor(id=each.id) for each in known],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def begin(transaction: Transaction, session: Session, kind: str, now: datetime) -> bytes:
    """The bytes to sign. What the session was asked to sign before is void."""
    challenge = secrets.token_bytes(32)
    row = {"challenge": challenge, "session": session.id_hash, "kind": kind, "expires_at": micros(now + LIVES)}
    transaction.count(_DROP, {"session": session.id_hash})
    transaction.count(_BEGIN, row)
    return challenge


def take(transaction: Transaction, session: Session, kind: str, now: datetime) -> bytes:
    """The bytes that the session was asked to sign, never again. Raises `NotAsked`."""
    rows = transaction.run(_TAKE, {"session": session.id_hash, "kind": kind})
    if not rows or rows[0][1] <= micros(now):
        raise NotAsked
    return bytes(rows[0][0])


def registered(studio: Studio, session: Session, credential: str, challenge: bytes, name: str) -> Passkey:
    """The new passkey. Raises `Wrong`."""
    try:
        found = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=_host(studio),
            expected_origin=studio.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, RecursionError) as error:
        raise Wrong(str(error)) from None
    named, now = " ".join(name.split())[:_NAME] or "Passkey", studio.clock()
    return Passkey(found.credential_id, session.address, found.credential_public_key, found.sign_count, named, now, now)


def recognized(studio: Studio, known: Sequence[Passkey], credential: str, challenge: bytes) -> tuple[Passkey, int]:
    """Which of the operator's passkeys signed, and its counter now. Raises `Wrong`."""
    try:
        shown = webauthn.helpers.parse_authentication_credential_json(credential)
        passkey = next((each for each in known if each.id == shown.raw_id), None)
        if passkey is None:
            raise Wrong("it is none of this operator's passkeys")
        found = webauthn.verify_authentication_response(
            credential=shown,
            expected_challenge=challenge,
            expected_rp_id=_host(studio),
            expected_origin=studio.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, RecursionError) as error:
        raise Wrong(str(error)) from None
    return passkey, found.new_sign_count


def add(transaction: Transaction, it: Passkey) -> bool:
    """Keep it. False: there is one with this id already."""
    row = {
        "id": it.id,
        "address": it.address,
        "public_key": it.public_key,
        "sign_count": it.sign_count,
        "name": it.name,
        "now": micros(it.created_at),
    }
    return transaction.count(_ADD, row) == 1


def used(transaction: Transaction, it: Passkey, sign_count: int, now: datetime) -> bool:
    """Note that it was shown. False: it was taken away meanwhile, or shown at the same time elsewhere."""
    row = {"id": it.id, "address": it.address, "seen": it.sign_count, "sign_count": sign_count, "now": micros(now)}
    return transaction.count(_USED, row) == 1


def remove(transaction: Transaction, it: Passkey) -> bool:
    return transaction.count(_REMOVE, {"id": it.id, "address": it.address}) == 1


def forget(transaction: Transaction, address: str) -> int:
    """Take away all of the operator's passkeys, and the word for a first one; how many passkeys there were."""
    transaction.count(_DROP_WORD, {"address": address})
    return transaction.count(_FORGET, {"address": address})


def new_word(transaction: Transaction, address: str, now: datetime) -> str:
    """The word with which the operator registers a first passkey, within a week; one made before is void."""
    drawn = ["".join(secrets.choice(LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS)]
    row = {"address": address, "mac": _mac(address, "".join(drawn)), "expires_at": micros(now + WORD_LIVES)}
    transaction.count(_WORD, row)
    return "-".join(drawn)


async def is_word(store: Store, address: str, typed: str, now: datetime) -> bool:
    return bool(await store.read(_HAS_WORD, _shown(address, typed, now)))


def use_word(transaction: Transaction, address: str, typed: str, now: datetime) -> bool:
    """Whether it was the word; it is used up."""
    return transaction.count(_USE_WORD, _shown(address, typed, now)) == 1


def end_every(transaction: Transaction) -> int:
    """End every ceremony and every word, of which some may have been used since; how many there were."""
    return transaction.count("DELETE FROM studio_ceremony") + transaction.count("DELETE FROM studio_word")


def _shown(address: str, typed: str, now: datetime) -> dict[str, object]:
    letters = "".join(each for each in typed.upper()[:64] if each in LETTERS)
    return {"address": address, "mac": _mac(address, letters), "now": micros(now)}


def _mac(address: str, letters: str) -> bytes:
    # No key: the word has 86 random bits. `operators add` runs where the secrets need not be.
    return hashlib.sha256(b"studio word " + address.encode() + b"\0" + letters.encode()).digest()


def _host(studio: Studio) -> str:
    return urlsplit(studio.origin).hostname or ""


def _passkeys(rows: Sequence[Row]) -> tuple[Passkey, ...]:
    return tuple(
        Passkey(bytes(id_), address, bytes(key), count, name, moment(created), moment(used))
        for id_, address, key, count, name, created, used in rows
    )
