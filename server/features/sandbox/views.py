"""What the sandbox's provider page shows. It plays a page that is not ours, so nothing of the brand but its name
is on it, and nothing that was typed into it comes back but a date.

Setup     the form for a card, and the one for a bank account
Confirm   the bank's own question (3-D Secure): complete or fail
Over      the address is used, lapsed, or was never one
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from server.billing import Money, PaymentMethod
from server.features.sandbox.cards import SHOWN_CARDS, SHOWN_IBANS, Card
from server.rendering.views import View


class CardMistake(msgspec.Struct, frozen=True):
    field: str
    """`cardnumber`, `exp`, `cvc` or `iban`."""
    reason: str
    """`missing`, `not_a_test_number`, `not_a_date`, `past`, `not_a_code`."""


class Test(msgspec.Struct, frozen=True):
    """A number that may be typed, and what it does."""

    number: str
    """In groups, as it is printed on a card."""
    note: str
    """A word of `cards.Card.note`."""
    brand: str = ""


class Setup(View, frozen=True):
    layout: ClassVar[str] = "provider"

    token: str
    back: str = ""
    """Where going back leads; empty: to the payment methods."""
    replaced: PaymentMethod | None = None
    """The method that the new one takes the place of."""
    mistakes: tuple[CardMistake, ...] = ()
    declined: str = ""
    """Why the bank said no: a decline code, or `authentication_failed`."""
    exp: str = ""
    """The month and year that were typed, where they are a date. Nothing else that was typed comes back."""
    cards: tuple[Test, ...] = ()
    ibans: tuple[Test, ...] = ()


class Confirm(View, frozen=True):
    layout: ClassVar[str] = "provider"

    token: str
    back: str = ""
    brand: str = ""
    """Of the card, such as `visa`."""
    last4: str = ""
    amount: Money | None = None
    """What is paid with it; None: it is only set up."""


class Over(View, frozen=True):
    """The same for an address that is used, lapsed, another customer's or made up, to the byte."""

    layout: ClassVar[str] = "provider"


def setup(
    token: str,
    back: str,
    replaced: PaymentMethod | None = None,
    *,
    mistakes: tuple[CardMistake, ...] = (),
    declined: str = "",
    exp: str = "",
) -> Setup:
    cards, ibans = (tuple(map(_test, each)) for each in (SHOWN_CARDS, SHOWN_IBANS))
    return Setup(token, back, replaced, mistakes, declined, exp, cards, ibans)


def _test(card: Card) -> Test:
    return Test(card.spaced, card.note, card.brand)
