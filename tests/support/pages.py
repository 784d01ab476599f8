"""What a page shows before a change, and what its form then does: on an account alone, and on a ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from server.billing import (
    Account,
    By,
    Cancel,
    Cancellation,
    Catalog,
    Charge,
    Move,
    NewStart,
    PlanChange,
    Refusal,
    Restart,
    Restarts,
    Retain,
    RetentionOffer,
    Subscription,
    Unpause,
    Unpausing,
)
from server.billing.ledger.changes.actions import Asking, made, meant
from server.billing.ledger.changes.planning import Planned, Terms
from server.billing.ledger.ledger import Ledger
from server.billing.rules.canceling import CancelRule
from server.brands.features import Features, SubscriptionCancel
from server.brands.mail_switches import EVERY_MAIL, MailSwitches
from server.store import Store

KEYS = (b"a key of the tests for fingerprints",)


class LedgerOf(Ledger):
    """A ledger, and who asks it: customers whose session has these features."""

    features: Features

    def by(self, customer: str = "cus_1", *, key: str = "", now: datetime, browser: str = "") -> By:
        return By(customer, self.features, now, key, browser)


def ledger_of(
    store: Store,
    brand: str = "plain",
    features: Features | None = None,
    base: str | None = None,
    mail: MailSwitches = EVERY_MAIL,
    *,
    keys: Sequence[bytes] = KEYS,
) -> LedgerOf:
    made = LedgerOf(store, brand, keys=keys, base=base, mail=mail)
    made.features = features or Features()
    return made


def asking(it: Account, id_: str, terms: Terms, now: datetime, shown: str = "") -> Asking:
    return Asking(KEYS, "plain", By(it.customer.id, terms.features, now), id_, terms, shown)


def preview(it: Account, id_: str, change: Move, terms: Terms, now: datetime) -> PlanChange | Refusal:
    return meant(it, change, asking(it, id_, terms, now))  # type: ignore[return-value]


def apply(
    it: Account, id_: str, change: Move, terms: Terms, *, token: str, now: datetime
) -> Planned | PlanChange | Refusal:
    """The change under this fingerprint; a `PlanChange` where the page was stale."""
    return made(it, change, asking(it, id_, terms, now, token))  # type: ignore[return-value]


def cancellation(it: Account, id_: str, rule: CancelRule, now: datetime) -> Cancellation:
    return meant(it, Cancel(), asking(it, id_, _canceling(rule), now))  # type: ignore[return-value]


def cancel_as_shown(
    it: Account, id_: str, rule: CancelRule, *, token: str, now: datetime
) -> Account | Cancellation | Refusal:
    return made(it, Cancel(), asking(it, id_, _canceling(rule), now, token))  # type: ignore[return-value]


def _canceling(rule: CancelRule) -> Terms:
    assert isinstance(rule, SubscriptionCancel)
    return Terms(Catalog(), Features(subscription_cancel=rule))


def unpausing(it: Account, found: Subscription, features: Features, now: datetime) -> Charge | None:
    """What ending the pause would charge."""
    shown = meant(it, Unpause(), asking(it, found.id, Terms(Catalog(), features), now))
    assert isinstance(shown, Unpausing), shown
    return shown.charge


def restarts(
    it: Account, found: Subscription, catalog: Catalog, features: Features, now: datetime
) -> tuple[NewStart, ...]:
    """The ways to begin again; none where it may not."""
    shown = meant(it, Restart(), asking(it, found.id, Terms(catalog, features), now))
    return shown.options if isinstance(shown, Restarts) else ()


def offer(it: Account, id_: str, catalog: Catalog, features: Features, now: datetime) -> RetentionOffer | None:
    shown = meant(it, Retain(), asking(it, id_, Terms(catalog, features), now))
    return shown if isinstance(shown, RetentionOffer) else None


def retain(it: Account, id_: str, catalog: Catalog, features: Features, now: datetime) -> Account | Refusal:
    """As a customer does who sees the offer at that moment."""
    terms = Terms(catalog, features)
    shown = offer(it, id_, catalog, features, now)
    answer: Any = made(it, Retain(), asking(it, id_, terms, now, shown.fingerprint if shown else ""))
    assert not isinstance(answer, RetentionOffer)
    return answer
