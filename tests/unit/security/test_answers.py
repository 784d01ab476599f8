"""Every answer, whatever it is about, leaves with the same headers; odd paths lead nowhere; and a proxy that keeps all it
may keep never shows anybody what is another's."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from msgspec.structs import replace

from server.billing import Billing
from server.publishing import publishing
from server.web.static_files import StaticFiles
from tests.support.accounts import Failing, account, card, invoice, keep, subscription
from tests.support.client import Client
from tests.support.pages import ledger_of
from tests.support.world import BRAND, ORIGIN, World, brands

pytestmark = pytest.mark.anyio

MY = f"/{BRAND}/my"
PAGES = ("overview", "subscriptions", "subscriptions/sub_1", "subscriptions/sub_1/cancel", "history", "invoices",
         "invoices/in_1", "payment-methods", "details")  # fmt: skip
WITH_HISTORY = ("history", "subscriptions/sub_1")
FORM = "application/x-www-form-urlencoded"


async def logged_in(world: World, id_: str = "cus_jenny", address: str = "jenny@example.com", name: str = "") -> Client:
    things = id_.removeprefix("cus_jenny") or "_1"
    own = account(subscription(f"sub{things}"), id=id_, email=address, name=name, invoices=(invoice(f"in{things}"),))
    await keep(world, own)
    browser = world.client()
    await world.log_in(browser, address)
    return browser


class Broken(Failing):
    async def history(self, *_: Any, **__: Any) -> Any:
        raise ZeroDivisionError


def breaking(sqlite_store: Any, clock: Any) -> World:
    def billing(brand: Any, store: Any) -> Billing:
        return Broken(ledger_of(store, brand.name, brand.config.features))

    return World(sqlite_store, clock, billing=billing)


Request = tuple[str, str, dict[str, Any]]
ANSWERS: dict[int, list[Request]] = {
    200: [("GET", f"{MY}/{page}", {}) for page in PAGES if page not in WITH_HISTORY]
    + [("GET", "/orbit/login", {}), ("HEAD", f"{MY}/overview", {}), ("HEAD", "/orbit/login", {})],
    204: [("OPTIONS", f"{MY}/overview", {}), ("OPTIONS", f"/{BRAND}/login", {}), ("OPTIONS", f"{MY}/invoices/in_1", {})],
    303: [("POST", "/orbit/logout", {"content": "", "headers": {"content-type": FORM}}), ("POST", f"/{BRAND}/login/code", {"data": {"code": "1"}})],
    400: [
        ("GET", f"{MY}/overview", {"headers": {"host": "evil.example"}}),
        ("GET", f"{MY}/invoices/in_1%00", {}),
        ("POST", f"{MY}/subscriptions/sub_1/cancel", {"content": "a=1&a=2", "headers": {"content-type": FORM}}),
    ],
    401: [("GET", "/orbit/my/overview", {}), ("POST", "/orbit/my/logout-everywhere", {"data": {"a": "b"}})],
    403: [
        ("POST", f"/{BRAND}/logout", {"headers": {"sec-fetch-site": "cross-site"}}),
        ("GET", f"{MY}/overview", {"headers": {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}}),
        ("POST", "/nobrand/login", {}),
    ],
    404: [("GET", path, {}) for path in ("/", "/nobrand", "/nobrand/login", f"/{BRAND}", f"/{BRAND}/x", f"{MY}/invoices/x")]
    + [("GET", "/healthz", {}), ("GET", "/readyz", {}), ("GET", "/metrics", {}), ("HEAD", "/metrics", {})]
    + [("GET", "/favicon.ico", {}), ("GET", "/orbit/webhooks/x", {}), ("GET", "//", {}), ("GET", "/my/overview", {})],
    405: [("DELETE", f"{MY}/overview", {}), ("HEAD", f"/{BRAND}/logout", {}), ("GET", f"/{BRAND}/logout", {})],
    409: [("POST", f"{MY}/subscriptions/sub_1/cancel", {"data": {"key": "k" * 22, "customer": "cus_sam"}})],
    413: [
        ("POST", f"/{BRAND}/login", {"content": b"email=" + b"x" * 20_000, "headers": {"content-type": FORM}}),
        ("POST", f"/{BRAND}/login", {"content": b"email=" + b"x" * 200_000, "headers": {"content-type": FORM}}),
        ("POST", f"{MY}/subscriptions/sub_1/cancel", {"content": b"x" * 2_000_000, "headers": {"content-type": FORM}}),
    ],
    415: [("POST", f"/{BRAND}/login", {"json": {"email": "jenny@example.com"}})],
    422: [("GET", "/orbit/login?mistake=empty", {})],  # who is logged in to a brand sees no form of its
    500: [("GET", f"{MY}/history", {})],
}  # fmt: skip


@pytest.mark.parametrize("status", ANSWERS)
async def test_every_answer_is_kept_by_nobody_and_framed_by_nobody(sqlite_store: Any, clock: Any, status: int) -> None:
    # threats 32, 60, 61, 81, 97: the client checks them too
    browser = await logged_in(breaking(sqlite_store, clock))
    for (method, url, rest), fragment in itertools.product(ANSWERS[status], (False, True)):
        answer = await browser.request(method, url, fragment=fragment, **rest)
        if not (status == 303 and fragment):
            assert answer.status_code == status, (method, url, answer.status_code)
        where = (method, url)
        assert answer.headers.get_list("cache-control") == ["no-store"], where
        assert answer.headers.get_list("cdn-cache-control") == ["no-store"], where
        assert answer.headers.get_list("x-frame-options") == ["DENY"], where
        (policy,) = answer.headers.get_list("content-security-policy")
        assert "frame-ancestors 'none'" in policy, where
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"], where
        assert "etag" not in answer.headers, where
        assert "last-modified" not in answer.headers, where
        assert "server" not in answer.headers, where


# What caches and servers in between take for the end of a path, or for a file that may be kept.
TAILS = (
    ".css", ".js", ".png", ".ico", ".html", ".json", "/x.css", "/.css", "/", "//", "%2fx.css", "%2F", "%2f..%2f",
    ";x.css", ";jsessionid=1", "%3bx.css", "%23x.css", "%3fx.css", "%0ax.css", "%0d%0aX: y", "%09.css", "%20", "%5cx.css",
    "\\x.css", "$x.css", "!x.css", ",x.css", "~", "'", "%00.css", "%2500.css", "%252fx.css", "%c0%af", "%ff.css", "%e2%80%ae",
    "%EF%BC%8Ex.css", "/robots.txt", "/%2e%2e/login", "..;/x.css", "/static/x.css",
)  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
async def test_a_path_that_is_not_exact_leads_nowhere_and_is_not_kept(world: World, page: str) -> None:  # threat 82
    browser = await logged_in(world)
    own = (await browser.get(f"{MY}/{page}")).text
    for tail in TAILS:
        url = httpx.URL(ORIGIN).copy_with(raw_path=f"{MY}/{page}{tail}".encode())
        answer = await browser.get(url)
        assert answer.status_code in (400, 404), (page, tail, answer.status_code)
        assert answer.headers["cache-control"] == answer.headers["cdn-cache-control"] == "no-store"
        for mine in ("4242", "House blend", "HC-in_1"):
            assert mine not in answer.text, (page, tail)
    assert own == (await browser.get(f"{MY}/{page}")).text or "key" in own


async def test_a_double_slash_or_another_case_is_another_path(world: World) -> None:  # threat 82
    browser = await logged_in(world)
    for path in (f"/{BRAND}//my/overview", f"/{BRAND}/my//overview", f"/{BRAND}/MY/overview", f"/{BRAND.upper()}/my/overview",
                 f"//{BRAND}/my/overview", f"/x/%2e%2e/{BRAND}/my/overview",
                 f"/{BRAND}%2fmy%2foverview", f"/{BRAND}/my%2foverview", f"/{BRAND}/my%5coverview"):  # fmt: skip
        answer = await browser.get(httpx.URL(ORIGIN).copy_with(raw_path=path.encode()))
        assert answer.status_code == 404, path
        assert "House blend" not in answer.text, path


@pytest.mark.parametrize("hostile", ["a\r\nSet-Cookie: x=y", "a\nX: y", "a\rX: y", "\u2028X: y", "é\x0bX", "a\x00b"])
async def test_no_text_of_a_visitor_becomes_a_header(world: World, hostile: str) -> None:  # threats 60, 97
    browser = await logged_in(world)
    for fragment in (False, True):
        for answer in (
            await browser.get(
                f"/{BRAND}/login", params={"prefilled_email": hostile, "next": hostile}, fragment=fragment
            ),
            await browser.get(f"/{BRAND}/login/code", params={"next": hostile}, fragment=fragment),
            await browser.get(f"{MY}/invoices", params={"before": hostile}, fragment=fragment),
            await browser.post(f"/{BRAND}/login", data={"email": f"x@{hostile}", "link": hostile}, fragment=fragment),
            await browser.post(
                f"/{BRAND}/login",
                data={"email": "sam@example.com", "link": world.link(), "next": hostile},
                fragment=fragment,
            ),
            await browser.post(f"/{BRAND}/logout", data={"next": hostile, "return_url": hostile}, fragment=fragment),
        ):
            assert answer.status_code < 500
            for name, value in answer.headers.multi_items():
                assert name != "x", answer.request.url
                assert value.isascii(), (name, value)
                assert value.isprintable(), (name, value)
                assert "x=y" not in value, (name, value)


class KeepingProxy:
    """A shared cache as greedy as the rules allow: it keeps every answer to a GET that `Cache-Control` and
    `CDN-Cache-Control` let it keep, and knows it by its URL and by whatever `Vary` names, cookies left out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.kept: dict[str, tuple[list[Message], list[str], dict[str, str]]] = {}
        self.hits = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        asked = {key.decode(): value.decode("latin-1") for key, value in scope["headers"]}
        url = f"{scope['path']}?{scope['query_string'].decode()}"
        if url in self.kept:
            messages, varies, before = self.kept[url]
            if all(asked.get(name) == before.get(name) for name in varies):
                self.hits += 1
                for message in messages:
                    await send(message)
                return
        said: list[Message] = []

        async def listen(message: Message) -> None:
            said.append(message)
            await send(message)

        await self.app(scope, receive, listen)
        start: Any = said[0]
        headers = httpx.Headers(start["headers"])
        rules = f"{headers.get('cache-control', '')}, {headers.get('cdn-cache-control', '')}"
        if "no-store" not in rules and "private" not in rules:
            varies = [each.strip().lower() for each in headers.get("vary", "").split(",") if each.strip()]
            self.kept[url] = (said, [each for each in varies if each != "cookie"], asked)


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "dist"
    publishing.build(brands(), out)
    return out


@pytest.fixture
def behind(world: World, dist: Path) -> tuple[KeepingProxy, Callable[[], Client]]:
    """A proxy in front of pages and portal, and browsers that go through it."""
    proxy = KeepingProxy(StaticFiles(world.app, dist, [each.name for each in brands()]))

    def browser() -> Client:
        made = Client(proxy, ORIGIN)
        made.check = False  # static files are kept, as they should be
        return made

    return proxy, browser


async def test_behind_a_proxy_that_keeps_what_it_may_everybody_sees_their_own(
    world: World, behind: tuple[KeepingProxy, Callable[[], Client]]
) -> None:  # threats 81, 85
    proxy, browser = behind
    await keep(world, account(subscription("sub_1"), name="Jenny Rosen", invoices=(invoice("in_1"),)))
    sams = account(subscription("sub_2"), id="cus_sam", email="sam@example.com", name="Sam Poe")
    await keep(world, replace(sams, payment_methods=(card(last4="1881"),)))
    jenny, sam, nobody = browser(), browser(), browser()
    paths = [f"{MY}/{page}" for page in PAGES] + [f"/{BRAND}/login", f"/{BRAND}/login/code", f"{MY}/nothing"]
    for path in paths:  # what it would keep of a visitor's answer, errors and redirects
        await nobody.get(path)
    await world.log_in(jenny)
    await world.log_in(sam, "sam@example.com")
    for fragment in (False, True):
        for path in paths:
            answers = {who: await asked.get(path, fragment=fragment) for who, asked in
                       (("jenny", jenny), ("sam", sam), ("nobody", nobody), ("jenny again", jenny))}  # fmt: skip
            for who, answer in answers.items():
                assert ("jenny" in who) or ("jenny@" not in answer.text), (path, who)
                assert who == "sam" or "sam@" not in answer.text, (path, who)
            if path.startswith(f"{MY}/") and "nothing" not in path:
                assert answers["nobody"].status_code == 401, path
                assert answers["jenny"].status_code == 200, path
                # Two histories may be alike; the pages around them name the address.
                assert answers["jenny"].content != answers["sam"].content or (fragment and path == f"{MY}/history"), (
                    path
                )
    assert proxy.kept == {}
    assert proxy.hits == 0


async def test_static_pages_are_the_same_whoever_asks_and_however(
    dist: Path,
    behind: tuple[KeepingProxy, Callable[[], Client]],
) -> None:  # threat 86
    proxy, browser = behind
    asset = min((dist / BRAND / "static").iterdir()).name
    for path in (
        f"/{BRAND}/account/",
        f"/{BRAND}/",
        f"/{BRAND}/help/",
        f"/{BRAND}/static/{asset}",
        f"/{BRAND}/nothing",
    ):
        plain = await browser().get(path, headers={"accept-encoding": "identity"})
        for name, value in UNKEYED.items():
            proxy.kept.clear()
            odd = await browser().get(path, headers={"accept-encoding": "identity", name: value})
            assert odd.content == plain.content, (path, name)
            assert odd.headers.multi_items() == plain.headers.multi_items(), (path, name)
            # And whoever comes next gets what the proxy kept of it: the same.
            assert (await browser().get(path, headers={"accept-encoding": "identity"})).content == plain.content
    assert proxy.hits


UNKEYED = {
    "hx-request": "true",
    "hx-target": "evil",
    "hx-current-url": "https://evil.example/",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "http",
    "x-forwarded-prefix": "/evil",
    "x-original-url": "/evil",
    "x-rewrite-url": "/evil",
    "forwarded": "host=evil.example",
    "origin": "https://evil.example",
    "referer": "https://evil.example/",
    "cookie": f"__Host-{BRAND}-session=x",
    "accept-language": "de",
    "user-agent": "<script>",
    "sec-fetch-dest": "empty",
    "range": "bytes=0-1",
    "content-length": "0",
    "x-http-method-override": "POST",
}
