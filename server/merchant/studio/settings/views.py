"""What the settings of a brand show: whether all is well, who may do what with it, and what they did."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import msgspec

from server.access.kept_secrets import About
from server.merchant.finding import Finding
from server.merchant.studio.history import Act
from server.rendering.views import View


class Health(View, frozen=True):
    """What this server finds by itself. Other machines are asked by `FarHealth`."""

    layout: ClassVar[str] = "brand"

    findings: tuple[Finding, ...]


class FarHealth(View, frozen=True):
    layout: ClassVar[str] = "brand"

    findings: tuple[Finding, ...]


class Person(msgspec.Struct, frozen=True):
    address: str
    role: str
    everywhere: bool
    """For every brand, not for this one alone."""
    since: datetime
    has_passkey: bool
    may_change: bool


class People(View, frozen=True):
    layout: ClassVar[str] = "brand"

    people: tuple[Person, ...]
    roles: tuple[str, ...]
    may_everywhere: bool
    """The operator may also give roles for every brand."""
    mistake: str = ""
    """`address`, `role` or `last`; empty: none."""
    address: str = ""
    role: str = ""
    where: str = "here"
    """As it was chosen: for this brand, or `everywhere`."""
    done: str = ""
    """`given`, `same` or `removed`; empty: nothing was done."""
    word: str = ""
    """For the first passkey of whom the role was given to; shown this once."""


class Told(msgspec.Struct, frozen=True):
    """One act."""

    n: int
    at: datetime
    operator: str
    """Empty: the command line."""
    everywhere: bool
    what: str
    data: dict[str, Any]


def told(act: Act) -> Told:
    try:
        data = msgspec.json.decode(act.data, type=dict[str, object])
    except msgspec.DecodeError:
        data = {}  # somebody changed it: the page says that the chain is broken
    return Told(act.n, act.at, act.operator, not act.brand, act.what, data)


class History(View, frozen=True):
    layout: ClassVar[str] = "brand"

    acts: tuple[Told, ...]
    """The newest first."""
    older: int = 0
    """The number of the act before which there are more; 0: there are none."""
    head: str = ""
    broken: str = ""
    """Where the chain is not what was written; empty: it is whole."""


class Secret(msgspec.Struct, frozen=True):
    """What may be shown of a key, or of the webhook's secret."""

    source: str = ""
    """`environment` or `kept`; empty: there is none."""
    about: About | None = None
    """None: there is none, or it is too short to show a part of it."""


class Sync(msgspec.Struct, frozen=True):
    """How far the reading of everything at Stripe is."""

    state: str
    """`never`, `asked`, `running`, `stopped` or `done`."""
    kind: str
    """Of one that runs: `product`, `price`, `coupon`, `tax_rate` or `customer`."""
    read: int
    changed: int
    odd: int
    trouble: str
    """Of one that is stopped: `away` or `key`."""
    at: datetime | None


class StripeSync(View, frozen=True):
    layout: ClassVar[str] = "brand"

    sync: Sync


class Stripe(View, frozen=True):
    layout: ClassVar[str] = "brand"

    is_billing: bool
    """Stripe bills the brand, as its file says now."""
    key: Secret
    webhook: Secret
    webhook_url: str
    is_fresh: bool
    """A passkey was shown a moment ago: secrets can be entered."""
    is_live: bool = False
    """Of the key."""
    may_bill: bool = False
    """There is a key, and Stripe does not bill yet."""
    mistake: str = ""
    """`shape`, `link`, `unknown`, `lacks`, `other_mode`, `away`, `needed` or `billing`; empty: none."""
    what: str = ""
    """What the mistake is about: `key` or `webhook`."""
    why: str = ""
    done: str = ""
    """`key_kept`, `webhook_kept`, `key_forgotten` or `webhook_forgotten`."""
    is_followed: bool = False
    """A worker looks for what changes at Stripe."""
    sync: Sync | None = None
    """None: Stripe does not bill."""
