"""What the studio shows of events: which endpoints are told, what became of each event, and one of them."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from server.rendering.views import View


class Endpoint(msgspec.Struct, frozen=True):
    url: str
    types: tuple[str, ...]
    """Empty: every kind of event."""
    is_served: bool
    """The server tells it: it is in the brand as customers get it now."""
    secrets: tuple[str, ...] = ()
    """What it verifies signatures with, the newest first; nothing where they were not asked for."""


class Told(msgspec.Struct, frozen=True):
    """An event, and what became of it at one endpoint."""

    id: str
    type: str
    customer_id: str
    """Empty: it is about no customer."""
    endpoint: str
    state: str
    """`waiting`, `sent` or `failed`."""
    attempts: int
    detail: str
    """What the endpoint answered last."""
    at: datetime
    next_at: datetime | None = None
    """When it is sent next, where it waits."""


class Events(View, frozen=True):
    layout: ClassVar[str] = "brand"
    here: ClassVar[str] = "settings"

    endpoints: tuple[Endpoint, ...]
    told: tuple[Told, ...]
    """The newest first."""
    is_the_billing: bool
    """The ledger bills; else Stripe tells of customers and subscriptions itself."""
    done: str = ""
    """`again`, `gone` or `secrets`; empty: nothing was asked for."""


class Event(View, frozen=True):
    layout: ClassVar[str] = "brand"
    here: ClassVar[str] = "settings"

    id: str
    told: tuple[Told, ...]
    document: str
    """The JSON that is posted, indented."""
