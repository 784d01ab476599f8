"""`[events]` of `portal.toml`: which of your servers hear of what happens. See `docs/api.md`."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from server.brands.reading.declared import Keys
from server.brands.reading.keys import Flag, Section, Shaped, SomeOf
from server.brands.reading.tables import Table

TYPES = (
    *("billing_portal.session.created", "billing_portal.configuration.created"),
    *("billing_portal.configuration.updated", "customer.updated", "customer.subscription.created"),
    *("customer.subscription.updated", "customer.subscription.deleted"),
    *("invoice.created", "invoice.finalized", "invoice.paid", "invoice.payment_failed"),
    *("invoice.payment_action_required", "invoice.voided", "invoice.marked_uncollectible"),
    *("payment_method.attached", "payment_method.detached"),
)
_SHAPE = "an https:// URL without a user (plain http only with allow_private)"


def _endpoint(value: str) -> str:
    parts = urlsplit(value)
    if not re.fullmatch(r"[\x21-\x7e]+", value) or parts.scheme not in ("https", "http"):
        raise ValueError(_SHAPE)
    try:
        parts.port  # noqa: B018 (a port out of range raises here)
    except ValueError:
        raise ValueError(_SHAPE) from None
    if not parts.hostname or "@" in parts.netloc or parts.fragment:
        raise ValueError(_SHAPE)
    return value


class Endpoint(Keys, frozen=True):
    url: Annotated[
        str, Shaped("where the events are posted to", check=_endpoint, shape=_SHAPE, required=True, asked_as="url")
    ]
    types: Annotated[tuple[str, ...], SomeOf("which events it hears of", among=TYPES)] = TYPES


class Events(Keys, frozen=True):
    endpoints: Annotated[tuple[Endpoint, ...], Section("your servers that hear of what happens on the ledger")] = ()
    allow_private: Annotated[
        bool,
        Flag(
            "whether an endpoint may be at an address of a private network, or on this machine, and without https; leave it "
            "off where others than you can write this file"
        ),
    ] = False

    def check(self, table: Table) -> None:
        urls = [each.url for each in self.endpoints]
        for position, url in enumerate(urls):
            if url in urls[:position]:
                table.refuse("endpoints", f"{url!r} twice", "each endpoint once", position, "url")
            if url.startswith("http://") and not self.allow_private:
                table.refuse("endpoints", repr(url), _SHAPE, position, "url")
