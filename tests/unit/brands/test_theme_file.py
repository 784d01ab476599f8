"""`theme.toml`: how a brand looks and what it says."""

import pytest

from server import brands
from server.brands.reading.declared import fields
from server.brands.theme_keys import STACKS
from server.brands.words import Words
from tests.support.brands import THEME, mistakes, the_mistake, woff2, write_brand

FONT = '[[type.font]]\nfamily = "Own"\nfile = "own.woff2"\n'


def theme(tmp_path, text="", **files):
    return brands.load(write_brand(tmp_path, theme=THEME + text, **files)).theme


def test_what_is_left_out_has_its_default(tmp_path):
    found = theme(tmp_path)
    assert (found.shape, found.mode, found.type.scale, found.type.fonts) == ("rounded", "auto", 1.2, ())
    assert found.type.body == found.type.heading == "system-ui, sans-serif"
    assert (found.brand.accent, found.brand.background, found.brand.button) == ("", "", "")
    assert (found.brand.logo.file, found.brand.icon.file) == (
        tmp_path / "harbour/logo.svg",
        tmp_path / "harbour/icon.svg",
    )


@pytest.mark.parametrize("key", ["color", "icon", "logo"])
def test_the_color_and_the_pictures_are_required(tmp_path, key):
    lines = [line for line in THEME.splitlines() if not line.startswith(key)]
    mistake = the_mistake(write_brand(tmp_path, theme="\n".join(lines)))
    assert (mistake.line, mistake.key, mistake.found) == (1, f"brand.{key}", "nothing")


@pytest.mark.parametrize(("written", "color"), [("#ABC", "#aabbcc"), ("#1F6FEB", "#1f6feb")])
def test_a_color_is_three_or_six_digits(tmp_path, written, color):
    text = THEME.replace("#33415c", written)
    assert brands.load(write_brand(tmp_path, theme=text)).theme.brand.color == color


@pytest.mark.parametrize("color", ["red", "#12345", "#12345g", "rgb(0,0,0)", "#123456;}", "#１２３", "", " #123456"])
@pytest.mark.parametrize("key", ["accent", "background", "button"])
def test_what_is_no_color_is_refused(tmp_path, key, color):
    mistake = the_mistake(write_brand(tmp_path, theme=THEME + f'{key} = "{color}"\n'))
    assert (mistake.line, mistake.key) == (5, f"brand.{key}")


def test_links_that_cannot_be_read_on_the_background_are_refused_with_the_nearest_color(tmp_path):
    text = THEME + 'accent = "#ffcc00"\nbackground = "#ffffff"\n'
    mistake = the_mistake(write_brand(tmp_path, theme=text))
    assert (mistake.line, mistake.key) == (5, "brand.accent")
    assert mistake.found == "#ffcc00, which has a contrast of 1.51:1 with the background #ffffff"
    nearest = mistake.allowed.split()[-1]
    assert mistakes(write_brand(tmp_path, theme=text.replace("#ffcc00", nearest))) == []


@pytest.mark.parametrize(("mode", "background"), [("light", "#808080"), ("dark", "#808080"), ("light", "#111111")])
def test_a_background_that_leaves_text_no_room_is_refused_with_the_nearest_color(tmp_path, mode, background):
    text = THEME + f'background = "{background}"\n[mode]\ndefault = "{mode}"\n'
    mistake = the_mistake(write_brand(tmp_path, theme=text))
    assert mistake.key == "brand.background"
    nearest = mistake.allowed.split()[-1]
    assert mistakes(write_brand(tmp_path, theme=text.replace(background, nearest))) == []


@pytest.mark.parametrize(
    ("written", "css"),
    [
        ("mono", STACKS["mono"]),
        ("Georgia, serif", "'Georgia', serif"),
        ("'Fira Sans' , \\\"Open Sans\\\"", "'Fira Sans', 'Open Sans', sans-serif"),
    ],
)
def test_a_family_is_a_known_stack_or_a_list(tmp_path, written, css):
    found = theme(tmp_path, f'[type]\nbody = "{written}"\n').type
    assert (found.body, found.heading) == (css, css)


@pytest.mark.parametrize("family", ["a; }", "url(x)", "Inter,,serif", "</style>", "a\\\\b", "x" * 100])
def test_a_family_cannot_carry_other_css(tmp_path, family):
    assert the_mistake(write_brand(tmp_path, theme=THEME + f'[type]\nbody = "{family}"\n')).key == "type.body"


@pytest.mark.parametrize("scale", ["0.9", "2", "nan", "inf", '"1.2"', "true"])
def test_a_scale_is_a_number_in_its_bounds(tmp_path, scale):
    assert the_mistake(write_brand(tmp_path, theme=THEME + f"[type]\nscale = {scale}\n")).line == 6


def test_an_own_font_is_read(tmp_path):
    font = FONT + 'weight = "100 900"\nstyle = "italic"\n'
    (found,) = theme(tmp_path, font, own__woff2=woff2()).type.fonts
    assert (found.family, found.kind, found.weight, found.style) == ("Own", "woff2", "100 900", "italic")
    assert found.file == tmp_path / "harbour/own.woff2"


@pytest.mark.parametrize(("weight", "written"), [("700", "700"), ('"400"', "400")])
def test_a_weight_is_a_number_or_a_text(tmp_path, weight, written):
    assert theme(tmp_path, FONT + f"weight = {weight}\n", own__woff2=woff2()).type.fonts[0].weight == written


@pytest.mark.parametrize("weight", ["0", "1001", '"bold"', '"900 100"', '"1 2 3"', "true", "400.0", '"400;"'])
def test_an_odd_weight_is_refused(tmp_path, weight):
    text = THEME + FONT + f"weight = {weight}\n"
    assert the_mistake(write_brand(tmp_path, theme=text, own__woff2=woff2())).key == "type.font[0].weight"


@pytest.mark.parametrize(
    "content",
    [b"", b"OTTO" + b"\0" * 60, woff2(64, magic=b"\0\1\0\0"), woff2(64)[:-1], woff2(64) + b"\0", woff2(44)[:40]],
)
def test_what_is_no_web_font_is_refused(tmp_path, content):
    mistake = the_mistake(write_brand(tmp_path, theme=THEME + FONT, own__woff2=content))
    assert (mistake.line, mistake.key) == (7, "type.font[0].file")


def test_a_font_that_is_too_large_is_refused(tmp_path):
    mistake = the_mistake(write_brand(tmp_path, theme=THEME + FONT, own__woff2=woff2(513 * 1024)))
    assert "at most 512 KB" in mistake.allowed


def test_a_font_is_named_after_what_it_is(tmp_path):
    mistake = the_mistake(write_brand(tmp_path, theme=THEME + FONT, own__woff2=woff2(magic=b"wOFF")))
    assert "name it own.woff" in mistake.found


def test_a_face_given_twice_is_refused(tmp_path):
    mistake = the_mistake(write_brand(tmp_path, theme=THEME + FONT + FONT, own__woff2=woff2()))
    assert (mistake.key, mistake.line) == ("type.font[1].family", 9)


@pytest.mark.parametrize(("table", "key", "value"), [("shape", "style", "round"), ("mode", "default", "night")])
def test_shape_and_mode_are_words_of_a_closed_set(tmp_path, table, key, value):
    mistake = the_mistake(write_brand(tmp_path, theme=THEME + f'[{table}]\n{key} = "{value}"\n'))
    assert (mistake.line, mistake.key) == (6, f"{table}.{key}")


def test_words_that_are_left_out_have_their_defaults(tmp_path):
    words = theme(tmp_path, '[words]\nlogin_heading = "Hello"\n').words
    assert words == {each.name: each.default for each in fields(Words)} | {"login_heading": "Hello"}


def test_an_unknown_word_is_refused_with_the_nearest(tmp_path):
    mistake = the_mistake(write_brand(tmp_path, theme=THEME + '[words]\nlogin_headline = "Hi"\n'))
    assert (mistake.key, mistake.line) == ("words.login_headline", 6)
    assert "did you mean login_heading?" in mistake.allowed


@pytest.mark.parametrize("value", ['""', '"  "', "3", f'"{"x" * 61}"', '"100% you"', '"%(name)s"', '"two\\nlines"'])
def test_an_odd_word_is_refused(tmp_path, value):
    assert the_mistake(write_brand(tmp_path, theme=THEME + f"[words]\nlogin_heading = {value}\n")).line == 6


@pytest.mark.parametrize("key", [each.name for each in fields(Words) if each.key.may_be_empty])
def test_a_text_that_pages_can_leave_out_may_be_empty(tmp_path, key):
    assert theme(tmp_path, f'[words]\n{key} = ""\n').words[key] == ""


def test_markup_in_words_stays_text(tmp_path):
    assert theme(tmp_path, '[words]\nfooter_note = "<b>hi</b>"\n').words["footer_note"] == "<b>hi</b>"
