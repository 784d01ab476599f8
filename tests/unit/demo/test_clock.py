"""The demo's clock: it runs on, jumps ahead when its own page says so, and never goes back."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from server import brands, demo
from server.demo.clock import Clock, ClockPage, moment
from server.paths import Paths
from server.rendering.assets import Assets
from server.rendering.renderer import Renderer
from tests.unit.demo.test_demo import THEMES, nothing

ORIGIN = "http://127.0.0.1:8000"
OURS = {"sec-fetch-site": "same-origin"}
START = datetime(2026, 12, 31, 12, tzinfo=UTC)


class Real:
    def __init__(self):
        self.at = datetime(2026, 11, 22, 9, tzinfo=UTC)

    def __call__(self):
        return self.at


@pytest.fixture
def real():
    return Real()


@pytest.fixture
def moved(real):
    return Clock(real, START)


@pytest.fixture
def jumps():
    """The moments that whoever goes along was told."""
    return []


@pytest.fixture
async def client(moved, jumps):
    async def told(now):
        jumps.append(now)

    brand = brands.load(THEMES / "plain")
    renderer = Renderer(brand, Assets.of(brand), Paths("/plain"))
    app = ClockPage(nothing, moved, renderer, ORIGIN, [("plain", f"{ORIGIN}/plain/")], moved=told)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as opened:
        yield opened


def test_it_begins_where_it_is_told_and_runs_on(real, moved):
    real.at += timedelta(minutes=5)
    assert moved() == START + timedelta(minutes=5)


def test_without_a_start_it_is_the_real_time(real):
    assert Clock(real)() == real()


@pytest.mark.parametrize(
    ("step", "then"),
    [
        ("hour", datetime(2026, 12, 31, 13, tzinfo=UTC)),
        ("day", datetime(2027, 1, 1, 12, tzinfo=UTC)),
        ("week", datetime(2027, 1, 7, 12, tzinfo=UTC)),
        ("month", datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ("year", datetime(2027, 12, 31, 12, tzinfo=UTC)),
    ],
)
def test_a_step_goes_ahead(moved, step, then):
    assert moved.move(step, "") == ""
    assert moved() == then


@pytest.mark.parametrize("to", ["2026-12-31T11:00:00Z", "2026-12-31T12:00:00Z", "2045-01-01", "soon", "", "0001-01-01"])
def test_what_is_not_ahead_is_refused_in_words(moved, to):
    assert moved.move("", to).endswith((".", "Z", "2199"))
    assert moved() == START


@pytest.mark.parametrize("text", ["2027-02-01T00:00:00Z", "2027-02-01", "2027-02-01T02:00+02:00", " 2027-02-01T00:00 "])
def test_moments_are_utc_where_no_zone_is_named(text):
    assert moment(text) == datetime(2027, 2, 1, tzinfo=UTC)


def test_a_start_that_is_no_moment_is_refused_before_anything_runs():
    with pytest.raises(demo.DemoError, match=r"--now: 'tomorrow' is not a moment such as"):
        demo.run(THEMES, host="127.0.0.1", port=0, now="tomorrow")


@pytest.mark.anyio
async def test_the_page_says_what_time_it_is_and_moves_it(client, moved, jumps):
    assert "31 December 2026, 12:00" in (await client.get("/_demo/clock")).text
    answered = await client.post("/_demo/clock", data={"step": "month"}, headers=OURS)
    assert (answered.status_code, answered.headers["location"]) == (303, "/_demo/clock")
    assert [moved(), *jumps] == [datetime(2027, 1, 31, 12, tzinfo=UTC)] * 2


@pytest.mark.anyio
async def test_the_page_says_why_it_does_not_move(client):
    answered = await client.post("/_demo/clock", data={"to": "2020-01-01"}, headers=OURS)
    assert answered.status_code == 422
    assert "Time does not go back" in answered.text


@pytest.mark.anyio
@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {},
        {"host": "evil.example:8000", "sec-fetch-site": "same-origin"},
    ],
)
async def test_no_other_page_moves_the_clock(client, moved, headers):
    assert (await client.post("/_demo/clock", data={"step": "year"}, headers=headers)).status_code == 403
    assert moved() == START


@pytest.mark.anyio
async def test_everything_else_is_the_applications(client):
    assert (await client.get("/plain/account/")).status_code == 299
