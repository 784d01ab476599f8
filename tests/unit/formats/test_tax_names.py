"""A tax number is called what the law of its country calls it."""

import pytest

from server.formats.tax_names import name_of, type_of


@pytest.mark.parametrize(
    ("number", "country", "code", "language", "own"),
    [
        ("DE136695976", "DE", "eu_vat", "de", "USt-IdNr."),
        ("DE 136 695 976", "", "eu_vat", "en", "USt-IdNr."),
        ("21/815/08150", "DE", "de_stn", "de", "Steuernummer"),
        ("IT00743110157", "IT", "eu_vat", "it", "Partita IVA"),
        ("EL094259216", "GR", "eu_vat", "el", "ΑΦΜ"),
        ("ATU13585627", "AT", "eu_vat", "de", "UID-Nr."),
        ("FR40303265045", "FR", "eu_vat", "fr", "N° TVA intracommunautaire"),
        ("CHE-107.787.577 MWST", "CH", "ch_vat", "fr", "N° TVA"),
        ("12-3456789", "US", "us_ein", "en", "EIN"),
        ("51824753556", "AU", "au_abn", "en", "ABN"),
        ("whatever", "US", "", "en", ""),
    ],
)
def test_a_number_has_its_countrys_name(number, country, code, language, own):
    assert type_of(number, country) == code
    assert name_of(code, number, language).own == own


@pytest.mark.parametrize("country", ["", "DE", "AT", "US"])
def test_a_german_vat_number_is_never_a_steuernummer(country):
    found = name_of(type_of("DE136695976", country), "DE136695976", "de")
    assert "Steuernummer" not in found.own


def test_who_reads_another_language_gets_plain_words_as_well():
    assert not name_of("eu_vat", "DE136695976", "en").is_own_language
    assert name_of("eu_vat", "BE0428759497", "nl").own == "Btw-nummer"
