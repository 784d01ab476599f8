"""Stripe's verbs about subscriptions: every action is worked out by one function, for its page and for its form.

The function answers the requests that do it and what they mean. A page shows the meaning; the form sends the requests if
they still mean what the page showed, and else nothing is sent. Numbers are Stripe's own (`create_preview`), worked out
for the page's moment: that moment is the `proration_date` of the preview and of the request.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from server.billing import (
    Account,
    Action,
    By,
    Cancel,
    Catalog,
    Done,
    Move,
    NotFound,
    Pause,
    Preview,
    Refusal,
    Refused,
    Restart,
    Restarts,
    Resume,
    Retain,
    Stale,
    Tell,
    Unavailable,
    UndoMove,
    Unpause,
    Unpin,
)
from server.billing.rules.paying import waits_for_the_bank
from server.billing.stripe import canceling, methods, pausing, plans
from server.billing.stripe.asking import Asking, Planned
from server.billing.stripe.operations import Operations, Step, Wanted
from server.billing.stripe.reading import MappingError

_log = logging.getLogger(__name__)
Work = Callable[[Asking], Awaitable[Planned | Refusal]]
ACTIONS: dict[type, tuple[str, Work]] = {
    Cancel: ("subscription.canceled", canceling.cancel),
    Resume: ("subscription.resumed", canceling.resume),
    Move: ("subscription.changed", plans.move),
    UndoMove: ("subscription.change_undone", plans.undo),
    Retain: ("subscription.retained", canceling.retain),
    Tell: ("subscription.feedback", canceling.tell),
    Unpin: ("subscription.unpinned", methods.unpin),
    Pause: ("subscription.paused", pausing.pause),
    Unpause: ("subscription.unpaused", pausing.unpause),
    Restart: ("subscription.restarted", pausing.restart),
}
"""What the history calls each action, and what works it out."""
SO_ALREADY = {Pause: "already_paused", Unpause: "not_paused", Restart: "already_restarted"}
"""The refusals that mean that there is nothing left to do."""


class _Stale(Exception):
    """What the action would mean now, which is not what the page showed: nothing was sent."""

    def __init__(self, meant: Preview) -> None:
        super().__init__()
        self.meant = meant


class StripeSubscriptions(Operations):
    async def preview(self, by: By, subscription_id: str, action: Any) -> Any:
        """One function behind the port's overloads: the action decides which preview it is."""
        account = await self.account(by.customer_id, by.now)
        try:
            with _readable():
                it = await self._asking(by, account, subscription_id, action)
                planned = await ACTIONS[type(action)][1](it)
        except Refused as refused:
            return Refusal(refused.reason, refused.detail)
        if isinstance(planned, Refusal):
            return planned
        return _marked(it, planned) if planned.preview else Refusal("no_offer")  # it was taken

    async def apply(self, by: By, subscription_id: str, action: Action, *, shown: str = "") -> Done | Stale:
        words = tuple(str(getattr(action, each)) for each in action.__struct_fields__)
        wanted = Wanted(ACTIONS[type(action)][0], subscription_id, words)
        try:
            with _readable():
                return Done(await self._made(by, wanted, lambda: self._plan(by, subscription_id, action, shown)))
        except _Stale as stale:
            return Stale(await self.account(by.customer_id, by.now), stale.meant)

    async def _made(self, by: By, wanted: Wanted, plan: Callable[[], Awaitable[Planned]]) -> Account:
        """Do it, or, where the bank wants to ask the customer first, let it wait for that. The latter is an operation of its
        own under the form's key: the same form again comes to the same."""

        async def steps() -> Sequence[Step]:
            return (await plan()).steps

        async def waiting(refused: Refused) -> Sequence[Step]:
            found = (await plan()).if_the_bank_asks
            if not found:
                raise refused
            return found

        try:
            return await self.once(by, wanted, steps)
        except Refused as refused:
            if not waits_for_the_bank(Refusal(refused.reason), by.features):
                raise
            said = refused
        return await self.once(replace(by, key=f"{by.key} waits"), wanted, lambda: waiting(said))

    async def _plan(self, by: By, subscription_id: str, action: Action, shown: str) -> Planned:
        """What to send. The account is fetched first, so that rules decide on what is so now."""
        it = await self._asking(by, await self.refetch(by.customer_id, by.now), subscription_id, action)
        page, work = it.page(action, shown), ACTIONS[type(action)][1]
        shown_at = page.shown_at(by.now)
        if shown_at is not None:
            planned = await self._then(work, it, shown_at)
            if planned is not None and page.fits(*planned.seen):
                return planned
        now = await work(it)
        if isinstance(now, Refusal):
            if now.reason == SO_ALREADY.get(type(action)):
                return Planned()
            raise _refused(now)
        if now.preview is None or page.fits(*now.seen):
            return now
        raise _Stale(_marked(it, now))

    async def _then(self, work: Work, it: Asking, shown_at: datetime) -> Planned | None:
        """As it was at the page's moment; None: it could not have been."""
        try:
            planned = await work(replace(it, at=shown_at))
        except Refused:  # a moment before the running period
            return None
        return None if isinstance(planned, Refusal) else planned

    async def _asking(self, by: By, account: Account, subscription_id: str, action: Action) -> Asking:
        subscription = account.subscription(subscription_id)
        if subscription is None:
            raise NotFound
        catalog, prices = Catalog(), [each.price.id for each in subscription.items]
        known = await self.copied_catalog.copy()
        if isinstance(action, Restart | Retain | Move):
            catalog = await self.copied_catalog.read(by.features, prices)
        if isinstance(action, Move):
            catalog, known = await plans.with_code(self.client, catalog, known, action.code)
        return Asking(self.client, known, catalog, self.keys, self.brand, by, account, subscription, action, by.now)


@contextmanager
def _readable() -> Iterator[None]:
    """Nothing is sent about what cannot be read: it counts as no answer."""
    try:
        yield
    except MappingError as error:
        _log.error("an answer of Stripe's cannot be read", extra={"why": str(error)})
        raise Unavailable from None


def _marked(it: Asking, planned: Planned) -> Any:
    """The preview with the fingerprint of its page; one that names several prices has marked each."""
    if planned.preview is None:
        raise TypeError(f"{type(it.action).__name__} has no preview")
    if isinstance(planned.preview, Restarts):
        return planned.preview
    return replace(planned.preview, fingerprint=it.page(it.action).of(it.at, *planned.seen))


def _refused(refusal: Refusal) -> Exception:
    return NotFound() if refusal.reason == "not_found" else Refused(refusal.reason, refusal.detail)
