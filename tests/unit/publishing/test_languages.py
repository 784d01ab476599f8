"""A brand of several languages: its pages in each, and the ways from one to another."""

from pathlib import Path

import pytest

from server import brands
from server.paths import Paths
from server.publishing import pages, publishing
from server.publishing.rules.markup import parse
from server.rendering.assets import Assets
from server.web.static_files import Site
from tests.support.brands import PORTAL, write_brand

LINK = "test_0123456789abcdefghijkl"
ACTIVE = PORTAL + f'[login_page]\nenabled = true\nlink = "{LINK}"\n'
SPOKEN = (
    "index.html",
    f"p/login/{LINK}/index.html",
    "account/index.html",
    "help/index.html",
    "link-not-active/index.html",
)


def built(folder: Path, *locales: str, portal: str = ACTIVE) -> dict[str, str]:
    listed = ", ".join(f'"{each}"' for each in locales)
    brand = brands.load(write_brand(folder, portal=f"{portal}[site]\nlocales = [{listed}]\n"))
    publishing.build([brand], folder / "dist", server="https://server.example")
    written = folder / "dist" / "harbour"
    return {
        path.relative_to(written).as_posix(): path.read_text("utf-8")
        for path in written.rglob("*")
        if path.is_file() and path.suffix not in (".svg", ".js")
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return built(tmp_path_factory.mktemp("languages"), "en", "de", "ar")


def test_every_page_is_there_in_every_language_but_the_two_for_errors(files):
    pages = {name for name in files if name.endswith(".html")}
    assert pages == {f"{tag}{page}" for tag in ("", "de/", "ar/") for page in SPOKEN} | {"404.html", "500.html"}


def test_a_page_says_its_language_and_its_direction(files):
    assert '<html lang="en" dir="ltr">' in files["account/index.html"]
    assert '<html lang="de" dir="ltr">' in files["de/account/index.html"]
    assert '<html lang="ar" dir="rtl">' in files["ar/account/index.html"]


def test_its_links_stay_in_the_language_and_what_the_server_answers_has_no_prefix(files):
    page = files[f"de/p/login/{LINK}/index.html"]
    assert 'href="/harbour/de/help/"' in page
    assert 'action="/harbour/login"' in page
    assert f'href="/harbour/de/p/login/{LINK}/"' in files["de/index.html"]


def test_each_page_leads_to_itself_in_every_language(files):
    for page, below in ((SPOKEN[1], f"p/login/{LINK}/"), (SPOKEN[3], "help/"), (SPOKEN[0], f"p/login/{LINK}/")):
        for here, folder in (("en", ""), ("de", "de/"), ("ar", "ar/")):
            document = parse(files[folder + page])
            ways = {"en": f"/harbour/{below}", "de": f"/harbour/de/{below}", "ar": f"/harbour/ar/{below}"}
            named = [(each.get("hreflang"), each.get("href")) for each in document.all("link") if "hreflang" in each]
            listed = [each for each in document.all("a") if "hreflang" in each]
            assert dict(named) == {each.get("hreflang"): each.get("href") for each in listed} == ways
            assert named[0][0] == "en", "login.js takes the first for the default"
            assert [each.get("lang") for each in listed if each.get("aria-current")] == [here]
            assert [each.text for each in listed] == ["English", "Deutsch", "العربية"]
            assert all(each.get("lang") == each.get("hreflang") for each in listed)


def test_the_form_says_which_language_it_is_in(files):
    for folder, tag in (("", "en"), ("de/", "de")):
        assert f'<input type="hidden" name="language" value="{tag}">' in files[folder + SPOKEN[1]]


def test_a_brand_of_one_language_offers_none_to_choose(tmp_path):
    files = built(tmp_path, "de")
    assert set(files) >= set(SPOKEN)
    assert not any("hreflang" in text or 'name="language"' in text for text in files.values())


def test_a_link_that_was_switched_off_is_told_of_in_its_language(files, tmp_path):
    redirects = files["_redirects"].splitlines()
    for folder in ("", "/de", "/ar"):
        assert f"{folder}/p/login/* {folder}/link-not-active/index.html 404" in redirects
    built(tmp_path, "en", "de")
    site = Site(tmp_path / "dist" / "harbour")
    for path, expected in (
        ("p/login/old/", "link-not-active/index.html"),
        ("de/p/login/old/", "de/link-not-active/index.html"),
        ("fr/p/login/old/", "404.html"),
        ("de/x/p/login/old/", "404.html"),
        ("de/nothing/", "404.html"),
    ):
        assert site.find(path) == (404, site.files[expected]), path
    assert site.find("de/help") == (308, None)


def test_a_start_without_an_active_link_says_so_in_every_language(tmp_path):
    files = built(tmp_path, "en", "de", portal=PORTAL)
    assert 'href="/harbour/de/"' in files["index.html"]
    assert 'href="/harbour/"' in files["de/index.html"]


def test_every_page_may_be_linked_to_and_has_its_cache_rule(files, tmp_path):
    assert "\n/de/help/\n  Cache-Control: no-cache\n" in files["_headers"]
    brand = brands.load(write_brand(tmp_path, portal=ACTIVE + '[site]\nlocales = ["en", "de"]\n'))
    links = pages.links_of(brand, Assets.of(brand))
    assert links.resolves("/harbour/de/help/")
    assert not links.resolves("/harbour/fr/help/")
    assert not links.resolves("/harbour/de/my/overview")


def test_building_twice_gives_the_same_bytes(tmp_path):
    assert built(tmp_path / "one", "en", "de", "ar") == built(tmp_path / "other", "en", "de", "ar")


def test_urls_of_a_language_have_its_tag_where_pages_are_static():
    paths = Paths("/harbour", "de")
    assert (paths.home, paths.account, paths.help) == ("/harbour/de/", "/harbour/de/account/", "/harbour/de/help/")
    assert paths.login_page("x", "a@b.example") == "/harbour/de/p/login/x/?prefilled_email=a%40b.example"
    assert (paths.overview, paths.login) == ("/harbour/my/overview", "/harbour/login")
    assert paths.login_to("sessions", "a@b.example").endswith("&language=de")
    assert paths.static("x.js") == Paths("/harbour").static("x.js")
