"""The catalogs that are shipped: whole, in step with the templates, and one word for each concept."""

import re
from datetime import UTC, datetime
from functools import cache

import pytest
from jinja2.nodes import EvalContext

from server.publishing import catalogs as translating
from server.rendering import words

TAGS = translating.tags()

# A text that says the English of a row says one of the words beside it, in whatever form.
TERMS = {
    "de": {
        "passcode": "Einmalcode",
        "promotion code": "Aktionscode",
        "subscription": "Abonnement",
        "payment method": "Zahlungsmethode",
        "tax number": "Steuernummer",
        "billing details": "Rechnungsdaten",
        "receipt": "Quittung",
        "log out": "abmelden|melden Sie sich .*ab",
        "plan": "Tarif",
    },
    "ar": {
        "passcode": "رمز|رموز",
        "promotion code": "(رمز|الرموز|رمزك) ?ا?ل?ترويجي|الترويجي",
        "subscription": "اشتراك",
        "payment method": "طريقة|طرق",
        "tax number": "ضريبي",
        "billing details": "بيانات الفوترة",
        "receipt": "إيصال",
        "log out": "تسجيل الخروج|سجّل الخروج",
        "plan": "باق",
    },
    "fr": {
        "passcode": "code",
        "promotion code": "codes? promo",
        "subscription": "abonnement",
        "payment method": "moyens? de paiement|moyen par défaut",
        "tax number": "numéros? fisca",
        "billing details": "données de facturation",
        "receipt": "reçu",
        "log out": "déconne",
        "plan": "formule",
    },
    "es": {
        "passcode": "código",
        "promotion code": "códigos? promocional",
        "subscription": "suscripci",
        "payment method": "métodos? de pago",
        "tax number": "números? fiscal",
        "billing details": "datos de facturación",
        "receipt": "recibo",
        "log out": "cerrar sesión|cierre de sesión|cierra sesión",
        "plan": "plan",
    },
}

# What the typography of the language does not know.
ODD = {
    "de": r"['\"]| - |\.\.\.",
    "fr": r"['\"]| - |\.\.\.|[^\u202f][;:!?»]|«[^\u202f]",
    "es": r"['\"]| - |\.\.\.|^[^¿]*\?|^[^¡]*!",
    "ar": r"['\"?,;]| - |\.\.\.|[٠-٩]",
}

# How the customer is never spoken to: German says Sie, French vous, Spanish tú.
TOO_NEAR_OR_TOO_FAR = {
    "de": r"\b([Dd]u|[Dd]ir|[Dd]ich|[Dd]ein\w*)\b",
    "fr": r"\b([Tt]u|[Tt]oi|[Tt]on|[Tt]es)\b|[Vv]ous (êtes|serez) (déconnecté|connecté|débité)",
    "es": r"[Uu]sted|\b(Su|su) (saldo|método|seguridad|aplicación bancaria|cuenta|correo)\b|[ai]rselo\b|\w(viarle|éelo)\b|\b(abra|haga|elija|introduzca|escriba|pulse|vuelva|Vuelva)\b|lo que use\b",
    "ar": "أولاً|البنك",
}


@pytest.fixture(autouse=True)
def read_once(monkeypatch, said):
    monkeypatch.setattr(translating, "extracted", lambda: said)


@cache
def texts(tag):
    """Each original of a catalog with all its forms in the other language."""
    return [(translating._forms(each.id), translating._forms(each.string)) for each in translating.read(tag) if each.id]


@pytest.mark.parametrize("tag", TAGS)
def test_a_catalog_says_every_text_and_breaks_no_page(tag):
    found = [str(each) for each in translating.problems(tag)]
    assert not found, f"run `build.py words {tag}`, then translate or mend:\n" + "\n".join(found)


@pytest.mark.parametrize("tag", TAGS)
def test_a_catalog_is_as_build_words_writes_it(tag, tmp_path, monkeypatch):
    path = words.LOCALES / tag / "portal.po"
    (tmp_path / tag).mkdir()
    (tmp_path / tag / "portal.po").write_bytes(path.read_bytes())
    monkeypatch.setattr(words, "LOCALES", tmp_path)
    translating.update(tag, datetime(2030, 1, 1, tzinfo=UTC))
    assert (tmp_path / tag / "portal.po").read_bytes() == path.read_bytes(), f"run `build.py words {tag}`"


@pytest.mark.parametrize("tag", TAGS)
def test_each_text_renders_with_what_its_template_passes(tag):
    environment = words.Environment(tag, autoescape=True)
    context = EvalContext(environment)
    gettext, ngettext = environment.globals["gettext"], environment.globals["ngettext"]
    for originals, forms in texts(tag):
        places = set(translating._PLACE.findall(" ".join(originals)))
        values = {name: f"<{name}>" for name in places - {"num"}}
        if len(originals) == 1:
            shown = [gettext(context, *originals, **values)]
        else:
            shown = [ngettext(context, *originals, number, **values) for number in (0, 1, 2, 3, 11, 100)]
            assert len(set(shown)) >= len(set(forms)), f"{originals[0]!r}: a form is never said"
        for each in shown:
            assert all(f"&lt;{name}&gt;" in each for name in values), each
            assert "%(" not in each


@pytest.mark.parametrize("tag", TAGS)
def test_one_concept_has_one_word(tag):
    off = [
        f"{originals[0]!r} is said as {form!r}, without {term}"
        for english, term in TERMS[tag].items()
        for originals, forms in texts(tag)
        if re.search(rf"\b{english}s?\b", translating._PLACE.sub("", originals[0]), re.IGNORECASE)
        for form in forms
        if not re.search(term, form, re.IGNORECASE)
    ]
    assert not off, "\n".join(off)


@pytest.mark.parametrize("tag", TAGS)
def test_the_typography_is_that_of_the_language(tag):
    bare = [re.sub(r"<[^>]*>", "", form) for _, forms in texts(tag) for form in forms]
    assert not [form for form in bare if re.search(ODD[tag], form)]


@pytest.mark.parametrize("tag", TAGS)
def test_the_customer_is_addressed_in_one_way(tag):
    assert not [form for _, forms in texts(tag) for form in forms if re.search(TOO_NEAR_OR_TOO_FAR[tag], form)]
