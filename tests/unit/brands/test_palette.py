"""Whatever the brand's colors are, every pair of the pages can be read: WCAG 2.2 AA, light and dark."""

import re

import pytest
from coloraide import Color
from hypothesis import example, given, settings
from hypothesis import strategies as st

from server.brands import PAIRS, TOKENS, palette
from server.brands.palette import contrast, derive, oklch

CONTRACT = {
    *("page", "surface", "text", "muted", "border", "control", "brand", "on-brand", "button", "button-hover"),
    *("on-button", "accent", "accent-hover", "focus", "good", "good-surface", "warn", "warn-surface", "bad"),
    *("bad-surface", "info", "info-surface", "danger", "on-danger"),
}
colors = st.integers(0, 0xFFFFFF).map("#{:06x}".format)
maybe = st.just("") | colors
modes = st.sampled_from(["light", "dark", "auto"])


def sets(color, accent="", background="", button="", mode="auto"):
    both, clashes = derive(color, accent, background, button, mode)
    assert not clashes
    return both


def test_the_tokens_are_those_that_the_style_sheet_reads():
    assert set(TOKENS) == CONTRACT
    assert {token for pair in PAIRS for token in pair[:2]} <= CONTRACT


def test_contrast_is_what_the_standard_says():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)
    assert contrast("#33415c", "#f5c400") == pytest.approx(
        Color("#33415c").contrast("#f5c400", method="wcag21"), rel=1e-3
    )


@settings(max_examples=60, deadline=None)
@given(color=colors, accent=maybe, background=maybe, button=maybe, mode=modes)
@example("#ffff00", "", "", "", "auto")
@example("#0000ff", "#0000ff", "", "#0000ff", "dark")
@example("#000000", "", "#000000", "", "dark")
@example("#ffffff", "", "#ffffff", "#ffffff", "light")
@example("#777777", "#767676", "#ffffff", "#777777", "light")
def test_every_pair_can_be_read_in_both_sets(color, accent, background, button, mode):
    palette, _ = derive(color, accent, background, button, mode)
    for tokens in (palette.light, palette.dark):
        assert set(tokens) == CONTRACT
        assert all(re.fullmatch("#[0-9a-f]{6}", each) for each in tokens.values())
        short = [(one, other) for one, other, least in PAIRS if contrast(tokens[one], tokens[other]) < least]
        assert short == []


@settings(max_examples=30, deadline=None)
@given(color=colors, accent=colors, background=colors, mode=modes)
def test_a_clash_is_mended_by_the_color_that_it_names(color, accent, background, mode):
    _, clashes = derive(color, accent, background, "", mode)
    for clash in clashes:
        better = {"accent": accent, "background": background} | {clash.key: clash.nearest}
        _, left = derive(color, better["accent"], better["background"], "", mode)
        assert clash.key not in [each.key for each in left]


@settings(max_examples=30, deadline=None)
@given(color=colors, button=colors, mode=modes)
@example("#000000", "#fffffe", "light")
def test_the_brand_and_button_colors_stay_as_given_in_their_own_set(color, button, mode):
    palette = sets(color, button=button, mode=mode)
    own = palette.dark if mode == "dark" else palette.light
    assert (own["brand"], own["button"]) == (color, button)


@settings(max_examples=30, deadline=None)
@given(color=colors)
def test_a_card_can_be_told_from_the_page_and_a_hover_from_rest(color):
    palette = sets(color)
    for tokens in (palette.light, palette.dark):
        assert tokens["surface"] != tokens["page"]
        assert contrast(tokens["border"], tokens["surface"]) > 1.1
        assert tokens["button-hover"] != tokens["button"]
        assert tokens["accent-hover"] != tokens["accent"]


@settings(max_examples=30, deadline=None)
@given(color=colors)
def test_a_dark_set_keeps_fills_apart_from_its_page(color):
    dark = sets(color).dark
    assert contrast(dark["brand"], dark["page"]) >= 2.95
    assert contrast(dark["button"], dark["page"]) >= 2.95


@pytest.mark.parametrize("color", ["#7a3b1d", "#7c5cff", "#2456c9", "#0a7d4f", "#c2185b"])
def test_links_keep_the_hue_of_the_brand(color):
    palette = sets(color)
    for tokens in (palette.light, palette.dark):
        apart = abs(oklch(tokens["accent"]).hue - oklch(color).hue)
        assert min(apart, 360 - apart) < 12


@pytest.mark.parametrize("color", ["#7a3b1d", "#7c5cff", "#2456c9", "#0a7d4f"])
def test_neutrals_carry_a_breath_of_the_brand(color):
    palette = sets(color)
    for tokens in (palette.light, palette.dark):
        assert 0.001 < oklch(tokens["page"]).chroma < 0.03
        assert 0.001 < oklch(tokens["muted"]).chroma < 0.04


def test_a_gray_brand_has_gray_neutrals():
    assert oklch(sets("#555555").light["page"]).chroma < 0.001


def test_a_dark_page_is_nearly_black_and_its_cards_are_lifted():
    dark = sets("#2456c9").dark
    assert oklch(dark["page"]).lightness < 0.2
    assert oklch(dark["surface"]).lightness > oklch(dark["page"]).lightness + 0.03


def test_a_background_is_taken_as_given_in_the_set_that_it_suits():
    assert sets("#7a3b1d", background="#fbf6ee").light["page"] == "#fbf6ee"
    assert sets("#7a3b1d", background="#0c0d14").dark["page"] == "#0c0d14"
    assert sets("#7a3b1d", background="#0c0d14", mode="dark").dark["page"] == "#0c0d14"


def test_a_link_color_that_can_be_read_is_taken_as_given():
    assert sets("#33415c", accent="#2456c9").light["accent"] == "#2456c9"


def test_a_black_button_becomes_a_light_one_in_the_dark():
    dark = sets("#111111").dark
    assert oklch(dark["button"]).lightness > 0.9
    assert oklch(dark["on-button"]).lightness < 0.3


def test_links_of_a_black_brand_stand_out_in_the_dark():
    dark = sets("#111111").dark
    assert oklch(dark["accent"]).lightness > oklch(dark["muted"]).lightness + 0.1


def test_the_same_colors_give_the_same_palette():
    derive.cache_clear()
    first = sets("#7c5cff")
    derive.cache_clear()
    assert sets("#7c5cff") == first


def test_a_theme_gets_from_the_disk_what_would_be_worked_out(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    monkeypatch.setattr(palette.disk_cache, "PLACE", tmp_path)
    monkeypatch.setattr(palette.disk_cache, "_BEGAN", 1 << 63)  # whoever edits palette.py runs this too
    given = [
        *(
            ("#0a7c4a", "", "", "", "auto"),
            ("#0a7c4a", "", "#ffffff", "", "auto"),
            ("#0a7c4a", "", "#888888", "", "dark"),
        ),
        *(("#0a7c4a", "#0a7c4b", "#ffffff", "#101010", "light"), ("#0a7c4a", "#fefefe", "#ffffff", "", "light")),
    ]
    worked_out, written = {each: derive(*each) for each in given}, []
    for _ in ("the first process", "the next one"):
        for kept in (palette._folder, palette.palette_of, palette.clashes_of):
            kept.cache_clear()
        found = {each: (palette.palette_of(*each), palette.clashes_of(each[1], each[2], each[4])) for each in given}
        assert found == worked_out
        written.append({each.name: each.stat().st_mtime_ns for each in tmp_path.rglob("*") if each.is_file()})
    assert written[0] == written[1]
    assert len(written[0]) == 2 * len(given) - 1, "without a background nothing can clash"
    palette._folder.cache_clear()
