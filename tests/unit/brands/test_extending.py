"""A theme extends another key by key; the merchant's file is never inherited."""

import pytest

from server import brands
from server.brands.theme_keys import STACKS
from tests.support.brands import PORTAL, THEME, mistakes, the_mistake, woff2, write_brand

BASE = THEME + '[type]\nbody = "Own"\nscale = 1.25\n[[type.font]]\nfamily = "Own"\nfile = "own.woff2"\n'


def test_keys_come_from_the_nearest_theme_that_has_them(tmp_path):
    write_brand(
        tmp_path, "plain", theme=THEME + '[shape]\nstyle = "pill"\n[words]\nlogin_heading = "A"\nlogin_button = "B"\n'
    )
    child = 'extends = "plain"\n[brand]\ncolor = "#ff0000"\n[words]\nlogin_heading = "C"\n'
    theme = brands.load(write_brand(tmp_path, theme=child)).theme
    assert (theme.brand.color, theme.shape) == ("#ff0000", "pill")
    assert (theme.words["login_heading"], theme.words["login_button"]) == ("C", "B")


def test_the_lineage_names_the_nearest_first(tmp_path):
    write_brand(tmp_path, "one")
    write_brand(tmp_path, "two", theme='extends = "one"\n')
    brand = brands.load(write_brand(tmp_path, "three", theme='extends = "two"\n'))
    assert [folder.name for folder in brand.lineage] == ["three", "two", "one"]


def test_pictures_and_fonts_lie_beside_the_file_that_names_them(tmp_path):
    write_brand(tmp_path, "plain", theme=BASE, own__woff2=woff2())
    theme = brands.load(write_brand(tmp_path, theme='extends = "plain"\nbrand.logo = "logo.svg"\n')).theme
    assert (theme.brand.logo.file.parent.name, theme.brand.icon.file.parent.name) == ("harbour", "plain")
    assert [font.file.parent.name for font in theme.type.fonts] == ["plain"]


def test_a_font_that_is_inherited_and_not_used_is_not_published(tmp_path):
    write_brand(tmp_path, "plain", theme=BASE, own__woff2=woff2())
    theme = brands.load(write_brand(tmp_path, theme='extends = "plain"\n[type]\nbody = "serif"\n')).theme
    assert theme.type.files == ()


def test_a_face_can_be_replaced(tmp_path):
    write_brand(tmp_path, "plain", theme=BASE, own__woff2=woff2())
    child = 'extends = "plain"\n[[type.font]]\nfamily = "Own"\nfile = "own.woff2"\n'
    theme = brands.load(write_brand(tmp_path, theme=child, own__woff2=woff2())).theme
    assert [file.parent.name for file in theme.type.files] == ["harbour"]


def test_two_font_files_of_one_name_are_refused(tmp_path):
    write_brand(tmp_path, "plain", theme=BASE, own__woff2=woff2())
    child = 'extends = "plain"\n[[type.font]]\nfamily = "Other"\nfile = "own.woff2"\n'
    mistake = the_mistake(write_brand(tmp_path, theme=child, own__woff2=woff2()))
    assert (mistake.key, mistake.allowed) == ("type.font[0].file", "another file name")


def test_the_merchants_file_is_not_inherited(tmp_path):
    write_brand(tmp_path, "plain", portal=PORTAL + 'headline = "Of plain"\n')
    child = write_brand(tmp_path, theme='extends = "plain"\n', portal='[business]\nname = "Harbour"\n')
    assert brands.load(child).config.business.headline == ""


def test_a_mistake_in_the_extended_theme_is_told_at_its_own_line(tmp_path):
    write_brand(tmp_path, "plain", theme=THEME + '[shape]\nstyle = "round"\n')
    mistake = the_mistake(write_brand(tmp_path, theme='extends = "plain"\n'))
    assert (mistake.file.parent.name, mistake.line) == ("plain", 6)


def test_the_same_mistake_is_told_once_for_a_family_of_brands(tmp_path):
    write_brand(tmp_path, "plain", theme=THEME + '[shape]\nstyle = "round"\n')
    write_brand(tmp_path, "harbour", theme='extends = "plain"\n')
    with pytest.raises(brands.ThemeError) as error:
        brands.load_all(tmp_path)
    assert len(error.value.mistakes) == 1


@pytest.mark.parametrize("name", ["gone", "harbor", "../plain", "/etc", "", "PLAIN", "plain/"])
def test_an_unknown_parent_is_refused(tmp_path, name):
    write_brand(tmp_path, "plain")
    found = mistakes(write_brand(tmp_path, theme=f'extends = "{name}"\n' + THEME))
    assert [(each.line, each.key) for each in found] == [(1, "extends")]


@pytest.mark.parametrize("value", ["3", "true", "[]", '["plain"]'])
def test_a_parent_is_a_name(tmp_path, value):
    assert the_mistake(write_brand(tmp_path, theme=f"extends = {value}\n" + THEME)).key == "extends"


def test_a_parent_without_a_theme_file_is_refused(tmp_path):
    (tmp_path / "plain").mkdir()
    assert the_mistake(write_brand(tmp_path, theme='extends = "plain"\n' + THEME)).key == "extends"


def test_themes_that_extend_each_other_are_refused(tmp_path):
    write_brand(tmp_path, "one", theme='extends = "two"\n' + THEME)
    folder = write_brand(tmp_path, "two", theme='extends = "one"\n' + THEME)
    assert "in a circle (two -> one -> two)" in the_mistake(folder).found


def test_a_theme_cannot_extend_itself(tmp_path):
    assert "in a circle" in the_mistake(write_brand(tmp_path, theme='extends = "harbour"\n' + THEME)).found


def test_a_row_of_themes_has_an_end(tmp_path):
    for number in range(9):
        write_brand(tmp_path, f"t{number}", theme=f'extends = "t{number + 1}"\n' + THEME)
    assert "at most 8" in the_mistake(tmp_path / "t0").allowed


def test_an_extended_theme_that_is_broken_is_named(tmp_path):
    write_brand(tmp_path, "plain", theme="[brand\n")
    found = mistakes(write_brand(tmp_path, theme='extends = "plain"\n' + THEME))
    assert [(each.file.parent.name, each.line) for each in found] == [("plain", 1)]


COLORS = (
    THEME
    + 'accent = "#2456c9"\nbackground = "#ffffff"\n[type]\nbody = "Own"\n[[type.font]]\nfamily = "Own"\nfile = "own.woff2"\n'
)


def test_an_inherited_key_can_be_unset(tmp_path):
    write_brand(
        tmp_path, "plain", theme=COLORS + '[words]\nlogin_heading = "A"\nlogin_button = "B"\n', own__woff2=woff2()
    )
    head = 'extends = "plain"\nunset = ["brand.accent", "brand.background", "words.login_heading", "type"]\n'
    theme = brands.load(write_brand(tmp_path, theme=f'{head}[brand]\nbackground = "#fafafa"\n')).theme
    assert (theme.brand.accent, theme.brand.background, theme.brand.color) == ("", "#fafafa", "#33415c")
    assert (theme.type.body, theme.type.fonts) == (STACKS["system"], ())
    assert (theme.words["login_heading"], theme.words["login_button"]) == ("Log in", "B")


def test_a_theme_in_between_unsets_for_those_that_extend_it(tmp_path):
    write_brand(tmp_path, "one", theme=COLORS, own__woff2=woff2())
    write_brand(tmp_path, "two", theme='extends = "one"\nunset = ["brand.accent"]\n')
    theme = brands.load(write_brand(tmp_path, "three", theme='extends = "two"\n')).theme
    assert (theme.brand.accent, theme.brand.background) == ("", "#ffffff")


def test_a_required_key_that_is_unset_is_missing(tmp_path):
    write_brand(tmp_path, "plain", theme=COLORS, own__woff2=woff2())
    mistake = the_mistake(write_brand(tmp_path, theme='extends = "plain"\nunset = ["brand.logo"]\n'))
    assert (mistake.file.parent.name, mistake.key, mistake.found) == ("harbour", "brand.logo", "nothing")


@pytest.mark.parametrize(
    ("unset", "key", "allowed"),
    [
        ('["brand.acent"]', "unset[0]", "did you mean brand.accent?"),
        ('["brand.color", "shape.style"]', "unset[1]", "a key that an extended theme gives"),
        ('["extends"]', "unset[0]", "a key that an extended theme gives"),
        ('["brand.color", "brand.color"]', "unset[1]", "each only once"),
        ('["brand..color"]', "unset[0]", "the path of a key"),
        ("[3]", "unset[0]", "the path of a key"),
        ('"brand.accent"', "unset", "a list of texts"),
    ],
)
def test_what_is_not_inherited_cannot_be_unset(tmp_path, unset, key, allowed):
    write_brand(tmp_path, "plain", theme=COLORS, own__woff2=woff2())
    child = f'extends = "plain"\nunset = {unset}\n[brand]\ncolor = "#123456"\n'
    found = mistakes(write_brand(tmp_path, theme=child))
    assert [(each.key, each.line, allowed in each.allowed) for each in found][:1] == [(key, 2, True)]


@pytest.mark.parametrize(
    ("child", "line", "key"),
    [
        ('[brand]\nbackground = "#0c0d14"\n[mode]\ndefault = "dark"\n', 3, "brand.accent"),
        ('[mode]\ndefault = "dark"\n', 3, "brand.background"),
    ],
)
def test_an_inherited_color_that_cannot_be_read_is_told_in_the_file_that_brought_it_there(tmp_path, child, line, key):
    write_brand(tmp_path, "plain", theme=COLORS, own__woff2=woff2())
    mistake = the_mistake(write_brand(tmp_path, theme=f'extends = "plain"\n{child}'))
    assert (mistake.file.parent.name, mistake.line, mistake.key) == ("harbour", line, key)
    assert "inherited from plain" in mistake.found
    assert mistake.allowed.startswith("in this file, ")


def test_colors_of_the_extended_theme_that_cannot_be_read_are_told_there_and_once(tmp_path):
    write_brand(tmp_path, "plain", theme=COLORS.replace("#2456c9", "#ffcc00"), own__woff2=woff2())
    for name in ("one", "two"):
        write_brand(tmp_path, name, theme='extends = "plain"\n[brand]\ncolor = "#123456"\n')
    with pytest.raises(brands.ThemeError) as error:
        brands.load_all(tmp_path)
    assert [(each.file.parent.name, each.key) for each in error.value.mistakes] == [("plain", "brand.accent")]
