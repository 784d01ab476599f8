"""`python -m server customers tax-id`: what a tax office said of a customer's number.

The ledger asks no office, so a number that somebody adds stays `pending` until the merchant, or a job of theirs, has
asked: VIES for `eu_vat`, HMRC for `gb_vat`, the Business Register for `au_abn`. The answer goes the way of every change:
a version, a key, a line in the customer's history. An import of the number (Stripe's `tax_id` object) says the same.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from server.billing import By, NotFound, TaxId
from server.billing.ledger.ledger import Ledger
from server.brands import Brand
from server.formats import tax_numbers, texts
from server.portal import listeners_of
from server.store import Store

STATES = ("verified", "unverified")
"""Stripe's words for `verification.status`."""
LONGEST_FIELD = 500


class NotSaid(Exception):
    """Why nothing was changed."""


async def say(
    store: Store, brand: Brand, customer: str, value: str, state: str, *, name: str, address: str, now: datetime
) -> TaxId:
    """The number as it is now. Raises `NotSaid` and `StoreUnavailable`."""
    if brand.config.billing.backend != "ledger":
        raise NotSaid(f"{brand.name} is billed by {brand.config.billing.backend}, which verifies tax numbers itself")
    told = [_line("--name", name), _line("--address", address)]
    if state != "verified" and any(told):
        raise NotSaid("--name and --address are what the office says of a number that it knows: only with verified")
    # It makes no fingerprint: no page is shown.
    ledger = Ledger(store, brand.name, keys=(), base=brand.base, mail=brand.config.mail, listeners=listeners_of(brand))
    try:
        numbers = (await ledger.account(customer, now)).customer.tax_ids
        found = _one_of(numbers, value, customer)
        by = By(customer, brand.config.features, now, secrets.token_urlsafe(16))
        after = await ledger.verify_tax_id(by, found.id, state, name=told[0], address=told[1])
        return next(each for each in after.customer.tax_ids if each.id == found.id)
    except NotFound:
        raise NotSaid(f"{brand.name} has no customer {customer!r} with that number") from None


def _one_of(numbers: tuple[TaxId, ...], value: str, customer: str) -> TaxId:
    """The one with this value, however it is written; its id names it too."""
    for each in numbers:
        if value == each.id or tax_numbers.same((each.kind, value), (each.kind, each.value)):
            return each
    known = ", ".join(f"{each.value} ({each.kind}, {each.verification or 'no state'})" for each in numbers)
    raise NotSaid(f"{customer} has no tax number {value!r}, only: {known or 'none at all'}")


def _line(what: str, typed: str) -> str:
    text = texts.line(typed.replace("\r\n", "\n").replace("\n", ", "))
    if text is None or len(text) > LONGEST_FIELD:
        raise NotSaid(f"{what}: one line of at most {LONGEST_FIELD} characters is expected")
    return text
