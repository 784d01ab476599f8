"""One request of the API, and what an endpoint answers: an object, or a change that makes one in a transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from server.access.api_keys import ApiKey
from server.brands.reading.declared import Keys
from server.features.api import parameters
from server.features.api.errors import ApiError, missing
from server.portal import Portal, listeners_of
from server.store import Transaction
from server.store.telling import Told, tell

Object = dict[str, Any]
Change = Callable[[Transaction], Object]


@dataclass(frozen=True, slots=True)
class Call:
    portal: Portal
    key: ApiKey
    now: datetime
    values: dict[str, Any]
    """The parameters as they came, without `expand`."""
    id: str = ""
    """Of the object in the path."""
    expand: tuple[str, ...] = ()

    def read(self, kind: type[parameters.AnyKeys]) -> parameters.AnyKeys:
        return parameters.read(kind, self.values)

    def tell(self, transaction: Transaction, customer_id: str, kind: str, about: Object) -> None:
        """Tell the brand's endpoints of what this call made."""
        listeners = replace(listeners_of(self.portal.brand), is_live=self.key.is_live)
        tell(transaction, listeners, customer_id, [Told(kind, about)], self.now)

    def check_mode(self, kind: str, id_: str, param: str, status: int = 400) -> None:
        """Raises `ApiError` where the key is for live data and the brand's are test data, or the reverse."""
        is_live = self.portal.is_live
        if is_live is not None and is_live != self.key.is_live:
            raise missing(kind, id_, param, status=status, elsewhere="live" if is_live else "test")


@dataclass(frozen=True, slots=True)
class Endpoint:
    method: str
    path: str
    """`{id}` is the object's."""
    about: str
    permission: str
    params: type[Keys]
    does: Callable[[Call], Awaitable[Object | Change]]
    answers: str
    """The kind of object, in Stripe's word; a list of them where `is_list`."""
    is_list: bool = False
    expands: Mapping[str, str] = field(default_factory=dict)
    """What may be expanded, each with the permission that reading it needs."""


def page(
    url: str, objects: Iterable[tuple[str, Any]], wanted: parameters.Page, shape: Callable[[Any], Object]
) -> Object:
    """One page of a list, newest first, by Stripe's cursors. `objects`: all there are, each with its id."""
    found = list(objects)
    ids = [id_ for id_, _ in found]
    if wanted.starting_after and wanted.ending_before:
        raise ApiError("You can only provide one of starting_after and ending_before.", param="ending_before")
    for name, cursor in (("starting_after", wanted.starting_after), ("ending_before", wanted.ending_before)):
        if cursor and cursor not in ids:
            raise missing("object", cursor, name)
    if wanted.ending_before:
        before = found[: ids.index(wanted.ending_before)]
        shown, more = before[-wanted.limit :], len(before) > wanted.limit
    else:
        after = found[ids.index(wanted.starting_after) + 1 :] if wanted.starting_after else found
        shown, more = after[: wanted.limit], len(after) > wanted.limit
    return {"object": "list", "url": url, "has_more": more, "data": [shape(each) for _, each in shown]}
