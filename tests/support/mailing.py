"""What the mail tests share: a portal of the plain theme, and mails to send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from server import brands
from server.billing import Account, Customer, NotFound
from server.mail import messages
from server.mail.messages import Passcode
from server.paths import Paths
from server.portal import Portal
from server.rendering.assets import Assets
from server.rendering.renderer import Renderer
from server.settings import Settings
from server.store import Store

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = Settings(
    secrets=(b"a secret of the tests, 0123456789abcdef",),
    origin="https://portal.example",
    mail_from="billing@portal.example",
)


class SpeakingBilling:
    """A billing side that knows one thing: which languages its customers prefer."""

    def __init__(self, *locales: str) -> None:
        self.locales = locales

    async def account(self, customer_id: str, now: datetime) -> Account:
        if not self.locales:
            raise NotFound
        customer = Customer(customer_id, "x@example.com", now, preferred_locales=self.locales)
        return Account(customer, now)

    async def look_for(self, address: str) -> bool:  # noqa: ARG002
        return False

    async def close(self) -> None:
        pass


def portal(store: Store | None = None, *, clock=lambda: NOW, settings: Settings = SETTINGS, billing=None, **changed):
    """A portal of the plain theme; `business` or `locales` change its configuration."""
    brand = brands.load(ROOT / "themes" / "plain")
    config = brand.config
    if "locales" in changed:
        config = msgspec.structs.replace(config, site=msgspec.structs.replace(config.site, locales=changed["locales"]))
    if "business" in changed:
        business = msgspec.structs.replace(config.business, **changed["business"])
        config = msgspec.structs.replace(config, business=business)
    brand = msgspec.structs.replace(brand, config=config)
    paths = Paths(brand.base)
    return Portal(
        brand=brand,
        paths=paths,
        renderer=Renderer(brand, Assets.of(brand), paths),
        store=store,
        billing=billing or SpeakingBilling(),
        clock=clock,
        settings=settings,
        origin="https://portal.example",
    )


def passcode(code: str = "042817", **changed) -> Passcode:
    values = {
        "code": code,
        "asked_at": NOW,
        "expires_at": NOW + timedelta(minutes=10),
        "browser": "Firefox on Linux",
        "domain": "portal.example",
    }
    return Passcode(**(values | changed))


def message(to: str = "jenny@example.com", *, key: str = "out_1", **changed):
    return messages.compose(portal(**changed), passcode(), to, key=key, now=NOW)
