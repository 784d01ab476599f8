"""What a customer may ask to be changed of the details. No struct of them has an e-mail address, and none ever may."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from server.billing.model.invoice import Address


class Contact(msgspec.Struct, frozen=True):
    """None: this one is not to be changed."""

    name: str | None = None
    phone: str | None = None


class BillingAddress(msgspec.Struct, frozen=True):
    address: Address


class Shipping(msgspec.Struct, frozen=True):
    """All of it empty: there is none any more."""

    name: str = ""
    phone: str = ""
    address: Address = Address()


Update: TypeAlias = Contact | BillingAddress | Shipping
