"""What Stripe answers when it does not do what was asked: one exception, with the fields of Stripe's error object."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """An answer of 4xx: `error` is its object, without what only the request knows."""

    def __init__(self, status: int, kind: str, message: str, **more: Any) -> None:
        self.status = status
        self.error: dict[str, Any] = {"type": kind, "message": message} | more
        super().__init__(message)


def invalid(message: str, *, param: str | None = None, code: str | None = None, status: int = 400) -> Refusal:
    more = {key: value for key, value in (("param", param), ("code", code)) if value is not None}
    return Refusal(status, "invalid_request_error", message, **more)


def missing(kind: str, identity: str, param: str = "id") -> Refusal:
    what = "account" if kind == "v2.core.account" else kind.rpartition(".")[2]
    return invalid(f"No such {what}: '{identity}'", param=param, code="resource_missing", status=404)


def declined(decline_code: str, intent: dict[str, Any] | None = None) -> Refusal:
    """A card's bank said no: 402."""
    code = decline_code if decline_code in ("expired_card", "incorrect_cvc", "processing_error") else "card_declined"
    more = {"payment_intent": intent} if intent else {}
    return Refusal(402, "card_error", _SENTENCES.get(decline_code, "Your card was declined."), code=code,
                   decline_code=decline_code, **more)  # fmt: skip


def needs_action(intent: dict[str, Any] | None = None) -> Refusal:
    more = {"payment_intent": intent} if intent else {}
    return Refusal(402, "card_error", "This payment requires additional user action before it can be completed.",
                   code="invoice_payment_intent_requires_action", **more)  # fmt: skip


_SENTENCES = {
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
}
