"""What other sites, proxies and old bookmarks can do with a portal that somebody is logged in to: nothing."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.served import Demo
from tests.support.visits import JENNY, Doors

CANCEL = "Cancel subscription"


@pytest.fixture
def other_site(demo: Demo) -> Iterator[str]:
    """A page of another site: it frames the portal, sends it a form and fetches from it."""
    body = f"""<!doctype html><title>Elsewhere</title>
      <iframe src="{demo.origin}/plain/my/overview"></iframe>
      <form method="post" action="{demo.origin}/plain/logout"><button>Win a prize</button></form>""".encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        # Another site than 127.0.0.1, to which the browser's cookies do not belong.
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


def test_a_page_that_another_site_frames_stays_blank(page: Page, doors: Doors, other_site: str):
    # threat 61
    doors.enter(page, "plain", JENNY)
    visitor = page.context.new_page()
    visitor.goto(other_site)
    framed = visitor.frames[1]
    framed.wait_for_url(lambda url: url.startswith(("chrome-error:", "about:neterror")), wait_until="commit")
    assert "Plain" not in framed.content()
    page.context.complaints.clear()  # type: ignore[attr-defined]  # the browser says that it refused to frame


def test_a_form_of_another_site_does_not_log_anybody_out(demo: Demo, page: Page, doors: Doors, other_site: str):
    # threat 54
    doors.enter(page, "plain", JENNY)
    visitor = page.context.new_page()
    visitor.goto(other_site)
    visitor.get_by_role("button", name="Win a prize").click()
    expect(visitor.get_by_role("heading", name="This form was not sent by our own page")).to_be_visible()
    page.context.complaints.clear()  # type: ignore[attr-defined]
    visitor.get_by_role("link", name="Go to your account").click()
    expect(visitor.get_by_role("heading", name="Subscriptions")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Subscriptions")).to_be_visible()


def test_another_site_cannot_read_a_fragment(demo: Demo, page: Page, doors: Doors, other_site: str):
    # threats 57, 72
    doors.enter(page, "plain", JENNY)
    visitor = page.context.new_page()
    visitor.goto(other_site)
    read = visitor.evaluate(
        """url => Promise.all(["cors", "no-cors"].map(mode => fetch(url, {mode, credentials: "include"})
          .then(answer => answer.text(), () => "")))""",
        f"{demo.origin}/plain/my/overview",
    )
    assert read == ["", ""]
    page.context.complaints.clear()  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ["overview", "subscriptions", "invoices", "payment-methods", "details", "history"])
def test_the_address_of_a_fragment_opens_as_a_whole_page(page: Page, doors: Doors, path: str):
    # threat 72
    page.context.add_cookies(doors.cookies("orbit", JENNY))
    answer = page.goto(f"/orbit/my/{path}")
    assert answer
    assert "trusted-types htmx" in answer.all_headers()["content-security-policy"]
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_role("navigation", name="Account", exact=True)).to_be_visible()
    expect(page.get_by_role("banner").get_by_text(JENNY)).to_be_visible()


def test_the_same_address_asked_for_by_htmx_is_a_sandboxed_fragment(page: Page, doors: Doors):
    # threat 72
    page.context.add_cookies(doors.cookies("orbit", JENNY))
    with page.expect_response("**/orbit/my/overview") as answered:
        page.goto("/orbit/account/")
    headers, text = answered.value.all_headers(), answered.value.text()
    assert headers["content-security-policy"].endswith("sandbox")
    assert "no-store" in headers["cache-control"]
    assert "<html" not in text
    assert "<h1" not in text


@pytest.mark.parametrize("status", [200, 502])
def test_a_proxys_error_page_is_not_put_into_the_account(page: Page, doors: Doors, status: int):
    # threat 70
    doors.enter(page, "plain", JENNY)
    url = page.url

    def fail(route: Route) -> None:
        route.fulfill(status=status, content_type="text/html", body="<h1>Bad gateway</h1><p>cloud-7</p>")

    page.route("**/cancel", fail)
    page.get_by_role("link", name=CANCEL).click()
    expect(page.get_by_role("alert")).to_contain_text("Something went wrong.")
    expect(page.get_by_text("cloud-7")).to_have_count(0)
    expect(page.get_by_role("link", name=CANCEL)).to_be_visible()
    assert page.url == url

    page.unroute("**/cancel")
    page.get_by_role("link", name=CANCEL).click()
    expect(page.get_by_role("button", name=CANCEL)).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_server_that_is_away_is_told_and_nothing_is_lost(page: Page, doors: Doors):
    doors.enter(page, "plain", JENNY)
    page.get_by_role("link", name=CANCEL).click()
    page.route("**/cancel", lambda route: route.abort())
    page.get_by_role("button", name=CANCEL).click()
    expect(page.get_by_role("alert")).to_contain_text("Check your connection and try again.")
    expect(page.get_by_role("button", name=CANCEL)).to_be_visible()


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>window.ran = 1</script>",
        '<img src="x" onerror="window.ran = 1">',
        '<p hx-on:htmx:after:init="window.ran = 1">x</p>',
        '<a href="javascript:window.ran = 1">x</a>',
        '<p hx-get="/plain/my/overview" hx-trigger="load" hx-vals="js:{a: window.ran = 1}">x</p>',
        '<iframe srcdoc="<script>parent.ran = 1</script>"></iframe>',
    ],
)
def test_a_fragment_of_ours_that_was_poisoned_is_refused_whole(page: Page, doors: Doors, hostile: str):
    # threats 65, 66, 67, in the page that the server itself sends; every form of them: test_page_scripts
    doors.enter(page, "plain", JENNY)
    body = f'<section id="poisoned"><h2>Poisoned</h2>{hostile}</section>'
    page.route("**/cancel", lambda route: route.fulfill(body=body, headers={"X-Portal-Fragment": "1"}))
    page.get_by_role("link", name=CANCEL).click()
    expect(page.get_by_role("alert")).to_contain_text("Something went wrong.")
    expect(page.get_by_role("heading", name="Poisoned")).to_have_count(0)
    assert page.evaluate("window.ran") is None
    page.context.complaints.clear()  # type: ignore[attr-defined]


def test_a_running_server_sends_the_headers_of_both_kinds(demo: Demo, page: Page, doors: Doors):
    # threats 84, 32
    doors.enter(page, "plain", JENNY)
    kept = {
        demo.portals["plain"]: "no-cache",
        "/plain/account/": "no-cache",
        "/plain/nothing": "no-cache",
        page.locator("link[rel=icon]").get_attribute("href"): "public, max-age=31536000, immutable",
        "/plain/login": "no-store",
        "/plain/my/overview": "no-store",
        "/plain/my/nothing": "no-store",
        "/nobody/my/overview": "no-store",
    }
    for url, cache in kept.items():
        for method in ("GET", "HEAD"):
            answer = page.request.fetch(str(url), method=method, max_redirects=0)
            headers = answer.headers
            assert headers["cache-control"] == cache, (method, url)
            assert "frame-ancestors 'none'" in headers["content-security-policy"], (method, url)
            assert headers["x-content-type-options"] == "nosniff", (method, url)
            assert headers["x-frame-options"] == "DENY", (method, url)
            assert headers["referrer-policy"] == "same-origin", (method, url)
            assert ("etag" in headers) == (cache != "no-store"), (method, url)
            if method == "HEAD":
                assert answer.body() == b"", url
