"""A theme reaches the style sheet as custom properties."""

import re

import pytest

from server import brands
from tests.support.brands import THEME, woff2, write_brand


def css(tmp_path, text="", **files):
    return brands.tokens_css(brands.load(write_brand(tmp_path, theme=THEME + text, **files)).theme)


def properties(block):
    return dict(re.findall(r"(--?[\w-]+|color-scheme): ([^;]+);", block))


def test_every_token_is_a_custom_property(tmp_path):
    found = properties(css(tmp_path, '[mode]\ndefault = "light"\n'))
    assert {f"--color-{token}" for token in brands.TOKENS} <= set(found)
    assert {"--font-body", "--font-heading", "--scale", "--radius-small", "--radius", "--radius-large"} <= set(found)


def test_an_auto_theme_is_light_and_dark_for_who_prefers_it(tmp_path):
    light, _, dark = css(tmp_path).partition("@media (prefers-color-scheme: dark)")
    palette = brands.load(tmp_path / "harbour").theme.palette
    assert properties(light)["color-scheme"] == "light dark"
    assert properties(light)["--color-page"] == palette.light["page"]
    assert properties(dark)["--color-page"] == palette.dark["page"]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_a_fixed_mode_is_the_same_for_everybody(tmp_path, mode):
    text = css(tmp_path, f'[mode]\ndefault = "{mode}"\n')
    palette = brands.load(tmp_path / "harbour").theme.palette
    assert "@media" not in text
    assert properties(text)["color-scheme"] == mode
    assert properties(text)["--color-page"] == getattr(palette, mode)["page"]


@pytest.mark.parametrize(("shape", "radius"), [("sharp", "0"), ("pill", "999px"), ("rounded", "0.625rem")])
def test_a_shape_is_a_set_of_radii(tmp_path, shape, radius):
    assert properties(css(tmp_path, f'[shape]\nstyle = "{shape}"\n'))["--radius-button"] == radius


def test_an_own_font_is_declared_where_the_caller_publishes_it(tmp_path):
    text = THEME + '[[type.font]]\nfamily = "Own"\nfile = "own.woff2"\nweight = "100 900"\n'
    theme = brands.load(write_brand(tmp_path, theme=text, own__woff2=woff2())).theme
    face = brands.tokens_css(theme, lambda file: f"/harbour/static/{file.name}")
    assert "font-family: 'Own';" in face
    assert "src: url('/harbour/static/own.woff2') format('woff2');" in face
    assert "font-weight: 100 900;" in face


def test_the_braces_of_every_theme_pair_up(tmp_path):
    text = css(tmp_path)
    assert text.count("{") == text.count("}") == 3
