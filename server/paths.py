"""Every URL of the portal, in one place.

A brand is served under ``/<brand>/…`` by the server, always. A brand with a domain of its own is published at that
domain's root, and its CDN rewrites ``/login``, ``/my/…``, ``/mails/…``, ``/doors/…``, ``/p/session/…``, ``/sandbox/…`` and ``/webhooks/…`` to ``/<brand>/login`` and ``/<brand>/my/…``; so
what a browser sees begins with `Paths.base`, which is then empty. Routes are written with the patterns of the server,
links with the methods of `Paths`; the test of this file holds the two together.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

# Below `base`, a CDN passes these prefixes on to the server; everything else is a file of the build.
DYNAMIC_PREFIXES = ("/login", "/logout", "/my/", "/mails/", "/doors/", "/p/session/", "/sandbox/", "/webhooks/")

STOPS_MAIL = re.compile(r"/[a-z0-9-]+/mails/[a-z_]{1,40}/[A-Za-z0-9_-]{1,400}")
"""On the server, all of a path that `Paths.mail_stop` makes: the one form that may come from anywhere."""

WEBHOOK = re.compile(r"/[a-z0-9-]+/webhooks/stripe")
"""On the server, all of the path at which a brand takes Stripe's events: Stripe's servers post there, and no page does."""

API = re.compile(r"/v1/[A-Za-z0-9_/]{1,400}")
"""All of a path of the API, at the root of a host: what a merchant's back end asks, and no page does. No brand is called so. What
the API does not have is below it too, so that an SDK is told so in the words that it reads."""

TAKEN = frozenset(
    {
        "account",
        "cancel",
        "help",
        "link-not-active",
        "p",
        "static",
        "withdraw",
        *(each.strip("/") for each in DYNAMIC_PREFIXES),
    }
)
"""What the paths of a brand begin with; no language's pages can stand there."""

_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch


@dataclass(frozen=True, slots=True)
class Paths:
    """The URLs of one brand in one language, as its visitors see them: ``base`` is ``""`` or ``"/<brand>"``."""

    base: str
    language: str = ""
    """The tag of a further language, below which its static pages stand; empty for the brand's first one."""

    # The static pages.
    @property
    def home(self) -> str:
        return f"{self.base}/{self.language}/" if self.language else f"{self.base}/"

    @property
    def account(self) -> str:
        return f"{self.home}account/"

    @property
    def help(self) -> str:
        return f"{self.home}help/"

    @property
    def cancel(self) -> str:
        """Where anybody cancels a contract without logging in."""
        return f"{self.home}cancel/"

    @property
    def withdraw(self) -> str:
        """Where anybody withdraws from one."""
        return f"{self.home}withdraw/"

    def login_page(self, link: str, prefilled_email: str | None = None) -> str:
        query = "?" + urlencode({"prefilled_email": prefilled_email}) if prefilled_email else ""
        return f"{self.home}p/login/{_segment(link)}/{query}"

    def static(self, name: str) -> str:
        """An asset under its hashed name."""
        return f"{self.base}/static/{name}"

    # Log-in.
    @property
    def login(self) -> str:
        return f"{self.base}/login"

    def login_to(self, page: str, email: str) -> str:
        """The log-in form with the address filled in, which leads to a page by its name in `login.nextpage`."""
        language = {"language": self.language} if self.language else {}
        return f"{self.login}?{urlencode({'next': page, 'prefilled_email': email, **language})}"

    def login_by_key(self, challenge: str) -> str:
        """The log-in form that asks for a request key, which gets another code, for the address of the challenge with this
        mark."""
        return f"{self.login}?{urlencode({'request_key': '', 'challenge': challenge})}"

    def login_with_key(self, email: str, key: str) -> str:
        """The same with both filled in, for a mail."""
        language = {"language": self.language} if self.language else {}
        return f"{self.login}?{urlencode({'request_key': key, 'prefilled_email': email, **language})}"

    def login_in(self, language: str) -> str:
        """The log-in form in this language, a locale's tag; empty: in whichever fits the browser."""
        return f"{self.login}?{urlencode({'language': language})}" if language else self.login

    def login_again(self, portal_session: str) -> str:
        """The log-in form, after which a session with the terms of that one begins."""
        return f"{self.login}?{urlencode({'next': f'portal_session:{portal_session}'})}"

    def portal_session(self, token: str) -> str:
        """What a merchant's back end sends a customer to: it opens once."""
        return f"{self.base}/p/session/{_segment(token)}"

    @property
    def login_code(self) -> str:
        return f"{self.base}/login/code"

    def login_code_of(self, challenge: str, page: str = "", *, letters: bool = False) -> str:
        """The code form of the challenge with this mark; `page`: where log-in leads, or empty. `letters`: for a code of
        fifteen letters."""
        return f"{self.login_code}?{_given(challenge=challenge, letters='1' if letters else '', next=page)}"

    @property
    def login_resend(self) -> str:
        return f"{self.base}/login/resend"

    @property
    def logout(self) -> str:
        return f"{self.base}/logout"

    @property
    def logout_everywhere(self) -> str:
        return f"{self.base}/my/logout-everywhere"

    @property
    def sessions(self) -> str:
        return f"{self.base}/my/sessions"

    def sessions_after(self, done: str) -> str:
        """With what was just done said: a word of `session_views.DONE`."""
        return f"{self.sessions}?{urlencode({'done': done})}"

    def session_end(self, name: str) -> str:
        return f"{self.sessions}/{_segment(name)}/end"

    @property
    def sessions_end_others(self) -> str:
        return f"{self.sessions}/end-others"

    @property
    def accounts(self) -> str:
        return f"{self.base}/my/accounts"

    def account_open(self, customer_id: str) -> str:
        return f"{self.accounts}/{_segment(customer_id)}/open"

    def mail_stop(self, kind: str, token: str) -> str:
        """What stops mails of this kind, for whoever has the mail that it stands in."""
        return f"{self.base}/mails/{_segment(kind)}/{_segment(token)}"

    def mail_again(self, kind: str, token: str) -> str:
        """Takes that back."""
        return f"{self.mail_stop(kind, token)}/again"

    # What is declared at a door.
    def declare(self, kind: str) -> str:
        """Where the form of that door goes."""
        return f"{self.base}/doors/{_segment(kind)}"

    def declared(self, token: str) -> str:
        """What was declared, for whoever did it."""
        return f"{self.base}/doors/received/{_segment(token)}"

    def declared_pdf(self, token: str) -> str:
        return f"{self.declared(token)}/pdf"

    def declaration_proof(self, token: str) -> str:
        """What the mail about a declaration leads to: it proves the address."""
        return f"{self.base}/doors/proof/{_segment(token)}"

    # What needs a customer.
    @property
    def mails(self) -> str:
        return f"{self.base}/my/mails"

    @property
    def choose_language(self) -> str:
        """Where a customer chooses the language of the pages."""
        return f"{self.base}/my/language"

    @property
    def language_saved(self) -> str:
        """The page that has the choice, with a word that it is saved."""
        return f"{self.mails}?done=language"

    @property
    def mails_saved(self) -> str:
        """With a word that the choice is saved."""
        return f"{self.mails}?done=saved"

    @property
    def overview(self) -> str:
        return f"{self.base}/my/overview"

    @property
    def overview_fresh(self) -> str:
        """The overview, read anew where a copy is kept of what is billed elsewhere."""
        return f"{self.overview}?fresh=1"

    def overview_in(self, shell: str) -> str:
        """The overview for the account's static page in this language, a locale's tag."""
        return f"{self.overview}?{urlencode({'shell': shell})}"

    @property
    def subscriptions(self) -> str:
        return f"{self.base}/my/subscriptions"

    def subscription(self, subscription_id: str) -> str:
        return f"{self.subscriptions}/{_segment(subscription_id)}"

    def subscription_cancel(self, subscription_id: str, *, declined: bool = False) -> str:
        """`declined`: past the offer that is made before a cancellation."""
        return f"{self.subscription(subscription_id)}/cancel{'?offer=declined' if declined else ''}"

    def subscription_retain(self, subscription_id: str) -> str:
        return f"{self.subscription(subscription_id)}/retain"

    def subscription_feedback(self, subscription_id: str) -> str:
        return f"{self.subscription(subscription_id)}/feedback"

    def subscription_resume(self, subscription_id: str) -> str:
        return f"{self.subscription(subscription_id)}/resume"

    def subscription_change(self, subscription_id: str, chosen: Mapping[str, str] | None = None) -> str:
        """`chosen`: what the form begins with, by the names of its fields."""
        return f"{self.subscription(subscription_id)}/change{'?' + urlencode(chosen) if chosen else ''}"

    def subscription_change_confirm(self, subscription_id: str) -> str:
        return f"{self.subscription(subscription_id)}/change/confirm"

    def subscription_change_undo(self, subscription_id: str) -> str:
        return f"{self.subscription(subscription_id)}/change/undo"

    def subscription_pause(self, subscription_id: str) -> str:
        return f"{self.subscription(subscription_id)}/pause"

    def subscription_unpause(self, subscription_id: str) -> str:
        return f"{self.subscription(subscription_id)}/unpause"

    def subscription_restart(self, subscription_id: str) -> str:
        return f"{self.subscription(subscription_id)}/restart"

    def flow(self, type_: str) -> str:
        """The page of a flow by Stripe's word for it, for the customer who comes there."""
        return f"{self.base}/my/flow/{_segment(type_)}"

    @property
    def flow_done(self) -> str:
        """The end of a flow."""
        return f"{self.base}/my/flow/done"

    @property
    def history(self) -> str:
        return f"{self.base}/my/history"

    @property
    def invoices(self) -> str:
        return f"{self.base}/my/invoices"

    def older_invoices(self, before: str, year: int = 0, status: str = "") -> str:
        """The page after an earlier one; `year` and `status` as they were chosen there, 0 and empty for all."""
        chosen = {"year": str(year) if year else "", "status": status, "before": before}
        return f"{self.invoices}?{urlencode({key: value for key, value in chosen.items() if value})}"

    def invoices_csv(self, year: int) -> str:
        return f"{self.invoices}/csv?year={year}"

    def invoices_zip(self, year: int) -> str:
        return f"{self.invoices}/zip?year={year}"

    def invoice(self, invoice_id: str) -> str:
        return f"{self.invoices}/{_segment(invoice_id)}"

    def invoice_paid(self, invoice_id: str) -> str:
        """The invoice, with a word of thanks once it is paid."""
        return f"{self.invoice(invoice_id)}?paid=1"

    def invoice_without(self, invoice_id: str) -> str:
        """The invoice, with a word that the document which was asked for is not to be had."""
        return f"{self.invoice(invoice_id)}?document=none"

    def invoice_pay(self, invoice_id: str) -> str:
        return f"{self.invoice(invoice_id)}/pay"

    def invoice_pay_add(self, invoice_id: str) -> str:
        """To the provider's page, and back with another payment method."""
        return f"{self.invoice_pay(invoice_id)}/add"

    def invoice_pay_added(self, invoice_id: str, method_id: str) -> str:
        """Where the provider's page leads back to."""
        return f"{self.invoice_pay(invoice_id)}/{_segment(method_id)}/added"

    def invoice_pay_returned(self, invoice_id: str, session_id: str) -> str:
        return f"{self.invoice_pay(invoice_id)}/returned/{_segment(session_id)}"

    def invoice_pdf(self, invoice_id: str) -> str:
        return f"{self.invoice(invoice_id)}/pdf"

    def credit_note(self, invoice_id: str, note_id: str) -> str:
        return f"{self.invoice(invoice_id)}/credit-notes/{_segment(note_id)}"

    def credit_note_pdf(self, invoice_id: str, note_id: str) -> str:
        return f"{self.credit_note(invoice_id, note_id)}/pdf"

    def invoice_receipt(self, invoice_id: str) -> str:
        return f"{self.invoice(invoice_id)}/receipt"

    @property
    def payment_methods(self) -> str:
        return f"{self.base}/my/payment-methods"

    @property
    def payment_method_add(self) -> str:
        return f"{self.payment_methods}/add"

    def payment_method_replace(self, method_id: str) -> str:
        return f"{self.payment_methods}/{_segment(method_id)}/replace"

    def payment_method_added(self, method_id: str) -> str:
        return f"{self.payment_methods}/{_segment(method_id)}/added"

    def payment_method_returned(self, session_id: str) -> str:
        """Where a provider's page leads that knows its own session only."""
        return f"{self.payment_methods}/returned/{_segment(session_id)}"

    def payment_method_default(self, method_id: str) -> str:
        return f"{self.payment_methods}/{_segment(method_id)}/default"

    def payment_method_remove(self, method_id: str) -> str:
        return f"{self.payment_methods}/{_segment(method_id)}/remove"

    def subscription_unpin(self, subscription_id: str) -> str:
        """Back to the default payment method."""
        return f"{self.subscription(subscription_id)}/unpin"

    def leave(self, token: str) -> str:
        """Our page that leads on to one of the billing side's."""
        return f"{self.base}/my/leave/{_segment(token)}"

    # The ledger's stand-in for a provider's page.
    def sandbox(self, token: str) -> str:
        return f"{self.base}/sandbox/{_segment(token)}"

    def sandbox_confirm(self, token: str) -> str:
        return f"{self.sandbox(token)}/confirm"

    @property
    def details(self) -> str:
        return f"{self.base}/my/details"

    @property
    def details_contact(self) -> str:
        return f"{self.details}/contact"

    @property
    def details_address(self) -> str:
        return f"{self.details}/address"

    @property
    def details_shipping(self) -> str:
        return f"{self.details}/shipping"

    @property
    def details_email(self) -> str:
        """To another e-mail address, in sessions that may change it."""
        return f"{self.details}/email"

    @property
    def details_email_code(self) -> str:
        return f"{self.details_email}/code"

    @property
    def details_email_code_of_letters(self) -> str:
        return f"{self.details_email_code}?letters=1"

    @property
    def details_email_saved(self) -> str:
        """The details, with a word that the address is another one now."""
        return f"{self.details}?saved=email"

    @property
    def details_tax_ids(self) -> str:
        return f"{self.details}/tax-ids"

    def details_tax_id_remove(self, tax_id: str) -> str:
        return f"{self.details_tax_ids}/{_segment(tax_id)}/remove"

    @property
    def details_export(self) -> str:
        return f"{self.details}/export"


def _given(**fields: str) -> str:
    return urlencode({name: value for name, value in fields.items() if value})


def _segment(text: str) -> str:
    """One segment of a path. Ids are plain nearly always, and quoting costs what a whole row of a list costs."""
    return text if _PLAIN(text) else quote(text, safe="")
