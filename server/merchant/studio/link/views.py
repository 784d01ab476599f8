"""The log-in link of a brand, as its page shows it."""

from __future__ import annotations

from typing import ClassVar

import segno
from markupsafe import Markup

from server.rendering.views import View


class Link(View, frozen=True):
    """Where customers log in, and what may be done about it."""

    layout: ClassVar[str] = "brand"

    url: str = ""
    """Empty: no link is active."""
    is_test: bool = False
    may_edit: bool = False
    may_go_live: bool = False
    """With a passkey, a link for live data may be activated and changed."""
    is_served: bool = True
    """A change counts at once. Otherwise pages are built, and a new brand is served, by a command."""
    is_new: bool = False
    """The brand was made just now."""
    done: str = ""
    """`activated` or `deactivated`; empty: nothing was done."""
    mistakes: tuple[str, ...] = ()
    """Why nothing was done."""

    @property
    def qr_code(self) -> Markup:
        """The link as a picture that phones read, on white with its margin: also where the page is dark."""
        made = segno.make(self.url, micro=False, error="m")
        svg = made.svg_inline(border=4, light="#fff", dark="#000", omitsize=True, svgclass="qr-code")
        named = str(svg).replace("<svg ", '<svg role="img" aria-label="QR code of the link" ', 1)
        return Markup(named)  # noqa: S704 (paths alone: the link is in none of its texts)


class ConfirmLink(View, frozen=True):
    """What is asked before a link that customers may have dies."""

    layout: ClassVar[str] = "brand"

    url: str
    do: str
    """`activate` or `deactivate`."""
    kind: str
    """`test` or `live`: the data that the new link is for."""
    is_test: bool
    """The link that dies is for test data."""
