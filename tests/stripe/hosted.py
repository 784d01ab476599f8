"""The pages that Stripe hosts."""

from __future__ import annotations

from tests.stripe.app import Answer, Request, Standin


def answer(standin: Standin, request: Request) -> Answer:
    return Answer(404, {"content-type": "text/html"}, b"<h1>Not here</h1>")
