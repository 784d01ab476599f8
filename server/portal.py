"""One brand, running: what every handler of the brand is given.

`app.py` makes one for each brand at start-up; below it nothing reads the environment or the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from server.billing import Billing
from server.brands import Brand
from server.brands.portal_file import LoginPage
from server.paths import Paths
from server.rendering.renderer import Renderer
from server.settings import Settings, SettingsError, stripe_suffix
from server.store import Store
from server.store.telling import Listeners


@dataclass(frozen=True, slots=True)
class Portal:
    brand: Brand
    paths: Paths
    renderer: Renderer
    store: Store
    billing: Billing
    clock: Callable[[], datetime]
    settings: Settings
    origin: str
    """Scheme, host and port that browsers see, without a slash at the end."""
    login_page: Callable[[], LoginPage] | None = None
    """Answers the log-in page as it stands in `portal.toml` now; None: as it was when the brand was loaded."""

    @property
    def link(self) -> str:
        """The token of the log-in link that is active now; empty: none is."""
        page = self._page
        return page.link if page.enabled else ""

    @property
    def account_choice(self) -> bool:
        """Whether an address that several customers have may open each of them."""
        return self._page.account_choice

    @property
    def _page(self) -> LoginPage:
        return self.login_page() if self.login_page else self.brand.config.login_page

    @property
    def is_the_billing(self) -> bool:
        """What the store holds of an account is the account, not a copy of what another service has."""
        return self.brand.config.billing.backend == "ledger"

    @property
    def is_live(self) -> bool | None:
        """Whether its customers are real ones; None: nothing says, since it has no log-in link."""
        if not self.is_the_billing:
            return self.settings.stripe_of(self.name).is_live
        link = self._page.link
        return not link.startswith("test_") if link else None

    def speaking(self, locale: str) -> Portal:
        """The same, with the URLs of pages in this locale: for what leads to them from elsewhere, such as a mail."""
        return replace(self, paths=self.renderer.paths_in(locale))

    @property
    def name(self) -> str:
        return self.brand.name

    @property
    def is_secure(self) -> bool:
        """Cookies are Secure and prefixed; only the demo on loopback is not."""
        return self.origin.startswith("https://")


def listeners_of(brand: Brand) -> Listeners:
    """The endpoints of the brand that hear of what happens on the ledger."""
    endpoints, link = brand.config.events.endpoints, brand.config.login_page.link
    return Listeners(brand.name, {each.url: each.types for each in endpoints}, is_live=not link.startswith("test_"))


def check_backend(brand: Brand, settings: Settings) -> None:
    """Raises `SettingsError` where the brand's backend lacks its key, or where real money would stand behind a link of
    test data, or the reverse."""
    if brand.config.billing.backend != "stripe":
        return
    suffix, secrets = stripe_suffix(brand.name), settings.stripe_of(brand.name)
    variable = f"PORTAL_STRIPE_KEY_{suffix}"
    if not secrets.key:
        raise SettingsError(
            f'{variable}: missing, and {brand.folder / "portal.toml"} says billing.backend = "stripe". '
            "Set a restricted key of the brand's Stripe account, or give one in the studio"
        )
    if suffix not in settings.stripe or not settings.stripe[suffix].key:
        variable = f"Stripe's key of {brand.name}, kept in the studio"
    link = brand.config.login_page.link
    if link and link.startswith("test_") == secrets.is_live:
        kinds = ("a key of live data", "test data") if secrets.is_live else ("a key of test data", "live data")
        raise SettingsError(
            f"{variable}: {kinds[0]}, and the link of {brand.name} is for {kinds[1]}. "
            f"Run: python -m server link activate {brand.name} --new{'' if secrets.is_live else ' --test'}"
        )


def check_studio(brands: Iterable[Brand], settings: Settings) -> None:
    """Raises `SettingsError` where the studio would share a host with a brand: pages of the brand could post to it."""
    if not settings.studio_origin:
        return
    host = urlsplit(settings.studio_origin).netloc
    others = {
        "PORTAL_ORIGIN": settings.origin,
        **{f"[site] url of {each.name}": each.config.site.url for each in brands},
    }
    taken = [name for name, origin in others.items() if urlsplit(origin).netloc.lower() == host]
    if host in settings.hosts:
        taken.append("PORTAL_HOSTS")
    if taken:
        raise SettingsError(
            f"PORTAL_STUDIO_ORIGIN: {host} is also {taken[0]}. Give the studio a host that nothing else has, "
            "such as https://studio.example"
        )
