"""`build.py new`: a brand from nothing, or nothing at all."""

import shutil
from pathlib import Path

import pytest

from server.brands import ThemeError, load
from server.merchant import starting
from server.publishing import checking

THEMES = Path(__file__).resolve().parents[3] / "themes"
LOGO = THEMES / "harbour" / "logo.svg"


@pytest.fixture
def themes(tmp_path):
    shutil.copytree(THEMES / "plain", tmp_path / "plain")
    return tmp_path


def test_one_color_and_a_logo_make_a_brand_without_a_mistake(themes):
    brand = starting.begin(themes, "acme", called='Acme & Sons "Ltd"', color="#0a7d4f", logo=LOGO)
    assert brand == load(themes / "acme")
    assert brand.config.business.name == 'Acme & Sons "Ltd"'
    assert brand.config.login_page.enabled
    assert brand.config.login_page.link.startswith("test_")
    assert (themes / "acme" / "logo.svg").read_bytes() == LOGO.read_bytes()
    assert checking.check(themes, ["acme"]) == []


def test_what_is_left_out_is_as_in_plain(themes):
    brand = starting.begin(themes, "north-sea")
    assert brand.config.business.name == "North Sea"
    plain = load(themes / "plain").theme.brand
    assert (brand.theme.brand.logo, brand.theme.brand.color) == (plain.logo, plain.color)


@pytest.mark.parametrize(
    ("name", "more", "words"),
    [
        ("plain", {}, "there already"),
        ("Acme", {}, "a-z, 0-9 and -"),
        ("v1", {}, "reserved"),
        ("../acme", {}, "a-z, 0-9 and -"),
        ("", {}, "a-z, 0-9 and -"),
        ("acme", {"color": "red"}, "#1f6feb"),
        ("acme", {"color": '#fff"\nx = "'}, "#1f6feb"),
        ("acme", {"logo": Path("nothing.svg")}, "no such file"),
        ("acme", {"logo": Path(__file__)}, f"{__file__}: brand.logo: found "),
        ("acme", {"called": "x" * 400}, "--called: business.name: found "),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(themes, name, more, words):
    before = sorted(themes.parent.rglob("*"))
    with pytest.raises(ThemeError) as refused:
        starting.begin(themes, name, **more)
    assert words in str(refused.value)
    assert "theme.toml" not in str(refused.value)
    assert "portal.toml" not in str(refused.value)
    assert sorted(themes.parent.rglob("*")) == before
