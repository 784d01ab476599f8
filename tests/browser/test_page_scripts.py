"""What portal.js and login.js let into a page, under the policy that pages are sent with. Nothing leaves the browser:
every request is answered here, so that a fragment can be as hostile as a test wants it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from server import brands
from server.paths import Paths
from server.rendering.assets import MEDIA_TYPES, Assets
from server.rendering.renderer import Renderer
from server.web import policy

ORIGIN = "https://portal.example"
BRAND = brands.load(Path(__file__).parents[2] / "themes" / "plain")
ASSETS, PATHS = Assets.of(BRAND), Paths(BRAND.base)
RENDERER = Renderer(BRAND, ASSETS, PATHS)
LINK = BRAND.config.login_page.link
OURS = {"X-Portal-Fragment": "1", "Content-Type": "text/html; charset=utf-8"}
OVERVIEW = """<div id="home-overview" data-address="jenny@example.com"><h2 tabindex="-1" data-focus>Plans</h2>
<a id="go" href="/next" hx-get="/next" hx-target="#home-overview" hx-swap="outerHTML">Next</a></div>"""


class Site:
    """Answers of one origin: the brand's static pages, and whatever a test put under a path."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[Route], None]] = {}
        self.put(PATHS.overview, OVERVIEW)

    def put(self, path: str, body: str, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.answers[path] = lambda route: route.fulfill(status=status, headers=headers or OURS, body=body)

    def page(self, path: str, name: str, *, guarded: bool = True) -> None:
        headers = policy.static(ASSETS, secure=True) if guarded else {}
        self.put(path, RENDERER.static_page(name, link=LINK), headers=headers | {"Content-Type": "text/html"})

    def answer(self, route: Route) -> None:
        path = urlsplit(route.request.url).path
        content = ASSETS.files.get(path.rpartition("/")[2])
        if content is not None:
            route.fulfill(body=content, headers={"Content-Type": MEDIA_TYPES[Path(path).suffix]})
        elif path in self.answers:
            self.answers[path](route)
        else:
            route.fulfill(status=404, body="")


@pytest.fixture
def site() -> Site:
    made = Site()
    made.page(PATHS.account, "account")
    made.page(PATHS.login_page(LINK), "login")
    made.put(PATHS.login, "")  # nobody is logged in
    return made


@pytest.fixture(scope="module")
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=ORIGIN)
    context.new_page()
    yield context
    context.close()


@pytest.fixture
def tab(visitor: BrowserContext, site: Site) -> Iterator[Page]:
    """One tab for all that a page says and does: a new one takes Chromium a second."""
    visitor.route("**/*", site.answer)
    yield visitor.pages[0]
    visitor.pages[0].goto("about:blank")
    visitor.clear_cookies()
    visitor.unroute_all()


@pytest.fixture
def own_tab(tab: Page) -> Iterator[Page]:
    """For a test that changes what the tab is."""
    made = tab.context.new_page()
    yield made
    made.close()


def test_the_shell_loads_the_overview_and_says_whose_it_is(tab: Page) -> None:
    tab.goto(PATHS.account)
    expect(tab.get_by_role("heading", name="Plans")).to_be_visible()
    expect(tab.locator("#account-address")).to_have_text("jenny@example.com")
    expect(tab.locator("body")).to_be_focused()
    expect(tab.locator("#failure")).to_be_hidden()


HOSTILE = {
    "a script": "<script>window.ran = 1</script>",
    "a script of ours": f'<script src="{ASSETS("login.js")}"></script>',
    "a script in a template": "<template><script>window.ran = 1</script></template>",
    "a script in an htmx partial": '<hx-partial hx-target="#main"><script>window.ran = 1</script></hx-partial>',
    "a script in a shadow root": '<p><template shadowrootmode="open"><script>window.ran = 1</script></template></p>',
    "a handler": '<img src="x" onerror="window.ran = 1">',
    "an htmx handler": '<p hx-on:htmx:after:init="window.ran = 1">x</p>',
    "an htmx handler by its other name": '<p data-hx-on:htmx:after:init="window.ran = 1">x</p>',
    "values that are code": '<p hx-get="/next" hx-trigger="load" hx-vals="js:{a: window.ran = 1}">x</p>',
    "a javascript URL": '<a href=" java\tscript:window.ran = 1">x</a>',
    "a javascript form": '<form method="post" action="javascript:window.ran = 1"></form>',
    "a frame": '<iframe srcdoc="<script>top.ran = 1</script>"></iframe>',
    "a base": '<base href="https://elsewhere.example/">',
    "an object": '<object data="/next"></object>',
    "an embed": '<embed src="/next">',
    "a refresh": '<meta http-equiv="refresh" content="0; url=https://elsewhere.example/">',
    "a style sheet": '<link rel="stylesheet" href="/next">',
    "an animated link": '<svg><a><animate attributeName="href" to="javascript:window.ran = 1" /></a></svg>',
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_fragment_with_anything_that_could_run_is_refused_whole(tab: Page, site: Site, hostile: str) -> None:
    # threats 65, 66, 67
    site.put(PATHS.overview, f'<div id="home-overview"><h2>Plans</h2>{hostile}</div>')
    tab.goto(PATHS.account)
    expect(tab.locator("#failure")).to_be_visible()
    expect(tab.get_by_role("heading", name="Plans")).to_have_count(0)
    assert tab.evaluate("window.ran") is None


@pytest.mark.parametrize("hostile", ["a script", "a handler", "a javascript URL"])
def test_a_browser_without_trusted_types_refuses_it_as_well(own_tab: Page, site: Site, hostile: str) -> None:
    site.page(PATHS.account, "account", guarded=False)
    site.put(PATHS.overview, f'<div id="home-overview"><h2>Plans</h2>{HOSTILE[hostile]}</div>')
    own_tab.add_init_script(
        "delete window.trustedTypes; Object.defineProperty(window, 'trustedTypes', {value: undefined})"
    )
    own_tab.goto(PATHS.account)
    expect(own_tab.locator("#failure")).to_be_visible()
    assert own_tab.evaluate("window.ran") is None


def test_words_that_look_like_code_are_words(tab: Page, site: Site) -> None:
    site.put(
        PATHS.overview, '<div id="home-overview" title="x onclick=1"><h2>javascript: onload=1 &lt;script&gt;</h2></div>'
    )
    tab.goto(PATHS.account)
    expect(tab.get_by_role("heading", name="javascript: onload=1 <script>")).to_be_visible()


@pytest.mark.parametrize("status", [200, 403, 502])
def test_what_our_server_did_not_send_is_never_shown(tab: Page, site: Site, status: int) -> None:
    # threat 70
    site.put(PATHS.overview, "<h2>Bad gateway</h2>", status=status, headers={"Content-Type": "text/html"})
    tab.goto(PATHS.account)
    expect(tab.locator("#failure")).to_be_visible()
    expect(tab.get_by_role("heading", name="Bad gateway")).to_have_count(0)


def test_our_own_words_about_a_failure_are_shown_in_place(tab: Page, site: Site) -> None:
    site.put(PATHS.overview, '<section id="problem"><h2>Nothing was changed</h2></section>', status=503)
    tab.goto(PATHS.account)
    expect(tab.get_by_role("heading", name="Nothing was changed")).to_be_visible()
    expect(tab.locator("#failure")).to_be_hidden()


def test_a_lost_connection_is_told_and_forgotten_with_the_next_success(tab: Page, site: Site) -> None:
    site.answers["/next"] = lambda route: route.abort()
    tab.goto(PATHS.account)
    tab.get_by_role("link", name="Next").click()
    expect(tab.locator("#failure")).to_be_visible()
    site.put("/next", '<div id="home-overview"><h2>There</h2></div>')
    tab.get_by_role("link", name="Next").click()
    expect(tab.get_by_role("heading", name="There")).to_be_visible()
    expect(tab.locator("#failure")).to_be_hidden()


def test_after_a_click_the_focus_and_the_announcement_are_where_the_change_is(tab: Page, site: Site) -> None:
    site.put(
        "/next",
        '<div id="home-overview"><h2 tabindex="-1" data-focus>Canceled</h2><p data-announce>It ends soon.</p></div>',
    )
    tab.goto(PATHS.account)
    tab.get_by_role("link", name="Next").click()
    expect(tab.get_by_role("heading", name="Canceled")).to_be_focused()
    expect(tab.locator("#announcements")).to_have_text("It ends soon.")


def test_the_focus_is_not_lost_where_a_fragment_names_no_place_for_it(tab: Page, site: Site) -> None:
    site.put("/next", '<div id="home-overview"><p>Gone</p></div>')
    tab.goto(PATHS.account)
    tab.get_by_role("link", name="Next").click()
    expect(tab.get_by_text("Gone")).to_be_visible()
    expect(tab.locator("#main")).to_be_focused()


def test_htmx_runs_with_the_settings_that_were_tried(tab: Page) -> None:
    # threat 68: an unknown key would be ignored silently
    tab.goto(PATHS.account)
    found = tab.evaluate("htmx.config")
    wanted = {
        "mode": "same-origin",
        "extensions": "portal",
        "noSwap": [204, 304, "5xx"],
        "history": "reload",
        "defaultTimeout": 15000,
        "includeIndicatorCSS": False,
    }
    assert {key: found[key] for key in wanted} == wanted
    assert tab.evaluate("htmx.version") == "4.0.1"


PREFILLED = {
    "jenny@example.com": "jenny@example.com",
    "jenny+tag@example.co.uk": "jenny+tag@example.co.uk",
    " jenny tag@example.com ": "jenny+tag@example.com",
    '"><img src=x onerror=window.ran=1>@example.com': "",
    "javascript:window.ran=1": "",
    "two@example.com,three@example.com": "",
    "two@@example.com": "",
    "no-at.example.com": "",
    "jenny@localhost": "",
    "jenny@example.com\r\nBcc: x@example.com": "",
    "jenny@example.com\0": "",
    f"{'a' * 250}@example.com": "",
}


@pytest.mark.parametrize(("given", "shown"), PREFILLED.items(), ids=[ascii(each)[:40] for each in PREFILLED])
def test_a_prefilled_address_fills_the_field_and_nothing_else(tab: Page, given: str, shown: str) -> None:
    # threat 63
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.goto(f"{PATHS.login_page(LINK)}?{urlencode({'prefilled_email': given})}")
    field = tab.get_by_label("Email address")
    expect(field).to_have_value(shown)
    expect(field).to_be_editable()
    assert tab.evaluate("[window.ran, document.images.length]") == [None, 1]
    assert not complaints


def test_where_our_script_does_not_arrive_nothing_is_put_into_the_page(own_tab: Page, site: Site) -> None:
    # threats 66, 70: htmx never runs without what watches it
    site.put(PATHS.account, RENDERER.static_page("account", link=LINK), headers={"Content-Type": "text/html"})
    own_tab.route("**/account.*.js", lambda route: route.abort())
    own_tab.goto(PATHS.account)
    own_tab.wait_for_load_state("networkidle")
    assert own_tab.evaluate("typeof htmx") == "undefined"
    expect(own_tab.get_by_role("link", name="Open the overview")).to_be_visible()
