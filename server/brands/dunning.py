"""`[dunning]` of `portal.toml`: what the ledger does about a charge that failed. At Stripe, the account's own settings count."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from server.brands.reading.declared import Keys
from server.brands.reading.keys import Key, OneOf

_LONGEST = 60
_MOST = 15


class Days(Key, frozen=True):
    """A list of days, counted from one moment."""

    type: ClassVar[str] = "array"
    blank: ClassVar[Any] = ()

    @property
    def allowed(self) -> str:
        return f"at most {_MOST} whole numbers from 1 to {_LONGEST}, each larger than the one before"

    def accept(self, value: Any) -> tuple[int, ...]:
        if not isinstance(value, list) or len(value) > _MOST:
            raise ValueError(self.allowed)
        before = 0
        for each in value:
            if not isinstance(each, int) or isinstance(each, bool) or not before < each <= _LONGEST:
                raise ValueError(self.allowed)
            before = each
        return tuple(value)


class Dunning(Keys, frozen=True):
    """When a charge that failed is tried again, and what the last failure does to the subscription."""

    retry_days: Annotated[
        tuple[int, ...],
        Days(
            "on which days after the first charge of an invoice it is tried again, for the ledger (a Stripe account has "
            "its own schedule); an empty list tries nothing again"
        ),
    ] = (1, 2, 3, 5, 7, 9, 12, 14)
    after_last: Annotated[
        str,
        OneOf(
            "what becomes of the subscription when the last try fails: `cancel` ends it; `unpaid` bills nothing more until "
            "its newest invoice is paid; `past_due` goes on billing",
            among=("cancel", "unpaid", "past_due"),
        ),
    ] = "cancel"


STANDARD = Dunning()
