"""The peer of the signed-in pages: Litestar, one query, one decode, one plain Jinja template, as somebody would write it by
hand for one brand and one language. It shows the same HTML from the same rows, and leaves out everything that the portal
is there for: sessions, rights, headers, languages, what else a subscription may be in.

It has the portal's own filters, which keep amounts and dates that recur; or `BABELS`, which ask Babel each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from babel import dates, numbers
from litestar import Litestar, get
from litestar.enums import MediaType

from server.billing.model.documents import decode_account
from server.formats.money import Money
from server.rendering.filters import babel_locale, filters_of
from server.store import Store

AT = "/_by_hand"
_ACCOUNT = "SELECT document FROM account WHERE brand = :brand AND customer_id = :customer"


def _amount(minor_units: int | str, currency: str) -> str:
    return numbers.format_currency(Decimal(minor_units) / 100, currency, locale="en")


def _money(value: Money) -> str:
    return _amount(value.amount, value.currency)


def _date(value: date, style: str = "long") -> str:
    return dates.format_date(value, style, locale="en")


def _time(value: datetime) -> str:
    return dates.format_time(value, "short", locale="en")


def _iso(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Filters = Mapping[str, Callable[..., Any]]
OURS: Filters = filters_of(babel_locale("en"), ZoneInfo("UTC"), "DE")
BABELS: Filters = {"money": _money, "unit_price": _amount, "date": _date, "time": _time, "iso": _iso}


def application(store: Store, filters: Filters = OURS) -> Litestar:
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        auto_reload=False,
    )  # fmt: skip
    templates.filters.update(filters)

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
