"""Portal sessions: a URL that opens the portal for one customer, once, within five minutes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

from server.access import directory, portal_sessions
from server.access.configurations import DEFAULT, Kept
from server.access.portal_sessions import Made, Terms
from server.billing import Account, NotFound
from server.brands.portal_file import Url
from server.brands.reading.declared import Keys
from server.brands.reading.keys import OneOf, Pattern, Section, Whole
from server.features.api import configurations, flows
from server.features.api.call import Call, Change, Object
from server.features.api.errors import ApiError, missing
from server.features.api.flows import FlowData
from server.settings import is_loopback
from server.store import Transaction

LOCALES = (
    *("auto", "ar", "bg", "cs", "da", "de", "el", "en", "en-AU", "en-CA", "en-GB", "en-IE", "en-IN", "en-NZ", "en-SG"),
    *(
        "es",
        "es-419",
        "et",
        "fi",
        "fil",
        "fr",
        "fr-CA",
        "hr",
        "hu",
        "id",
        "it",
        "ja",
        "ko",
        "lt",
        "lv",
        "ms",
        "mt",
        "nb",
    ),
    *("nl", "pl", "pt", "pt-BR", "ro", "ru", "sk", "sl", "sv", "th", "tr", "vi", "zh", "zh-HK", "zh-TW"),
)
"""Stripe's, and Arabic, which it does not have."""
ID = r"[A-Za-z0-9_]{1,255}"
_LAST = 2**40


class CustomerLogin(Keys, frozen=True):
    expires_at: Annotated[
        int, Whole("until when (Unix time) the address may be proved", bounds=(0, _LAST), left_out="for a month")
    ] = 0


class AfterExpiration(Keys, frozen=True):
    type: Annotated[
        str,
        OneOf("customer_login: who proves the address gets a session with the same terms", among=("customer_login",)),
    ] = ""
    customer_login: CustomerLogin = CustomerLogin()


class Create(Keys, frozen=True):
    customer: Annotated[str, Pattern("the customer's id", pattern=ID, shape="the id of a customer")] = ""
    customer_account: Annotated[
        str, Pattern("the same, for a customer who is an account", pattern=ID, shape="the id of an account")
    ] = ""
    configuration: Annotated[
        str, Pattern("what holds in the session", pattern=ID, shape="the id of a configuration", left_out="the default")
    ] = ""
    return_url: Annotated[str, Url("where the portal leads back to", left_out="the configuration's")] = ""
    locale: Annotated[
        str, OneOf("the language, where the brand offers it", among=LOCALES, left_out="the customer's")
    ] = ""
    flow_data: Annotated[FlowData, Section("one thing that the customer is led through")] = FlowData()
    after_expiration: Annotated[AfterExpiration, Section("what the URL does once it opens no more")] = AfterExpiration()
    on_behalf_of: Annotated[
        str, Pattern("refused: a brand has one account, so there is nobody to act for", pattern="", shape="nothing")
    ] = ""


async def create(call: Call) -> Change:
    made = call.read(Create)
    account = await _account(call, made)
    kept = await configurations.find(call, made.configuration or DEFAULT, "configuration")
    if not kept.it.active:
        words = f"The configuration '{kept.id}' is inactive and cannot be used to create a session."
        raise ApiError(words, param="configuration")
    check_url(call, made.return_url, "return_url")
    flow = await flows.checked(call, made.flow_data, account, kept) if "flow_data" in call.values else None
    if flow:
        check_url(call, flow.return_url, "flow_data[after_completion][redirect][return_url]")
    recovers, until = _recovery(call, made.after_expiration)
    terms = Terms(call.key.is_live, kept.id, made.return_url, made.locale, flow, recovers, until)

    def work(transaction: Transaction) -> Object:
        begun = portal_sessions.create(transaction, call.portal.name, account.customer.id, terms, call.now)
        made = _answer(call, begun, kept)
        # Whoever has the URL is in: it is the caller's alone.
        call.tell(transaction, account.customer.id, "billing_portal.session.created", {**made, "url": ""})
        return made

    return work


async def _account(call: Call, made: Create) -> Account:
    if bool(made.customer) == bool(made.customer_account):
        words = "You must provide exactly one of customer and customer_account."
        raise ApiError(words, code="parameter_missing", param="customer")
    id_, param = made.customer or made.customer_account, "customer" if made.customer else "customer_account"
    try:
        account = await call.portal.billing.account(id_, call.now)
    except NotFound:
        raise missing("customer", id_, param) from None
    call.check_mode("customer", id_, param)
    if account.customer.disabled or any(await directory.disabled_by(call.portal.store, call.portal.name, id_)):
        raise ApiError(f"The customer '{id_}' may not log in.", param=param)
    return account


def check_url(call: Call, url: str, param: str) -> None:
    """Raises `ApiError` where it is neither https nor, with a key for test data, on this machine."""
    parts = urlsplit(url)
    if url and parts.scheme.lower() != "https" and (call.key.is_live or not is_loopback(parts.hostname or "")):
        allowed = "an https:// URL" + ("" if call.key.is_live else ", or http on 127.0.0.1 or localhost")
        raise ApiError(f"Invalid {param}: allowed: {allowed}", code="url_invalid", param=param)


def _recovery(call: Call, made: AfterExpiration) -> tuple[bool, datetime | None]:
    if "after_expiration" not in call.values:
        return False, None
    if not made.type:
        param = "after_expiration[type]"
        raise ApiError(f"Missing required param: {param}.", code="parameter_missing", param=param)
    at = made.customer_login.expires_at
    if at and datetime.fromtimestamp(min(at, 2**37), UTC) <= call.now:
        param = "after_expiration[customer_login][expires_at]"
        raise ApiError(f"Invalid {param}: it must be in the future", code="parameter_invalid", param=param)
    return True, datetime.fromtimestamp(min(at, 2**37), UTC) if at else None


def _answer(call: Call, made: Made, kept: Kept) -> Object:
    portal, terms = call.portal, made.terms
    is_account = bool(call.values.get("customer_account"))
    until = int(terms.recovers_until.timestamp()) if terms.recovers_until else None
    is_expanded = "configuration" in call.expand
    return {
        "id": made.id,
        "object": "billing_portal.session",
        "after_expiration": {"type": "customer_login", "customer_login": {"expires_at": until}}
        if terms.recovers
        else None,
        "configuration": configurations.answer(portal, kept) if is_expanded else kept.id,
        "created": int(made.created_at.timestamp()),
        "customer": made.customer_id,
        "customer_account": made.customer_id if is_account else None,
        "flow": flows.answer(terms.flow) if terms.flow else None,
        "livemode": terms.is_live,
        "locale": terms.locale or None,
        "on_behalf_of": None,
        "return_url": terms.return_url or None,
        "url": portal.origin + portal.paths.portal_session(made.token),
    }
