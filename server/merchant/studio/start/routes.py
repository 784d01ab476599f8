"""The brand chooser, and the start of a brand.

| URL | right | does |
|---|---|---|
| `GET /_studio/` | `operator` | the brands that the operator has a role for |
| `GET /_studio/b/<brand>` | `look` | what is left to do for the brand |
"""

from __future__ import annotations

import asyncio

from litestar import get

from server.brands import ThemeError, load
from server.merchant.studio.place import Studio, start_of
from server.merchant.studio.start import views
from server.merchant.studio.visit import Answer, Operator, show
from server.web.responding import AnyRequest


@get("/", right="operator")
async def brands(request: AnyRequest, operator: Operator) -> Answer:
    return show(
        request,
        views.Brands(tuple((each, start_of(each)) for each in operator.brands), may_add=operator.may("edit")),
    )


@get("/b/{brand_name:str}", right="look")
async def start(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    try:
        brand = await asyncio.to_thread(load, studio.themes / operator.brand)
    except ThemeError as error:
        return show(request, views.Start("", tuple(str(each) for each in error.mistakes)))
    return show(request, views.Start(brand.config.business.name))


handlers = (brands, start)
