"""What can go wrong on the way: ordered by a test, for the next requests of one operation (`*`: of any).

| kind | what the client sees | was it done? |
|---|---|---|
| `late` | the answer, after `seconds` | yes |
| `cut` | half of the answer, then the connection closes | yes |
| `lost` | nothing: the connection closes | yes |
| `refused` | nothing: the connection closes | no |
| `429`, `429_retry` | too many requests; with `Stripe-Should-Retry: true` | no |
| `lock` | 429 `lock_timeout` | no |
| `500` | an API error | no |
| `500_done` | an API error | yes |
| `html` | 502 with a page of HTML | no |
| `shape` | 200 with JSON of another shape | yes |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.stripe.errors import Refusal

KINDS: Final = frozenset(
    {"late", "cut", "lost", "refused", "429", "429_retry", "lock", "500", "500_done", "html", "shape"}
)
DONE: Final = frozenset({"late", "cut", "lost", "500_done", "shape"})
"""The request takes effect, and then something goes wrong."""
HTML: Final = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass
class Fault:
    kind: str
    operation: str = "*"
    times: int = 1
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"fault {self.kind!r}; allowed is one of {', '.join(sorted(KINDS))}")


def taken(faults: list[Fault], operation: str) -> Fault | None:
    """The first fault that is meant for this operation; it is used up by one."""
    for fault in faults:
        if fault.operation in ("*", operation) and fault.times > 0:
            fault.times -= 1
            return fault
    return None


def refusal_of(kind: str) -> Refusal:
    if kind == "lock":
        return Refusal(429, "invalid_request_error", "This object cannot be accessed right now because another API request or "
                       "Stripe process is currently accessing it.", code="lock_timeout")  # fmt: skip
    if kind.startswith("429"):
        return Refusal(429, "invalid_request_error", "Request rate limit exceeded.", code="rate_limit")
    return Refusal(500, "api_error", "An unexpected error occurred. Please try again.")
