"""Catalogs follow the templates, and nothing that a translator writes breaks a page unseen."""

from datetime import UTC, datetime

import pytest

from server import brands
from server.publishing import catalogs as translating
from server.publishing import checking
from server.rendering import words
from tests.support.brands import PORTAL, write_brand

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture(autouse=True)
def own_catalogs(tmp_path, monkeypatch, said):
    """A folder of catalogs of this test's own; the templates are read once."""
    monkeypatch.setattr(translating, "extracted", lambda: said)
    monkeypatch.setattr(words, "LOCALES", tmp_path)
    words.translations.cache_clear()
    yield tmp_path
    words.translations.cache_clear()


def translate(folder, tag, **said):
    """Begin a catalog with these translations, by a piece of the original."""
    translating.update(tag, NOW)
    path = folder / tag / "portal.po"
    text = path.read_text()
    for original, translation in said.items():
        entry = f'msgid "{original.replace("_", " ")}"\nmsgstr ""'
        assert entry in text
        text = text.replace(entry, entry[:-2] + f'"{translation}"')
    path.write_text(text)
    return path


def test_a_new_catalog_holds_every_text_of_the_templates_and_themes(own_catalogs):
    translated, texts = translating.update("de", NOW)
    assert translated == 0
    catalog = translating.read("de")
    assert len(catalog) == texts > 900
    for text in ("Log out", "Send the passcode", "Questions about an invoice or a subscription? We are happy to help."):
        assert catalog.get(text)
    assert catalog.get("Every %(num)s month").id == ("Every %(num)s month", "Every %(num)s months")


def test_writing_it_anew_keeps_the_words_and_drops_what_no_template_says(own_catalogs):
    path = translate(own_catalogs, "de", Log_out="Abmelden")
    path.write_text(path.read_text() + '\nmsgid "Gone"\nmsgstr "Weg"\n')
    assert any("'Gone' is said by no template" in each.message for each in translating.problems("de"))
    assert translating.update("de", NOW)[0] == 1
    first = path.read_bytes()
    assert b'"Abmelden"' in first
    assert b"Gone" not in first
    translating.update("de", datetime(2030, 1, 1, tzinfo=UTC))
    assert path.read_bytes() == first


def test_a_locale_speaks_its_own_words_else_those_of_its_language(own_catalogs):
    translate(own_catalogs, "de", Log_out="Abmelden", Help="Hilfe")
    translate(own_catalogs, "de-CH", Log_out="Ausloggen")
    said = {tag: words.translations(tag).gettext("Log out") for tag in ("de", "de-AT", "de-CH", "en", "fr")}
    assert said == {"de": "Abmelden", "de-AT": "Abmelden", "de-CH": "Ausloggen", "en": "Log out", "fr": "Log out"}


@pytest.mark.parametrize(
    ("original", "translation", "mistake"),
    [
        ("For_example_%(code)s", "Zum Beispiel", "it lacks %(code)s"),
        ("For_example_%(code)s", "Etwa %(kode)s", "it may hold %(code)s"),
        ("For_example_%(code)s", "Etwa %(code)s, 100 %", "it may hold %(code)s"),
        ("Log_out", "Zu 100 % abmelden", "it may hold no placeholders"),
        ("Log_out", "<b>Abmelden</b>", "tags"),
        ("Log_out", "Ab & weg", "tags"),
        ("Log_out", "<script>alert(1)</script>", "tags"),
        ("Log_out", " Abmelden", "begin and end with a space"),
        ("Send_the_passcode", "Den einmaligen Zugangscode senden", "allowed: 30"),
    ],
)
def test_a_translation_that_would_break_a_page_is_named_with_file_and_line(
    own_catalogs, original, translation, mistake
):
    path = translate(own_catalogs, "de", **{original: translation})
    (found,) = [each for each in translating.problems("de") if "have no translation" not in each.message]
    assert mistake in found.message
    assert found.where == "site/locales/de/portal.po"
    assert original.replace("_", " ") in path.read_text().splitlines()[found.line - 1]


def test_what_is_missing_is_counted_and_fuzzy_marks_are_named(own_catalogs):
    path = translate(own_catalogs, "de", Log_out="Abmelden")
    path.write_text(path.read_text().replace('msgid "Log out"', '#, fuzzy\nmsgid "Log out"'))
    messages = [each.message for each in translating.problems("de")]
    assert any("texts have no translation; the first is 'As of'" in each for each in messages)
    assert any("'Log out' is marked fuzzy" in each for each in messages)


def test_a_file_that_is_no_catalog_is_named(own_catalogs):
    path = translate(own_catalogs, "de")
    path.write_bytes(b"\xff\xfe\x00")
    (found,) = translating.problems("de")
    assert str(path) in found.message


@pytest.mark.parametrize("tag", ["deutsch", "xx", "../de", "de_AT", "DE", ""])
def test_only_a_locale_begins_a_catalog(own_catalogs, tag):
    with pytest.raises(translating.CatalogError, match="allowed: a tag such as de"):
        translating.update(tag, NOW)
    assert not list(own_catalogs.iterdir())


def test_a_brand_in_a_language_without_words_is_told(tmp_path):
    brand = brands.load(write_brand(tmp_path, portal=PORTAL + '[site]\nlocales = ["en", "en-GB", "pt-BR"]\n'))
    (found,) = [each for each in checking.brand_problems(brand) if each.rule == "words"]
    assert "there are no words for pt-BR" in found.message
