"""An amount of money: an integer of minor units and its currency. Never a float."""

from __future__ import annotations

import msgspec


class Money(msgspec.Struct, frozen=True, array_like=True):
    """`amount` is in the currency's minor unit (cents, yen, fils); `currency` is the ISO code in upper case."""

    amount: int
    currency: str

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __bool__(self) -> bool:
        return self.amount != 0

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
