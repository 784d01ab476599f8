"""Keys made from `PORTAL_SECRETS`: one for each purpose, so that what one of them made is nothing to another.

The first secret makes, every secret is accepted: put a new one in front, and drop the old one once nothing that it made
is alive any more.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12  # bytes; random ones are safe for 2**32 messages under a key, and a message here is one mail


def keys(master_secrets: Sequence[bytes], purpose: str) -> tuple[bytes, ...]:
    """A key of 32 bytes for the purpose from each secret, in their order."""
    return tuple(hmac.digest(each, b"postern " + purpose.encode(), hashlib.sha256) for each in master_secrets)


def mac(key: bytes, *parts: bytes) -> bytes:
    """HMAC-SHA-256 over the parts, each after its length: no two lists of parts are the same bytes."""
    return hmac.digest(key, b"".join(len(part).to_bytes(4) + part for part in parts), hashlib.sha256)


def same(expected: bytes, candidates: Iterable[bytes]) -> bool:
    """Whether one of the candidates is it, in a time that does not depend on which."""
    found = [hmac.compare_digest(expected, each) for each in candidates]
    return any(found)


class Sealer:
    """Seals what waits in the database and is nobody's business: AES-256-GCM. The context, such as the row's id, must be
    the same for opening: a sealed value moved to another row does not open."""

    def __init__(self, master_secrets: Sequence[bytes]) -> None:
        self._ciphers = [AESGCM(key) for key in keys(master_secrets, "sealing")]

    def seal(self, plain: bytes, context: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._ciphers[0].encrypt(nonce, plain, context)

    def open(self, sealed: bytes, context: bytes) -> bytes | None:
        """None: made with no secret of ours, for something else, or changed."""
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], context)
            except (InvalidTag, ValueError):
                continue
        return None
