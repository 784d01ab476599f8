"""What stands before the studio: its host, its own forms, its own cookies. Rows 98 and 99 of the threats."""

import itertools

import pytest
from msgspec.structs import replace

from server.app import create_app
from server.merchant.studio import routes
from server.settings import SettingsError
from tests.support.client import Client
from tests.support.studio import OWNER, STUDIO
from tests.support.world import BRAND, ORIGIN, brands
from tests.unit.web.test_guard import SITES

pytestmark = pytest.mark.anyio
ORIGINS = (None, STUDIO, ORIGIN, "null", "http://studio.example", "https://studio.example:444", f"{STUDIO}/", "")
PATHS = {route.path.replace("{brand_name:str}", BRAND): route.methods for route in routes.wired().routes}
UNSAFE = sorted(path for path, methods in PATHS.items() if "POST" in methods)


def filled(path):
    """The path with something in the place of its other parameters, as our links write it."""
    if path == "/_studio":
        return "/_studio/"
    return "/".join("x" if part.startswith("{") else part for part in path.split("/"))


async def test_forms_are_taken_from_the_studios_own_pages_only(studio):  # threat 98
    client = await studio.operator()
    await studio.with_passkey(client)
    tables = ("studio_session", "studio_operator", "studio_act", "studio_passkey", "challenge", "outbox", "budget")
    before = [await studio.rows(table) for table in tables]
    wrong = [each for each in itertools.product(SITES, ORIGINS) if each != ("same-origin", STUDIO)]
    assert len(wrong) >= 54
    for path, (site, origin) in itertools.product(UNSAFE, wrong):
        headers = {"sec-fetch-site": site, "origin": origin}
        answer = await client.post(filled(path), data={"email": OWNER, "code": "123456"}, headers=headers)
        assert answer.status_code == 403, (path, site, origin)
        assert "set-cookie" not in answer.headers
    assert [await studio.rows(table) for table in tables] == before
    assert (await client.post("/_studio/logout")).status_code == 303


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_no_other_method_passes(studio, method):  # threat 98
    assert (await studio.visitor().request(method, "/_studio/login")).status_code == 405


async def test_a_script_of_another_site_reads_nothing(studio):  # threat 98
    client = await studio.operator()
    elsewhere = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    for path in ("/_studio/", "/_studio/b/harbour", "/_studio/passkey", "/_studio/b/harbour/settings/people"):
        assert (await client.get(path, headers=elsewhere)).status_code == 403
        assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize(
    "origin", [ORIGIN, "http://portal.example", "https://server.example", "https://harbour.example"]
)
async def test_a_studio_at_a_host_of_a_brand_does_not_start(sqlite_store, clock, tmp_path, studio, origin):  # threat 98
    given = replace(studio.settings, studio_origin=origin, hosts=("server.example",))
    its = tuple(
        replace(each, config=replace(each.config, site=replace(each.config.site, url="https://harbour.example")))
        if each.name == BRAND
        else each
        for each in brands()
    )
    with pytest.raises(SettingsError, match="is also"):
        create_app(given, its, sqlite_store, clock=clock)


async def test_without_a_studio_nothing_of_it_is_there(studio, sqlite_store, clock):
    app = create_app(replace(studio.settings, studio_origin=""), brands(), sqlite_store, clock=clock)
    assert (await Client(app, ORIGIN).get("/_studio/login")).status_code == 404
    client = Client(app, STUDIO)
    assert (await client.get("/_studio/login")).status_code == 400


async def test_the_cookies_of_customers_and_operators_open_nothing_of_each_other(studio):  # threat 99
    await studio.customer(address=OWNER)
    operator, customer = await studio.operator(), studio.client()
    await studio.log_in(customer, OWNER)
    assert (await customer.get(f"/{BRAND}/my/overview")).status_code == 200
    theirs = {each.name: each.value for each in customer.cookies.jar}
    own = {each.name: each.value for each in operator.cookies.jar}
    at_studio, at_brand, nobody = studio.visitor(), studio.client(), studio.client()
    for name, value in theirs.items():
        at_studio.cookies.set(name, value, domain="studio.example")
        at_studio.cookies.set(name.replace(f"{BRAND}-session", "studio"), value, domain="studio.example")
    for name, value in own.items():
        at_brand.cookies.set(name, value, domain="portal.example")
        at_brand.cookies.set(name.replace("studio", f"{BRAND}-session"), value, domain="portal.example")
    for path, methods in PATHS.items():
        if "GET" in methods and not path.startswith(("/_studio/login", "/_studio/static", "/_studio/preview")):
            answer = await at_studio.get(filled(path))
            assert answer.headers["location"].startswith("/_studio/login"), path
    for path in portal_pages(studio):
        answer, usual = await at_brand.get(path), await nobody.get(path)
        assert (answer.status_code, answer.headers.get("location")) == (
            usual.status_code,
            usual.headers.get("location"),
        ), path
        assert answer.status_code != 200, path


def portal_pages(studio):
    found = [route.path for route in studio.app._app.app._app.routes if "GET" in route.methods]
    pages = [each for each in found if each.startswith("/{brand_name:str}/my/")]
    assert len(pages) > 20
    return [filled(each.replace("{brand_name:str}", BRAND)) for each in pages]


async def test_a_code_of_a_customer_is_none_of_an_operator_nor_the_reverse(studio):  # threat 99
    await studio.customer(address=OWNER)
    await studio.role()
    customer, operator = studio.client(), studio.visitor()
    await studio.ask(customer, OWNER)
    await operator.post("/_studio/login", data={"email": OWNER})
    to_customer, to_operator = await studio.code(OWNER), await studio.studio_code()
    assert (await operator.post("/_studio/login/code", data={"code": to_customer})).status_code == 422
    assert (await studio.try_code(customer, to_operator)).status_code == 422
    # Nor at the other's door with the challenge that it belongs to.
    thief = studio.visitor()
    challenge = customer.cookies[f"__Host-{BRAND}-challenge"]
    thief.cookies.set("__Host-studio-challenge", challenge, domain="studio.example")
    assert (await thief.post("/_studio/login/code", data={"code": to_customer})).status_code == 422
    assert (await thief.get("/_studio/")).headers["location"] == "/_studio/login"
    assert (await studio.try_code(customer, to_customer)).status_code == 303
    assert (await operator.post("/_studio/login/code", data={"code": to_operator})).status_code == 303


async def test_nobody_learns_whether_an_address_is_an_operators(studio):
    await studio.role()
    texts = []
    for address in (OWNER, "nobody@shop.example"):
        client = studio.visitor()
        asked = await client.post("/_studio/login", data={"email": address}, follow=True)
        wrong = await client.post("/_studio/login/code", data={"code": "not it"})
        texts.append([each.text.replace(address, "") for each in (asked, wrong)])
    assert texts[0] == texts[1]
    client, code = studio.visitor(), await studio.studio_code("nobody@shop.example")
    await client.post("/_studio/login", data={"email": "nobody@shop.example"})
    code = await studio.studio_code("nobody@shop.example")
    answer = await client.post("/_studio/login/code", data={"code": code})
    assert (answer.status_code, "This is not the code" in answer.text) == (422, True)
