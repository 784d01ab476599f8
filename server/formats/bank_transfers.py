"""A bank transfer, as the customer who makes it needs it: account numbers, and the QR code that banking apps read.

The code is the European Payments Council's (EPC069-12, version 002): a transfer in euros to an account in the SEPA area.
For any other there is no such code. Check digits are `python-stdnum`'s, the code itself is `segno`'s.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from server.formats.minor_units import in_units
from server.formats.money import Money

if TYPE_CHECKING:
    import segno

_SEPA = frozenset({
    "AD", "AL", "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GI", "GR", "HR", "HU",
    "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MC", "MD", "ME", "MK", "MT", "NL", "NO", "PL", "PT", "RO", "RS", "SE",
    "SI", "SK", "SM", "VA",
})  # fmt: skip
"""The countries whose accounts a euro transfer reaches by SEPA, by the first letters of their IBANs."""
_LONGEST_NAME, _LONGEST_TEXT, _MOST_CENTS = 70, 140, 99_999_999_999
_QUIET = 4
"""The white modules around the code that its standard asks for."""


class QrCode(msgspec.Struct, frozen=True):
    """Dark squares on white."""

    size: int
    """Modules on a side, the white edge among them."""
    path: str
    """The dark ones as the data of an SVG path, one unit a module."""


def iban(typed: str) -> str:
    """The account number without spaces. Raises `ValueError` where it has not its country's form or a wrong check digit."""
    from stdnum import iban as ibans  # noqa: PLC0415 (every brand is read with this file, and few have an account)

    try:
        return str(ibans.validate(typed, check_country=False))
    except ValueError:
        raise ValueError("an IBAN whose check digits fit, such as DE02 1203 0000 0000 2020 51") from None


def bic(typed: str) -> str:
    """The code of a bank. Raises `ValueError`."""
    from stdnum import bic as bics  # noqa: PLC0415 (as above)

    try:
        return str(bics.validate(typed))
    except ValueError:
        raise ValueError("a BIC of 8 or 11 characters, such as BYLADEM1001") from None


def in_fours(number: str) -> str:
    """An IBAN as it is printed."""
    return " ".join(re.findall(".{1,4}", number))


def epc_code(holder: str, number: str, bank: str, due: Money, reference: str) -> QrCode | None:
    """The code for a transfer of what is due; None where the standard has none. `number`: an IBAN, `bank`: a BIC or empty."""
    is_sepa = due.currency == "EUR" and number[:2] in _SEPA and 0 < due.amount <= _MOST_CENTS
    if not is_sepa or not 0 < len(holder) <= _LONGEST_NAME or not reference.strip():
        return None
    import segno  # noqa: PLC0415 (as above)
    from segno.helpers import make_epc_qr  # noqa: PLC0415

    text, amount = reference.strip()[:_LONGEST_TEXT], in_units(due.amount, due.currency)
    try:
        return _drawn(make_epc_qr(holder, number, amount, text=text, bic=bank or None))
    except (ValueError, UnicodeError, segno.DataOverflowError):  # more bytes than the standard allows
        return None


def _drawn(code: segno.QRCode) -> QrCode:
    """Each run of dark modules in a row as one rectangle."""
    rows = ["".join("1" if dark else "0" for dark in row) for row in code.matrix]
    runs = (
        f"M{run.start() + _QUIET} {y}h{len(run[0])}v1h-{len(run[0])}z"
        for y, row in enumerate(rows, _QUIET)
        for run in re.finditer("1+", row)
    )
    return QrCode(len(rows) + 2 * _QUIET, "".join(runs))
