"""The demo's inbox at `/_demo/inbox`: every mail that this process sent, as HTML in a sandboxed frame and as text.

A middleware of the demo only; production has neither the paths nor a mailer that keeps anything. It answers GET for the
demo's own host names, since another site could point its name at loopback and read along.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from typing import Any

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from server.rendering.renderer import Renderer
from server.web.static_files import PLAIN, answer, answer_bare

_PATH = re.compile(r"/_demo/inbox(?:/(\d{1,6})(/html)?)?/?")
_FRAME = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"


class Shown(msgspec.Struct, frozen=True):
    number: int
    sender: str
    to: str
    subject: str
    date: str
    text: str
    html: str


class Inbox:
    """ASGI middleware. `messages` gives what was sent so far, oldest first; `portals` are names and log-in URLs."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        messages: Callable[[], Sequence[EmailMessage]],
        renderer: Renderer,
        portals: Sequence[tuple[str, str]],
        hosts: frozenset[str],
    ) -> None:
        self._app, self._messages, self._renderer = app, messages, renderer
        self._portals, self._hosts = portals, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == ScopeType.HTTP else ""
        is_here = dict(scope.get("headers", ())).get(b"host", b"").decode("latin-1") in self._hosts
        if path == "/" and is_here:
            await answer_bare(send, 303, [(b"location", b"/_demo/inbox")])
        elif not path.startswith("/_demo/"):
            await self._app(scope, receive, send)
        elif not is_here or scope.get("method") != "GET":
            await answer_bare(send, 403, PLAIN, b"The inbox is for this machine only.\n")
        else:
            await self._show(send, path)

    async def _show(self, send: Send, path: str) -> None:
        found = _PATH.fullmatch(path)
        mails = [shown(number, message) for number, message in enumerate(self._messages(), 1)]
        if found and found[1] is None:
            await self._page(send, "demo/inbox.html", mails=mails[::-1], portals=self._portals)
        elif found and 0 < int(found[1]) <= len(mails):
            mail = mails[int(found[1]) - 1]
            if found[2]:
                await _html(send, mail.html, _FRAME)
            else:
                await self._page(send, "demo/mail.html", mail=mail)
        else:
            await answer_bare(send, 404, PLAIN, b"No such mail.\n")

    async def _page(self, send: Send, template: str, **context: Any) -> None:
        await page(send, self._renderer, template, **context)


async def page(
    send: Send, renderer: Renderer, template: str, *, form: bool = False, status: int = 200, **context: Any
) -> None:
    """Answer one of the demo's own pages; `form`: it may send a form to this origin."""
    html = renderer.text(template, **context)
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256((style[1] if style else "").encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; font-src 'self'; img-src 'self'; frame-src 'self'"
    action = "'self'" if form else "'none'"
    await _html(send, html, f"{policy}; base-uri 'none'; form-action {action}; frame-ancestors 'none'", status)


def shown(number: int, message: EmailMessage) -> Shown:
    parts = {kind: message.get_body((kind,)) for kind in ("plain", "html")}
    bodies = {kind: str(part.get_content()) if part else "" for kind, part in parts.items()}
    headers = {key: str(message[key]) for key in ("From", "To", "Subject", "Date")}
    return Shown(
        number, headers["From"], headers["To"], headers["Subject"], headers["Date"], bodies["plain"], bodies["html"]
    )


async def _html(send: Send, html: str, policy: str, status: int = 200) -> None:
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-security-policy", policy.encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
    ]
    await answer(send, status, headers, html.encode())
