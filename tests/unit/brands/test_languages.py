"""What a brand says in each of its languages: its own words there, else the default's translation, never another language."""

import pytest
from markupsafe import escape

from server.brands import load, locales
from server.brands.locales import direction, own_name, own_texts
from server.paths import DYNAMIC_PREFIXES, TAKEN, Paths
from server.publishing import examples
from server.rendering.assets import Assets
from server.rendering.renderer import Renderer
from tests.support.brands import PORTAL, THEME, mistakes, the_mistake, write_brand
from tests.support.world import brands

GERMAN = '[words]\nlogin_heading = "Ahoy"\ncode_heading = "Look"\n[words.de]\nlogin_heading = "Moin"\ncode_help = ""\n'
SPEAKING = PORTAL + 'headline = "Hello"\nprivacy_policy_url = "https://h.example/privacy"\n'


def said(tmp_path, template, *locales, theme=GERMAN, portal=SPEAKING):
    """What a template of the brand says in each of these languages."""
    listed = ", ".join(f'"{each}"' for each in locales)
    folder = write_brand(tmp_path, theme=THEME + theme, portal=f"{portal}[site]\nlocales = [{listed}]\n")
    brand = load(folder)
    renderer = Renderer(brand, Assets.of(brand), Paths(brand.base))
    return [renderer.environment(each).from_string(template).render() for each in locales]


def test_a_page_says_the_brands_own_words_of_its_language(tmp_path):
    said_by = said(tmp_path, "{{ brand.theme.words.login_heading }}", "en", "de", "de-AT", "en-GB")
    assert said_by == ["Ahoy", "Moin", "Moin", "Ahoy"]


def test_a_word_that_is_missing_is_the_default_and_not_that_of_another_language(tmp_path):
    assert "Look" not in said(tmp_path, "{{ brand.theme.words.code_heading }}", "en", "de", "fr")[1:]


def test_a_text_left_empty_on_purpose_is_empty_in_its_language_only(tmp_path):
    english, german = said(tmp_path, "{{ brand.theme.words.code_help }}", "en", "de")
    assert english
    assert not german


def test_the_words_without_a_tag_are_in_the_first_language_whichever_it_is(tmp_path):
    words = '[words]\nlogin_heading = "Moin"\n[words.en]\nlogin_heading = "Ahoy"\n'
    assert said(tmp_path, "{{ brand.theme.words.login_heading }}", "de", "en", theme=words) == ["Moin", "Ahoy"]


def test_an_own_word_that_a_catalog_has_too_is_not_translated(tmp_path):
    brand = load(write_brand(tmp_path, theme=THEME + '[words.fr]\nhelp_heading = "Help"\n'))
    assert own_texts(brand.theme.own_words, "fr", "en") == {"help_heading": "Help"}


def test_markup_in_own_words_is_text(tmp_path):  # threat 64
    hostile = '[words.de]\nfooter_note = "<b>x</b> & y"\n'
    said_by = said(tmp_path, "{{ brand.theme.words.footer_note }}", "en", "de", theme=hostile)
    assert said_by[1] == "&lt;b&gt;x&lt;/b&gt; &amp; y"
    brand = load(tmp_path / "harbour")
    page = Renderer(brand, Assets.of(brand), Paths(brand.base)).static_page("help", "de", link="")
    assert "&lt;b&gt;x&lt;/b&gt; &amp; y" in page


def test_a_headline_is_said_in_its_language_only_and_a_link_leads_somewhere_in_each(tmp_path):
    german = SPEAKING + '[business.de]\nheadline = "Hallo"\nprivacy_policy_url = "https://h.example/datenschutz"\n'
    template = "{{ brand.config.business.headline }} {{ brand.config.business.privacy_policy_url }}"
    assert said(tmp_path, template, "en", "de", "fr", portal=german) == [
        "Hello https://h.example/privacy",
        "Hallo https://h.example/datenschutz",
        " https://h.example/privacy",
    ]


@pytest.mark.parametrize(
    ("theme", "key", "line"),
    [
        ('[words.de]\nlogin_headin = "x"\n', "words.de.login_headin", 6),
        ('[words.de]\nlogin_heading = ""\n', "words.de.login_heading", 6),
        ('[words.de]\nlogin_heading = "100 %"\n', "words.de.login_heading", 6),
        (f'[words.de]\nlogin_button = "{"x" * 31}"\n', "words.de.login_button", 6),
        ('[words.deutsch]\nlogin_heading = "x"\n', "words.deutsch", 5),
        ('[words.xx]\nlogin_heading = "x"\n', "words.xx", 5),
    ],
)
def test_a_mistake_in_the_words_of_a_language_is_named(tmp_path, theme, key, line):
    mistake = the_mistake(write_brand(tmp_path, theme=THEME + theme))
    assert (mistake.file.name, mistake.key, mistake.line) == ("theme.toml", key, line)
    assert mistake.allowed


@pytest.mark.parametrize(
    ("portal", "key"),
    [
        ('[business.de]\nheadlin = "x"\n', "business.de.headlin"),
        ('[business.de]\nname = "Hafen"\n', "business.de.name"),
        ('[business.de]\nsupport_url = "javascript:alert(1)"\n', "business.de.support_url"),
        ('[business.fr]\nheadline = "x"\n', "business.fr"),
    ],
)
def test_a_mistake_in_a_businesss_texts_is_named(tmp_path, portal, key):
    text = f'{PORTAL}{portal}[site]\nlocales = ["en", "de"]\n'
    assert the_mistake(write_brand(tmp_path, portal=text)).key == key


def test_a_language_whose_pages_would_stand_where_others_do_is_refused(tmp_path):
    folder = write_brand(tmp_path, portal=PORTAL + '[site]\nlocales = ["en", "my"]\n')
    mistake = the_mistake(folder)
    assert (mistake.key, mistake.line) == ("site.locales[1]", 4)
    assert "/my/" in mistake.found
    assert "my-MM" in mistake.allowed
    for allowed in ('"my", "en"', '"en", "my-MM"'):
        assert not mistakes(write_brand(tmp_path, portal=PORTAL + f"[site]\nlocales = [{allowed}]\n"))


def test_every_beginning_of_a_path_is_known_to_be_taken():
    urls = [Paths("").home, Paths("").account, Paths("").help, Paths("").login_page("x"), Paths("").static("x")]
    begun = {url.split("/")[1] for url in (*urls, *DYNAMIC_PREFIXES) if url != "/"}
    assert begun <= TAKEN


def test_a_language_is_called_what_its_speakers_call_it_in_this_process_and_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    monkeypatch.setattr(locales.disk_cache, "PLACE", tmp_path)
    monkeypatch.setattr(locales.disk_cache, "_BEGAN", 1 << 63)  # whoever edits locales.py runs this too
    for _ in range(2):
        locales._folder.cache_clear()
        locales._about.cache_clear()
        names = {tag: own_name(tag) for tag in ("de", "fr", "ar", "pt-BR")}
        assert names == {"de": "Deutsch", "fr": "Français", "ar": "العربية", "pt-BR": "Português (Brasil)"}
        assert [direction(tag) for tag in names] == ["ltr", "ltr", "rtl", "ltr"]
        assert len([each for each in tmp_path.rglob("*") if each.is_file()]) == len(names)
    locales._folder.cache_clear()


def test_a_base_theme_may_speak_more_languages_than_a_brand_offers(tmp_path):
    write_brand(tmp_path, "base", theme=THEME + '[words.de]\nlogin_heading = "Moin"\nlogin_button = "Los"\n')
    child = write_brand(tmp_path, theme='extends = "base"\n[words.de]\nlogin_heading = "Servus"\n')
    brand = load(child)
    assert brand.theme.own_words["de"] == {"login_heading": "Servus", "login_button": "Los"}


def test_a_merchants_own_reasons_to_cancel_are_said_in_their_language_only():
    brand = next(each for each in brands() if each.name == "plain")
    renderer = Renderer(brand, Assets.of(brand), Paths(brand.base))
    card = next(
        each.view
        for each in examples.load()
        if each.fragment == "card" and each.view.feedback and each.view.feedback.texts
    )
    own = str(escape(next(iter(card.feedback.texts.values()))))
    assert own in renderer.fragment(card, "en")
    assert own not in renderer.fragment(card, "de")
