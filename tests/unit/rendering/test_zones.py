"""A time of day says in which zone it is: who reads the page may be in another."""

import re
from pathlib import Path

import pytest

from server.access.limits import RESEND_AFTER
from server.brands import load
from server.paths import Paths
from server.publishing import examples
from server.rendering.assets import Assets
from server.rendering.renderer import Renderer
from tests.support.brands import PORTAL, write_brand

CLOCK = re.compile(r"\d{1,2}:\d{2}\s[AP]M")
SITE = """
[site]
timezone = "Asia/Kolkata"
"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every example of the site, as a brand of another zone shows it."""
    brand = load(write_brand(Path(tmp_path_factory.mktemp("themes")), portal=PORTAL + SITE))
    renderer = Renderer(brand, Assets.of(brand), Paths("/harbour"))
    return {f"{each.feature}/{each.fragment}: {each.name}": renderer.fragment(each.view) for each in examples.load()}


def test_every_time_of_day_says_its_zone(shown: dict[str, str]):
    found = {name: [text[each.end() :][:15] for each in CLOCK.finditer(text)] for name, text in shown.items()}
    assert [name for name, after in found.items() if set(after) - {" (Asia/Kolkata)"}] == []
    with_one = {name.partition(":")[0] for name, after in found.items() if after}
    assert {"home/overview", "history/history", "login/code", "login/sessions", "details/confirm_email"} <= with_one
    assert "subscriptions/confirm_cancel" in with_one
    seconds = re.compile(r">[^<]*\d:\d{2}:\d{2}[^<]*<")
    assert [name for name, text in shown.items() if seconds.search(text)] == []


def test_who_asks_for_a_code_too_soon_hears_how_long_to_wait(shown: dict[str, str]):
    told = [each for each in shown.values() if re.search("Another (pass)?code can be sent in a minute", each)]
    assert len(told) == 2
    assert RESEND_AFTER.total_seconds() == 60
