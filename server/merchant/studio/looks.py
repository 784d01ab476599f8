"""Looking at the portal as a customer: an act of the history, with the reason, and the pages that it opens for a while.

An address of such a page names the act and holds a token, made from the operator's session and a secret of the server.
Without the act there is no page: who looked at whom, and why, is written down before anything is seen.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from server.access import sealing
from server.merchant.studio import history, sessions
from server.merchant.studio.place import Studio
from server.merchant.studio.previews import NotThere
from server.web.studio_guard import PREVIEW

LASTS = timedelta(minutes=30)
"""How long after its reason was given a look goes on."""
LOOKED = "looked_as"


class Look(msgspec.Struct, frozen=True):
    """Who looks at whom, and why."""

    n: int
    """Of the act."""
    operator: str
    brand: str
    customer: str
    """The id."""
    reason: str


async def begin(studio: Studio, operator: str, brand: str, customer_id: str, reason: str) -> int:
    """Write it down; the number of the act."""
    data, now = {"customer": customer_id, "reason": reason}, studio.clock()
    head = await studio.store.write(
        lambda transaction: history.note(transaction, LOOKED, data, operator=operator, brand=brand, now=now)
    )
    return head.n


async def find(studio: Studio, n: int, operator: str, brand: str) -> Look:
    """The operator's look at a customer of this brand. Raises `NotThere`, also where it is over."""
    act = await history.one(studio.store, n)
    if act is None or (act.what, act.operator, act.brand) != (LOOKED, operator, brand):
        raise NotThere
    if studio.clock() - act.at >= LASTS:
        raise NotThere
    data = msgspec.json.decode(act.data, type=dict[str, str])
    return Look(n, operator, brand, data["customer"], data["reason"])


async def opened(studio: Studio, token: str, brand: str, n: int) -> Look:
    """The look that the token opens, as long as the session that it was made from lives. Raises `NotThere`."""
    for session in await sessions.every(studio):
        if sealing.same(token.encode(), [token_of(studio, session.id_hash, brand, n).encode()]):
            return await find(studio, n, session.address, brand)
    raise NotThere


def token_of(studio: Studio, id_hash: bytes, brand: str, n: int) -> str:
    key = sealing.keys(studio.settings.secrets, "studio look")[0]
    return sealing.mac(key, id_hash, brand.encode(), str(n).encode())[:16].hex()


def prefix_of(token: str, brand: str, n: int) -> str:
    """What the addresses of its pages begin with."""
    return f"{PREVIEW}as/{token}/{brand}/{n}"
