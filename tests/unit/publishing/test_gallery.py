"""The gallery shows everything, each with the file that it comes from."""

from pathlib import Path

import pytest

from server import brands
from server.billing import Account
from server.publishing import gallery
from server.publishing.examples import load, load_mails
from server.publishing.fields import fields_of, reachable
from server.publishing.rules.markup import Document, parse
from tests.support.brands import PORTAL, THEME, write_brand

ACTIVE = PORTAL + '[login_page]\nenabled = true\nlink = "test_0123456789abcdefghijkl"\n'


def files(folder: Path, theme: str = THEME) -> dict[str, bytes]:
    brand = brands.load(write_brand(folder, theme=theme, portal=ACTIVE))
    examples = [each for each in load() if each.feature == "details"]
    return gallery.files_of(brand, examples, load_mails())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return files(tmp_path_factory.mktemp("gallery"))


def pages_of(made: dict[str, bytes]) -> list[Document]:
    return [parse(made[name].decode()) for name in ("pages.html", "details.html", "mails.html")]


def test_every_page_example_and_mail_is_shown_light_and_dark(made):
    shown = 7 + len([each for each in load() if each.feature == "details"]) + len(load_mails())
    frames = [element for page in pages_of(made) for element in page.all("iframe")]
    assert len(frames) == 2 * shown
    assert {element.get("src") for element in frames} == {""}, "each waits until it is near"
    assert {element.get("data-src") for element in frames} == {path for path in made if path.startswith("shown/")}


def test_a_theme_of_one_mode_is_shown_in_that_mode(tmp_path):
    made = files(tmp_path, THEME + '[mode]\ndefault = "dark"\n')
    assert {path.split(".")[-2] for path in made if path.startswith("shown/")} == {"dark"}


def test_a_caption_names_the_file(made):
    assert "site/templates/pages/login.html" in made["pages.html"].decode()


def test_a_caption_names_the_override_where_there_is_one(tmp_path):
    override = write_brand(tmp_path, portal=ACTIVE) / "templates" / "pages" / "help.html"
    override.parent.mkdir(parents=True)
    override.write_text("{% extends 'site:pages/help.html' %}")
    assert "themes/harbour/templates/pages/help.html" in files(tmp_path)["pages.html"].decode()


def test_it_opens_from_the_disk_and_runs_nothing(made):
    page = made["shown/page-help-index-html.light.html"].decode()
    document = parse(page)
    assert document.all("script") == []
    [logo] = document.all("img")
    assert logo.get("src").startswith("../static/logo.")


def test_it_is_the_same_bytes_each_time(made, tmp_path):
    assert files(tmp_path) == made


def test_every_link_of_every_page_leads_somewhere(made):
    ids = {name: parse(html.decode()).ids for name, html in made.items() if name.endswith(".html") and "/" not in name}
    for name in ids:
        document = parse(made[name].decode())
        assert document.mistakes == []
        for link in document.all("a"):
            file, _, place = link.get("href").partition("#")
            assert (file or name) in made, (name, link.get("href"))
            assert not place or place in ids[file or name], (name, link.get("href"))


def test_the_index_leads_to_each_thing_and_loads_none(made):
    index = parse(made["index.html"].decode())
    shown = [element.get("id") for page in pages_of(made) for element in page.all("article")]
    linked = [element.get("href").partition("#")[2] for element in index.all("a") if "#" in element.get("href")]
    assert linked == shown
    assert index.all("iframe") == []


def test_a_field_is_shown_with_its_type_default_and_sentence():
    [field] = [each for each in fields_of(Account) if each.name == "has_older_invoices"]
    assert (field.type, field.default, field.about) == ("bool", "False", "")
    [field] = [each for each in fields_of(Account) if each.name == "as_of"]
    assert field.about.startswith("How fresh this is")


def test_the_structs_inside_a_struct_are_found():
    assert {"Customer", "Address", "Money", "Invoice"} <= {each.__name__ for each in reachable([Account])}


def test_every_pair_of_colors_shown_passes(tmp_path):
    brand = brands.load(write_brand(tmp_path))
    assert all(each.ratio >= each.least for each in gallery.swatches(brand))


def test_a_page_in_a_further_language_says_which():
    plain = brands.load(Path(__file__).parents[3] / "themes" / "plain")
    page = parse(gallery.files_of(plain, [], [])["pages.html"].decode())
    titles = [element.text.strip() for element in page.all("h2")]
    assert {"home", "home, de", "home, ar"} <= set(titles)
    assert len(titles) == len(set(titles))
