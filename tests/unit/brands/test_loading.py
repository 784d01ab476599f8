"""A folder becomes a brand, or everything that is wrong with it is told at once."""

import os
from pathlib import Path

import pytest

from server import brands
from tests.support.brands import PORTAL, SVG, THEME, mistakes, the_mistake, write_brand

SHIPPED = Path(__file__).parents[3] / "themes"


def test_a_brand_needs_little(tmp_path):
    brand = brands.load(write_brand(tmp_path))
    assert (brand.name, brand.base, brand.lineage) == ("harbour", "/harbour", (tmp_path / "harbour",))


def test_a_brand_with_a_domain_of_its_own_stands_at_its_root(tmp_path):
    portal = PORTAL + '[site]\nurl = "https://billing.harbour.example"\n'
    assert brands.load(write_brand(tmp_path, portal=portal)).base == ""


def test_the_shipped_brands_load_in_the_order_of_their_names():
    assert [brand.name for brand in brands.load_all(SHIPPED)] == ["harbour", "orbit", "plain"]


def test_the_shipped_brands_cancel_in_different_ways():
    ways = {each.name: each.config.features.subscription_cancel for each in brands.load_all(SHIPPED)}
    assert (ways["harbour"].mode, ways["plain"].mode) == ("at_period_end", "at_period_end")
    assert (ways["orbit"].mode, ways["orbit"].proration_behavior) == ("immediately", "create_prorations")


def test_the_shipped_brands_have_different_test_links_that_are_on():
    pages = [each.config.login_page for each in brands.load_all(SHIPPED)]
    assert all(page.enabled and page.link.startswith("test_") and len(page.link) >= 22 for page in pages)
    assert len({page.link for page in pages}) == 3


def test_every_mistake_of_both_files_is_told_at_once(tmp_path):
    theme = THEME.replace("#33415c", "blue") + 'shap = "x"\n[shape]\nstyle = "round"\n'
    portal = PORTAL + "nam = 1\n[site]\nlocales = []\n"
    found = mistakes(write_brand(tmp_path, theme=theme, portal=portal))
    assert [(each.file.name, each.line, each.key) for each in found] == [
        ("portal.toml", 3, "business.nam"),
        ("portal.toml", 5, "site.locales"),
        ("theme.toml", 4, "brand.color"),
        ("theme.toml", 5, "brand.shap"),
        ("theme.toml", 7, "shape.style"),
    ]


def test_a_mistake_reads_as_file_line_key_found_and_allowed(tmp_path):
    folder = write_brand(tmp_path, theme=THEME + '[shape]\nstyle = "round"\n')
    assert str(the_mistake(folder)) == (
        f"{folder}/theme.toml:6: shape.style: found 'round'; allowed: pill, rounded, sharp (did you mean rounded?)"
    )


def test_the_mistakes_of_all_brands_are_told_at_once(tmp_path):
    write_brand(tmp_path, "one", portal="")
    write_brand(tmp_path, "two", portal="")
    with pytest.raises(brands.ThemeError) as error:
        brands.load_all(tmp_path)
    assert [each.file.parent.name for each in error.value.mistakes] == ["one", "two"]


@pytest.mark.parametrize("name", ["Harbour", "a_b", "a b", "a.b", "x" * 41, "café", "%2e"])
def test_a_folder_with_an_odd_name_is_refused(tmp_path, name):
    assert "a-z, 0-9 and -" in the_mistake(write_brand(tmp_path, name)).allowed


@pytest.mark.parametrize("name", ["healthz", "readyz", "metrics", "static"])
def test_a_folder_named_like_a_url_of_the_server_is_refused(tmp_path, name):
    assert "reserved" in the_mistake(write_brand(tmp_path, name)).allowed


def test_a_folder_for_the_demo_pages_is_no_brand(tmp_path):
    assert mistakes(write_brand(tmp_path, "_demo"))


@pytest.mark.parametrize("name", ["theme.toml", "portal.toml"])
def test_a_missing_file_is_named(tmp_path, name):
    folder = write_brand(tmp_path)
    (folder / name).unlink()
    assert folder / name in [each.file for each in mistakes(folder)]


@pytest.mark.parametrize("broken", ["[brand]\n", 'x = "open\n', "x = “y”\n", "x = " + "[" * 5000, "#" * 200_000])
def test_a_file_that_cannot_be_read_is_the_only_mistake(tmp_path, broken):
    """Nothing is said to be missing in it: the keys may well stand there."""
    assert the_mistake(write_brand(tmp_path, theme=THEME + broken)).key == ""
    base = write_brand(tmp_path, "base", theme=THEME + broken, portal=None)
    assert the_mistake(write_brand(tmp_path, theme='extends = "base"\n')).file == base / "theme.toml"


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    assert [each.found for each in mistakes(tmp_path / "gone")][:1] == ["no such file"]


@pytest.mark.parametrize("name", ["theme.toml", "portal.toml"])
def test_a_folder_in_place_of_a_file_is_refused(tmp_path, name):
    folder = write_brand(tmp_path)
    (folder / name).unlink()
    (folder / name).mkdir()
    assert any(each.found == "no such file" for each in mistakes(folder))


def test_a_pipe_in_place_of_a_file_does_not_make_it_wait(tmp_path):
    folder = write_brand(tmp_path)
    (folder / "portal.toml").unlink()
    os.mkfifo(folder / "portal.toml")
    assert the_mistake(folder).found == "no such file"


def test_a_misspelt_portal_file_does_not_make_the_brand_vanish(tmp_path):
    write_brand(tmp_path, "orbit")
    folder = write_brand(tmp_path, portal=None)
    (folder / "portl.toml").write_text(PORTAL)
    with pytest.raises(brands.ThemeError, match=r"did you mean portal\.toml"):
        brands.load_all(tmp_path)


def test_a_folder_with_a_theme_alone_is_a_base_and_no_brand(tmp_path):
    write_brand(tmp_path, "base", portal=None)
    write_brand(tmp_path, "shop", theme='extends = "base"\n')
    assert [each.name for each in brands.load_all(tmp_path)] == ["shop"]


def test_a_folder_without_a_brand_is_refused(tmp_path):
    with pytest.raises(brands.ThemeError, match="no brand"):
        brands.load_all(tmp_path)


def test_a_folder_of_themes_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(brands.ThemeError, match="cannot be read"):
        brands.load_all(tmp_path / "gone")


def test_hidden_folders_and_single_files_are_no_brands(tmp_path):
    write_brand(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "README.md").write_text("")
    assert [each.name for each in brands.load_all(tmp_path)] == ["harbour"]


def test_two_brands_cannot_share_a_domain(tmp_path):
    portal = PORTAL + '[site]\nurl = "https://billing.example"\n'
    write_brand(tmp_path, "one", portal=portal)
    write_brand(tmp_path, "two", portal=portal)
    with pytest.raises(brands.ThemeError, match="which one has too"):
        brands.load_all(tmp_path)


def test_a_brand_cannot_be_changed(tmp_path):
    brand = brands.load(write_brand(tmp_path, logo__svg=SVG))
    with pytest.raises(AttributeError):
        brand.name = "other"
