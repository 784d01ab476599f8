"""Pages of a list: newest first, `limit`, `starting_after`, `ending_before`, `has_more`, and `created[gte]`."""

from __future__ import annotations

from collections.abc import Iterable

from tests.stripe.errors import invalid, missing
from tests.stripe.rendering import page
from tests.stripe.routing import Call
from tests.stripe.world import Json

_TESTS = {"gt": int.__gt__, "gte": int.__ge__, "lt": int.__lt__, "lte": int.__le__}


def paged(call: Call, rows: Iterable[Json], url: str, *, newest_first: bool = True) -> Json:
    """The page that was asked for. `rows` is in the order in which they were made."""
    limit = call.params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise invalid(
            "This value must be between 1 and 100 (inclusive).", param="limit", code="parameter_invalid_integer"
        )
    wanted = call.params.get("created")
    every = [row for row in rows if wanted is None or _created_in(row, wanted)]
    if newest_first:
        every = [row for _, row in sorted(enumerate(every), key=lambda each: (-each[1]["created"], -each[0]))]
    places = {row["id"]: place for place, row in enumerate(every)}
    if (before := call.params.get("ending_before")) is not None:
        end = _place(places, before, "ending_before")
        start = max(end - limit, 0)
        return page(every[start:end], url, has_more=start > 0)
    after = call.params.get("starting_after")
    start = 0 if after is None else _place(places, after, "starting_after") + 1
    return page(every[start : start + limit], url, has_more=start + limit < len(every))


def _place(places: dict[str, int], identity: str, param: str) -> int:
    if identity not in places:
        raise missing("object", identity, param)
    return places[identity]


def _created_in(row: Json, wanted: int | dict[str, int]) -> bool:
    if isinstance(wanted, int):
        return bool(row["created"] == wanted)
    return all(_TESTS[name](row["created"], moment) for name, moment in wanted.items())


def matching(call: Call, rows: Iterable[Json], *names: str) -> list[Json]:
    """Those whose fields are what the parameters of the same names say."""
    wanted = {name: call.params[name] for name in names if name in call.params}
    return [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]


def rows_of(call: Call, kind: str) -> list[Json]:
    """Of the owner that the request names, else of everybody."""
    owner = call.params.get("customer") or call.params.get("customer_account")
    if owner:
        return call.world.of(call.world.customer(owner)["id"], kind)
    return list(call.world.tables[kind].values())
