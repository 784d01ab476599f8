"""One brand, running: what every handler of the brand is given.

`app.py` makes one for each brand at start-up; below it nothing reads the environment or the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from server.billing import Billing
from server.brands import Brand
from server.brands.portal_file import LoginPage
from server.paths import Paths
from server.rendering.renderer import Renderer
from server.settings import Settings, SettingsError
from server.store import Store


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


def check_backend(brand: Brand) -> None:
    """Raises `SettingsError` where the brand asks for a backend that is not there: an empty ledger must not take its
    place without a word."""
    backend = brand.config.billing.backend
    if backend != "ledger":
        raise SettingsError(
            f"{brand.folder / 'portal.toml'}: billing.backend: {backend!r} cannot be served yet; "
            'allowed: "ledger", filled by python -m server import'
        )
