"""`python -m server doctor`: what `findings` says, beginning with the environment, before any server runs.

It changes nothing that matters: it writes one row to the store and takes it back, and sends no mail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from server import settings as settings_module
from server.access import kept_secrets
from server.brands import Brand, ThemeError, load_all
from server.merchant import findings
from server.merchant.fetching import Fetch, fetched
from server.merchant.finding import Finding
from server.portal import check_studio
from server.settings import Settings, SettingsError, stripe_suffix
from server.store import StoreUnavailable, open_store


async def examine(
    environment: Mapping[str, str], clock: Callable[[], datetime], fetch: Fetch = fetched, head: str = ""
) -> list[Finding]:
    """Everything, in the order in which things depend on each other. `head`: one of the studio's history that was kept
    elsewhere."""
    try:
        settings = settings_module.from_environment(environment)
    except SettingsError as error:
        return [Finding("settings", False, str(error), "Set it in the environment; server/settings.py lists them all.")]
    found = [Finding("settings", True, "every PORTAL_… variable is known and has an allowed value")]
    brands, said = _brands(settings)
    found += said
    try:
        store = open_store(settings.database)
    except StoreUnavailable as error:
        found += findings.of_files(settings, brands)
        found.append(Finding("store", False, f"it cannot be opened: {error}", "Look at PORTAL_DATABASE."))
        return [*found, *await findings.far(settings, brands, fetch)]
    try:
        settings = await kept_secrets.joined(settings, store)
        found += await findings.near(settings, brands, store, clock, head=head, is_running=False)
    except StoreUnavailable as error:
        found.append(Finding("store", False, f"it cannot be read: {error}", "Look at PORTAL_DATABASE."))
    finally:
        await store.close()
    return [*found, *await findings.far(settings, brands, fetch)]


def _brands(settings: Settings) -> tuple[Sequence[Brand], list[Finding]]:
    try:
        brands = load_all(settings.themes)
    except ThemeError as error:
        remedy = "Fix the files named; PORTAL_THEMES names their folder."
        return (), [Finding("brands", False, str(error), remedy)]
    found = [Finding("brands", True, f"{len(brands)}: {', '.join(brand.name for brand in brands)}")]
    if nobodys := sorted({*settings.stripe} - {stripe_suffix(brand.name) for brand in brands}):
        words = f"no brand has the key or the webhook's secret of {', '.join(nobodys)}"
        remedy = "Let PORTAL_STRIPE_… end with the brand's name in capitals, - as _; or take it away."
        found.append(Finding("settings of Stripe", False, words, remedy))
    try:
        check_studio(brands, settings)
    except SettingsError as error:
        found.append(Finding("host of the studio", False, str(error), "The server does not start before."))
    return brands, found
