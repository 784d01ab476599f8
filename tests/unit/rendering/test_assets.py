"""Assets stand under names that change with their bytes, and their hashes are the ones that browsers compute."""

import base64
import hashlib
import re
from pathlib import Path

import msgspec
import pytest

from server import brands
from server.rendering.assets import SHEETS, STATIC, AssetError, Assets
from server.rendering.printing import printer
from tests.support.brands import PORTAL, SVG, THEME, woff2, write_brand

FONT = '[type]\nbody = "Own"\n[[type.font]]\nfamily = "Own"\nfile = "own.woff2"\n'


@pytest.fixture
def brand(tmp_path: Path) -> brands.Brand:
    return brands.load(write_brand(tmp_path))


def test_a_name_holds_the_hash_of_the_bytes(brand):
    for name, content in Assets.of(brand).files.items():
        assert name.split(".")[-2] == hashlib.sha256(content).hexdigest()[:10]


def test_a_draft_is_published_with_the_pictures_that_are_not_written_yet(brand):
    theme = THEME.replace("logo.svg", "logo.1.svg")
    drawn = SVG.replace(b"M0 0", b"M1 1")
    draft = brands.load(brand.folder, {brand.folder / "theme.toml": theme.encode(), brand.folder / "logo.1.svg": drawn})
    assets = Assets.of(draft)
    assert assets.files[assets("logo").rpartition("/")[2]] == drawn
    assert printer._logo(draft.theme) == drawn


def test_the_url_stands_below_the_brand(brand):
    assert re.fullmatch(r"/harbour/static/account\.[0-9a-f]{10}\.js", Assets.of(brand)("account.js"))


def test_a_brand_with_a_domain_links_from_its_root(tmp_path):
    portal = PORTAL + '[site]\nurl = "https://billing.harbour.example"\n'
    assert Assets.of(brands.load(write_brand(tmp_path, portal=portal)))("logo").startswith("/static/logo.")


def test_the_integrity_is_the_hash_of_the_published_bytes(brand):
    assets = Assets.of(brand)
    content = assets.files[assets("account.js").rpartition("/")[2]]
    assert assets.integrity("account.js") == "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()


def test_htmx_is_published_byte_for_byte_and_never_without_what_watches_it(brand):  # threats 66, 70, 71
    assets = Assets.of(brand)
    htmx = (STATIC / "vendor" / "htmx.min.js").read_bytes()
    both = assets("account.js").rpartition("/")[2]
    assert assets.files[both].startswith(htmx + b"\n(()=>{const deny=")
    assert b'htmx.registerExtension("portal",{init:(api)=>api.initSecurity(policy,deny,deny)' in assets.files[both]
    assert [name for name, content in assets.files.items() if htmx in content] == [both]


@pytest.mark.parametrize("file", sorted(STATIC.glob("*.js")), ids=lambda file: file.name)
def test_a_published_script_differs_from_ours_in_white_space_and_comments_alone(brand, file):
    found = Assets.of(brand, reload=True).files
    source = file.read_text()
    code = re.sub(r"(?m)^\s*//.*\n", "", source)
    published = [
        text for content in found.values() if same(text := content.decode("utf-8", "replace")).endswith(same(code))
    ]
    assert published, "its white space is beside punctuation that is left alone, or inside a template in a template"
    strings = re.findall(r'"[^"\n]*"|`[^`]*`', code)
    assert [each for each in strings if each not in published[0]] == []


def same(script):
    return re.sub(r"\s", "", script)


def test_the_same_brand_gives_the_same_assets_from_another_folder(tmp_path):
    one, other = (brands.load(write_brand(tmp_path / each)) for each in ("one", "other"))
    assert Assets.of(one).files == Assets.of(other).files


def test_another_color_gives_another_style_sheet(tmp_path):
    one = brands.load(write_brand(tmp_path / "one"))
    other = brands.load(write_brand(tmp_path / "other", theme=THEME.replace("#33415c", "#7a1f2b")))
    assert not set(Assets.of(one).style_hashes) & set(Assets.of(other).style_hashes)


def test_the_style_sheet_stands_in_the_pages_and_is_no_file_besides(brand):
    assert not [name for name in Assets.of(brand).files if name.endswith(".css")]


def test_a_font_of_the_theme_is_published_and_named_in_the_style_sheet(tmp_path):
    assets = Assets.of(brands.load(write_brand(tmp_path, theme=THEME + FONT, own__woff2=woff2())))
    assert assets("own.woff2") in assets.styles("visitor")


def test_the_style_hashes_are_those_of_the_inline_styles(brand):
    assets = Assets.of(brand)
    digests = {base64.b64encode(hashlib.sha256(assets.styles(each).encode()).digest()).decode() for each in SHEETS}
    assert {each.removeprefix("sha256-") for each in assets.style_hashes} == digests


def test_the_inline_style_cannot_end_its_element(brand):  # threat 66
    hostile = msgspec.structs.replace(brand.theme.type, body="'</style><script>'")
    with pytest.raises(AssetError, match="write %3C"):
        Assets.of(msgspec.structs.replace(brand, theme=msgspec.structs.replace(brand.theme, type=hostile)))


def test_an_unknown_asset_is_refused_with_the_nearest_name(brand):
    with pytest.raises(AssetError, match=r"account\.jss: no such asset; did you mean account\.js\?"):
        Assets.of(brand)("account.jss")


def test_the_live_reload_is_for_dev_only(brand):
    assert "reload.js" not in Assets.of(brand)


def test_only_scripts_are_among_the_script_hashes(brand):
    assets = Assets.of(brand)
    scripts = [content for name, content in assets.files.items() if name.endswith(".js")]
    assert len(assets.script_hashes) == len(scripts)


def test_the_logo_keeps_its_bytes(brand):
    assert SVG in Assets.of(brand).files.values()


def test_the_style_sheet_has_no_comment_and_keeps_its_strings(brand):
    for layout, files in SHEETS.items():
        css = Assets.of(brand).styles(layout)
        assert "/*" not in css
        assert "\n" not in css
        written = "".join((STATIC / name).read_text("utf-8") for name in files)
        assert set(re.findall(r'content:("[^"]*")', css)) == set(re.findall(r'content:\s*("[^"]*")', written))
