"""`[mail]` of `portal.toml`: which mails customers get. The passcode is not among them: without it nobody logs in."""

from __future__ import annotations

from typing import Any

import msgspec

from server.brands.reading.tables import Table

RENEWAL_DAYS = (45, 30, 15, 7)
"""How long before a renewal its reminder may go out."""


OPTIONAL = ("renewal_reminder", "card_expiring")
"""What a customer may do without: it tells ahead of what another mail will tell of when it happens. Not among them is
`trial_ending`, though it is a reminder too: it is the one word before a first charge, and card networks demand it."""


class MailSwitches(msgspec.Struct, frozen=True):
    """One for each kind of mail, by its name, and what belongs to it."""

    invoice: bool = True
    receipt: bool = True
    payment_failed: bool = True
    payment_action_required: bool = True
    trial_ending: bool = True
    renewal_reminder: bool = True
    card_expiring: bool = True
    subscription_canceled: bool = True
    plan_changed: bool = True
    new_login: bool = True
    renewal_reminder_days: int = 30
    """One of `RENEWAL_DAYS`."""
    optional: tuple[str, ...] = OPTIONAL
    """Those of `OPTIONAL` that a customer may switch off. Where a law wants one of them sent, it does not stand here."""

    def wants(self, kind: str, days: int = 0) -> bool:
        """Whether the brand sends this kind; `days`: so many days ahead, where there is a choice."""
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


def read_mail(table: Table) -> MailSwitches:
    """`enabled = false` switches all of them off that are not switched on one by one."""
    default = table.flag("enabled", default=True)
    kinds = [name for name in MailSwitches.__struct_fields__ if name not in ("renewal_reminder_days", "optional")]
    flags: dict[str, Any] = {name: table.flag(name, default=default) for name in kinds}
    optional = table.words("optional", OPTIONAL.__contains__, OPTIONAL, OPTIONAL)
    days = table.get("renewal_reminder_days")
    if days is not None and (isinstance(days, bool) or days not in RENEWAL_DAYS):
        table.refuse("renewal_reminder_days", str(days)[:40], ", ".join(map(str, sorted(RENEWAL_DAYS))))
    table.close()
    return MailSwitches(**flags, renewal_reminder_days=days if days in RENEWAL_DAYS else 30, optional=optional)
