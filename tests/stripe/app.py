"""One request to the API, from the bytes that came to the bytes that go: `Standin.answer`. No socket, no waiting.

Order: key, version, path, permission, parameters, a fault that was ordered, idempotency, the handler, the answer's shape.
A request or an answer that the SDK's types do not allow is also kept in `violations`: a test asserts that there is none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.stripe import faults, idempotency, keys, rendering, routing
from tests.stripe.billing.timeline import advance
from tests.stripe.errors import Refusal, invalid
from tests.stripe.faults import Fault
from tests.stripe.forms import parsed
from tests.stripe.keys import Key
from tests.stripe.operations import Operation
from tests.stripe.shapes import Misfit
from tests.stripe.webhooks import Feed
from tests.stripe.world import VERSION, Json, World

KEY = "rk_test_standin_0123456789"


@dataclass(frozen=True)
class Request:
    verb: str
    path: str
    query: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    delay: float = 0.0
    cut_after: int | None = None
    """The connection closes after so many bytes of the answer; None: it is sent whole."""


@dataclass(frozen=True)
class Logged:
    """One request, as the log keeps it."""

    operation: str
    verb: str
    path: str
    params: Json
    idempotency_key: str
    status: int
    replayed: bool
    fault: str


@dataclass
class Standin:
    world: World
    keys: dict[str, Key] = field(default_factory=lambda: {KEY: Key(KEY)})
    log: list[Logged] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    answers: idempotency.Answers = field(default_factory=idempotency.Answers)
    feed: Feed = field(default_factory=Feed)
    name: str = ""
    """Of one account among several."""
    kept: bytes = b""
    """Every object, as it was when a test said `remember`."""
    at: int = 0
    """Stripe's time when the last request came: a clock that runs brings what fell due since."""

    def __post_init__(self) -> None:
        self.at = self.world.now
        self.world.told.append(self.feed.waiting_for)

    def count(self, operation: str = "") -> int:
        """How many requests came, of this operation or of any."""
        return sum(operation in ("", each.operation) for each in self.log)

    def remember(self) -> None:
        self.kept = self.world.packed()

    def begin_again(self) -> None:
        """As it was when it was told to remember. Faults and the log are gone, and answers about what is gone; ids go on."""
        self.world.unpack(self.kept)
        self.answers.kept.clear()
        self.faults.clear()
        self.log.clear()
        self.feed.waiting.clear()

    def tick(self) -> None:
        if self.world.now != self.at:
            advance(self.world, self.world.now)
            self.at = self.world.now

    def answer(self, request: Request) -> Answer:
        self.tick()
        exchange = _Exchange(self, request)
        answer = exchange.run()
        self.log.append(exchange.logged(answer.status))
        return answer


class _Exchange:
    """One request while it is answered: what is known of it so far."""

    def __init__(self, standin: Standin, request: Request) -> None:
        self.standin, self.request, self.world = standin, request, standin.world
        self.request_id = f"req_standin{len(standin.log) + 1:06d}"
        self.name, self.params, self.fault, self.replayed = "unknown", {}, None, False  # type: ignore[var-annotated]
        self.idempotency_key = request.headers.get("idempotency-key", "") if request.verb == "post" else ""

    def logged(self, status: int) -> Logged:
        fault = self.fault.kind if self.fault else ""
        return Logged(self.name, self.request.verb, self.request.path, self.params, self.idempotency_key, status,
                      self.replayed, fault)  # fmt: skip

    def run(self) -> Answer:
        try:
            key = keys.sender(self.standin.keys, self.request.headers.get("authorization", ""), self.world)
            self._check_version()
            operation, handler, ids = self._found()
            self.name = operation.name
            keys.check_permission(key, operation)
            self.params = self._typed(operation)
            tree = self._tree(operation)
        except Refusal as refusal:
            return self._refused(refusal)
        self.fault = faults.taken(self.standin.faults, self.name)
        if self.fault and self.fault.kind not in faults.DONE:
            return self._not_done(self.fault.kind)
        try:
            return self._after(self._done(key, operation, handler, ids, tree))
        except Refusal as refusal:
            return self._after(self._refused(refusal))

    def _check_version(self) -> None:
        version = self.request.headers.get("stripe-version", "")
        if version != VERSION:
            raise invalid(f"Invalid Stripe API version: {version or '(none)'}. This stand-in speaks {VERSION} only.")

    def _found(self) -> tuple[Operation, routing.Handler, tuple[str, ...]]:
        found = routing.found(self.request.verb, self.request.path)
        if found is None:
            raise invalid(f"Unrecognized request URL ({self.request.verb.upper()}: {self.request.path}).", status=404)
        operation, handler, ids = found
        if handler is None:
            self.standin.violations.append(f"{operation.name}: the stand-in does not do this")
            raise Refusal(501, "api_error", f"The stand-in does not do {operation.name}.")
        return operation, handler, tuple(unquote(each) for each in ids)

    def _typed(self, operation: Operation) -> Json:
        try:
            if operation.path.startswith("/v2/") and self.request.verb != "get":
                return operation.typed(json.loads(self.request.body or b"{}"))
            reads = self.request.verb in ("get", "delete")
            return operation.typed(parsed(self.request.query if reads else self.request.body.decode()))
        except Misfit as misfit:
            self.standin.violations.append(f"{operation.name}: request: {misfit}")
            path = misfit.path[0] + "".join(f"[{name}]" for name in misfit.path[1:]) if misfit.path else ""
            code = "parameter_unknown" if "not known" in misfit.problem else "parameter_invalid"
            said = (
                f"Received unknown parameter: {path}"
                if code == "parameter_unknown"
                else f"Invalid {path}: {misfit.problem}"
            )
            raise invalid(said, param=path, code=code) from None

    def _tree(self, operation: Operation) -> rendering.Tree:
        try:
            if operation.path.startswith("/v2/"):
                return rendering.tree_of(each.partition(".")[0] for each in self.params.get("include", ()))
            return rendering.tree_of(self.params.get("expand", ()))
        except Refusal as refusal:
            self.standin.violations.append(f"{operation.name}: request: {refusal}")
            raise

    def _done(
        self, key: Key, operation: Operation, handler: routing.Handler, ids: tuple[str, ...], tree: rendering.Tree
    ) -> Answer:
        digest = idempotency.digest_of(self.request.verb, self.request.path, self.request.body)
        if self.idempotency_key:
            kept = self.standin.answers.replay(key.text, self.idempotency_key, digest, self.world.now)
            if kept:
                self.replayed = True
                return self._sent(
                    kept.status, kept.body, {"idempotent-replayed": "true", "original-request": kept.request_id}
                )
        try:
            answer = self._sent(200, json.dumps(self._body(operation, handler, ids, tree)).encode())
        except Refusal as refusal:
            if refusal.status != 402:
                raise
            answer = self._refused(refusal)
        if self.idempotency_key:
            status, body = answer.status, answer.body
            if self.fault and self.fault.kind == "500_done":
                failed = self._refused(faults.refusal_of("500"))
                status, body = failed.status, failed.body
            kept = idempotency.Kept(digest, status, body, self.request_id, self.world.now)
            self.standin.answers.keep(key.text, self.idempotency_key, kept)
        return answer

    def _body(self, operation: Operation, handler: routing.Handler, ids: tuple[str, ...], tree: rendering.Tree) -> Json:
        found = handler(routing.Call(self.world, ids, self.params, tree))
        if isinstance(found, rendering.Shown):
            body: Json = dict(found)
        elif found["object"] in ("list", "search_result"):
            if unknown := tree.keys() - {"data"}:
                raise invalid(f"This property cannot be expanded ({min(unknown)}).", param="expand")
            body = {**found, "data": [rendering.shown(self.world, row, tree.get("data")) for row in found["data"]]}
        else:
            body = rendering.shown(self.world, found, tree)
        try:
            operation.check_answer(body)
        except Misfit as misfit:
            self.standin.violations.append(f"{operation.name}: answer: {misfit}")
            raise Refusal(500, "api_error", f"The stand-in would answer another shape than Stripe: {misfit}") from None
        return body

    def _not_done(self, kind: str) -> Answer:
        if kind == "refused":
            return Answer(0, {}, b"", cut_after=0)
        if kind == "html":
            return Answer(502, {"content-type": "text/html"}, faults.HTML)
        answer = self._refused(faults.refusal_of(kind))
        if kind == "429_retry":
            answer.headers["stripe-should-retry"] = "true"
        return answer

    def _after(self, answer: Answer) -> Answer:
        """The answer, as the fault lets it through."""
        kind = self.fault.kind if self.fault else ""
        if kind == "late" and self.fault:
            return Answer(answer.status, answer.headers, answer.body, delay=self.fault.seconds)
        if kind in ("cut", "lost"):
            return Answer(
                answer.status, answer.headers, answer.body, cut_after=len(answer.body) // 2 if kind == "cut" else 0
            )
        if kind == "500_done":
            return self._refused(faults.refusal_of("500"))
        if kind == "shape":
            return Answer(200, answer.headers, b'{"object": "list", "data": {"surprise": true}}')
        return answer

    def _refused(self, refusal: Refusal) -> Answer:
        error: dict[str, Any] = {
            **refusal.error,
            "request_log_url": f"https://dashboard.stripe.com/test/logs/{self.request_id}",
        }
        return self._sent(refusal.status, json.dumps({"error": error}).encode())

    def _sent(self, status: int, body: bytes, more: dict[str, str] | None = None) -> Answer:
        headers = {"content-type": "application/json", "request-id": self.request_id, "stripe-version": VERSION}
        if self.idempotency_key:
            headers["idempotency-key"] = self.idempotency_key
        return Answer(status, headers | (more or {}), body)
