"""`sync`: fills the catalog and the directory of a brand from Stripe, page by page, and goes on where it was stopped.

    products, prices, coupons, tax rates      the copied catalog
    customers, with their subscriptions       the directory

A page is held at a time, so memory does not grow with the account. Accounts are not fetched here: each is when its
customer asks to log in. From the moment it begins the events are followed, so nothing that changes meanwhile is missed.

`check` goes through everything once more and reads every copied account again: what it finds to be other than Stripe says
is counted, and is right afterwards.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from datetime import datetime

import msgspec
from msgspec.structs import replace

from server.billing import NotFound, Refused, Unavailable, rows
from server.billing.model.documents import decode_account
from server.billing.stripe import asked_syncs, budget, copies, directory
from server.billing.stripe.accounts import StripeAccounts
from server.billing.stripe.catalog import KINDS
from server.billing.stripe.client import KeyRefused
from server.billing.stripe.leases import Lease, Lost
from server.store import Store, moment

Progress = Callable[[str, int], None]
"""What is read, and how many of it were so far."""
CUSTOMERS = "customer"
_KINDS = (*KINDS, CUSTOMERS)
_log = logging.getLogger(__name__)


class Seen(msgspec.Struct, frozen=True):
    """How far the syncs of a brand are, for a page."""

    state: str
    """`asked` (no worker has taken it up yet), `running`, `stopped` (it failed, and is tried again), `done`, or `never`."""
    kind: str = ""
    """What is read now: `product`, `price`, `coupon`, `tax_rate` or `customer`."""
    read: int = 0
    """How many of it so far; of one that is done, customers."""
    changed: int = 0
    odd: int = 0
    trouble: str = ""
    """Of one that is stopped: `away` or `key`."""
    at: datetime | None = None
    """When it was asked for, or was done."""


async def seen(store: Store, brand: str, now: datetime) -> Seen:
    asked, lease = await asked_syncs.find(store, brand), Lease(store, brand, "sync", "")
    text, moved_at = await lease.position()
    at = msgspec.json.decode(text, type=Position) if text else Position(kind="")
    if await lease.is_held(now):
        return Seen("running", at.kind or _KINDS[0], at.read, at.changed, at.odd)
    if asked and asked.ended_at is None:
        state = "stopped" if asked.trouble else "asked"
        return Seen(state, at.kind, at.read, at.changed, at.odd, asked.trouble, asked.asked_at)
    if asked and asked.ended_at:
        return Seen("done", "", asked.customers, asked.changed, asked.odd, "", asked.ended_at)
    return Seen("done", at=moment(moved_at)) if moved_at and not text else Seen("never")


class Busy(Exception):
    """Another process syncs the brand."""


class Position(msgspec.Struct, frozen=True):
    """Where a sync was stopped: within a kind, after that object."""

    kind: str = _KINDS[0]
    after: str = ""
    read: int = 0
    odd: int = 0
    changed: int = 0
    """Customers whose row was new, or other than Stripe says."""
    accounts: int = 0
    """Copied accounts that were read again, and those that were other."""
    repaired: int = 0


async def sync_asked(billing: StripeAccounts, clock: Callable[[], datetime]) -> None:
    """Do the sync that an operator asked for, where one waits: once, however many workers look. One that fails or is
    stopped goes on where it was."""
    if not await asked_syncs.is_due(billing.store, billing.brand, clock()):
        return
    try:
        await sync(billing, clock, lambda *_: None, only_asked=True)
    except (Busy, Lost):
        return  # another process does it
    except (Unavailable, Refused) as error:
        _log.warning("a sync is tried again in a moment", extra={"brand": billing.brand, "why": type(error).__name__})
        trouble = "key" if isinstance(error, KeyRefused) else "away"
        await asked_syncs.failed(billing.store, billing.brand, trouble, clock())


async def sync(
    billing: StripeAccounts,
    clock: Callable[[], datetime],
    progress: Progress,
    *,
    check: bool = False,
    only_asked: bool = False,
) -> Position:
    """Raises `Busy`, `Unavailable`; what was read until then is kept, and the next call goes on from there. `only_asked`:
    nothing is done where what an operator asked for was done meanwhile."""
    budget.urgency.set(budget.SYNC)
    lease = Lease(billing.store, billing.brand, "sync", secrets.token_hex(8))
    if not await lease.take(clock()):
        raise Busy
    if only_asked and not await asked_syncs.is_due(billing.store, billing.brand, clock()):
        await lease.give_back()
        return Position()
    await Lease(billing.store, billing.brand, "events", "").start_from(str(int(clock().timestamp())))
    await copies.drop_foreign(billing.store, billing.brand)
    text, _ = await lease.position()
    at = msgspec.json.decode(text, type=Position) if text else Position()
    try:
        for kind in _KINDS[_KINDS.index(at.kind) :]:
            at = await _kind(
                billing, lease, at if at.kind == kind else replace(at, kind=kind, after="", read=0), clock, progress
            )
        if check:
            at = await _accounts(billing, at, clock, progress)
        await lease.move("", clock())
        counts = {"customers": at.read, "changed": at.changed, "odd": at.odd}
        await asked_syncs.end(billing.store, billing.brand, **counts, now=clock())
    finally:
        await lease.give_back()
    return at


async def _kind(
    billing: StripeAccounts, lease: Lease, at: Position, clock: Callable[[], datetime], progress: Progress
) -> Position:
    path, expand = (
        ("/v1/customers", (directory.EXPAND,)) if at.kind == CUSTOMERS else (KINDS[at.kind][0], KINDS[at.kind][2])
    )
    wanted = {"expand": [f"data.{each}" for each in expand]} if expand else {}
    if at.after:
        wanted["starting_after"] = at.after  # type: ignore[assignment]
    async for page in billing.client.pages(path, **wanted):
        changed = 0
        if at.kind == CUSTOMERS:
            changed, odd = await directory.put(billing.store, billing.brand, page)
        else:
            odd = await billing.copied_catalog.keep(at.kind, page)
        if page:
            at = replace(
                at,
                after=str(page[-1].get("id", at.after)),
                read=at.read + len(page),
                odd=at.odd + odd,
                changed=at.changed + changed,
            )
        await lease.move(msgspec.json.encode(at).decode(), clock())
        progress(at.kind, at.read)
    return at


async def _accounts(
    billing: StripeAccounts, at: Position, clock: Callable[[], datetime], progress: Progress
) -> Position:
    """Read every copied account again."""
    after = ""
    while found := await copies.copied(billing.store, billing.brand, after):
        for customer in found:
            before = await billing.store.read(rows.READ_ACCOUNT, {"brand": billing.brand, "customer": customer})
            try:
                account = await billing.refetch(customer, clock())
            except NotFound:
                same = False
            else:
                same = bool(before) and replace(decode_account(before[0][0]), as_of=account.as_of) == account
                same = not await billing.read_payments(customer) and same
            at = replace(at, accounts=at.accounts + 1, repaired=at.repaired + (not same))
            progress("account", at.accounts)
        after = found[-1]
    return at
