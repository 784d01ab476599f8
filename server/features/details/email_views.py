"""Changing the e-mail address: the form for the new one, and the form for the code that was sent there. Nothing here depends
on whether some customer has the address.
"""

from __future__ import annotations

from datetime import datetime

from server.features.details.form_views import OwnForm
from server.rendering.views import View


class EditEmail(OwnForm, View, frozen=True):
    """The form for the new address, which leads to a code."""

    email: str = ""
    """What the field holds."""
    old: str = ""
    """The address that is there."""
    mistake: str = ""
    """`empty`, `not_an_address`, `same` (as the one that is there), or empty."""
    lapsed: bool = False
    """The code is over, and a new one is needed."""


class ConfirmEmail(OwnForm, View, frozen=True, kw_only=True):
    """The form for the code."""

    address: str
    """Where the code went; an international domain in its ASCII form, so that twins show."""
    sent_at: datetime
    may_resend_at: datetime
    """From when on another code may be asked for."""
    letters: bool = False
    """For a code of fifteen letters, as in log-in."""
    mistake: str = ""
    """`empty`, `no_code` (it cannot be one), `wrong`, `too_soon` (for another code), or empty."""
    tries_left: int = 5
    """How many tries this code has left; shown after a wrong one."""
