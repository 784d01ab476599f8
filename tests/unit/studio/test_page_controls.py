"""The controls of the form pages: files, colors, rows, products, and what a switch opens."""

import msgspec
import pytest

from server.billing import rows
from server.billing.model.catalog import Price, Product, Recurring
from server.merchant.studio import drafts
from server.publishing.rules.markup import parse
from tests.support.filling import draft_of, file_of, listing, press
from tests.support.studio import OWNER

pytestmark = pytest.mark.anyio
HARBOUR, ORBIT = "/_studio/b/harbour", "/_studio/b/orbit"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (20_000).to_bytes(4, "big") * 2 + b"\x08\x06\x00\x00\x00" + bytes(16)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64" fill="#123456"/></svg>'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (PNG, "20000 by 20000"),  # threat 103
        (SVG.replace(b"<rect", b"<script/><rect"), "script"),
        (b"GIF89a", "neither PNG nor JPEG"),
        (b"x" * (600 * 1024), "bytes"),
    ],
)  # fmt: skip
async def test_a_picture_that_lies_is_refused_and_what_was_typed_stays(studio, content, words):  # threats 102, 104
    client = await studio.operator()
    before = listing(studio)
    page = await client.get(f"{HARBOUR}/look")
    answer = await press(client, page, "save", {"brand.color": "#204060"}, files={"file:brand.logo": content})
    assert answer.status_code == 422
    assert "This file was not taken" in answer.text
    assert words in parse(answer.text).root.text
    assert await draft_of(studio, "harbour") == {"brand.color": "#204060"}
    assert listing(studio) == before


async def test_an_upload_is_named_by_what_it_is_and_written_with_its_change(studio):  # threat 104
    client = await studio.operator()
    before = listing(studio)
    page = await client.get(f"{HARBOUR}/look")
    answer = await press(client, page, "save", files={"file:brand.logo": SVG, "file:business.name": SVG})
    assert answer.status_code == 303
    (name,) = (await draft_of(studio, "harbour")).values()
    assert name.startswith("logo.")
    picture = await client.get(f"{HARBOUR}/pictures/{name}")
    assert (picture.content, picture.headers["content-type"]) == (SVG, "image/svg+xml")
    assert "sandbox" in picture.headers["content-security-policy"]
    await press(client, await client.get(f"{HARBOUR}/change"), "write", where=f"{HARBOUR}/change")
    assert set(listing(studio)) - set(before) == {studio.themes / "harbour" / name}
    assert file_of(studio, "harbour", "theme.toml")["brand"]["logo"] == name
    for other in ("portal.toml", "../orbit/logo.svg", "%2e%2e/orbit/logo.svg", "templates"):
        assert (await client.get(f"{HARBOUR}/pictures/{other}")).status_code in (400, 404), other


async def test_a_form_of_many_megabytes_or_parts_is_refused(studio):  # threat 104
    client = await studio.operator()
    for files in ({"file:brand.logo": b"x" * 3_000_000}, {f"file:{number}": b"x" for number in range(2000)}):
        page = await client.get(f"{HARBOUR}/look")
        answer = await press(client, page, "save", files=files)
        assert answer.status_code in (400, 413)
        assert answer.status_code == 400 or "each file 512 KB" in answer.text
    odd = {"content-type": "multipart/form-data; boundary=x"}
    body = b'--x\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: text/plain; charset=nonsense\r\n\r\nb\r\n--x--\r\n'
    assert (await client.post(f"{HARBOUR}/look", content=body, headers=odd)).status_code == 400
    assert (
        await client.post(f"{HARBOUR}/look", content=b"{}", headers={"content-type": "application/json"})
    ).status_code == 415


async def test_rows_are_added_moved_and_removed_by_buttons(studio):
    client = await studio.operator()
    path = "features.subscription_update.rules"
    page = await client.get(f"{ORBIT}/portal/subscription_update")
    rules = file_of(studio, "orbit")["features"]["subscription_update"]["rules"]
    await press(client, page, f"down:{path}[0]")
    assert await draft_of(studio, "orbit") == {path: rules[::-1]}
    page = await client.get(f"{ORBIT}/portal/subscription_update")
    await press(client, page, f"remove:{path}[0]")
    page = await client.get(f"{ORBIT}/portal/subscription_update")
    answer = await press(client, page, f"add:{path}")
    assert answer.headers["location"].endswith("#field-features-subscription_update-rules")
    assert await draft_of(studio, "orbit") == {path: [rules[0], {}]}


async def test_a_page_of_one_language_shows_what_its_pages_say_without_a_text(studio):
    client = await studio.operator()
    page = parse((await client.get(f"{HARBOUR}/look/words/de")).text)
    assert page.ids["field-words-de-help_heading"].get("placeholder") == "Hilfe"
    assert {each.text for each in page.all("a") if each.get("aria-current") == "page"} == {"Look", "Words", "Deutsch"}
    # A language that is none breaks no page.
    await press(client, await client.get(f"{HARBOUR}/business/site"), "save", {"site.locales": ["../../xx", "de"]})
    for path in ("look/words", "look/words/de", "business", "business/site"):
        assert (await client.get(f"{HARBOUR}/{path}")).status_code == 200


async def test_the_page_of_invoices_says_what_electronic_ones_lack(studio):
    client = await studio.operator()
    page = await client.get(f"{HARBOUR}/business/invoices")
    assert "wherever the customer's data suffices" in parse(page.text).ids["pages-electronic"].text
    live = await press(client, page, "", {"business.tax_id": "123", "business.address.city": ""}, fragment=True)
    assert "Missing: a VAT number" in live.text
    assert "street, city and country" in live.text


async def sell(studio, *sold):
    rows_ = [
        {"brand": "orbit", "kind": type(each).__name__.lower(), "id": each.id, "document": msgspec.msgpack.encode(each)}
        for each in sold
    ]
    await studio.store.write(lambda transaction: [transaction.count(rows.PUT_CATALOG, each) for each in rows_])


async def test_products_are_picked_by_name_and_price_and_what_is_gone_stays(studio):
    client = await studio.operator()
    path, month = "features.subscription_update.products", Recurring("month")
    await sell(
        studio,
        *(
            Product(each, name)
            for each, name in (("prod_orbit_free", "Free"), ("prod_new", "New"), ("prod_old", "Old"))
        ),
        Product("prod_gone", "Gone", active=False),
        *(Price(f"price_{each}", "prod_new", "New", each.upper(), "900", month) for each in ("eur", "usd")),
        Price("price_orbit_free_usd", "prod_orbit_free", "Free", "USD", "0", month),
        Price("price_orbit_free_eur", "prod_orbit_free", "Free", "EUR", "0", month),
        Price("price_orbit_free_extra", "prod_orbit_free", "Free", "CHF", "0", month),
        Price("price_gone", "prod_gone", "Gone", "EUR", "900", month),
    )
    page = await client.get(f"{ORBIT}/portal/subscription_update")
    text = parse(page.text).root.text
    assert "€0.00 a month" in text
    assert "Not in the catalog any more." in text  # price_orbit_free_gbp
    assert "Gone" not in text
    assert (await press(client, page, "save")).status_code == 303
    assert await draft_of(studio, "orbit") == {}
    await press(client, page, f"add:{path}", {f"new:{path}": "prod_new"})
    products = (await draft_of(studio, "orbit"))[path]
    assert products[-1] == {"product": "prod_new", "prices": ["price_eur", "price_usd"]}
    assert products[:-1] == file_of(studio, "orbit")["features"]["subscription_update"]["products"]
    page = await client.get(f"{ORBIT}/portal/subscription_update")
    at = len(products) - 1
    await press(
        client, page, "save", {f"{path}[{at}].prices": ["price_usd"], f"{path}[{at}].adjustable_quantity.enabled": "on"}
    )
    assert (await draft_of(studio, "orbit"))[path][-1] == {
        "product": "prod_new", "prices": ["price_usd"], "adjustable_quantity": {"enabled": True},
    }  # fmt: skip


async def test_a_color_that_cannot_be_read_offers_the_nearest_that_can(studio):
    client = await studio.operator()
    page = await client.get(f"{HARBOUR}/look")
    answer = await press(client, page, "save", {"brand.accent": "#e8c9a0"})
    assert answer.status_code == 422
    (button,) = [each.get("value") for each in parse(answer.text).all("button") if each.get("value").startswith("use:")]
    await press(client, answer, button)
    assert (await press(client, await client.get(f"{HARBOUR}/look"), "save")).status_code == 303
    # The picker counts where it was moved, and only there.
    await drafts.drop(studio.store, OWNER, "harbour")
    await press(client, page, "save", {"pick:brand.color": "#204060"})
    assert await draft_of(studio, "harbour") == {"brand.color": "#204060"}


async def test_what_depends_on_a_switch_is_closed_with_the_reason_and_opens_with_it(studio):
    client = await studio.operator()
    path = "features.subscription_pause.enabled"
    page = await client.get("/_studio/b/plain/portal/subscription_pause")
    group = parse(page.text).ids["group-features-subscription_pause-enabled"]
    assert "disabled" in group
    assert "once “Customers may pause a subscription” is on" in group.text
    live = parse((await press(client, page, "", {path: "on"}, fragment=True)).text)
    assert "disabled" not in live.ids["group-features-subscription_pause-enabled"]
