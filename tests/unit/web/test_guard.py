"""The same-origin check, the hosts, the client's address and the headers of every answer. Rows of security.md §3 A, E, H."""

import itertools
import re
from typing import Any

import msgspec
import pytest

from server.app import create_app
from server.rendering.renderer import Renderer
from server.web.guard import is_same_origin
from tests.support.client import Client, check_answer
from tests.support.world import BRAND, ORIGIN, SETTINGS, World

pytestmark = pytest.mark.anyio

SITES = (None, "same-origin", "same-site", "cross-site", "none", "nonsense", "")
ORIGINS = (
    None,
    ORIGIN,
    "null",
    "http://portal.example",
    "https://portal.example.evil.example",
    "https://evil-portal.example",
    "https://portalxexample",
    "https://portal.example:444",
    "https://portal.example/",
    "",
)
KIND = "renewal_reminder"
CROSS_SITE: tuple[tuple[Any, Any], ...] = (("cross-site", "https://evil.example"), (None, None), ("none", "null"))
ALLOWED = {("same-origin", origin) for origin in ORIGINS} | {(None, ORIGIN)}
UNSAFE_PATHS = (
    "login",
    "login/code",
    "login/resend",
    "logout",
    "mails/renewal_reminder/x1/again",
    "my/mails",
    "my/logout-everywhere",
    "my/subscriptions/sub_1/cancel",
)


@pytest.mark.parametrize("path", UNSAFE_PATHS)
async def test_forms_are_taken_from_our_own_pages_only(world: World, path: str) -> None:  # threats 54, 56, 57
    await world.customer()
    browser = world.client()
    await world.log_in(browser)
    tables = ("session", "challenge", "outbox", "budget")
    before = [await world.rows(table) for table in tables]
    for site, origin in itertools.product(SITES, ORIGINS):
        if (site, origin) in ALLOWED:
            continue
        headers: dict[str, Any] = {"sec-fetch-site": site, "origin": origin}
        for client in (browser, world.client()):
            answer = await client.post(f"/{BRAND}/{path}", data={"code": "123456"}, headers=headers)
            assert answer.status_code == 403, (site, origin)
            assert "set-cookie" not in answer.headers
    assert [await world.rows(table) for table in tables] == before


@pytest.mark.parametrize(("site", "origin"), sorted(ALLOWED, key=str))
async def test_our_own_forms_pass(world: World, site: str | None, origin: str | None) -> None:  # threats 54, 56
    headers: dict[str, Any] = {"sec-fetch-site": site, "origin": origin}
    assert (await world.client().post(f"/{BRAND}/logout", headers=headers)).status_code == 303


async def test_the_origin_of_another_brand_is_another_origin(world: World) -> None:
    headers: dict[str, Any] = {"sec-fetch-site": None, "origin": "https://other.example"}
    assert (await world.client().post("/orbit/logout", headers=headers)).status_code == 403


def test_two_headers_that_differ_are_believed_neither() -> None:
    assert not is_same_origin([(b"sec-fetch-site", b"same-origin"), (b"sec-fetch-site", b"cross-site")], ORIGIN)
    assert not is_same_origin([(b"origin", ORIGIN.encode()), (b"origin", b"https://evil.example")], ORIGIN)


BY_MAIL_PROVIDERS = "/{brand_name}/mails/{kind}/{token}"


async def test_no_route_opts_out_of_the_check_but_the_one_for_mail_providers(world: World) -> None:  # threat 55
    taken = set()
    for route, (site, origin) in itertools.product(world.routed.routes, CROSS_SITE):
        for method in ("POST", *(route.methods - {"GET", "HEAD", "OPTIONS"}), "PUT", "DELETE"):
            path = re.sub(
                r"\{(\w+)\}", lambda found: {"brand_name": BRAND, "kind": KIND}.get(found[1], "x1"), route.path_format
            )
            answer = await world.client().request(method, path, headers={"sec-fetch-site": site, "origin": origin})
            if answer.status_code != 403:
                taken.add((method, route.path_format))
    assert taken == {("POST", BY_MAIL_PROVIDERS)}


@pytest.mark.parametrize(
    "path",
    ["/{b}/mails/{k}/x1/again", "/{b}/mails/{k}/x1/", "/{b}/mails/{k}//x1", "//{b}/mails/{k}/x1", "/{b}/mails/{k}/", "/{b}/mails/x1",
     "/{b}/my/mails", "/{b}/my/mails/{k}/x1", "/{b}/x/mails/{k}/x1", "/{b}/mails/{k}/x1/../../../logout", "/{b}/mails/../logout",
     "/{b}/mails/{k}/x1%2f..%2f..%2f..%2flogout", "/{b}/mails/{k}/x1%0a", "/{b}/mails/{k}/x1;x", "/{b}/mails/{k}/x.1",
     "/{b}/mails/{k}/" + "x" * 401, "/{b}/Mails/{k}/x1", "/{b}/logout?/mails/{k}/x1", "/mails/{k}/x1"],
)  # fmt: skip
async def test_what_only_looks_like_that_one_is_refused(world: World, path: str) -> None:  # threats 54, 55
    for site, origin in CROSS_SITE:
        url = path.format(b=BRAND, k=KIND)
        answer = await world.client().post(url, headers={"sec-fetch-site": site, "origin": origin})
        assert answer.status_code == 403, answer.status_code


async def test_a_script_of_another_site_reads_nothing_but_its_visitors_may_follow_links(
    world: World,
) -> None:  # threat 72
    browser = world.client()
    for mode in ("cors", "no-cors", "same-origin"):
        headers = {
            "sec-fetch-site": "cross-site",
            "sec-fetch-mode": mode,
            "sec-fetch-dest": "empty",
            "hx-request": "true",
        }
        assert (await browser.get(f"/{BRAND}/login", headers=headers)).status_code == 403
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert (await browser.get(f"/{BRAND}/login", headers=headers)).status_code == 200


async def test_a_person_sees_why_a_form_of_another_site_was_refused(world: World) -> None:  # threat 54
    evil: dict[str, Any] = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    old: dict[str, Any] = {"sec-fetch-site": None, "sec-fetch-mode": None, "sec-fetch-dest": None, "origin": "null"}
    for headers in (evil, {**old, "accept": "text/html,*/*"}):
        answer = await world.client().post(f"/{BRAND}/login", headers={**headers, "accept-language": "de"})
        assert (answer.status_code, "Es wurde nichts geändert." in answer.text) == (403, True)
        assert f'href="/{BRAND}/my/overview"' in answer.text
        nobodys = await world.client().post("/nobrand/login", headers=headers)
        assert (nobodys.status_code, "<h1>This request was refused</h1>" in nobodys.text) == (403, True)
    for headers in ({**evil, "sec-fetch-dest": "empty"}, {**evil, "sec-fetch-dest": "image"}, old):
        answer = await world.client().post(f"/{BRAND}/login", headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (403, "text/plain; charset=utf-8")


async def test_an_address_that_cannot_be_is_a_page_and_an_unknown_host_gets_none_of_a_brand(world: World) -> None:
    nowhere = await world.client().get(f"/{BRAND}/a%00b")
    assert (nowhere.status_code, "Page not found" in nowhere.text) == (400, True)
    strange = await world.client().get(f"/{BRAND}/login", headers={"host": "evil.example"})
    assert (strange.status_code, "<h1>We could not read that request</h1>" in strange.text) == (400, True)
    assert "Harbour" not in strange.text  # threat 58


async def test_a_fragment_opened_as_a_page_comes_as_a_page(world: World) -> None:  # threat 72
    answer = await world.client().get(f"/{BRAND}/login", headers={"hx-request": "true", "sec-fetch-dest": "document"})
    assert answer.text.startswith("<!doctype html>")
    assert "x-portal-fragment" not in answer.headers


@pytest.mark.parametrize(
    "host", ["evil.example", "portal.example.evil.example", "portal.example:8443", "", "127.0.0.1"]
)
async def test_another_host_is_refused(world: World, host: str) -> None:  # threat 58
    answer = await world.client().get(f"/{BRAND}/login", headers={"host": host})
    assert answer.status_code == 400


async def test_what_proxies_say_of_the_host_changes_nothing(world: World) -> None:  # threats 58, 86
    browser = world.client()
    plain = await browser.get(f"/{BRAND}/login")
    forwarded = {"x-forwarded-host": "evil.example", "forwarded": "host=evil.example", "x-original-url": "/evil"}
    assert (await browser.get(f"/{BRAND}/login", headers=forwarded)).text == plain.text


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
async def test_the_public_address_answers_nothing_that_is_the_operators(world: World, path: str) -> None:  # threat 27
    assert (await world.client().get(path)).status_code == 404
    assert (await world.client().get(path, headers={"host": "127.0.0.1:9464"})).status_code == 400


@pytest.mark.parametrize(
    "path",
    ["/", "/nobrand/login", f"/{BRAND}", f"/{BRAND}/nothing", f"/{BRAND}/my/overview", f"/{BRAND}/login/code", "/healthz",
     f"/{BRAND}/my/invoices/in_1.css", f"/{BRAND}/my/invoices/in_1/x.css", f"/{BRAND}/my/overview;x.css",
     f"/{BRAND}/my/overview%2fx.css", f"/{BRAND}/my/overview/x.js", f"/{BRAND}/my//overview", f"/{BRAND}/my/overview%00"],
)  # fmt: skip
async def test_every_answer_has_its_headers(world: World, path: str) -> None:  # threats 61, 81, 82
    await world.customer()
    browser = world.client()
    await world.log_in(browser)
    answer = await browser.get(path)  # the client checks its headers
    assert answer.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"
    if any(sign in path for sign in (".css", ".js", ";", "%2f", "%00")):
        assert answer.status_code in (400, 404)


async def test_our_own_mistakes_leave_with_the_headers_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        async def read(self, *_: Any) -> Any:
            raise RuntimeError("code 123456 of jenny@example.com")

    app = create_app(SETTINGS, [each.brand for each in world.routed.state.portals.values()], Broken())  # type: ignore[arg-type]
    browser = Client(app, ORIGIN)
    browser.cookies.set(f"__Host-{BRAND}-challenge", "x" * 43, domain="portal.example")
    answer = await browser.get(f"/{BRAND}/login/code")
    assert answer.status_code == 500
    assert "123456" not in answer.text  # threat 16
    check_answer(answer)


@pytest.mark.parametrize("path", ["login", "nothing", "my/overview"])
async def test_what_fails_over_the_page_of_a_problem_has_a_small_page_with_our_headers(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, path: str
) -> None:  # threats 61, 81
    """As a brand's own layout does that reads what is not there."""

    def broken(*_: Any) -> Any:
        raise LookupError("no such word of jenny@example.com")

    monkeypatch.setattr(Renderer, "page", broken)
    refused = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    for method, headers in (("GET", {}), ("POST", refused)):
        caplog.clear()
        answer = await world.client().request(
            method, f"/{BRAND}/{path}", headers=headers
        )  # the client checks its headers
        assert answer.status_code == 500
        reference = re.findall(r"quote ([0-9a-f]{8})\.", answer.text)[-1]
        assert reference in [getattr(each, "reference", "") for each in caplog.records]
        assert "jenny" not in answer.text  # threat 16


async def test_on_plain_http_cookies_have_no_prefix_and_nothing_insists_on_https(sqlite_store, clock) -> None:
    world = World(sqlite_store, clock, settings=msgspec.structs.replace(SETTINGS, origin="http://127.0.0.1:8000"))
    await world.customer()
    browser = world.client()
    await world.log_in(browser)
    assert f"{BRAND}-session" in browser.cookies
    answer = await browser.get(f"/{BRAND}/my/overview")
    assert answer.status_code == 200
    assert "strict-transport-security" not in answer.headers


async def test_not_a_byte_of_a_body_leaves_for_head(world: World) -> None:  # threat 32
    """Below the client, whose transport would drop one."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    for path in (f"/{BRAND}/login", f"/{BRAND}/my/overview", f"/{BRAND}/nothing", "/healthz", f"/{BRAND}/logout"):
        scope = {
            "type": "http",
            "method": "HEAD",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "scheme": "https",
            "headers": [(b"host", ORIGIN.removeprefix("https://").encode())],
            "client": ("203.0.113.7", 50000),
            "server": ("portal.example", 443),
            "http_version": "1.1",
            "extensions": {},
        }
        await world.app(scope, receive, send)
    assert [each["status"] for each in sent if "status" in each] == [200, 401, 404, 404, 405]
    assert not [each["body"] for each in sent if each.get("body")]
