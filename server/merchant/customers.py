"""`python -m server customers search`: what `searching` finds, in the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from server.access.directory import Explained
from server.mail.outbox import Record
from server.merchant import searching
from server.merchant.searching import Found
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


async def search(store: Store, brand: str, typed: str) -> RenderableType:
    """What the merchant is shown. Raises `StoreUnavailable`."""
    found = await searching.search(store, brand, typed)
    return _of_address(found, brand) if found.address else _of_part(found, brand)


def _of_address(found: Found, brand: str) -> RenderableType:
    parts: list[RenderableType] = [Text(f"{found.address} in {brand}")]
    if not found.customers:
        parts.append(Text("No customer has this address: a log-in gets no mail, and the visitor cannot tell."))
    else:
        parts.append(_customers(found.customers))
        parts += [
            _plain(f"{each.customer_id} has switched off {each.kind}, on {each.at:%Y-%m-%d}.") for each in found.off
        ]
    nothing = Text("No code was asked for and no mail sent in the last 30 days.")
    parts.append(_mails(found.mails) if found.mails else nothing)
    return Group(*parts)


def _of_part(found: Found, brand: str) -> RenderableType:
    if not found.customers:
        return _plain(f"No customer of {brand} has {found.typed!r} in the name, the address or the id.")
    parts: list[RenderableType] = [_customers(found.customers)]
    if found.has_more:
        parts.append(Text("These are the newest; there are more: search for a longer part."))
    parts.append(Text("Search for an address to see its mails too."))
    return Group(*parts)


def _customers(found: Iterable[Explained]) -> Table:
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


def _mails(mails: Iterable[Record]) -> Table:
    table = Table("asked for (UTC)", "mail", "tries", "what became of it", title="Last mails", title_justify="left")
    for each in mails:
        became = STATES.get(each.state, each.state) + (f" ({each.detail})" if each.detail else "")
        table.add_row(f"{each.created_at:%Y-%m-%d %H:%M:%S}", each.kind, str(each.attempts), _plain(became))
    return table


def _plain(text: str) -> Text:
    """What a customer or the billing side wrote: no markup of ours, and no control characters for the terminal."""
    return Text("".join(each if each.isprintable() else "\ufffd" for each in text))
