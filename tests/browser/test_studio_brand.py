"""From the demo to a customer's page by browser alone: an operator makes a brand, activates its link and logs in as its
sample customer, by keyboard and without scripts (with them: `test_studio_first_hour.py`). And what is typed is drawn beside
its form."""

import http.server
import shutil
import threading
import time

import pytest
from playwright.sync_api import expect

from tests.browser.test_studio import log_in
from tests.support.served import Demo
from tests.support.world import ROOT

LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9H0z" fill="#0a7d4f"/></svg>'
JENNY = "jenny@example.com"
HOSTILE = """{% extends "site:layouts/visitor.html" %}
{% block art %}<div id="hostile">
<script>document.title = "ran"; parent.document.title = "ran"</script><img src="x" onerror="top.location = 'ELSEWHERE/handler'">
<form action="ELSEWHERE/form" target="_top"><button>Win</button></form>
<a href="ELSEWHERE/top" target="_top">Top</a> <a href="ELSEWHERE/blank" target="_blank">Blank</a>
<a href="javascript:top.location = 'ELSEWHERE/link'">Script</a>
<iframe src="ELSEWHERE/frame"></iframe><img src="ELSEWHERE/picture.png" alt="">
<meta http-equiv="refresh" content="0; url=ELSEWHERE/refresh"><base href="ELSEWHERE/">
</div>{% endblock %}
"""


@pytest.fixture(scope="module")
def themes(tmp_path_factory):
    """Of the demo's own: the studio writes them."""
    folder = tmp_path_factory.mktemp("studio") / "themes"
    folder.mkdir()
    for name in ("plain", "harbour"):
        shutil.copytree(ROOT / "themes" / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def demo(themes):
    made = Demo(environment={"PORTAL_THEMES": str(themes)})
    try:
        made.wait()
        yield made
    finally:
        made.stop()


def test_a_brand_is_made_its_link_activated_and_its_customer_logged_in(new_visitor, demo):
    began, name = time.monotonic(), "north-sea"
    page = new_visitor(java_script_enabled=False).new_page()
    log_in(page, demo)
    page.get_by_role("link", name="Make a brand").press("Enter")
    page.get_by_label("What is the business called?").fill("North Sea")
    page.get_by_label("Name in addresses").fill("harbour")
    page.get_by_label("Logo").set_input_files({"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": LOGO})
    page.get_by_label("Name in addresses").press("Enter")
    expect(page.get_by_role("main")).to_contain_text("There is a folder named harbour already")
    page.get_by_label("Name in addresses").fill(name)
    page.get_by_label("Logo").set_input_files({"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": LOGO})
    page.get_by_role("button", name="Make it").press("Enter")
    expect(page.get_by_text("The brand was made")).to_be_visible()
    page.get_by_role("button", name="Activate a link for test data").press("Enter")
    expect(page.get_by_role("img", name="QR code of the link")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name=f"/{name}/p/login/test_").press("Enter")
    page.get_by_label("Email address").fill(JENNY)
    page.get_by_label("Email address").press("Enter")
    page.get_by_label("Code").fill(demo.passcode(JENNY))
    page.get_by_label("Code").press("Enter")
    expect(page.get_by_role("heading", name="Subscriptions")).to_be_visible()
    expect(page.get_by_text("North Sea").first).to_be_visible()
    assert time.monotonic() - began < 180


def test_what_is_typed_is_drawn_beside_its_form_and_nothing_in_it_can_act(new_visitor, demo):  # threat 100
    page = new_visitor().new_page()
    log_in(page, demo)
    page.goto(f"{demo.studio}b/harbour/business")
    shown = page.frame_locator("iframe:not([hidden])")
    expect(shown.get_by_role("banner")).to_be_visible()
    length = page.evaluate("history.length")
    for name in ("Shore & Sons", "Shore & Daughters"):
        page.locator('[name="business.name"]').fill(name)
        expect(shown.get_by_text(name).first).to_be_visible()
    assert page.evaluate("history.length") == length
    page.goto(f"{demo.studio}b/harbour/preview?page=login&as=nobody")
    frame = page.frame_locator("iframe")
    frame.get_by_label("Email address").fill("x@example.com")
    frame.get_by_role("button", name="Send").first.click()
    expect(frame.get_by_label("Email address")).to_have_value("x@example.com")
    assert page.url.startswith(demo.studio)


@pytest.fixture
def elsewhere():
    """Where another site is, and what it is asked for: a request that the browser refuses to make does not arrive."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_a_hostile_template_runs_nothing_asks_for_nothing_and_leads_nowhere(new_visitor, demo, themes, elsewhere):
    # threat 100
    url, asked = elsewhere
    template = themes / "harbour" / "templates" / "layouts" / "visitor.html"
    template.write_text(HOSTILE.replace("ELSEWHERE", url))
    visitor = new_visitor()
    page = visitor.new_page()
    log_in(page, demo)
    page.goto(f"{demo.studio}b/harbour/preview?page=login&as=nobody&size=desktop")
    here, title, frame = page.url, page.title(), page.frame_locator("iframe.frame").first
    expect(frame.get_by_role("button", name="Win")).to_be_visible()
    for kind, name in (("button", "Win"), ("link", "Top"), ("link", "Blank"), ("link", "Script")):
        frame.get_by_role(kind, name=name, exact=True).click(no_wait_after=True)
        page.wait_for_timeout(200)
        if not frame.get_by_role(kind, name=name, exact=True).count():
            page.goto(here)  # what led its own frame elsewhere
    visitor.complaints.clear()  # of the policy, which refused all of it
    assert (page.url, page.title(), len(visitor.pages), asked) == (here, title, 1, [])
