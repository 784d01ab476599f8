"""The peer of the signed-in pages: Litestar, one query, one decode, one plain Jinja template, as somebody would write it by
hand for one brand and one language. It shows the same HTML from the same rows, and leaves out everything that the portal
is there for: sessions, rights, headers, languages, what else a subscription may be in.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from litestar import Litestar, get
from litestar.enums import MediaType

from server.billing.model.documents import decode_account
from server.rendering.filters import babel_locale, filters_of
from server.store import Store

AT = "/_by_hand"
_ACCOUNT = "SELECT document FROM account WHERE brand = :brand AND customer_id = :customer"


def application(store: Store) -> Litestar:
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        auto_reload=False,
    )  # fmt: skip
    templates.filters.update(filters_of(babel_locale("en"), ZoneInfo("UTC"), "DE"))

    async def account_of(customer: str) -> Any:
        ((document,),) = await store.read(_ACCOUNT, {"brand": "plain", "customer": customer})
        return decode_account(document)

    @get(AT + "/{customer:str}/overview", media_type=MediaType.HTML)
    async def overview(customer: str) -> str:
        account = await account_of(customer)
        return templates.get_template("overview.html").render(account=account, now=datetime.now(UTC))

    @get(AT + "/{customer:str}/invoices", media_type=MediaType.HTML)
    async def invoices(customer: str) -> str:
        account = await account_of(customer)
        years = sorted({each.created_at.year for each in account.invoices}, reverse=True)
        return templates.get_template("invoices.html").render(account=account, years=years)

    return Litestar([overview, invoices], openapi_config=None, logging_config=None)
