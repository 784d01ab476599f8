"""`[mail]` of `portal.toml`: which mails customers get. The passcode has no switch: without it nobody logs in."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from msgspec.structs import replace

from server.brands.reading.declared import Keys
from server.brands.reading.keys import Flag, OneNumberOf, SomeOf

RENEWAL_DAYS = (45, 30, 15, 7)
"""How many days before a renewal its reminder may go out."""

OPTIONAL = ("renewal_reminder", "card_expiring")
"""The mails that a customer may do without: each announces what another mail reports when it happens. `trial_ending` is
not among them, though it is a reminder too: it is the only word before a first charge, and card networks demand it."""


NOT_STRIPES = ("plan_changed", "new_login")
"""The mails that Stripe has no word for: beside it, these are on unless they are switched off."""


class Sent(Flag, frozen=True):
    """Whether one kind of mail is sent."""

    like: str = "enabled"


class MailSwitches(Keys, frozen=True):
    """One switch for each kind of mail, by its name, and what belongs to it."""

    enabled: Annotated[
        bool,
        Flag(
            "off: only the mails that are switched on one by one are sent. Where Stripe bills and this is left out, what Stripe can "
            "mail itself is off"
        ),
    ] = True
    invoice: Annotated[bool, Sent("an invoice to be paid by hand: when it is made, and once when it is overdue")] = True
    receipt: Annotated[bool, Sent("money was taken")] = True
    payment_failed: Annotated[bool, Sent("a charge did not work")] = True
    payment_action_required: Annotated[bool, Sent("the bank wants the customer to confirm a charge")] = True
    trial_ending: Annotated[bool, Sent("a trial ends in seven days; in a short trial, when half of it is over")] = True
    renewal_reminder: Annotated[bool, Sent("a period of a year or longer will be charged again")] = True
    card_expiring: Annotated[bool, Sent("on the first day of a card's last month, if something is charged to it")] = (
        True
    )
    subscription_canceled: Annotated[
        bool, Sent("a subscription was canceled or has ended, or the cancellation was taken back")
    ] = True
    plan_changed: Annotated[bool, Sent("another plan or quantity: now, later, or not after all")] = True
    new_login: Annotated[bool, Sent("somebody logged in from a browser that the customer had not used before")] = True
    renewal_reminder_days: Annotated[
        int, OneNumberOf("how many days before the renewal its reminder goes out", among=tuple(sorted(RENEWAL_DAYS)))
    ] = 30
    optional: Annotated[
        tuple[str, ...],
        SomeOf(
            "those that a customer may switch off; leave one out where a law or a card network wants it sent, such as the "
            "yearly reminder in California",
            among=OPTIONAL,
        ),
    ] = OPTIONAL

    def beside_stripe(self, written: Collection[str]) -> MailSwitches:
        """Where Stripe bills and `enabled` is not written: what is not switched on by name is off, but for what Stripe never
        mails. `written`: the keys that the file has."""
        if "enabled" in written:
            return self
        kinds = [name for name in self.__struct_fields__ if type(getattr(self, name)) is bool and name != "enabled"]
        off = [each for each in kinds if each not in written and each not in NOT_STRIPES]
        return replace(self, **dict.fromkeys(off, False))

    def wants(self, kind: str, days: int = 0) -> bool:
        """Whether the brand sends this kind; `days`: how many days ahead, where there is a choice."""
        if days and days != self.renewal_reminder_days:
            return False
        return bool(getattr(self, kind, True))

    def may_stop(self, kind: str) -> bool:
        """Whether a customer may switch off this kind, which the brand sends."""
        return kind in self.optional and self.wants(kind)

    @property
    def stoppable(self) -> tuple[str, ...]:
        return tuple(kind for kind in OPTIONAL if self.may_stop(kind))


EVERY_MAIL = MailSwitches()
