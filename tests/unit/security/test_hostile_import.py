"""An export whose every text is an attack, imported, logged in to and looked at: what is shown is what is stored, as text.

Each page is rendered twice, once from texts of plain words and once from the hostile ones in the same places. Their elements
and attributes must be the same to the last, and their texts the same once the one is put in place of the other.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from server.merchant.importing.files import ImportRefused, import_files
from server.store import Store, open_store
from tests.conftest import Clock
from tests.support import exports
from tests.support.hostile import HOSTILE, PLAIN, tree
from tests.support.world import BRAND, World

pytestmark = pytest.mark.anyio
MY = f"/{BRAND}/my"
PAGES = ("overview", "subscriptions", "subscriptions/sub_1", "subscriptions/sub_1/cancel", "history", "invoices",
         "invoices/in_1", "payment-methods", "details")  # fmt: skip


def export(text: str) -> list[dict[str, Any]]:
    """Everything that a customer may see, with the text wherever Stripe lets somebody type one."""
    address = {"line1": text, "line2": text, "city": text, "state": text, "postal_code": text, "country": "DE"}
    item = exports.item(price=exports.price(nickname=text, product="prod_1"))
    tax_ids = {"object": "list", "data": [{"id": "txi_1", "object": "tax_id", "type": "eu_vat", "value": text}]}
    coupon = exports.coupon(name=text)
    metadata = {"note": text}
    return [
        exports.product(name=text, description=text, unit_label=text, metadata=metadata),
        coupon,
        exports.customer(name=text, phone=text, description=text, address=address, tax_ids=tax_ids, metadata=metadata,
                         shipping={"name": text, "phone": text, "address": address},
                         invoice_settings={"default_payment_method": "pm_1", "footer": text}),
        exports.method(billing_details={"name": text, "email": text, "phone": text, "address": address},
                       metadata=metadata),
        exports.subscription(items=[item], description=text, metadata=metadata,
                             discounts=[exports.discount(source={"type": "coupon", "coupon": coupon})]),
        exports.invoice(number=text, description=text, footer=text, customer_name=text, account_name=text,
                        customer_address=address, customer_shipping={"name": text, "phone": text, "address": address},
                        statement_descriptor=text, custom_fields=[{"name": text, "value": text}],
                        lines={"object": "list", "data": [exports.line(description=text)], "has_more": False}),
    ]  # fmt: skip


async def pages(clock: Clock, folder: Path, text: str) -> dict[str, str]:
    folder.mkdir()  # noqa: ASYNC240
    store, file = open_store(f"sqlite:{folder / 'portal.sqlite'}"), folder / "export.json"
    file.write_text(json.dumps(export(text)))
    await import_files(store, BRAND, [file], live=None, now=clock())
    world = World(store, clock)
    browser = world.client()
    await world.log_in(browser)
    found = {page: await browser.get(f"{MY}/{page}") for page in PAGES}
    assert {page: answer.status_code for page, answer in found.items()} == dict.fromkeys(PAGES, 200)
    await store.close()
    return {page: answer.text for page, answer in found.items()}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_hostile_texts_of_an_export_are_text(clock: Clock, tmp_path: Path, kind: str) -> None:  # threats 64, 74
    hostile = HOSTILE[kind]
    plain = await pages(clock, tmp_path / "plain", PLAIN)
    attacked = await pages(clock, tmp_path / "attacked", hostile)
    shown = 0
    for page in PAGES:
        expected, found = tree(plain[page]), tree(attacked[page])
        in_place = [
            (tag, tuple((name, value.replace(hostile, PLAIN)) for name, value in attrs))
            for tag, attrs in found.elements
        ]
        assert in_place == expected.elements, page
        text, wanted = "".join(found.texts), "".join(expected.texts)
        assert text.replace(hostile, PLAIN) == wanted, page
        assert text.count(hostile) == wanted.count(PLAIN), page
        shown += text.count(hostile)
    assert shown > len(PAGES)  # products, numbers, lines, names and addresses are there to be seen


@pytest.mark.parametrize("kind", ["customer", "subscription", "invoice", "method"])
async def test_an_id_that_would_stand_in_a_url_and_could_not_is_refused(
    sqlite_store: Store, clock: Clock, tmp_path: Path, kind: str
) -> None:  # threat 64
    for id_ in ("sub_<script>", 'sub_"x', "sub 1", "../x", "sub_1\n", "sub_é", "sub;1", "s" * 256, ""):
        file = tmp_path / "export.json"
        file.write_text(json.dumps([exports.product(), exports.customer(), getattr(exports, kind)(id_)]))
        with pytest.raises(ImportRefused, match=r"export\.json:1: \$\[2\]\.id: expected"):
            await import_files(sqlite_store, BRAND, [file], live=None, now=clock())
    assert await sqlite_store.read("SELECT COUNT(*) FROM customer") == [(0,)]
