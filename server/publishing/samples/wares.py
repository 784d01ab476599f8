"""What the sample companies sell. Amounts are in cents; other currencies take the same figure, yen a round one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Ware:
    key: str
    """What it is for in the samples: the same in every brand."""
    name: str
    cents: int
    interval: str = "month"
    unit: str | None = None
    usage: str = "licensed"
    tiers: tuple[tuple[int | None, int], ...] = ()
    """Up to this many units, cents a unit; the last one is without end."""
    description: str = ""
    of: str = ""
    """The key of the ware whose product this is another price of; empty: it has its own product."""


Wares = dict[str, Ware]

_PLAIN = (
    Ware("main", "Standard plan", 1900, description="Everything that one person needs"),
    Ware("big", "Business plan", 4900, description="For a whole office"),
    Ware("seats", "Seats", 900, unit="seat"),
    Ware("extra", "Priority support", 1500),
    Ware("usage", "Additional usage", 0, unit="unit", usage="metered", tiers=((1000, 0), (None, 1))),
    Ware("year", "Standard plan, by the year", 19000, interval="year"),
    Ware("big-year", "Business plan", 49000, interval="year", of="big"),
)
_HARBOUR = (
    Ware("main", "Harbour Espresso, 500 g", 1650, description="Dark and round, freshly roasted every month"),
    Ware("big", "Office box, 3 kg", 8900, description="Espresso and filter for a whole office"),
    Ware("seats", "Filter roast, 250 g bag", 890, unit="bag"),
    Ware("extra", "Oat milk, six cartons", 1290),
    Ware("usage", "Cups from the office machine", 0, unit="cup", usage="metered", tiers=((200, 0), (None, 35))),
    Ware("year", "Tasting club", 14900, interval="year", description="Four rare lots a year"),
)
_ORBIT = (
    Ware("main", "Orbit Solo", 1200, description="One workspace, unlimited boards"),
    Ware("big", "Orbit Business", 9900, unit="workspace", description="Audit log, single sign-on, two regions"),
    Ware("seats", "Orbit Team", 1800, unit="seat", tiers=((5, 1800), (None, 1400))),
    Ware("extra", "Nightly backups", 700),
    Ware("usage", "Build minutes", 0, unit="minute", usage="metered", tiers=((3000, 0), (None, 1))),
    Ware("year", "Orbit Solo, by the year", 12000, interval="year"),
    Ware("free", "Orbit Free", 0, unit="seat", description="Three boards, for good"),
    Ware("starter", "Orbit Starter", 600, unit="seat", description="Unlimited boards, one workspace"),
    Ware("starter-year", "Orbit Starter", 6000, interval="year", unit="seat", of="starter"),
    Ware(
        "seats-year", "Orbit Team", 18000, interval="year", unit="seat", tiers=((5, 18000), (None, 14000)), of="seats"
    ),
    Ware("big-year", "Orbit Business", 99000, interval="year", unit="workspace", of="big"),
)
_BRANDS = {"harbour": _HARBOUR, "orbit": _ORBIT}


def wares(brand: str) -> Wares:
    """What a brand sells; a brand that is not one of the shipped ones sells something plain."""
    return {ware.key: ware for ware in _BRANDS.get(brand, _PLAIN)}


def in_minor_units(cents: int, currency: str) -> int:
    """The same figure in another currency; yen have no minor unit: a hundred to one, about."""
    return cents if currency != "jpy" else cents * 16 // 100 * 10
