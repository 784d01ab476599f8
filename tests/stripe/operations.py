"""Every request that the installed SDK can send to the services named here: its path, its parameters, its answer.

They are read from the source of the SDK's services, so an upgrade of the SDK changes them by itself.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pickle
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.stripe.shapes import checked, resolved

_SERVICES = (
    *(
        "account",
        "charge",
        "coupon",
        "credit_note",
        "customer",
        "customer_balance_transaction",
        "customer_payment_method",
    ),
    *("customer_tax_id", "event", "invoice", "invoice_item", "invoice_line_item", "invoice_payment", "payment_intent"),
    *(
        "payment_method",
        "price",
        "product",
        "promotion_code",
        "refund",
        "setup_intent",
        "subscription",
        "subscription_item",
    ),
    *("subscription_schedule", "tax_id", "tax_rate", "webhook_endpoint", "checkout.session", "v2.core.account"),
)
_FITTING: set[tuple[str, int]] = set()
"""Answers that were looked at before, by operation and hash of their text: most are given again, by a world like the last."""
_HOLE = re.compile(r"\{\w*\}")


@dataclass(frozen=True)
class Operation:
    name: str
    """Such as `subscription.update`: the service and its method."""
    verb: str
    path: str
    """With `{}` for each id."""
    params: Any
    answer: Any
    home: str
    """The module whose names the two annotations use."""

    def typed(self, sent: dict[str, Any]) -> dict[str, Any]:
        """The parameters in the SDK's types. Raises `Misfit`."""
        return dict(checked(sent, self.params, self.home, form=not self.path.startswith("/v2/")))

    def check_answer(self, body: dict[str, Any]) -> None:
        """Raises `Misfit`."""
        known = self.name, hash(pickle.dumps(body))
        if known not in _FITTING:
            checked(body, self.answer, self.home)
            _FITTING.add(known)


@cache
def operations() -> dict[tuple[str, str], Operation]:
    """By verb and path."""
    return {(each.verb, each.path): each for name in _SERVICES for each in _of(name)}


def _of(name: str) -> Iterator[Operation]:
    *folder, last = name.split(".")
    module = importlib.import_module(".".join(["stripe", *folder, f"_{last}_service"]))
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.FunctionDef) and (request := _request(node)) is not None:
            verb, path = request
            params = next(arg.annotation for arg in node.args.args + node.args.posonlyargs if arg.arg == "params")
            hint = ast.unparse(params).removeprefix("Optional[").removesuffix("]").strip("'\"")
            answer = resolved(resolved(ast.unparse(node.returns), module.__name__), module.__name__)
            yield Operation(f"{name}.{node.name}", verb, path, resolved(hint, module.__name__), answer, module.__name__)


def _request(function: ast.FunctionDef) -> tuple[str, str] | None:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "_request":
            verb, path = node.args[:2]
            text = path.func.value if isinstance(path, ast.Call) else path
            return verb.value, _HOLE.sub("{}", text.value)
    return None
