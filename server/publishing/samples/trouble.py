"""The cast, and those whose payments do not work. Continues `people`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from server.billing.model.periods import add_months
from server.publishing.samples.people import Cast
from server.publishing.samples.shapes import Json, seconds


class Everybody(Cast):
    def bea(self) -> Iterator[Json]:
        start, ware = self.period_start(6), self.wares["main"]
        customer = self.customer("bea", "bea@example.com", "Bea Marchetti", self.now - timedelta(days=190), currency="eur",
                                 next_invoice_sequence=3)  # fmt: skip
        card = self.card("bea", customer["id"], "visa", "3184", self._expires(2),
                         metadata={"portal_behavior": "requires_action"})  # fmt: skip
        yield self._with_default(customer, card)
        yield card
        open_id, subscription = self.ident("in", "bea 2"), self.ident("sub", "bea")
        yield self.subscription("bea", customer["id"], [(ware, 1)], currency="eur", start=start, status="past_due",
                                latest_invoice=open_id)  # fmt: skip
        of: Json = {"currency": "eur", "subscription": subscription, "method": card}
        yield self.invoice("bea 1", customer, [(ware.name, ware.cents)], at=add_months(start, -1), number=1, **of)
        yield self.invoice("bea 2", customer, [(ware.name, ware.cents)], at=start, number=2, status="open",
                           failure="authentication_required", **of)  # fmt: skip

    def ray(self) -> Iterator[Json]:
        customer = self.customer("ray", "ray@example.com", "Ray Castellano", self.now - timedelta(days=150),
                                 currency="eur", next_invoice_sequence=3)  # fmt: skip
        card = self.card("ray", customer["id"], "visa", "9995", self._expires(2),
                         metadata={"portal_behavior": "insufficient_funds"})  # fmt: skip
        works = self.card("ray spare", customer["id"], "mastercard", "5454", self._expires(3))
        yield self._with_default(customer, card)
        yield from (card, works)
        an_hour_ago = self.now - timedelta(hours=1)
        for number, (status, ware, start) in enumerate(
            (("incomplete", "main", an_hour_ago), ("unpaid", "seats", self.period_start(25))), 1
        ):
            sold, label = self.wares[ware], f"ray {status}"
            latest = self.invoice(label, customer, [(sold.name, sold.cents)], currency="eur", at=start, number=number,
                                  subscription=self.ident("sub", label), status="open", method=card,
                                  failure="insufficient_funds")  # fmt: skip
            yield self.subscription(label, customer["id"], [(sold, 1)], currency="eur", start=start, status=status,
                                    latest_invoice=latest["id"])  # fmt: skip
            yield latest
        for status, ware, days in (("paused", "big", 30), ("incomplete_expired", "main", 60)):
            yield self.subscription(f"ray {status}", customer["id"], [(self.wares[ware], 1)], currency="eur",
                                    start=self.period_start(days), status=status)  # fmt: skip
        # The business decided this end, and not for the end of a period.
        ends = {"cancel_at": seconds(self.now + timedelta(days=9)), "canceled_at": seconds(an_hour_ago)}
        yield self.subscription("ray ending", customer["id"], [(self.wares["main"], 1)], currency="eur",
                                start=self.period_start(8), default_payment_method=works["id"], **ends)  # fmt: skip

    def zoe(self) -> Iterator[Json]:
        customer = self.customer(
            "zoe", "zoe@example.com", "Zoe Castellanos", self.now - timedelta(days=700), currency="eur"
        )
        last, now = add_months(self.now.replace(day=1), -1), (self.now.year, self.now.month)
        expired = self.card("zoe visa", customer["id"], "visa", "4242", (last.year, last.month))
        soon = self.card("zoe mastercard", customer["id"], "mastercard", "4444", now)
        yield self._with_default(customer, expired)
        yield from (expired, soon, self.card("zoe amex", customer["id"], "amex", "0005", self._expires(3)))
        yield self.subscription(
            "zoe", customer["id"], [(self.wares["main"], 1)], currency="eur", start=self.period_start(9)
        )
        yield self.subscription("zoe seats", customer["id"], [(self.wares["seats"], 2)], currency="eur",
                                start=self.period_start(6), default_payment_method=soon["id"])  # fmt: skip
