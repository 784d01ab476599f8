"""What the customers of a brand do, over time.

| URL below `/_studio/b/<brand>/` | right | does |
|---|---|---|
| `GET numbers` | `look` | the numbers of a `period`, drawn; what customers wrote, for whoever has the right `customers` |
| `GET numbers/days.csv` | `look` | every figure of every day |
| `GET numbers/reasons.csv` | `look` | how many gave which reason |
| `GET numbers/plans.csv` | `look` | how many changed from which plan to which |
| `GET numbers/words.csv` | `customers` | who canceled when and why, in their words |

Days are those of the brand's time zone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Response, get
from msgspec.structs import replace

from server.access import directory
from server.brands import Brand
from server.formats.spreadsheets import BEGINNING, harmless, lines
from server.merchant.studio import saving
from server.merchant.studio.numbers import days, sums, views
from server.merchant.studio.place import Studio
from server.merchant.studio.visit import Answer, Operator, show
from server.store import activities, moment
from server.web.responding import AnyRequest, save

AT_ONCE, IN_A_FILE = 20, 500


@get("/b/{brand_name:str}/numbers", right="look")
async def page(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    brand, period, zone = await _asked(request, studio, operator)
    counted = await sums.count(studio.store, brand.name, period, zone)
    customers = {
        each: await sums.how_many_customers(studio.store, brand.name, each, period, zone) for each in views.SHOWN
    }
    why = await sums.why(studio.store, brand.name, period, zone)
    moves = await sums.moves(studio.store, brand.name, period, zone)
    words = await _words(studio, brand.name, period, zone) if operator.may("customers") else None
    view = views.numbers(period, zone.key, sums=counted, customers=customers, why=why, moves=moves, words=words)
    return show(request, replace(view, is_copied=brand.config.billing.backend == "stripe"))


@get("/b/{brand_name:str}/numbers/days.csv", right="look")
async def days_csv(request: AnyRequest, studio: Studio, operator: Operator) -> Response[Any]:
    brand, period, zone = await _asked(request, studio, operator)
    found = (await sums.count(studio.store, brand.name, period, zone)).by_day
    rows = [[day.isoformat(), *(found[each].get(day, 0) for each in sums.FIGURES)] for day in period.days]
    return await _save(request, brand, period, "days", [["date", *sums.FIGURES], *rows])


@get("/b/{brand_name:str}/numbers/reasons.csv", right="look")
async def reasons_csv(request: AnyRequest, studio: Studio, operator: Operator) -> Response[Any]:
    brand, period, zone = await _asked(request, studio, operator)
    found = await sums.why(studio.store, brand.name, period, zone)
    return await _save(request, brand, period, "reasons", [["reason", "customers"], *_rows(found)])


@get("/b/{brand_name:str}/numbers/plans.csv", right="look")
async def plans_csv(request: AnyRequest, studio: Studio, operator: Operator) -> Response[Any]:
    brand, period, zone = await _asked(request, studio, operator)
    found = await sums.moves(studio.store, brand.name, period, zone)
    return await _save(request, brand, period, "plans", [["change", "customers"], *_rows(found)])


def _rows(found: sums.Groups) -> list[list[Any]]:
    rows: list[list[Any]] = [[harmless(name), number] for name, number in found.shown]
    return [*rows, ["not_shown", found.rest]] if found.rest else rows


@get("/b/{brand_name:str}/numbers/words.csv", right="customers")
async def words_csv(request: AnyRequest, studio: Studio, operator: Operator) -> Response[Any]:
    brand, period, zone = await _asked(request, studio, operator)

    async def body() -> AsyncIterator[bytes]:
        yield BEGINNING + lines([["date", "reason", "words", "customer"]])
        before: tuple[datetime, str] | None = None
        span = sums.span_of(brand.name, (sums.WHY,), period, zone)
        while found := await activities.newest(studio.store, span, limit=IN_A_FILE, before=before):
            yield lines(
                [moment(at).astimezone(zone).date().isoformat(), *map(harmless, sums.said(data)), harmless(customer)]
                for _, at, customer, data in found
            )
            before = moment(found[-1][1]), found[-1][0]

    return await save(request, body(), _name(brand, period, "words"), "text/csv")


async def _asked(request: AnyRequest, studio: Studio, operator: Operator) -> tuple[Brand, days.Period, ZoneInfo]:
    """Raises `ThemeError`."""
    brand = await saving.brand_of(studio.themes, operator.brand)
    zone = ZoneInfo(brand.config.site.timezone)
    today = studio.clock().astimezone(zone).date()
    return brand, days.period(request.query_params.get("period", ""), today), zone


async def _words(studio: Studio, brand: str, period: days.Period, zone: ZoneInfo) -> list[views.Words]:
    span, said = sums.span_of(brand, (sums.WHY,), period, zone), []
    found = await activities.newest(studio.store, span, limit=AT_ONCE)
    names = await directory.names_of(studio.store, brand, {customer for _, _, customer, _ in found})
    for _, at, customer, data in found:
        reason, words = sums.said(data)
        name = names.get(customer) or customer
        said.append(views.Words(moment(at).astimezone(zone), views.label(reason), words, customer, name))
    return said


async def _save(
    request: AnyRequest, brand: Brand, period: days.Period, what: str, rows: list[list[Any]]
) -> Response[Any]:
    async def body() -> bytes:
        return BEGINNING + lines(rows)

    return await save(request, body, _name(brand, period, what), "text/csv")


def _name(brand: Brand, period: days.Period, what: str) -> str:
    return f"{brand.name}-{what}-{period.first}-{period.last}.csv"


handlers = (page, days_csv, reasons_csv, plans_csv, words_csv)
