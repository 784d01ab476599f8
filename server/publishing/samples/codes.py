"""The coupons and promotion codes of the sample companies: one for each thing that can be right or wrong with a code.

| code | what it does |
|---|---|
| `SPRING25` | a quarter off the next three months |
| `TEN` | 10 off once, in euros |
| `FREEMONTH` | one period for nothing |
| `EXPIRED10` | lapsed |
| `FULL50` | was redeemed as often as it may be |
| `SEATSONLY` | for one product |
| `NEWHERE` | for who never paid before |
| `BIGORDER` | from 100 on, in euros |
| `CLOSED` | switched off |
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from server.publishing.samples.shapes import Json, Shapes, seconds
from server.publishing.samples.wares import Ware

STAY = "STAY30"
"""The coupon that is offered before a cancellation."""


def coupons(shapes: Shapes, seats: Ware) -> Iterator[Json]:
    yield _coupon("WELCOME20", "Welcome, 20% off", percent_off=20.0, duration="forever")
    yield _coupon(STAY, "30% off for three months", percent_off=30.0, duration="repeating", duration_in_months=3)
    yield _coupon("quarter", "Spring, 25% off", percent_off=25.0, duration="repeating", duration_in_months=3)
    yield _coupon("ten", "10 off", amount_off=1000, currency="eur", duration="once")
    yield _coupon("free", "The first period is on us", percent_off=100.0, duration="once")
    yield _coupon("half", "Half off", percent_off=50.0, duration="forever")
    only = {"products": [shapes.product_id(seats)]}
    yield _coupon("seats", "Seats, 15% off", percent_off=15.0, duration="forever", applies_to=only)
    lapsed = seconds(shapes.now - timedelta(days=30))
    least = {"minimum_amount": 10000, "minimum_amount_currency": "eur"}
    yield _code(shapes, "SPRING25", "quarter")
    yield _code(shapes, "TEN", "ten")
    yield _code(shapes, "FREEMONTH", "free")
    yield _code(shapes, "EXPIRED10", "quarter", expires_at=lapsed)
    yield _code(shapes, "FULL50", "half", max_redemptions=50, times_redeemed=50)
    yield _code(shapes, "SEATSONLY", "seats")
    yield _code(shapes, "NEWHERE", "half", restrictions={"first_time_transaction": True})
    yield _code(shapes, "BIGORDER", "quarter", restrictions=least)
    yield _code(shapes, "CLOSED", "half", active=False)


def _coupon(identity: str, name: str, **more: Any) -> Json:
    return {"id": identity, "object": "coupon", "name": name, "livemode": False, "valid": True, **more}


def _code(shapes: Shapes, code: str, coupon: str, **more: Any) -> Json:
    head = {"id": shapes.ident("promo", code), "object": "promotion_code", "code": code, "active": True}
    promotion = {"type": "coupon", "coupon": coupon}
    return {**head, "promotion": promotion, "livemode": False, "times_redeemed": 0, **more}
