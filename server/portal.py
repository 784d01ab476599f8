"""One brand, running: what every handler of the brand is given.

`app.py` makes one for each brand at start-up; below it nothing reads the environment or the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from server.billing import Billing
from server.paths import Paths
from server.rendering import Renderer
from server.settings import Settings
from server.store import Store
from server.themes import Brand


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

    @property
    def name(self) -> str:
        return self.brand.name

    @property
    def is_secure(self) -> bool:
        """Cookies are Secure and prefixed; only the demo on loopback is not."""
        return self.origin.startswith("https://")
