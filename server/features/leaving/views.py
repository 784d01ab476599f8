"""The page between a form of ours and a page of the billing side's."""

from __future__ import annotations

from typing import ClassVar

from server.rendering.views import View


class Leave(View, frozen=True):
    """It leads on by itself at once; the link is for a browser that does not."""

    layout: ClassVar[str] = "visitor"

    url: str
    """Where it leads; empty: the minute is over in which it did."""
    host: str
    """Whose page that is, such as `checkout.stripe.com`."""
    back: str
    """Our page that the customer came from; empty: the overview."""
