"""The list of events: newest first, of some types, since a moment. It reaches back 30 days."""

from __future__ import annotations

from tests.stripe.errors import invalid
from tests.stripe.listing import paged
from tests.stripe.routing import Call, serves
from tests.stripe.world import Json

_KEPT_FOR = 30 * 86_400


@serves("get", "/v1/events")
def events(call: Call) -> Json:
    if "type" in call.params and "types" in call.params:
        raise invalid("You may only specify one of these parameters: type, types.", param="types")
    types = call.params.get("types") or ([call.params["type"]] if "type" in call.params else None)
    since = call.world.now - _KEPT_FOR
    return paged(call, [
        row for row in call.world.tables["event"].values()
        if row["created"] >= since and (types is None or any(_is_of(row["type"], each) for each in types))
    ], "/v1/events")  # fmt: skip


def _is_of(kind: str, wanted: str) -> bool:
    """`invoice.*` is every event of invoices."""
    return kind.startswith(wanted.removesuffix("*")) if wanted.endswith("*") else kind == wanted
