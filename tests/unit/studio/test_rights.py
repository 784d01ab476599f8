"""Roles, routes and brands, made from the router: whoever lacks a right gets nowhere. Row 113 of the threats."""

import re
import shutil

import pytest

from server.merchant.studio import routes
from server.merchant.studio.rights import RIGHTS
from tests.unit.studio.test_guard import filled

pytestmark = pytest.mark.anyio
SOME = frozenset().union(*RIGHTS.values())
ROUTES = [
    (route.path, method, handler.opt)
    for route in routes.wired().routes
    for method, (handler, _) in route.route_handler_map.items()
    if method in {"GET", "POST"}
]
ROWS = """
GET  /_studio                                          operator
GET  /_studio/b/{brand_name:str}                       look
GET  /_studio/b/{brand_name:str}/business              look
POST /_studio/b/{brand_name:str}/business              edit
GET  /_studio/b/{brand_name:str}/business/{rest:path}  look
POST /_studio/b/{brand_name:str}/business/{rest:path}  edit
GET  /_studio/b/{brand_name:str}/cases                 customers
GET  /_studio/b/{brand_name:str}/cases/{case_id:str}   customers
POST /_studio/b/{brand_name:str}/cases/{case_id:str}   customers
GET  /_studio/b/{brand_name:str}/cases/{case_id:str}/pdf  customers
GET  /_studio/b/{brand_name:str}/change                look
POST /_studio/b/{brand_name:str}/change                edit
GET  /_studio/b/{brand_name:str}/customers             customers
GET  /_studio/b/{brand_name:str}/customers/{customer_id:str}  customers
POST /_studio/b/{brand_name:str}/customers/{customer_id:str}  customers
POST /_studio/b/{brand_name:str}/customers/{customer_id:str}/look  customers
GET  /_studio/b/{brand_name:str}/customers/{customer_id:str}/look/{act:str}  customers
GET  /_studio/b/{brand_name:str}/change.patch          look
GET  /_studio/b/{brand_name:str}/look                  look
POST /_studio/b/{brand_name:str}/look                  edit
GET  /_studio/b/{brand_name:str}/look/{rest:path}      look
POST /_studio/b/{brand_name:str}/look/{rest:path}      edit
GET  /_studio/b/{brand_name:str}/mails                 look
POST /_studio/b/{brand_name:str}/mails                 edit
GET  /_studio/b/{brand_name:str}/mails/outbox          customers
POST /_studio/b/{brand_name:str}/mails/outbox          customers
GET  /_studio/b/{brand_name:str}/mails/test            edit
POST /_studio/b/{brand_name:str}/mails/test            edit
GET  /_studio/b/{brand_name:str}/numbers               look
GET  /_studio/b/{brand_name:str}/numbers/days.csv      look
GET  /_studio/b/{brand_name:str}/numbers/plans.csv     look
GET  /_studio/b/{brand_name:str}/numbers/reasons.csv   look
GET  /_studio/b/{brand_name:str}/numbers/words.csv     customers
GET  /_studio/b/{brand_name:str}/pictures/{name:path}  look
GET  /_studio/b/{brand_name:str}/portal                look
GET  /_studio/b/{brand_name:str}/portal/{rest:path}    look
POST /_studio/b/{brand_name:str}/portal/{rest:path}    edit
GET  /_studio/b/{brand_name:str}/writes                look
GET  /_studio/b/{brand_name:str}/writes/{write_id:str}  look
POST /_studio/b/{brand_name:str}/writes/{write_id:str}  edit
GET  /_studio/b/{brand_name:str}/link                  look
POST /_studio/b/{brand_name:str}/link                  edit
GET  /_studio/b/{brand_name:str}/preview               look
GET  /_studio/b/{brand_name:str}/publish               look
POST /_studio/b/{brand_name:str}/publish               publish
GET  /_studio/b/{brand_name:str}/publish/copy          look
POST /_studio/b/{brand_name:str}/publish/copy          publish
POST /_studio/b/{brand_name:str}/publish/back          publish
GET  /_studio/b/{brand_name:str}/settings/endpoints    keys
POST /_studio/b/{brand_name:str}/settings/endpoints    keys
GET  /_studio/b/{brand_name:str}/settings/events       keys
POST /_studio/b/{brand_name:str}/settings/events       keys
GET  /_studio/b/{brand_name:str}/settings/events/{event_id:str}  keys
GET  /_studio/b/{brand_name:str}/settings/health       look
GET  /_studio/b/{brand_name:str}/settings/health/far   look
GET  /_studio/b/{brand_name:str}/settings/history      people
GET  /_studio/b/{brand_name:str}/settings/people       people
POST /_studio/b/{brand_name:str}/settings/people       people
POST /_studio/b/{brand_name:str}/settings/people/remove  people
GET  /_studio/b/{brand_name:str}/settings/stripe       keys
POST /_studio/b/{brand_name:str}/settings/stripe       keys
GET  /_studio/b/{brand_name:str}/settings/stripe/sync  keys
GET  /_studio/b/{brand_name:str}/settings/publishing   keys
POST /_studio/b/{brand_name:str}/settings/publishing   keys
POST /_studio/b/{brand_name:str}/settings/publishing/drop  keys
GET  /_studio/login                                    anyone
POST /_studio/login                                    anyone
GET  /_studio/login/code                               anyone
POST /_studio/login/code                               anyone
POST /_studio/login/resend                             anyone
POST /_studio/logout                                   anyone
GET  /_studio/new                                      edit
POST /_studio/new                                      edit
GET  /_studio/passkey                                  operator
POST /_studio/passkey                                  operator
POST /_studio/passkey/options                          operator
POST /_studio/passkey/remove                           operator
POST /_studio/passkey/verify                           operator
GET  /_studio/preview/as/{token:str}/{of:str}/{act:str}/{rest:path}  anyone
GET  /_studio/preview/{token:str}/{of:str}/{how:str}   anyone
GET  /_studio/preview/{token:str}/{of:str}/{how:str}/{rest:path}  anyone
GET  /_studio/static/{name:str}                        anyone
"""
"""Each route with its right. A new route needs a row here: whoever reads it decides again who may go there."""
REFUSED = "Your role does not allow this"


def test_each_route_has_its_row_and_names_that_right():  # threat 113
    rows = {(path, method): right for method, path, right in map(str.split, ROWS.strip().splitlines())}
    assert {(path, method): opt.get("right") for path, method, opt in ROUTES} == rows
    assert set(rows.values()) <= SOME | {"anyone", "operator"}
    assert not [path for (path, method), right in rows.items() if method == "POST" and right == "look"]


@pytest.mark.parametrize("role", [*RIGHTS, ""])
async def test_a_role_leads_where_its_rights_do_in_its_brand_and_nowhere_in_another(studio, role):  # threat 113
    await studio.role()
    client = await studio.operator("ed@shop.example", role or "viewer", "harbour" if role else "orbit")
    tables = ("studio_operator", "studio_act", "studio_passkey", "studio_draft", "studio_write", "kept_secret")
    before = [await studio.rows(table) for table in tables]
    files = contents(studio)
    for path, method, opt in ROUTES:
        if "{brand_name:str}" not in path or opt["right"] == "anyone":
            continue
        may = role and opt["right"] in RIGHTS[role]
        if not may or method == "GET":  # what an allowed form does is the business of its own tests
            answer = await client.request(method, filled(path.replace("{brand_name:str}", "harbour")))
            expected = (REFUSED in answer.text, 403) if role else ("There is no such page" in answer.text, 404)
            refused = expected[0] and answer.status_code == expected[1]
            assert refused != bool(may), (method, path)
        for brand in ("plain", "nowhere", ".", "harbour%2f..%2fplain"):
            answer = await client.request(method, filled(path.replace("{brand_name:str}", brand)))
            assert answer.status_code in {400, 404, 405}, (method, path, brand)
    assert [await studio.rows(table) for table in tables] == before
    assert contents(studio) == files


async def test_each_right_holds_in_the_brand_that_its_role_is_for(studio):  # threat 113
    await studio.role("ed@shop.example", "owner", "harbour")
    client = await studio.operator("ed@shop.example", "viewer", "plain")
    assert (await client.get("/_studio/b/harbour/settings/people")).status_code == 200
    assert (await client.get("/_studio/b/plain")).status_code == 200
    assert (await client.get("/_studio/b/plain/settings/people")).status_code == 403
    await studio.role("ed@shop.example", "support")
    await studio.log_in_to_studio(client, "ed@shop.example")
    assert (await client.get("/_studio/b/orbit")).status_code == 200
    assert (await client.get("/_studio/b/orbit/settings/people")).status_code == 403


async def test_a_folder_with_another_name_or_a_link_to_one_is_no_brand(studio):  # threat 105
    (studio.themes / "linked").symlink_to(studio.themes / "harbour", target_is_directory=True)
    for name in ("Odd Name", "..x", "a" * 41, "_studio", "a?b"):
        shutil.copytree(studio.themes / "plain", studio.themes / name)
    client = await studio.operator()
    page = await client.get("/_studio/")
    assert re.findall(r'href="/_studio/b/([^"]*)"', page.text) == ["harbour", "orbit", "plain"]
    for name in ("linked", "Odd%20Name", "..x", "_studio", "a%3Fb", "x%2F..%2Fplain", "%2e%2e", "plain%2e"):
        assert (await client.get(f"/_studio/b/{name}")).status_code == 404, name


async def test_another_brand_is_answered_as_one_that_is_not_there(studio):  # threat 113
    client = await studio.operator("ed@shop.example", "owner", "harbour")
    there, nowhere = [await client.get(f"/_studio/b/{each}") for each in ("plain", "nowhere")]
    assert (there.status_code, there.content) == (404, nowhere.content)
    paths = (
        "/_studio/nothing",
        "/_studio/b/harbour/",
        "/_studio//b",
        "/_studio/b/har%2Fbour",
        "/nothing",
        "/harbour/login",
    )
    for path in paths:
        for browser in (client, studio.visitor()):
            answer = await browser.get(path)
            assert (answer.status_code, answer.content) == (404, nowhere.content), path
    assert 'href="/_studio/"' in nowhere.text
    picture = await client.get("/favicon.ico", headers={"sec-fetch-dest": "image"})
    assert (picture.status_code, len(picture.content) < 100) == (404, True)


async def test_a_viewer_sees_no_address_of_a_customer(studio):  # threat 118
    await studio.customer(address="quinn@example.com", name="Quinn Rosen")
    await studio.ask(studio.client(), "quinn@example.com")  # a mail that waits
    client = await studio.operator(
        "vic@shop.example", "publisher", "harbour"
    )  # a viewer, who may also edit and publish
    seen = 0
    for path, method, opt in ROUTES:
        if method == "GET" and opt["right"] in {"look", "operator", "edit", "publish"}:
            answer = await client.get(filled(path.replace("{brand_name:str}", "harbour")))
            seen += answer.status_code == 200
            assert "quinn" not in answer.text.lower(), path
    assert seen >= 15


def contents(studio):
    return {path: path.read_bytes() for path in sorted(studio.themes.rglob("*")) if path.is_file()}
