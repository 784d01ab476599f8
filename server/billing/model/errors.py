"""How the billing side says no: one value and one tree of exceptions, never a sentence for customers.

BillingError
├── Refused        the billing side says no; nothing was changed            409
├── Unavailable    it is away and nothing was sent; nothing was changed     503
├── Uncertain      it was asked and no answer came; we do not know          503, repeat with the same key
└── NotFound       not there, or not this customer's: the two look alike    404
"""

from __future__ import annotations

import msgspec


class BillingError(Exception):
    """What went wrong behind the port; never a sentence for customers."""


class Refusal(msgspec.Struct, frozen=True):
    """Why a change cannot be made: a value, not an exception. `reason` is a word that a template turns into a sentence."""

    reason: str
    detail: str = ""
    """A decline code, or the limit that was not kept."""


class Refused(BillingError):
    """The billing side says no. `reason` and `detail` are as in `Refusal`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


class Unavailable(BillingError):
    """The billing side is away and was not asked."""


class Uncertain(BillingError):
    """Asked, and no answer came: it may or may not have happened. Repeating with the same key is safe."""


class NotFound(BillingError):
    """Not there, or not this customer's."""
