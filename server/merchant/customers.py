"""`python -m server customers search`: who is this, and why did my customer get no code?

By an address: which customers carry it, which one a log-in opens and why, and what became of the last mails. The choice
is made by the code that log-in itself asks, so the two cannot disagree. By anything else: whose name, address or id has
it in it.
"""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from server.access import directory
from server.access.directory import Candidate, Explained
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
    "unreachable": "no: has no address to log in with",
}
STATES = {
    "waiting": "waiting",
    "sent": "sent: the mail server took it",
    "nobody": "not sent: nobody who may log in would get it",
    "unwanted": "not sent",
    "expired": "given up",
}


MOST = 50
"""At most this many customers are shown, and how many more there are."""


async def search(store: Store, brand: str, typed: str) -> RenderableType:
    """What the merchant is shown. Raises `StoreUnavailable`."""
    address = canonical(typed)
    if isinstance(address, EmailMistake):
        return await _by_part(store, brand, typed)
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


async def _by_part(store: Store, brand: str, part: str) -> RenderableType:
    found = await directory.matching(store, brand, part)
    if not found:
        return _plain(f"No customer of {brand} has {part!r} in the name, the address or the id.")
    shown = [await _explained(store, brand, each) for each in found[:MOST]]
    parts: list[RenderableType] = [_customers(shown)]
    if len(found) > MOST:
        parts.append(Text(f"{len(found) - MOST:,} more: search for a longer part."))
    parts.append(Text("Search for an address to see its mails too."))
    return Group(*parts)


async def _explained(store: Store, brand: str, candidate: Candidate) -> Explained:
    """What a log-in with this customer's address does with it."""
    address = canonical(candidate.email)
    same = [] if isinstance(address, EmailMistake) else await directory.explain(store, brand, address)
    unreachable = Explained(candidate, opens=False, reason="disabled" if candidate.disabled else "unreachable")
    return next((each for each in same if each.candidate.id == candidate.id), unreachable)


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
