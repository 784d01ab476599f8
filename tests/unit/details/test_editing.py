"""The forms of the billing details, by what a customer sees and what is kept. Rows D1 to D3, L8 and L14."""

import json

import pytest
from msgspec.structs import replace

from server.billing import Address, TaxId, Uncertain
from server.brands.features import CustomerUpdate, Features
from tests.support.accounts import Failing, account, invoice, keep, subscription
from tests.support.client import forms_in
from tests.support.pages import ledger_of
from tests.support.rendered import words
from tests.support.selling import offering, stored
from tests.support.world import World

pytestmark = pytest.mark.anyio
URL = "/harbour/my/details"
BOTH = pytest.mark.parametrize("fragment", [False, True])
HAMBURG = Address("Speicherstraße 4", "", "Hamburg", "", "20457", "DE")
HOSTILE = "<script>alert(1)</script>\"'&amp;{{7*7}}"
SAVE = {"step": "save"}


@pytest.fixture
def shop(sqlite_store, clock):
    return World(sqlite_store, clock, features=offering())


async def at_the_desk(world, **customer):
    """Jenny, logged in."""
    await keep(world, account(subscription(), **({"name": "Jenny Rosen", "address": HAMBURG} | customer)))
    browser = world.client()
    await world.log_in(browser)
    return browser


async def whose(world):
    return (await stored(world)).customer


def allowing(store, clock, *updates):
    return World(store, clock, features=replace(offering(), customer_update=CustomerUpdate(allowed_updates=updates)))


@BOTH
async def test_name_and_phone_are_changed(shop, fragment):  # D1
    browser = await at_the_desk(shop)
    page = await browser.get(f"{URL}/contact", fragment=fragment)
    done = await browser.fill(page, fragment=fragment, name="  Jenny   Rosenbaum GmbH ", phone="040 1234567", **SAVE)
    assert "Your details are saved. Your next invoice will show it." in words(done.text)
    assert "+49 40 1234567" in words(done.text)
    it = await whose(shop)
    assert (it.name, it.phone) == ("Jenny Rosenbaum GmbH", "+49401234567")
    assert await shop.store.read("SELECT name FROM customer") == [("Jenny Rosenbaum GmbH",)]


async def test_what_is_wrong_is_named_with_what_is_expected_and_the_words_stay(shop):  # D1
    browser = await at_the_desk(shop)
    page = await browser.get(f"{URL}/contact")
    answer = await browser.fill(page, name=" ", phone="12", **SAVE)
    assert answer.status_code == 422
    assert "Please correct 2 things" in words(answer.text)
    assert "Please fill in “Name or company”." in words(answer.text)
    assert "enter the full number with its country code, such as +49 30 123456." in words(answer.text)
    assert 'value="12"' in answer.text
    for name in ("a\x1bb", "a\u2028b", "x" * 257):
        assert (await browser.fill(page, name=name, **SAVE)).status_code == 422
    assert (await browser.post(f"{URL}/contact", data={"name": "a\0b"})).status_code == 400
    assert (await whose(shop)).name == "Jenny Rosen"


async def test_a_name_of_any_script_is_kept_and_markup_is_text(shop):  # D1
    browser = await at_the_desk(shop)
    for name in ("محمد عبد الله", "株式会社 東京", "Ñandú & Söhne", "Zoe\u0301", HOSTILE):
        done = await browser.fill(await browser.get(f"{URL}/contact"), name=name, **SAVE)
        assert done.status_code == 200
        assert "<script>alert" not in done.text
    assert (await whose(shop)).name == HOSTILE


@BOTH
async def test_another_country_shows_its_own_fields_keeps_the_words_and_changes_nothing(shop, fragment):  # D1
    browser = await at_the_desk(shop)
    page = await browser.get(f"{URL}/address", fragment=fragment)
    assert "Postal code" in words(page.text)
    assert "State" not in words(page.text).split("Country")[1].split("Germany")[0]
    # Without scripts the button says so; with them the list's own change sends no button at all.
    step = {} if fragment else {"step": "country"}
    other = await browser.fill(page, fragment=fragment, country="US", line1="510 Townsend St", **step)
    assert other.status_code == 200
    assert "ZIP code" in words(other.text)
    assert "California" in words(other.text)
    assert 'value="510 Townsend St"' in other.text
    assert (await whose(shop)).address == HAMBURG
    last = {"country": "US", "city": "San Francisco", "state": "CA", "postal_code": "94103"}
    done = await browser.fill(other, fragment=fragment, **last, **SAVE)
    assert "Your billing address is saved." in words(done.text)
    assert (await whose(shop)).address == Address("510 Townsend St", "", "San Francisco", "CA", "94103", "US")


async def test_fields_follow_the_order_and_the_words_of_the_country(shop):  # D1
    browser = await at_the_desk(shop)
    page = await browser.get(f"{URL}/address")
    for country, shown in {
        "GB": ["Address line 1", "Town or city", "Postcode"],
        "IN": ["City", "PIN code", "State"],
        "JP": ["Address line 1", "Prefecture", "Postal code"],
        "IE": ["City", "County", "Eircode"],
        "AE": ["Address line 1", "Abu Dhabi"],
        "KR": ["Province or city", "Postal code"],
    }.items():
        empty = dict.fromkeys(("line1", "line2", "city", "state", "postal_code"), "")
        said = words((await browser.fill(page, country=country, step="country", **empty)).text).split(
            "Use this country"
        )[1]
        places = [said.index(each) for each in shown]
        assert places == sorted(places), (country, said)


async def test_what_the_billing_side_had_is_not_lost_because_a_form_does_not_know_it(shop):  # D1
    odd = Address("Warehouse 7", "", "Dubai", "Somewhere", "00000", "AE")
    browser = await at_the_desk(shop, address=odd, phone="+1 555 0100")
    done = await browser.fill(
        await browser.get(f"{URL}/address"), country="AE", line2="Gate 3", state="Somewhere", **SAVE
    )
    assert "is saved" in words(done.text)
    assert (await whose(shop)).address == replace(odd, line2="Gate 3")
    await browser.fill(await browser.get(f"{URL}/contact"), name="New Name", **SAVE)
    assert ((await whose(shop)).name, (await whose(shop)).phone) == ("New Name", "+1 555 0100")


@BOTH
async def test_a_shipping_address_is_copied_changed_and_removed(shop, fragment):  # D1
    browser = await at_the_desk(shop)
    page = await browser.get(f"{URL}/shipping", fragment=fragment)
    copied = await browser.fill(page, fragment=fragment, country="FR", step="copy")
    assert 'value="Speicherstraße 4"' in copied.text
    assert (await whose(shop)).shipping == Address()
    done = await browser.fill(copied, fragment=fragment, country="DE", phone="+49 40 7654321", **SAVE)
    assert "Your shipping address is saved." in words(done.text)
    it = await whose(shop)
    assert (it.shipping_name, it.shipping, it.shipping_phone) == ("Jenny Rosen", HAMBURG, "+49407654321")
    page = await browser.get(f"{URL}/shipping", fragment=fragment)
    gone = await browser.fill(page, fragment=fragment, country="DE", step="remove")
    assert "Your shipping address is removed." in words(gone.text)
    assert (await whose(shop)).shipping == Address()


@BOTH
async def test_a_tax_number_is_added_and_removed(shop, fragment):  # D1
    browser = await at_the_desk(shop)
    page = await browser.get(f"{URL}/tax-ids", fragment=fragment)
    assert words(page.text).index("EU VAT number: DE123456789") < words(page.text).index("TRN (United Arab Emirates)")
    done = await browser.fill(page, fragment=fragment, kind="eu_vat", number="136 695 976")
    assert "EU VAT number DE136695976 Not verified yet" in words(done.text)
    [new] = (await whose(shop)).tax_ids
    assert (new.kind, new.value, new.verification) == ("eu_vat", "DE136695976", "pending")
    again = await browser.fill(await browser.get(f"{URL}/tax-ids"), kind="eu_vat", number="de136695976")
    assert "You already have this tax ID." in words(again.text)
    assert again.status_code == 422
    other = await browser.fill(await browser.get(f"{URL}/tax-ids"), kind="us_ein", number="94-2404110")
    assert "EIN (United States) 94-2404110" in words(other.text)
    assert (await whose(shop)).tax_ids[1].verification == "unavailable"
    page = await browser.get(f"{URL}/tax-ids/{new.id}/remove", fragment=fragment)
    gone = await browser.fill(page, fragment=fragment)
    assert "Your tax ID is removed." in words(gone.text)
    assert [each.kind for each in (await whose(shop)).tax_ids] == ["us_ein"]


async def test_five_tax_numbers_are_enough(shop):  # D1
    five = tuple(TaxId(f"txi_{n}", "us_ein", f"94-240411{n}") for n in range(5))
    browser = await at_the_desk(shop, tax_ids=five)
    assert "You can have five tax IDs. Remove one to add another." in words((await browser.get(URL)).text)
    answer = await browser.fill(await browser.get(f"{URL}/tax-ids"), kind="eu_vat", number="DE136695976")
    assert "You can have five tax IDs." in words(answer.text)


async def test_the_address_of_log_in_is_shown_and_no_forged_field_changes_it(sqlite_store, clock):  # D2, L8, threat 78
    """Though the configuration names it: there is no verb that could."""
    world = allowing(sqlite_store, clock, "name", "email", "address", "shipping", "phone", "tax_id")
    browser = await at_the_desk(world)
    assert "The email address cannot be changed here" in words((await browser.get(URL)).text)
    before = await world.store.read("SELECT address, email FROM customer")
    forged = {"email": "thief@example.com", "customer_email": "thief@example.com", "address": "thief@example.com"}
    for page in ("contact", "address", "shipping", "tax-ids"):
        shown = await browser.get(f"{URL}/{page}")
        assert 'name="email"' not in shown.text
        await browser.fill(shown, name="Jenny", kind="us_ein", number="94-2404110", country="DE", **SAVE, **forged)
    assert (await whose(world)).email == "jenny@example.com"
    assert (await whose(world)).name == "Jenny"
    assert await world.store.read("SELECT address, email FROM customer") == before


# D1, threat 78
@pytest.mark.parametrize(
    ("updates", "pages"),
    [
        (("name",), {"contact"}),
        (("phone",), {"contact"}),
        (("address",), {"address"}),
        (("shipping",), {"shipping"}),
        (("tax_id",), {"tax-ids"}),
        (("email",), set()),
        ((), set()),
    ],
)
async def test_only_what_is_allowed_can_be_changed(sqlite_store, clock, updates, pages):
    world = allowing(sqlite_store, clock, *updates)
    browser = await at_the_desk(world, tax_ids=(TaxId("txi_1", "eu_vat", "DE136695976"),), phone="+49401234567")
    shown = await browser.get(URL)
    before = await whose(world)
    form = {"key": "k" * 22, "customer": "cus_jenny", "name": "Forged", "phone": "+493012345", "kind": "us_ein"}
    form |= {"country": "FR", "line1": "1", "city": "Paris", "postal_code": "75001", "number": "94-2404110", **SAVE}
    for page in ("contact", "address", "shipping", "tax-ids"):
        assert (f'href="{URL}/{page}"' in shown.text) == (page in pages), page
        for answer in (
            await browser.get(f"{URL}/{page}"),
            await browser.post(f"{URL}/{page}", data=form | {"key": page * 5}),
        ):
            assert (answer.status_code == 200) == (page in pages), page
    after = await whose(world)
    assert (after.name == "Forged") == ("name" in updates)
    assert (after.phone == "+493012345") == ("phone" in updates)
    assert (after.address.country == "FR") == ("address" in updates)
    assert (after.shipping.country == "FR") == ("shipping" in updates)
    assert (len(after.tax_ids) == 2) == ("tax_id" in updates)
    assert after.email == before.email
    if "tax_id" not in updates:
        assert (await browser.post(f"{URL}/tax-ids/txi_1/remove", data=form)).status_code == 404


async def test_two_tabs_second_save_of_the_same_details_is_told_and_keeps_its_words(shop):
    browser = await at_the_desk(shop)
    first, second = await browser.get(f"{URL}/contact"), await browser.get(f"{URL}/contact")
    address = await browser.get(f"{URL}/address")
    await browser.fill(first, name="First Tab", **SAVE)
    told = await browser.fill(second, name="Second Tab", **SAVE)
    assert told.status_code == 409
    assert "This was changed somewhere else" in words(told.text)
    assert 'value="Second Tab"' in told.text
    assert (await whose(shop)).name == "First Tab"
    # What another group of details says is none of its business.
    assert (await browser.fill(address, country="DE", city="Altona", **SAVE)).status_code == 200
    await browser.fill(told, **SAVE)
    it = await whose(shop)
    assert (it.name, it.address.city) == ("Second Tab", "Altona")


async def test_the_same_form_twice_saves_once_and_a_form_of_another_account_saves_nothing(shop):
    browser = await at_the_desk(shop)
    page = await browser.get(f"{URL}/contact")
    for _ in range(2):
        assert "are saved" in words((await browser.fill(page, name="Once", **SAVE)).text)
    assert "Changed billing details Name" in words((await browser.get("/harbour/my/history")).text)
    kinds = [each.kind for each in await ledger_of(shop.store, "harbour", Features()).history("cus_jenny")]
    assert kinds.count("customer.updated") == 1
    other = await browser.fill(await browser.get(f"{URL}/contact"), customer="cus_sam", name="Sam", **SAVE)
    assert other.status_code == 409
    assert (await whose(shop)).name == "Once"


@BOTH
async def test_a_session_that_died_in_a_form_leads_back_to_it_with_the_words(shop, fragment):  # L14
    browser = await at_the_desk(shop)
    page = await browser.get(f"{URL}/address", fragment=fragment)
    shop.clock.forward(hours=3)
    typed = {
        "country": "US",
        "line1": "510 Townsend St",
        "city": "San Francisco",
        "state": "CA",
        "postal_code": "94103",
    }
    gone = await browser.fill(page, fragment=fragment, **typed, **SAVE)
    assert gone.status_code == 401
    code_page = await browser.fill(gone, fragment=fragment, follow=True)
    back = await browser.fill(code_page, fragment=fragment, follow=True, code=await shop.code())
    assert "Please save again" in words(back.text)
    assert 'value="510 Townsend St"' in back.text
    assert (await whose(shop)).address == HAMBURG
    done = await browser.fill(back, fragment=fragment, country="US", state="CA", **SAVE)
    assert "Your billing address is saved." in words(done.text)


async def test_an_answer_that_did_not_come_can_be_asked_for_again_with_the_same_key(sqlite_store, clock):
    failing = {}

    def billing(brand, store):
        return failing.setdefault(brand.name, Failing(ledger_of(store, brand.name, offering())))

    world = World(sqlite_store, clock, billing=billing, features=offering())
    browser = await at_the_desk(world)
    page = await browser.get(f"{URL}/contact")
    failing["harbour"].error, failing["harbour"].late = Uncertain(), True
    unknown = await browser.fill(page, name="Perhaps", **SAVE)
    assert unknown.status_code == 503
    failing["harbour"].error = None
    assert [action for action, _ in forms_in(unknown.text)] == [f"{URL}/contact"]
    again = await browser.fill(unknown)
    assert "Your details are saved." in words(again.text)
    assert len(set(failing["harbour"].keys)) == 1
    assert (await whose(world)).name == "Perhaps"


async def test_invoices_that_were_issued_keep_what_they_say_and_the_page_says_so(shop):  # D3
    old = invoice("in_old", customer_name="Jenny Rosen", customer_address=HAMBURG, customer_email="jenny@example.com")
    browser = await at_the_desk(shop, invoices=(old,))
    page = words((await browser.get(URL)).text)
    assert "Changes appear on your next invoice." in page
    await browser.fill(await browser.get(f"{URL}/contact"), name="Somebody New", **SAVE)
    await browser.fill(await browser.get(f"{URL}/address"), country="DE", line1="Neue Straße 1", **SAVE)
    shown = words((await browser.get("/harbour/my/invoices/in_old")).text)
    assert "Neue Straße" not in shown
    exported = json.loads((await browser.get(f"{URL}/export")).content)
    assert exported["invoices"][0]["customer_name"] == "Jenny Rosen"
    assert exported["invoices"][0]["customer_address"]["line1"] == "Speicherstraße 4"
    assert exported["customer"]["name"] == "Somebody New"


async def test_the_pdf_of_an_old_invoice_keeps_the_old_details(shop):  # D3
    import io

    from pypdf import PdfReader

    old = invoice("in_old", customer_name="Jenny Rosen", customer_address=HAMBURG, customer_email="jenny@example.com")
    browser = await at_the_desk(shop, invoices=(old,))
    await browser.fill(await browser.get(f"{URL}/contact"), name="Somebody New", **SAVE)
    answer = await browser.get("/harbour/my/invoices/in_old/pdf")
    said = "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    assert "Jenny Rosen" in said
    assert "Speicherstraße 4" in said
    assert "Somebody New" not in said
