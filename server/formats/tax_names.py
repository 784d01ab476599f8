"""What a tax number is called on a document.

A VAT number has the name that the law of its country gives it. Who reads another language gets the plain words of that
language, with that name beside them, since the books of the seller's country know no other. A number of another kind is
called by its type's own name: a `Steuernummer` is one that a German tax office gave, and never a VAT number.
"""

from __future__ import annotations

import re

import msgspec

from server.formats.tax_numbers import EUROPEAN, offered, read
from server.formats.tax_types import BY_CODE

_NAMES: dict[str, dict[str, str]] = {
    "AT": {"de": "UID-Nr."},
    "BE": {"nl": "Btw-nummer", "fr": "N° TVA", "de": "MwSt.-Nr."},
    "BG": {"bg": "ДДС №"},
    "CY": {"el": "ΑΦΜ"},
    "CZ": {"cs": "DIČ"},
    "DE": {"de": "USt-IdNr."},
    "DK": {"da": "SE-nr."},
    "EE": {"et": "KMKR number"},
    "EL": {"el": "ΑΦΜ"},
    "ES": {"es": "NIF-IVA"},
    "FI": {"fi": "ALV-numero", "sv": "Momsnummer"},
    "FR": {"fr": "N° TVA intracommunautaire"},
    "HR": {"hr": "PDV ID broj"},
    "HU": {"hu": "Közösségi adószám"},
    "IE": {"en": "VAT number"},
    "IT": {"it": "Partita IVA"},
    "LT": {"lt": "PVM mokėtojo kodas"},
    "LU": {"fr": "N° TVA", "de": "MwSt.-Nr."},
    "LV": {"lv": "PVN reģistrācijas numurs"},
    "MT": {"en": "VAT number"},
    "NL": {"nl": "Btw-identificatienummer"},
    "PL": {"pl": "NIP"},
    "PT": {"pt": "NIF"},
    "RO": {"ro": "Cod de înregistrare TVA"},
    "SE": {"sv": "Momsregistreringsnummer"},
    "SI": {"sl": "ID za DDV"},
    "SK": {"sk": "IČ DPH"},
    "XI": {"en": "VAT number"},
    "GB": {"en": "VAT registration number"},
    "CH": {"de": "MWST-Nr.", "fr": "N° TVA", "it": "N. IVA"},
    "LI": {"de": "MWST-Nr."},
    "NO": {"nb": "Org.nr. (MVA)", "no": "Org.nr. (MVA)"},
}
"""By the country of the number, whose prefix it mostly begins with; by language, the one most used there first."""
_PLAIN = frozenset({"VAT", "GST", "TIN", "EU VAT"})
"""Names of types that are words of English, not a name that the country uses."""


class TaxName(msgspec.Struct, frozen=True):
    kind: str
    """`eu_vat`, `vat`, `gst` or `other`: the words of the reader's language for it."""
    own: str = ""
    """What its country calls it; empty: as the reader's language does."""
    is_own_language: bool = False
    """Whether the reader speaks a language of that country: nothing else has to be said then."""


def name_of(code: str, number: str, language: str) -> TaxName:
    """`code`: Stripe's type of the number, or empty where nothing says."""
    kind = "eu_vat" if code == "eu_vat" else "vat" if "vat" in code else "gst" if "gst" in code else "other"
    if kind in ("eu_vat", "vat"):
        country = number[:2].upper() if code == "eu_vat" else code[:2].upper()
        names = _NAMES.get(country, {})
        own = names.get(language) or next(iter(names.values()), "")
        return TaxName(kind, own, language in names)
    found = BY_CODE.get(code)
    own = "" if found is None or found.name in _PLAIN else found.name
    return TaxName(kind, own, is_own_language=bool(own))


def type_of(number: str, country: str) -> str:
    """The type of a number of which only the country of its holder is known; empty: any other number."""
    bare = re.sub(r"[\s.\-/]", "", number).upper()
    prefix = {"GR": "EL"}.get(country, country)
    looks_european = re.fullmatch(r"([A-Z]{2})[0-9A-Z+*]*[0-9][0-9A-Z+*]*", bare)
    if looks_european and (bare[:2] in EUROPEAN or bare[:2] in ("EL", "XI")) and prefix in ("", bare[:2], "GB", "MC"):
        return "eu_vat"
    own, _ = offered(country)
    return next((each.code for each in own if read(each.code, number, country)), "")
