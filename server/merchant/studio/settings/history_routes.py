"""`GET …/settings/history`, right `people`: what operators did with a brand, the newest first, and whether the chain is whole.

What was done for every brand is shown to whoever has the right for every brand.
"""

from __future__ import annotations

from litestar import get

from server.merchant.studio import history
from server.merchant.studio.place import Studio
from server.merchant.studio.settings import views
from server.merchant.studio.visit import Answer, Operator, show
from server.web.responding import AnyRequest

AT_ONCE = 50


@get("/b/{brand_name:str}/settings/history", right="people")
async def page(request: AnyRequest, studio: Studio, operator: Operator) -> Answer:
    acts, head, broken = await history.look(studio.store)
    whose = {operator.brand, ""} if "people" in operator.everywhere else {operator.brand}
    before = request.query_params.get("before", "")
    last = int(before) if before.isdecimal() and len(before) < 18 else len(acts) + 1
    found = [each for each in reversed(acts) if each.brand in whose and each.n < last]
    shown = tuple(map(views.told, found[:AT_ONCE]))
    older = shown[-1].n if len(found) > AT_ONCE else 0
    return show(request, views.History(shown, older, str(head) if head.n else "", broken))


handlers = (page,)
