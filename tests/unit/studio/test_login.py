"""Operators log in by a passcode to their address, and see their brands."""

import msgspec
import pytest

from tests.support.studio import OWNER

pytestmark = pytest.mark.anyio


async def test_an_operator_logs_in_sees_the_brands_and_logs_out(studio):
    await studio.role()
    client = studio.visitor()
    first = await client.get("/_studio/b/harbour", follow=True)
    assert "Log in to the studio" in first.text
    asked = await client.fill(first, email=OWNER, follow=True)
    assert "Enter the code" in asked.text
    wrong = await client.fill(asked, code="000000" if await studio.studio_code() != "000000" else "111111")
    assert wrong.status_code == 422
    assert "4 tries are left" in wrong.text
    entered = await client.fill(asked, code=await studio.studio_code())
    assert (entered.status_code, entered.headers["location"]) == (303, "/_studio/b/harbour")
    assert "Harbour" in (await client.get("/_studio/b/harbour")).text
    assert "harbour" in (await client.get("/_studio/")).text
    assert (await client.get("/_studio/b/nowhere")).status_code == 404
    assert (await client.post("/_studio/logout")).status_code == 303
    assert (await client.get("/_studio/")).headers["location"] == "/_studio/login"


async def test_at_the_studios_host_there_is_no_brand_and_at_a_brands_no_studio(studio):
    visitor, customer = studio.visitor(), studio.client()
    for path in ("/", "/_studio"):
        assert (await visitor.get(path)).headers["location"] == "/_studio/"
    for path in ("/harbour/login", "/harbour/", "/v1/customers", "/_studio/b/harbour/", "/_studio//login"):
        assert (await visitor.get(path)).status_code == 404, path
    for path in ("/_studio/login", "/_studio/", "//_studio/login"):
        assert (await customer.get(path)).status_code == 404, path


async def test_each_script_of_a_page_is_there(studio):
    client = await studio.operator()
    page = await client.get("/_studio/b/harbour")
    client.check = False
    paths = [part.split('"')[0] for part in page.text.split('<script src="')[1:]]
    assert paths
    for path in paths:
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert (await client.get("/_studio/static/other.js")).status_code == 404


async def test_the_start_says_what_is_left_to_do_and_what_is_wrong(studio):
    client = await studio.operator()
    page = (await client.get("/_studio/b/plain")).text
    assert "left to do" in page
    assert "test_plainV7mQ2xKc9RtB4wZs" in page
    await studio.with_passkey(client)
    (studio.themes / "orbit" / "portal.toml").write_text("[business]\nname = 7\n")
    (studio.themes / "plain" / "portal.toml").write_text("[business\n")
    brands = (await client.get("/_studio/")).text
    assert "Harbour Coffee" in brands
    assert brands.count("Its files cannot be read") == 1
    for name in ("orbit", "plain"):
        assert "cannot be read as they are" in (await client.get(f"/_studio/b/{name}")).text
    await studio.store.write(
        lambda it: it.count(
            "INSERT INTO studio_draft VALUES (:who, 'harbour', :changes, 1)",
            {"who": OWNER, "changes": msgspec.msgpack.encode({"business.name": {"value": "A", "was": "B"}})},
        )
    )
    assert "You changed 1 key and did not write" in (await client.get("/_studio/b/harbour")).text
