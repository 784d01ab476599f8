"""What a customer sees of the mails that they get: which ones they may switch off, and which always come. The language of
the pages is chosen there too.

Choices   the page of a customer who is logged in
Stop      the page behind the link in a mail; anybody may have the mail, so it says nothing of the customer
"""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

import msgspec

from server.brands.mail_switches import OPTIONAL, MailSwitches
from server.rendering.views import Language, View

ALWAYS = (
    *("invoice", "receipt", "payment_failed", "payment_action_required"),
    *("trial_ending", "subscription_canceled", "plan_changed", "new_login"),
)
"""What tells of money, of a change or of safety is never switched off by the customer."""
STATES = ("ask", "stopped", "again")


class Reminder(msgspec.Struct, frozen=True):
    """One kind that may be switched off."""

    kind: str
    """`renewal_reminder` or `card_expiring`."""
    is_on: bool = True
    days: int = 0
    """Of a renewal: how many days before it."""


class Choices(View, frozen=True):
    here: ClassVar[str] = "mails"

    customer: str
    """Goes with the form: in a tab of another account it changes nothing."""
    key: str
    """Shows that the form is whole."""
    email: str
    """Where the mails go."""
    reminders: tuple[Reminder, ...] = ()
    always: tuple[str, ...] = ()
    """The other kinds that the business sends, and the passcode beside them."""
    languages: tuple[Language, ...] = ()
    """Those to choose from; empty where the brand has but one."""
    done: str = ""
    """What was just done: `saved`, `language` (chosen), or nothing."""
    again: str = ""
    """Why the form is shown once more: `out_of_date`, or nothing."""


class Stop(View, frozen=True):
    layout: ClassVar[str] = "visitor"

    kind: str
    token: str
    """As the URL has it, whether it is one of ours or not: the page looks the same."""
    state: str = "ask"
    """`ask`: nothing has happened; `stopped`; `again`: that was taken back."""


def choices(
    customer_id: str,
    email: str,
    mail: MailSwitches,
    off: Collection[str],
    *,
    key: str,
    languages: tuple[Language, ...] = (),
    done: str = "",
    again: str = "",
) -> Choices:
    """`off`: the kinds that the customer does not want."""
    reminders = tuple(
        Reminder(kind, kind not in off, mail.renewal_reminder_days if kind == "renewal_reminder" else 0)
        for kind in OPTIONAL
        if mail.may_stop(kind)
    )
    kept = tuple(kind for kind in OPTIONAL if mail.wants(kind) and not mail.may_stop(kind))
    return Choices(
        customer=customer_id,
        key=key,
        email=email,
        reminders=reminders,
        always=tuple(kind for kind in ALWAYS if mail.wants(kind)) + kept,
        languages=languages,
        done=done if done in ("saved", "language") else "",
        again=again,
    )
