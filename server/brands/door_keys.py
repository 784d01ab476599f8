"""`[doors]` of `portal.toml`: what anybody may declare without logging in, as the law asks of whoever sells to consumers. See
`docs/doors.md`."""

from __future__ import annotations

from typing import Annotated

from server.brands.reading.declared import Keys
from server.brands.reading.keys import Flag, Shaped, Whole
from server.formats.email import EmailMistake, canonical

KINDS = ("cancel", "withdraw")
"""The doors, by their keys."""
_REVIEWED = frozenset({"fr"})
"""The languages whose law wants that of a cancellation too (Code de la consommation, art. D. 215-3)."""
_SHAPE = "an email address such as contracts@harbour.example"


def _address(value: str) -> str:
    if isinstance(canonical(value), EmailMistake):
        raise ValueError(_SHAPE)  # noqa: TRY004 (as every check of a value)
    return value


class Doors(Keys, frozen=True):
    cancel: Annotated[
        bool,
        Flag(
            "whether every page leads to one on which anybody cancels a contract without logging in (Germany: § 312k BGB; "
            "France: art. L. 215-1-1 of the Code de la consommation)"
        ),
    ] = False
    withdraw: Annotated[
        bool,
        Flag(
            "whether every page leads to one on which anybody withdraws from a contract without logging in (EU: directive "
            "2011/83, art. 11a)"
        ),
    ] = False
    withdrawal_days: Annotated[
        int, Whole("within how many days of the contract customers may withdraw; the page says so", bounds=(14, 365))
    ] = 14
    answer_days: Annotated[
        int,
        Whole("within how many days you decide about what cannot be done at once; customers are told", bounds=(1, 30)),
    ] = 7
    notify: Annotated[
        str,
        Shaped(
            "where you are told of what waits for your decision",
            check=_address,
            shape=_SHAPE,
            left_out="`business.support_email`",
            asked_as="email",
        ),
    ] = ""

    def opens(self, kind: str) -> bool:
        return kind in KINDS and bool(getattr(self, kind))

    @staticmethod
    def is_reviewed(kind: str, locale: str) -> bool:
        """Whether what was entered is shown once more before it counts: a withdrawal takes two steps everywhere."""
        return kind == "withdraw" or locale.partition("-")[0] in _REVIEWED
