"""Secret and restricted keys, and what each may: `customer_read`, `subscription_write`, … Writing includes reading."""

from __future__ import annotations

from dataclasses import dataclass

from tests.stripe.errors import Refusal
from tests.stripe.operations import Operation
from tests.stripe.world import World

_PERMISSIONS = {
    "account": "account", "charge": "charge", "checkout.session": "checkout_session", "coupon": "coupon",
    "credit_note": "credit_note", "customer": "customer", "customer_balance_transaction": "customer",
    "customer_payment_method": "payment_method", "customer_tax_id": "tax_id", "event": "event", "invoice": "invoice",
    "invoice_item": "invoice", "invoice_line_item": "invoice", "invoice_payment": "invoice", "payment_intent": "payment_intent",
    "payment_method": "payment_method", "price": "plan", "product": "product", "promotion_code": "promotion_code",
    "refund": "charge", "setup_intent": "setup_intent", "subscription": "subscription", "subscription_item": "subscription",
    "subscription_schedule": "subscription", "tax_id": "tax_id", "tax_rate": "tax_rate", "webhook_endpoint": "webhook",
    "v2.core.account": "account",
}  # fmt: skip
_READING_POSTS = frozenset({"invoice.create_preview"})
EVERYTHING = frozenset(f"{name}_{how}" for name in _PERMISSIONS.values() for how in ("read", "write"))


@dataclass(frozen=True)
class Key:
    text: str
    permissions: frozenset[str] = EVERYTHING

    @property
    def live(self) -> bool:
        return "_live_" in self.text

    def masked(self) -> str:
        return f"{self.text[:8]}{'*' * 10}{self.text[-4:]}"


def permission_for(operation: Operation) -> str:
    service = operation.name.rpartition(".")[0]
    reads = operation.verb == "get" or operation.name in _READING_POSTS
    return f"{_PERMISSIONS[service]}_{'read' if reads else 'write'}"


def sender(keys: dict[str, Key], authorization: str, world: World) -> Key:
    """The key of a request. Raises Stripe's 401."""
    scheme, _, text = authorization.partition(" ")
    if scheme != "Bearer" or not text:
        raise Refusal(401, "invalid_request_error", "You did not provide an API key. You need to provide your API key in the "
                      "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').")  # fmt: skip
    key = keys.get(text)
    if key is None or key.live != world.livemode:
        raise Refusal(401, "invalid_request_error", f"Invalid API Key provided: {Key(text).masked()}")
    return key


def check_permission(key: Key, operation: Operation) -> None:
    """Raises Stripe's 403, which names what the key lacks."""
    wanted = permission_for(operation)
    if wanted not in key.permissions and wanted.replace("_read", "_write") not in key.permissions:
        raise Refusal(403, "invalid_request_error", f"The provided key '{key.masked()}' does not have the required "
                      f"permissions for this endpoint. Having the 'rak_{wanted}' permission would allow this request to "
                      "continue.", code="more_permissions_required")  # fmt: skip
