"""What may be done in the studio: rights come in sets, and a role is a set."""

from __future__ import annotations

from collections.abc import Mapping

RIGHTS: dict[str, frozenset[str]] = {
    "viewer": frozenset({"look"}),
    "support": frozenset({"look", "customers"}),
    "editor": frozenset({"look", "edit"}),
    "publisher": frozenset({"look", "edit", "publish"}),
    "owner": frozenset({"look", "customers", "edit", "publish", "keys", "people"}),
}


def rights_in(roles: Mapping[str, str], brand: str) -> frozenset[str]:
    """What these roles allow with the brand: what the role there gives, and what the role for every brand gives."""
    return frozenset().union(*(RIGHTS[role] for whose, role in roles.items() if whose in ("", brand)))
