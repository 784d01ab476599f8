"""Who is this, and why did my customer get no code? What `python -m server customers search` and the studio answer.

By an address: which customers have it, which one a log-in opens and why, and what became of the last mails. The choice
is made by the code that log-in itself asks, so the two cannot disagree. By anything else: whose name, address or id has
it in it.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.access import customer_search, directory
from server.access.directory import Candidate, Explained
from server.formats.email import EmailMistake, canonical
from server.mail import outbox, reminder_choices
from server.mail.outbox import Record
from server.store import Store

MOST = 50
"""At most this many customers are shown, and whether there are more."""


class Off(msgspec.Struct, frozen=True):
    """Mails of a kind that a customer has switched off."""

    customer_id: str
    kind: str
    at: datetime


class Found(msgspec.Struct, frozen=True):
    typed: str
    address: str = ""
    """Canonical; empty: what was typed is no address."""
    customers: tuple[Explained, ...] = ()
    has_more: bool = False
    """Older customers have it in them too."""
    mails: tuple[Record, ...] = ()
    """The last ones, where an address was typed."""
    off: tuple[Off, ...] = ()


async def search(store: Store, brand: str, typed: str) -> Found:
    """Raises `StoreUnavailable`."""
    address = canonical(typed)
    if isinstance(address, EmailMistake):
        return await _by_part(store, brand, typed)
    found = await directory.explain(store, brand, address)
    off = [line for each in found for line in await switched_off(store, brand, each.candidate.id)]
    return Found(typed, address, tuple(found), mails=tuple(await outbox.about(store, brand, address)), off=tuple(off))


async def _by_part(store: Store, brand: str, part: str) -> Found:
    found = await customer_search.matching(store, brand, part, MOST + 1)
    shown = [await explained(store, brand, each) for each in found[:MOST]]
    return Found(part, customers=tuple(shown), has_more=len(found) > MOST)


async def explained(store: Store, brand: str, candidate: Candidate) -> Explained:
    """What a log-in with this customer's address does with it."""
    address = canonical(candidate.email)
    same = [] if isinstance(address, EmailMistake) else await directory.explain(store, brand, address)
    unreachable = Explained(candidate, opens=False, reason="disabled" if candidate.disabled else "unreachable")
    return next((each for each in same if each.candidate.id == candidate.id), unreachable)


async def switched_off(store: Store, brand: str, customer_id: str) -> list[Off]:
    """Each kind of mail that the customer does not want."""
    off = await reminder_choices.switched_off(store, brand, customer_id)
    return [Off(customer_id, kind, at) for kind, at in off.items()]
