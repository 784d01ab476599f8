"""A browser for tests that refuses what breaks a house rule, and says how to mend it.

It speaks to the application in memory, keeps cookies, and sends what browsers send: `Sec-Fetch-*` and `Origin`. Every
answer is checked (`check_answer`): headers of safety, `no-store`, no body where it leads on, and for HTML all of `server.html_rules`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx

from server.publishing.rules import html_rules
from tests.support import leaks

_NEVER_MISSING = (
    "content-security-policy",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
)
_HIDDEN_VALUE = re.compile(r'(?<=type="hidden") name="\w+" value="[^"]*"')
_clean: set[tuple[str, Callable[[str], bool] | None, int]] = set()
"""Pages that broke no rule, without the keys and tokens of their forms: most tests log in, past the same few pages."""


class Client(httpx.AsyncClient):
    """One browser. `fragment=True` asks as htmx does; `follow=True` goes where redirects lead."""

    def __init__(
        self,
        app: Any,
        origin: str,
        *,
        peer: str = "203.0.113.7",
        resolves: Callable[[str], bool] | None = None,
        **headers: str,
    ) -> None:
        transport = httpx.ASGITransport(app, client=(peer, 50000))
        agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        super().__init__(transport=transport, base_url=origin, headers={"User-Agent": agent, **headers})
        self.origin, self.resolves = origin, resolves
        self.check = True

    async def request(
        self, method: Any, url: Any, *, fragment: bool = False, follow: bool = False, **rest: Any
    ) -> httpx.Response:
        given = {key.lower(): value for key, value in (rest.pop("headers", None) or {}).items()}
        sent = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
        if method not in ("GET", "HEAD"):
            sent["origin"] = self.origin
        if fragment:
            sent |= {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty", "hx-request": "true"}
        headers = {key: value for key, value in {**sent, **given}.items() if value is not None}
        answer = await super().request(method, url, headers=headers, follow_redirects=follow, **rest)
        if self.check:
            for each in (*answer.history, answer):
                check_answer(each, self.resolves)
        return answer

    async def get(self, url: Any, **rest: Any) -> httpx.Response:
        return await self.request("GET", url, **rest)

    async def post(self, url: Any, **rest: Any) -> httpx.Response:
        return await self.request("POST", url, **rest)

    async def fill(
        self, answer: httpx.Response, *, fragment: bool = False, follow: bool = False, form: int = 0, **words: str
    ) -> httpx.Response:
        """Send the form that a page shows (`form`: which one of those in its main part), its hidden fields included."""
        action, fields = forms_in(answer.text)[form]
        return await self.post(action, data={**fields, **words}, fragment=fragment, follow=follow)


def without_marks(text: str) -> str:
    """Without the names of challenges in forms and URLs, which are random."""
    return re.sub(r"""(challenge(?:=|" value="))[0-9a-f]{12}\b""", r"\1", text)


def forms_in(html: str) -> list[tuple[str, dict[str, str]]]:
    """The action and the fields of every form, except the one that logs out."""
    found = []
    for attributes, inside in re.findall(r"<form([^>]*)>(.*?)</form>", html, re.DOTALL):
        fields = {}
        for tag in re.findall(r"<input[^>]*>", inside):
            name, value = (re.search(rf'\s{each}="([^"]*)"', tag) for each in ("name", "value"))
            if name and ('type="radio"' not in tag or " checked" in tag):
                fields[_text(name[1])] = _text(value[1]) if value else ""
        for name, text in re.findall(r'<textarea[^>]*\sname="([^"]*)"[^>]*>(.*?)</textarea>', inside, re.DOTALL):
            fields[_text(name)] = _text(text)
        action = re.search(r'\saction="([^"]*)"', attributes)
        assert action, "a form without an action"
        if not action[1].endswith("/logout"):
            found.append((_text(action[1]), fields))
    return found


def check_answer(answer: httpx.Response, resolves: Callable[[str], bool] | None = None) -> None:
    """Raises `AssertionError` naming the URL and what is to be changed."""
    where = f"{answer.request.method} {answer.request.url.path} -> {answer.status_code}"
    for name in _NEVER_MISSING:
        assert name in answer.headers, f"{where}: no {name}; server/web/policy.py sends it on every answer"
    assert answer.headers["cache-control"] == "no-store", f"{where}: every dynamic answer is no-store"  # threat 81
    assert answer.headers["cdn-cache-control"] == "no-store", f"{where}: every dynamic answer is no-store for CDNs too"
    assert "cookie" in answer.headers["vary"].lower(), f"{where}: Vary names Cookie"
    assert "etag" not in answer.headers, f"{where}: no ETag on what concerns one customer"  # threat 32
    assert "access-control-allow-origin" not in answer.headers, f"{where}: there is no CORS"  # threat 57
    if "location" in answer.headers or "hx-redirect" in answer.headers:
        assert not answer.content, f"{where}: leads on, and says {answer.text[:40]!r} besides"
    for name, value in answer.headers.multi_items():
        assert not re.search(r"[\r\n]", value), f"{where}: a line break in {name}"  # threat 97
        if name.startswith("hx-"):  # threat 60
            assert name == "hx-redirect", f"{where}: {name} is not one of the HX headers that we send"
            assert re.fullmatch(r"/[^/\\\s][^\\\s]*", value), f"{where}: {name} leads to {value!r}"
    leaks.refuse(where, [answer.content, repr(answer.headers.multi_items())])
    for cookie in answer.headers.get_list("set-cookie"):
        check_cookie(where, cookie, answer.request.url.scheme)
    if answer.headers.get("content-type", "").startswith("text/html") and answer.text:
        is_fragment = "x-portal-fragment" in answer.headers
        policy = answer.headers["content-security-policy"]
        is_nobodys = "<style" not in answer.text  # `server.web.small_page` has none
        assert ("sandbox" in policy) == is_fragment or is_nobodys, (
            f"{where}: a bare fragment is sandboxed, a page of a brand is not"
        )  # threat 72
        kind = "fragment" if is_fragment else "page"
        same = kind, resolves, hash(_HIDDEN_VALUE.sub("", answer.text))
        if same not in _clean:
            problems = html_rules.check(answer.text, kind, resolves, where)
            assert not problems, "\n".join(map(str, problems))
            _clean.add(same)


def check_cookie(where: str, cookie: str, scheme: str) -> None:  # threats 48, 49
    parts = [each.strip().lower() for each in cookie.split(";")]
    is_studio = re.match(r"(__host-)?studio[=-]", parts[0])
    wanted = {"httponly", f"samesite={'strict' if is_studio else 'lax'}", "path=/"} | (
        {"secure"} if scheme == "https" else set()
    )
    assert wanted <= set(parts), f"{where}: cookie {parts[0].split('=')[0]} lacks {wanted - set(parts)}"
    assert not any(each.startswith("domain") for each in parts), f"{where}: a cookie for other hosts"
    assert (scheme == "https") == parts[0].startswith("__host-"), f"{where}: cookies are __Host- ones on https"


def _text(escaped: str) -> str:
    for code, character in (("&lt;", "<"), ("&gt;", ">"), ("&#34;", '"'), ("&#39;", "'"), ("&amp;", "&")):
        escaped = escaped.replace(code, character)
    return escaped
