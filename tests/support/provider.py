"""A customer at the provider's page, at whatever step of it a test begins."""

from __future__ import annotations

from httpx import Response

from server.billing.ledger import sandbox as provider_sessions
from server.billing.model.documents import encode_texts
from server.store import micros
from tests.support.client import Client
from tests.support.world import BRAND, World

_PUT = """
INSERT INTO provider_session
 (id_hash, brand, customer_id, kind, subject, return_to, state, data, created_at, expires_at)
VALUES (:id_hash, :brand, :customer, 'setup', '', :back, 'confirming', :data, :now, :expires_at)"""


async def at_the_bank(world: World, brand: str, customer: str, token: str, **data: str) -> None:
    """A visit under a token of the test's, at the bank's own question about a card."""
    now = world.clock()
    row = {
        "id_hash": provider_sessions.hash_of(token),
        "brand": brand,
        "customer": customer,
        "back": f"/{brand}/my/payment-methods",
        "data": encode_texts({"month": "8", "year": "2030", **data}),
        "now": micros(now),
        "expires_at": micros(now + provider_sessions.LIFE),
    }
    await world.store.write(lambda transaction: transaction.count(_PUT, row))


CARD = {"method": "card", "cardnumber": "4242 4242 4242 4242", "exp": "08 / 30", "cvc": "123"}


async def begun(browser: Client, path: str = "add", brand: str = BRAND) -> str:
    """From the payment methods to the provider's page, as the form goes; its URL. `path`: `add` or `<id>/replace`."""
    form = {"key": "k" * 22, "customer": "cus_jenny"}
    answer = await browser.post(f"/{brand}/my/payment-methods/{path}", data=form)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def typed(browser: Client, url: str, **words: str) -> Response:
    """Type a card into the provider's page, a good one where the test says no other; the page again where it is not
    taken, the answer as it is where it is."""
    answer = await browser.post(url, data={**CARD, **words})
    return await browser.get(url) if answer.headers.get("location") == url else answer
