"""Whether all is well: what `doctor` says, about one brand and what it shares with others.

| URL | right | does |
|---|---|---|
| `GET …/settings/health` | `look` | what this server finds by itself |
| `GET …/settings/health/far` | `look` | what other machines say: Stripe, the mail server, the pages as browsers get them |

Other machines may be slow: no page waits for them, each gets `finding.PATIENCE`, and whoever asks again meanwhile gets the
answer to the first question.
"""

from __future__ import annotations

import asyncio

from litestar import get

from server.access import kept_secrets
from server.brands import Brand, ThemeError
from server.merchant import findings
from server.merchant.finding import Finding
from server.merchant.studio import saving
from server.merchant.studio.place import Studio
from server.merchant.studio.settings import views
from server.merchant.studio.visit import Answer, Operator, show
from server.settings import Settings
from server.web.responding import AnyRequest


@get("/b/{brand_name:str}/settings/health", right="look")
async def page(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    settings, brands, said = await _brand(studio, operator)
    found = await findings.near(settings, brands, studio.store, studio.clock, is_running=True)
    return show(request, views.Health((*said, *found)))


@get("/b/{brand_name:str}/settings/health/far", right="look")
async def far(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    asked = studio.asked.get(operator.brand)
    if asked is None:
        asked = studio.asked[operator.brand] = asyncio.create_task(_far(studio, operator))
        asked.add_done_callback(lambda _: studio.asked.pop(operator.brand, None))
    # Shielded: whoever leaves the page takes the answer from nobody else.
    return show(request, views.FarHealth(tuple(await asyncio.shield(asked))))


async def _far(studio: Studio, operator: Operator) -> list[Finding]:
    settings, brands, _ = await _brand(studio, operator)
    return await findings.far(settings, brands, studio.fetch)


async def _brand(studio: Studio, operator: Operator) -> tuple[Settings, list[Brand], list[Finding]]:
    """The settings with the keys of now; the brand, or what is wrong with its files."""
    settings = await kept_secrets.joined(studio.settings, studio.store)
    try:
        return settings, [await saving.brand_of(studio.themes, operator.brand)], []
    except ThemeError as error:
        remedy = "Correct the files by hand, or take back the last write. A server does not start before."
        return settings, [], [Finding(f"files of {operator.brand}", False, str(error), remedy)]


handlers = (page, far)
