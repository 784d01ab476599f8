"""Looking at the portal as a customer: inert, with a reason, written down, and over after half an hour."""

import re

import httpx
import msgspec
import pytest

from server.app import routes_of_a_brand
from server.billing.stripe.backend import Stripe
from server.billing.stripe.client import Client
from server.merchant.importing.files import import_records
from server.merchant.studio import history
from server.merchant.studio.computing import Pace
from server.publishing import samples
from tests.support.studio import STUDIO, StudioWorld

pytestmark = pytest.mark.anyio
SUE = "sue@shop.example"
CUSTOMERS = "/_studio/b/harbour/customers"
FORMS = sorted({path for route in routes_of_a_brand().routes if "POST" in route.methods for path in [route.path]})
CHANGED = ("session", "account", "customer", "invoice", "operation", "activity", "outbox", "mail_choice", "challenge")


async def begin(studio, client, who="jenny", reason="Ticket 12"):
    """The page with the frame, and the address of what the frame shows."""
    page = await client.post(f"{CUSTOMERS}/{await studio.id_of(who)}/look", data={"reason": reason}, follow=True)
    assert page.status_code == 200, page.text
    return page, re.search(r'<iframe[^>]* src="([^"]+)"', page.text)[1]


async def test_each_page_is_the_customers_own_and_nothing_is_written(filled):
    filled.previews.pace = Pace(1_000)  # ten a second are the business of test_previews
    client = await filled.operator(SUE, "support", "harbour")
    page, url = await begin(filled, client)
    before = [await filled.rows(table) for table in CHANGED]
    assert "Jenny" in page.text
    listed = re.findall(r'href="[^"]+\?page=([^"]+)"', page.text)
    assert len(listed) == 8
    prefix = url.partition("/my/")[0]
    for each in listed:
        answer = await filled.raw(f"{prefix}/{each.replace('%2F', '/')}")
        assert answer.status_code == 200, each
        assert "jenny@example.com" in answer.text, each
        assert "sandbox" in answer.headers["content-security-policy"]
        assert "set-cookie" not in answer.headers
    fresh = await filled.raw(f"{prefix}/my/overview?fresh=1")
    subscription = re.search(rf'"({re.escape(prefix)}/my/subscriptions/[A-Za-z0-9_]+)"', fresh.text)[1]
    assert (await filled.raw(subscription)).status_code == 200
    assert (await filled.raw(f"{subscription}/cancel")).status_code == 404
    logo = re.search(rf'"({re.escape(prefix)}/static/logo[^"]+)"', fresh.text)[1]
    assert (await filled.raw(logo)).headers["cross-origin-resource-policy"] == "cross-origin"
    for other in ("my/invoices/csv", "my/details/export", "my/payment-methods/add", "login", "", "my/logout"):
        answer = await filled.raw(f"{prefix}/{other}")
        assert answer.status_code == 404, other
    assert [await filled.rows(table) for table in CHANGED] == before


async def test_no_form_of_the_portal_is_taken_from_there(filled):  # threat 114
    client = await filled.operator(SUE, "support", "harbour")
    client.check = False  # what is refused is no page of ours
    _, url = await begin(filled, client)
    tables = (*CHANGED, "studio_act", "budget")
    before = [await filled.rows(table) for table in tables]
    customer = await filled.id_of("jenny")
    form = {"customer": customer, "key": "k" * 22, "reason": "x", "email": "thief@example.com"}
    assert len(FORMS) > 30
    for path in FORMS:
        place = re.sub(r"\{[^}]*\}", "x", path.removeprefix("/{brand_name:str}"))
        for headers in ({}, {"origin": "null", "sec-fetch-site": "cross-site"}):
            answer = await client.post(f"{url.partition('/my/')[0]}{place}", data=form, headers=headers)
            assert answer.status_code in {403, 404, 405}, place
        answer = await filled.client().post(
            f"/harbour{place}", data=form, headers={"origin": STUDIO, "sec-fetch-site": "cross-site"}
        )
        assert answer.status_code in {403, 404}, place
    assert [await filled.rows(table) for table in tables] == before


async def test_one_row_says_who_looked_at_whom_and_why(filled):  # threat 114
    client = await filled.operator(SUE, "support", "harbour")
    kept = len((await history.read(filled.store)).acts)
    customer = await filled.id_of("jenny")
    for reason in ("", "  ", "x" * 201):
        answer = await client.post(f"{CUSTOMERS}/{customer}/look", data={"reason": reason})
        assert answer.status_code == 422
        assert "<iframe" not in answer.text
    assert len((await history.read(filled.store)).acts) == kept
    _, url = await begin(filled, client, reason=" Ticket  12 ")
    for _ in range(3):
        assert (await filled.raw(url)).status_code == 200
    act, *more = (await history.read(filled.store)).acts[kept:]
    assert not more
    told = msgspec.json.decode(act.data)
    assert (act.operator, act.brand, act.what, told) == (
        SUE, "harbour", "looked_as", {"customer": customer, "reason": "Ticket 12"},
    )  # fmt: skip
    owner = await filled.operator()
    assert f"as the customer {customer}: “Ticket 12”" in (await owner.get("/_studio/b/harbour/settings/history")).text


async def test_a_look_opens_nothing_else_and_ends(filled, clock):  # threat 114
    client, other = await filled.operator(SUE, "support", "harbour"), await filled.operator()
    _, url = await begin(filled, client)
    _, token, brand, n = re.fullmatch(r"/_studio/preview/(as)/([0-9a-f]{32})/(\w+)/(\d+)/my/overview", url).groups()
    at = f"{CUSTOMERS}/{await filled.id_of('jenny')}/look/{n}"
    assert (await client.get(at)).status_code == 200
    for path in (at, at.replace("harbour", "plain")):
        assert (await other.get(path)).status_code == 404, "somebody else's look"
    assert (await client.get(f"{CUSTOMERS}/{await filled.id_of('sam')}/look/{n}")).status_code == 404
    for act in ("1", "0", "x", "9" * 30):
        assert (await client.get(at.removesuffix(n) + act)).status_code == 404
        assert (await filled.raw(url.replace(f"/{n}/my", f"/{act}/my"))).status_code == 404
    for wrong in (url.replace(token, "0" * 32), url.replace(f"/{brand}/", "/plain/"), url.replace(token, token[:31])):
        assert (await filled.raw(wrong)).status_code == 404
    clock.forward(minutes=29)
    assert (await filled.raw(url)).status_code == 200
    clock.forward(minutes=1)
    assert (await filled.raw(url)).status_code == 404
    assert (await client.get(at)).status_code == 404
    _, url = await begin(filled, client)
    await client.post("/_studio/logout")
    assert (await filled.raw(url)).status_code == 404


async def test_where_stripe_bills_it_is_asked_nothing(sqlite_store, clock, tmp_path):  # threat 114
    asked = []
    transport = httpx.MockTransport(lambda request: asked.append(request.url) or httpx.Response(500))

    def billing(brand, store):
        client = Client("rk_test_1", base="http://stripe.test", transport=transport)
        return Stripe(store, brand.name, client, keys=(b"k" * 32,), origin="https://portal.example")

    studio = StudioWorld(sqlite_store, clock, tmp_path, backend="stripe", billing=billing)
    await import_records(studio.store, "harbour", samples.records("harbour", clock()), now=clock(), source="samples")
    tables = (*CHANGED, "stripe_copy", "catalog")
    client = await studio.operator(SUE, "support", "harbour")
    before = [await studio.rows(table) for table in tables]
    assert (await client.get(f"{CUSTOMERS}/{await studio.id_of('max')}")).status_code == 200
    page, url = await begin(studio, client, "max")
    for each in re.findall(r'href="[^"]+\?page=([^"]+)"', page.text):
        answer = await studio.raw(f"{url.partition('/my/')[0]}/{each.replace('%2F', '/')}?fresh=1")
        assert (answer.status_code, "max@example.com" in answer.text) == (200, True), each
    assert asked == []
    assert [await studio.rows(table) for table in tables] == before
