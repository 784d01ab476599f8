"""What a customer sees when something could not be done: what happened, what it means, what to do next.

`server.web.responding` decides which of them answers what; none is ever shown by a feature's happy path.
"""

from __future__ import annotations

import msgspec

from server.rendering.views import View


class Repeat(msgspec.Struct, frozen=True):
    """The form that asks for the same again. It carries the same key, so nothing happens twice."""

    action: str
    """A method of `Paths` that takes the subject's id, such as `subscription_cancel`; a property where there is none."""
    subject: str
    """An id, or empty."""
    key: str
    customer: str
    fields: dict[str, str] = {}
    """What else the form said."""
    see: str = "subscription"
    """Where the customer sees how it is now: a method of `Paths` that takes the subject's id, or a page of it."""


class NotFound(View, frozen=True):
    """Not there, or not theirs: the two look alike, to the byte."""


class NotUnderstood(View, frozen=True):
    """The request makes no sense: a form of another shape, a method that the address does not take."""

    reason: str = ""
    """`too_large`, or `too_slow` where it did not arrive in time; empty: anything else."""


class OtherCustomer(View, frozen=True):
    """The form came from a page of another account than the one that is logged in now. Nothing was changed."""


class OtherSite(View, frozen=True):
    """The form did not come from our own page: from one of another site, or the browser does not say from where. Nothing
    was changed."""


class Refused(View, frozen=True):
    """The billing side says no. Nothing was changed."""

    reason: str = ""
    """A reason of `billing.Refused`; an unknown word gets the general sentence."""
    subject: str = ""
    """The id of what it was about; empty: nothing."""
    detail: str = ""
    """What the reason leaves open, such as the decline code of a payment that failed."""
    see: str = "subscription"
    """As in `Repeat`."""


class Unavailable(View, frozen=True):
    """The billing side, or our database, is away. Nothing was changed."""

    repeat: Repeat | None = None
    """None: it was only looked at."""
    again: str = ""
    """The path and query, below the brand's `paths.base`, of the page that was asked for; empty: it was a form."""


class Uncertain(View, frozen=True):
    """It was asked and no answer came: it may have happened or not."""

    repeat: Repeat | None = None
    again: str = ""
    """As in `Unavailable`."""


class TooMany(View, frozen=True):
    """Too often. When it may be tried again."""

    minutes: int = 1
    """Rounded up."""


class Broken(View, frozen=True):
    """We were wrong. The log holds one line with the same reference."""

    reference: str
    repeat: Repeat | None = None
    """None: it was only looked at, or it is a form without a key."""
    again: str = ""
    """As in `Unavailable`."""
    is_form: bool = False
    """Something was sent, and may have been saved or not."""
