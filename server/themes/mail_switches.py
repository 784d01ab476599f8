"""`[mail]` of `portal.toml`: which mails customers get. The passcode is not among them: without it nobody logs in."""

from __future__ import annotations

import msgspec

from server.themes.reading import Table

RENEWAL_DAYS = (45, 30, 15, 7)
"""How long before a renewal its reminder may go out."""


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

    def wants(self, kind: str, days: int = 0) -> bool:
        """Whether the brand sends this kind; `days`: so many days ahead, where there is a choice."""
        if days and days != self.renewal_reminder_days:
            return False
        return bool(getattr(self, kind, True))


EVERY_MAIL = MailSwitches()


def read_mail(table: Table) -> MailSwitches:
    """`enabled = false` switches all of them off that are not switched on one by one."""
    default = table.flag("enabled", default=True)
    kinds = [name for name in MailSwitches.__struct_fields__ if name != "renewal_reminder_days"]
    flags = {name: table.flag(name, default=default) for name in kinds}
    days = table.get("renewal_reminder_days")
    if days is not None and (isinstance(days, bool) or days not in RENEWAL_DAYS):
        table.refuse("renewal_reminder_days", str(days)[:40], ", ".join(map(str, sorted(RENEWAL_DAYS))))
    table.close()
    return MailSwitches(**flags, renewal_reminder_days=days if days in RENEWAL_DAYS else 30)
