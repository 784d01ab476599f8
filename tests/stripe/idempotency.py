"""`Idempotency-Key`: for 24 hours the first answer is sent again; another request under the same key is refused.

Only an answer that came from doing something is kept: a request that was refused before it began may be sent again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from tests.stripe.errors import Refusal

_KEPT_FOR = 24 * 3600
_LONGEST = 255


@dataclass(frozen=True)
class Kept:
    digest: str
    status: int
    body: bytes
    request_id: str
    at: int


@dataclass
class Answers:
    kept: dict[tuple[str, str], Kept] = field(default_factory=dict)
    in_flight: set[tuple[str, str]] = field(default_factory=set)

    def replay(self, key: str, idempotency_key: str, digest: str, now: int) -> Kept | None:
        """The first answer, if there is one. Raises Stripe's refusals of a key in use or used for something else."""
        if len(idempotency_key) > _LONGEST:
            raise Refusal(400, "idempotency_error", f"Idempotency-Key is longer than {_LONGEST} characters.")
        place = key, idempotency_key
        if place in self.in_flight:
            raise Refusal(409, "idempotency_error", "There is currently another in-progress request using this Idempotency "
                          "Key. Please try again later.", code="idempotency_key_in_use")  # fmt: skip
        kept = self.kept.get(place)
        if kept is None or kept.at + _KEPT_FOR <= now:
            return None
        if kept.digest != digest:
            raise Refusal(400, "idempotency_error", "Keys for idempotent requests can only be used with the same parameters "
                          f"they were first used with. Try using a key other than '{idempotency_key}' if you meant to "
                          "execute a different request.")  # fmt: skip
        return kept

    def keep(self, key: str, idempotency_key: str, kept: Kept) -> None:
        self.kept[key, idempotency_key] = kept


def digest_of(verb: str, path: str, body: bytes) -> str:
    return sha256(b"\0".join((verb.encode(), path.encode(), body))).hexdigest()
