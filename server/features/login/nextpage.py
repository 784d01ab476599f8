"""Where log-in leads: a closed table of names, never a URL. Whatever is not in it leads to the overview.

`next` is ``<name>`` or ``<name>:<id>``. `home` is the overview as a whole page; every other name may also be shown in
place, where the request that found nobody logged in had asked for just that.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from server.paths import Paths

PORTAL_SESSION = "portal_session"
_PAGES: dict[str, Callable[[Paths], str]] = {
    "home": lambda paths: paths.overview,
    "overview": lambda paths: paths.overview,
    "subscriptions": lambda paths: paths.subscriptions,
    "history": lambda paths: paths.history,
    "invoices": lambda paths: paths.invoices,
    "payment_methods": lambda paths: paths.payment_methods,
    "payment_method_add": lambda paths: paths.payment_method_add,
    "details": lambda paths: paths.details,
    "details_contact": lambda paths: paths.details_contact,
    "details_address": lambda paths: paths.details_address,
    "details_shipping": lambda paths: paths.details_shipping,
    "details_tax_ids": lambda paths: paths.details_tax_ids,
    "mails": lambda paths: paths.mails,
    "sessions": lambda paths: paths.sessions,
    "accounts": lambda paths: paths.accounts,
}
_PAGES_OF: dict[str, Callable[[Paths, str], str]] = {
    "invoice": lambda paths, id_: paths.invoice(id_),
    "invoice_pay": lambda paths, id_: paths.invoice_pay(id_),
    "subscription": lambda paths, id_: paths.subscription(id_),
    "subscription_cancel": lambda paths, id_: paths.subscription_cancel(id_),
    "subscription_feedback": lambda paths, id_: paths.subscription_feedback(id_),
    "subscription_change": lambda paths, id_: paths.subscription_change(id_),
    "subscription_change_confirm": lambda paths, id_: paths.subscription_change_confirm(id_),
    "subscription_pause": lambda paths, id_: paths.subscription_pause(id_),
    "subscription_unpause": lambda paths, id_: paths.subscription_unpause(id_),
    "subscription_restart": lambda paths, id_: paths.subscription_restart(id_),
    "details_tax_id_remove": lambda paths, id_: paths.details_tax_id_remove(id_),
    "subscription_unpin": lambda paths, id_: paths.subscription_unpin(id_),
    "payment_method_replace": lambda paths, id_: paths.payment_method_replace(id_),
    "payment_method_added": lambda paths, id_: paths.payment_method_added(id_),
    "payment_method_returned": lambda paths, id_: paths.payment_method_returned(id_),
    "payment_method_default": lambda paths, id_: paths.payment_method_default(id_),
    "payment_method_remove": lambda paths, id_: paths.payment_method_remove(id_),
    "sandbox": lambda paths, id_: paths.sandbox(id_),
    "flow": lambda paths, id_: paths.flow(id_),
    # The terms of a session that the business' server made: log-in itself begins another with them, see `routes`.
    PORTAL_SESSION: lambda paths, _: paths.overview,
}
# Those that take a form at the same URL: what was typed into it is posted there again.
_FORMS = frozenset(
    each
    for each in (*_PAGES, *_PAGES_OF)
    if each.startswith(("subscription_", "invoice_pay", "details_"))
    or each in ("payment_method_default", "payment_method_remove", "mails")
)
# Those that only take a form, with no words in it: log-in leads to the card, which has the button again.
_BUTTONS: tuple[Callable[[Paths, str], str], ...] = (
    Paths.subscription_resume,
    Paths.subscription_retain,
    Paths.subscription_change_undo,
)
_OTHER = "-other-"
# To the provider's page, and back with another payment method: log-in leads to the page that has the button and the
# new method among those to choose from.
_BY_PROVIDER: tuple[tuple[str, Callable[[Paths, str], str]], ...] = (
    ("invoice_pay", Paths.invoice_pay_add),
    ("invoice_pay", lambda paths, id_: paths.invoice_pay_added(id_, _OTHER)),
    ("invoice_pay", lambda paths, id_: paths.invoice_pay_returned(id_, _OTHER)),
)

_ID = r"[A-Za-z0-9_-]{1,255}"
_NAME = re.compile(rf"([a-z_]{{1,40}})(?::({_ID}))?")


def known(text: str) -> str:
    """The text where the table has it, else empty."""
    found = _NAME.fullmatch(text)
    if found is None:
        return ""
    return text if found[1] in (_PAGES_OF if found[2] else _PAGES) else ""


def path_of(paths: Paths, text: str) -> str:
    """The URL of the page; the overview's for what the table does not have."""
    name, _, id_ = (known(text) or "home").partition(":")
    return _PAGES_OF[name](paths, id_) if id_ else _PAGES[name](paths)


def portal_session_in(text: str) -> str:
    """The id of the session whose terms are to hold again; empty: none is asked for."""
    name, _, id_ = known(text).partition(":")
    return id_ if name == PORTAL_SESSION else ""


def is_in_place(text: str) -> bool:
    """Whether the page was what a fragment asked for, so that it belongs where log-in opened."""
    return known(text) not in ("", "home") and not portal_session_in(text)


def takes_form(text: str) -> bool:
    return known(text).partition(":")[0] in _FORMS


def of_request(brand: str, path: str) -> str:
    """The name of the page that a request to the server's `path` asked for; `home` where it was no page."""
    paths = Paths(f"/{brand}")
    for name, page in _PAGES.items():
        if name != "home" and page(paths) == path:
            return name
    if path.startswith(f"{paths.sessions}/") or path == paths.logout_everywhere:
        return "sessions"
    if path.startswith(f"{paths.accounts}/"):
        return "accounts"
    for name, page_of in (*_PAGES_OF.items(), *(("subscription", button) for button in _BUTTONS), *_BY_PROVIDER):
        before, _, after = page_of(paths, "-id-").partition("-id-")
        after = re.escape(after).replace(re.escape(_OTHER), _ID)
        found = re.fullmatch(f"{re.escape(before)}({_ID}){after}", path)
        if found:
            return f"{name}:{found[1]}"
    return "home"
