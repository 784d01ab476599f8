"""`python -m server customers search`: why did my customer get no code?

Which customers carry the address, which one a log-in opens and why, and what became of the last mails. The choice is
made by the code that log-in itself asks, so the two cannot disagree.
"""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from server.access import directory
from server.access.directory import Explained
from server.formats.email import EmailMistake, canonical
from server.mail import outbox, reminder_choices
from server.mail.outbox import Record
from server.store import Store

REASONS = {
    "only": "opens: the only customer with this address who may log in",
    "active": "opens: the only one with an active subscription",
    "newest_active": "opens: created last of those with an active subscription",
    "newest": "opens: created last; none has an active subscription",
    "inactive": "no: another one has an active subscription",
    "older": "no: another one was created later",
    "disabled": "no: switched off, may not log in",
}
STATES = {
    "waiting": "waiting",
    "sent": "sent: the mail server took it",
    "nobody": "not sent: nobody who may log in would get it",
    "unwanted": "not sent",
    "expired": "given up",
}


class NotAnAddress(Exception):
    """What was asked for is no e-mail address."""


async def search(store: Store, brand: str, typed: str) -> RenderableType:
    """What the merchant is shown. Raises `NotAnAddress` and `StoreUnavailable`."""
    address = canonical(typed)
    if isinstance(address, EmailMistake):
        raise NotAnAddress(f"{typed!r} is not an e-mail address that a customer could log in with")
    found = await directory.explain(store, brand, address)
    mails = await outbox.about(store, brand, address)
    parts: list[RenderableType] = [Text(f"{address} in {brand}")]
    if not found:
        parts.append(Text("No customer has this address: a log-in gets no mail, and the visitor cannot tell."))
    else:
        parts.append(_customers(found))
        parts += [line for each in found for line in await _reminders(store, brand, each.candidate.id)]
    parts.append(_mails(mails) if mails else Text("No code was asked for and no mail sent in the last 30 days."))
    return Group(*parts)


def _customers(found: list[Explained]) -> Table:
    table = Table("customer", "mail goes to", "created", "active", "log-in", title="Customers", title_justify="left")
    for column in table.columns:
        column.overflow = "fold"  # an id that is cut short helps nobody
    for each in found:
        candidate = each.candidate
        cells = (
            f"{candidate.id} ({candidate.name})" if candidate.name else candidate.id,
            candidate.email,
            f"{candidate.created_at:%Y-%m-%d}",
            "yes" if candidate.active else "no",
            REASONS[each.reason],
        )
        table.add_row(*map(_plain, cells), style="bold" if each.opens else None)
    return table


async def _reminders(store: Store, brand: str, customer_id: str) -> list[RenderableType]:
    """A line for each kind that the customer does not want."""
    off = await reminder_choices.switched_off(store, brand, customer_id)
    return [_plain(f"{customer_id} has switched off {kind}, on {at:%Y-%m-%d}.") for kind, at in off.items()]


def _mails(mails: list[Record]) -> Table:
    table = Table("asked for (UTC)", "mail", "tries", "what became of it", title="Last mails", title_justify="left")
    for each in mails:
        became = STATES.get(each.state, each.state) + (f" ({each.detail})" if each.detail else "")
        table.add_row(f"{each.created_at:%Y-%m-%d %H:%M:%S}", each.kind, str(each.attempts), _plain(became))
    return table


def _plain(text: str) -> Text:
    """What a customer or the billing side wrote: no markup of ours, and no control characters for the terminal."""
    return Text("".join(each if each.isprintable() else "\ufffd" for each in text))
