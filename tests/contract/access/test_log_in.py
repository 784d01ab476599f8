"""Logging in from the outside, over both stores."""

import pytest

from tests.support.world import World

pytestmark = pytest.mark.anyio


async def test_a_customer_logs_in_sees_the_overview_and_logs_out(any_world: World) -> None:
    await any_world.customer(name="Jenny Rosen")
    browser = any_world.client()
    asked = await any_world.ask(browser)
    assert asked.status_code == 200
    assert "jenny@example.com" in asked.text
    entered = await any_world.try_code(browser, await any_world.code())
    assert entered.headers["location"] == "/harbour/my/overview"
    overview = await browser.get("/harbour/my/overview")
    assert overview.status_code == 200
    assert "jenny@example.com" in overview.text
    left = await browser.post("/harbour/logout")
    assert left.status_code == 303
    assert left.headers["clear-site-data"] == '"cache", "storage"'
    assert (await browser.get("/harbour/my/overview")).status_code == 401
