"""A theme's own style sheet, pictures and dark logo: they load nothing from elsewhere, and keep to a budget."""

import re
from pathlib import Path

import pytest

from server import brands
from server.brands import images, pictures, styles
from server.paths import Paths
from server.rendering.assets import AssetError, Assets
from server.rendering.renderer import Renderer
from tests.support.brands import SVG, THEME, mistakes, png, the_mistake, write_brand

STYLED = THEME + 'styles = "styles.css"\n'
RULES = b'.panel { background: url("pictures/hero.svg") no-repeat }\n'


def styled(themes: Path, css: bytes, name: str = "harbour", *, theme: str = STYLED, **shown: bytes) -> Path:
    folder = write_brand(themes, name, theme=theme, styles__css=css)
    (folder / "pictures").mkdir(exist_ok=True)
    for key, content in {"hero__svg": SVG, **shown}.items():
        (folder / "pictures" / key.replace("__", ".")).write_bytes(content)
    return folder


def page(brand: brands.Brand) -> str:
    return Renderer(brand, Assets.of(brand), Paths(brand.base)).static_page("help", link="")


def test_the_rules_stand_after_the_portals_and_show_the_hashed_picture(tmp_path):
    assets = Assets.of(brands.load(styled(tmp_path, RULES)))
    url = assets("pictures/hero.svg")
    assert re.fullmatch(r"/harbour/static/pictures-hero\.[0-9a-f]{10}\.svg", url)
    assert assets.styles("visitor").endswith(f'.panel{{background:url("{url}") no-repeat}}')
    assert assets.files[url.rpartition("/")[2]] == SVG


@pytest.mark.parametrize(
    "written",
    ["url(pictures/hero.svg)", "URL( './pictures/hero.svg' )", r"u\72 l(pictures/h\65ro.svg)", "url(#clip)"],
)
def test_however_it_is_written_a_url_leads_to_the_picture(tmp_path, written):
    brand = brands.load(styled(tmp_path, f".panel {{ mask: {written} }}".encode()))
    css = Assets.of(brand).styles("visitor")
    assert re.search(r'mask:url\("(/harbour/static/pictures-hero\.\w+\.svg|#clip)"\)\}$', css)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ('@import "https://cdn.example/a.css";', "@import"),
        ("@IMP\\4f RT url(pictures/hero.svg);", "@import"),
        ("a { b: url(https://cdn.example/a.png) }", "url('https://cdn.example/a.png')"),
        ("a { b: url( '//cdn.example/a.png' ) }", "url('//cdn.example/a.png')"),
        (r"a { b: \75\52 l(https:\2f/cdn.example/a.png) }", "url('https://cdn.example/a.png')"),
        ("a { b: url(data:image/png;base64,AAAA) }", "url('data:image/png;base64,AAAA')"),
        ('a { b: image-set("https://cdn.example/a.png" 1x) }', "image-set()"),
        ('a { b: src("https://cdn.example/a.png") }', "src()"),
        ("a { b: url(../plain/logo.svg) }", "url('../plain/logo.svg')"),
        ("a { b: url(pictures/hreo.svg) }", "url('pictures/hreo.svg')"),
        ("a { b: url(pictures/hero.svg", "a url( that nothing closes"),
        ("a { content: '</style><script>' }", 'the characters "</"'),
        ("a { content: 'x", "a ' that nothing closes"),
        ("} a { color: red }", "a } that closes nothing"),
        ("/* a { color: red }", "a comment that nothing closes"),
        ('@namespace "x";', "@namespace"),
    ],
)
def test_what_cannot_be_is_told_once_with_the_designers_file_and_line(tmp_path, written, found):  # threat 66
    folder = styled(tmp_path, f"/* one\n two */\n{written}\n".encode())
    told = [each for each in mistakes(folder) if each.found == found]
    assert [(each.file, each.line) for each in told] == [(folder / "styles.css", 3)]


def test_a_name_that_is_nearly_right_is_offered(tmp_path):
    mistake = the_mistake(styled(tmp_path, b"a { b: url(pictures/hreo.svg) }"))
    assert "did you mean pictures/hero.svg?" in mistake.allowed


def test_what_is_open_at_the_end_is_told_where_it_began(tmp_path):
    mistake = the_mistake(styled(tmp_path, b"a {\n}\n@media (width < 40rem) {\n  a { color: red }\n"))
    assert (mistake.line, mistake.found) == (3, "a { that nothing closes")


def test_comments_strings_and_other_functions_are_left_alone(tmp_path):
    rules = b"/* @import url(x) */ @media (width < 9rem) { .md\\:a::after { content: 'url(x) @import'; inline-size: calc(1px + (2px)) } }"
    assert "content:'url(x) @import'" in Assets.of(brands.load(styled(tmp_path, rules))).styles("visitor")


def test_too_many_rules_are_refused_and_comments_do_not_count(tmp_path):
    rule = b".panel { color: #123456 }\n"
    many = rule * (styles.LIMIT // 20)
    mistake = the_mistake(styled(tmp_path, many))
    assert (mistake.file.name, mistake.allowed) == ("styles.css", f"at most {styles.LIMIT} bytes")
    assert not mistakes(styled(tmp_path, b"/*" + many + b"*/" + rule))


def test_a_style_sheet_that_is_missing_is_told_at_its_key(tmp_path):
    mistake = the_mistake(write_brand(tmp_path, theme=STYLED))
    assert (mistake.file.name, mistake.line, mistake.key) == ("theme.toml", 5, "brand.styles")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("note.txt", b"x", "neither PNG nor JPEG"),
        ("a.png", SVG, "name it a.svg"),
        ("a b.svg", SVG, "the name"),
        ("script.svg", SVG.replace(b"<path", b"<script"), "an SVG with <script>"),
        ("large.webp", b"RIFF0000WEBP" + b"\0" * images.LIMIT, f"more than {images.LIMIT} bytes"),
    ],
)
def test_a_picture_that_cannot_be_published_is_told_with_its_file(tmp_path, name, content, says):  # threat 64
    folder = styled(tmp_path, RULES)
    (folder / "pictures" / name).write_bytes(content)
    mistake = the_mistake(folder)
    assert mistake.file == folder / "pictures" / name
    assert says in mistake.found


def test_all_pictures_together_have_a_budget(tmp_path):
    webp = b"RIFF0000WEBP" + b"\0" * (images.LIMIT - 100)
    folder = styled(tmp_path, RULES, a__webp=webp, b__webp=webp)
    assert not mistakes(folder)
    (folder / "pictures" / "c.png").write_bytes(png(1, 1) + b"\0" * 1000)
    assert the_mistake(folder).allowed.startswith(f"at most {pictures.LIMIT} bytes")


def test_rules_and_pictures_are_inherited_and_a_picture_can_be_replaced(tmp_path):
    styled(tmp_path, RULES, "plain")
    child = brands.load(write_brand(tmp_path, theme='extends = "plain"\n'))
    assert Assets.of(child)("pictures/hero.svg") in Assets.of(child).styles("visitor")
    (child.folder / "pictures").mkdir()
    (child.folder / "pictures" / "hero.svg").write_bytes(SVG.replace(b"40", b"41"))
    assert brands.load(child.folder).theme.pictures["pictures/hero.svg"].parent.parent == child.folder
    without = brands.load(write_brand(tmp_path, theme='extends = "plain"\nunset = ["brand.styles"]\n'))
    assert without.theme.styles == ""


def test_a_mistake_in_an_extended_theme_is_told_once_for_the_family(tmp_path):
    styled(tmp_path, b"@import 'x';", "plain")
    write_brand(tmp_path, theme='extends = "plain"\n')
    with pytest.raises(brands.ThemeError) as error:
        brands.load_all(tmp_path)
    assert [each.found for each in error.value.mistakes] == ["@import"]


@pytest.mark.parametrize(
    ("mode", "sources", "shown", "width"),
    [("auto", 1, "logo", 80), ("dark", 0, "dark_logo", 120), ("light", 0, "logo", 80)],
)
def test_the_dark_logo_is_for_dark_pages_and_keeps_its_shape(tmp_path, mode, sources, shown, width):
    theme = THEME + f'dark_logo = "dark.svg"\n[mode]\ndefault = "{mode}"\n'
    brand = brands.load(write_brand(tmp_path, theme=theme, dark__svg=SVG.replace(b"40 20", b"60 20")))
    html, assets = page(brand), Assets.of(brand)
    source = f'<source srcset="{assets("dark_logo")}" media="(prefers-color-scheme: dark)" width="120" height="40">'
    assert html.count(source) == sources
    assert f'<img src="{assets(shown)}" alt="Harbour" width="{width}" height="40">' in html


def test_a_name_stands_beside_two_logos_of_which_one_does_not_hold_it(tmp_path):
    theme = THEME + 'dark_logo = "dark.svg"\n'
    html = page(brands.load(write_brand(tmp_path, theme=theme, dark__svg=SVG.replace(b"40 20", b"20 20"))))
    assert 'media="(prefers-color-scheme: dark)" width="40" height="40">' in html
    assert 'alt="" width="80" height="40"></picture><span>Harbour</span>' in html


def test_a_theme_with_its_own_logo_does_not_inherit_the_dark_one(tmp_path):
    write_brand(tmp_path, "plain", theme=THEME + 'dark_logo = "dark.svg"\n', dark__svg=SVG)
    inherits = write_brand(tmp_path, "one", theme='extends = "plain"\n')
    has_its_own = write_brand(tmp_path, "two", theme='extends = "plain"\n[brand]\nlogo = "logo.svg"\n')
    assert "dark_logo" in Assets.of(brands.load(inherits))
    assert "dark_logo" not in Assets.of(brands.load(has_its_own))


def test_a_picture_that_no_theme_has_is_refused_in_a_template(tmp_path):
    with pytest.raises(AssetError, match=r"did you mean pictures/hero\.svg\?"):
        Assets.of(brands.load(styled(tmp_path, RULES)))("pictures/hreo.svg")
