"""Every action on a subscription, previewed and made on an account. Pure."""

from __future__ import annotations

import msgspec

from server.billing.ledger.changes import canceling, methods, pausing, planning, restarting, retention, schedules
from server.billing.ledger.changes.planning import Planned, Terms
from server.billing.ledger.sums.awaiting import given_up
from server.billing.model.account import Account
from server.billing.model.change import (
    Action,
    Cancel,
    Move,
    Pause,
    Preview,
    Restart,
    Resume,
    Retain,
    Tell,
    UndoMove,
    Unpause,
)
from server.billing.model.errors import Refusal
from server.billing.model.fingerprint import Fingerprint
from server.billing.model.port import By
from server.brands.dunning import STANDARD, Dunning


class Asking(msgspec.Struct, frozen=True):
    """Who asks for something of a subscription, on which terms."""

    keys: tuple[bytes, ...]
    brand: str
    by: By
    subscription_id: str
    terms: Terms
    shown: str = ""
    """The fingerprint that came with the form."""
    dunning: Dunning = STANDARD

    def page(self, action: Action) -> Fingerprint:
        about = (self.brand, self.by.customer_id, self.subscription_id, type(action).__name__, action)
        return Fingerprint.about_action(self.keys, *about, shown=self.shown)


def meant(account: Account, action: Action, asking: Asking) -> Preview | Refusal:
    """What the action would do now. Raises `TypeError` for an action that has no preview."""
    id_, now, features = asking.subscription_id, asking.by.now, asking.by.features
    account = _without_what_waits(account, action, id_)
    page, catalog = asking.page(action), asking.terms.catalog
    match action:
        case Cancel():
            return canceling.cancellation(account, id_, features.subscription_cancel, page, now)
        case Move():
            return planning.preview(account, id_, action, asking.terms, page=page, now=now)
        case Unpause():
            return pausing.unpausing(account, id_, features, page, now)
        case Restart():
            return restarting.restarts(account, id_, catalog, features=features, page_of=_page_of(asking), now=now)
        case Retain():
            return retention.offer(account, id_, catalog, features=features, page=page, now=now)
    raise TypeError(f"{type(action).__name__} has no preview")


def made(account: Account, action: Action, asking: Asking) -> Account | Planned | Preview | Refusal:
    """The account after the action. A preview: it would mean this by now, which is not what the page showed."""
    id_, now, features = asking.subscription_id, asking.by.now, asking.by.features
    account = _without_what_waits(account, action, id_)
    page, catalog = asking.page(action), asking.terms.catalog
    answer: Account | Planned | Preview | Refusal
    match action:
        case Cancel():
            answer = canceling.cancel_as_shown(account, id_, features.subscription_cancel, page, now)
        case Resume():
            answer = canceling.resume(account, id_, features.subscription_cancel, now)
        case Move():
            answer = planning.move_as_shown(account, id_, action, asking.terms, page=page, now=now)
        case UndoMove():
            answer = schedules.undo(account, id_, features, now)
        case Pause():
            answer = pausing.pause(account, id_, action.cycles, features, now)
        case Unpause():
            answer = pausing.unpause_as_shown(account, id_, features, page, now, dunning=asking.dunning)
        case Restart():
            page_of = _page_of(asking)
            answer = restarting.restart_as_shown(
                account, id_, action.price, catalog, features=features, page_of=page_of, now=now
            )
        case Retain():
            answer = retention.retain_as_shown(account, id_, catalog, features=features, page=page, now=now)
        case Tell():
            answer = retention.tell(account, id_, action, features, now)
        case _:
            answer = methods.unpin(account, id_, features)
    return answer


def _without_what_waits(account: Account, action: Action, subscription_id: str) -> Account:
    """Who cancels, pauses or stays gives up a change that waits for its payment."""
    return given_up(account, subscription_id) if isinstance(action, Cancel | Pause | Retain) else account


def _page_of(asking: Asking) -> restarting.PageOf:
    return lambda price: asking.page(Restart(price))
