"""The billing details that the next invoice will carry: read only."""

from __future__ import annotations

from server.billing import Account, Address, TaxId
from server.rendering import View


class Show(View, frozen=True):
    """Who is billed, and where."""

    email: str
    """Where mail goes; it cannot be changed in a session that began with the log-in link."""
    name: str = ""
    phone: str = ""
    address: Address = Address()
    shipping_name: str = ""
    shipping_phone: str = ""
    shipping: Address = Address()
    tax_ids: tuple[TaxId, ...] = ()

    @property
    def has_address(self) -> bool:
        return self.address != Address()

    @property
    def has_shipping(self) -> bool:
        return bool(self.shipping_name or self.shipping_phone) or self.shipping != Address()


def details(account: Account) -> Show:
    customer = account.customer
    return Show(
        email=customer.email,
        name=customer.name,
        phone=customer.phone,
        address=customer.address,
        shipping_name=customer.shipping_name,
        shipping_phone=customer.shipping_phone,
        shipping=customer.shipping,
        tax_ids=customer.tax_ids,
    )
