"""The API as a merchant uses it: the examples of `docs/api.md` against the demo, and what their URLs open in a browser."""

import json
import os
import re
import shutil
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from playwright.sync_api import Browser, expect

from tests.support import node
from tests.support.served import ROOT, Demo
from tests.support.visits import JENNY, send_code

BRAND = "harbour"
RUN = {
    "python": [sys.executable, "-c"],
    "javascript": [shutil.which("node") or "node", "-e"],
    "bash": ["bash", "-c"],
}


def example(language: str) -> str:
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    (found,) = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return str(found)


def ran(demo: Demo, language: str, brand: str = BRAND) -> str:
    """What the example prints, run as it stands."""
    environment = {**os.environ, "POSTERN_KEY": demo.keys[brand], "POSTERN_ORIGIN": demo.origin}
    folder = node.FOLDER if language == "javascript" else ROOT
    done = subprocess.run(
        [*RUN[language], example(language)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def visitor(browser: Browser, **options: Any) -> Any:
    return browser.new_context(locale="en-US", **options).new_page()


def test_the_python_example_opens_the_overview_once_and_in_one_browser(demo: Demo, browser: Browser) -> None:  # F1
    url = ran(demo, "python")
    page = visitor(browser)
    page.goto(url)
    expect(page).to_have_url(f"{demo.origin}/{BRAND}/my/overview")
    expect(page.get_by_role("heading", name="Subscriptions")).to_be_visible()
    back = page.get_by_role("link", name="Go back to Harbour Coffee")
    assert back.get_attribute("href") == "https://shop.example/account"
    for other in (page, visitor(browser)):
        other.goto(url)
        expect(other.get_by_role("heading", name="This link has been used or has expired").first).to_be_visible()
        other.context.close()


@pytest.mark.parametrize(("brand", "scripts"), [("harbour", True), ("plain", False)])
def test_the_node_example_leads_through_a_cancellation_to_the_business(  # F2, F3, F4
    demo: Demo, browser: Browser, brand: str, scripts: bool
) -> None:
    assert not (missing := node.install()), missing
    page = visitor(browser, java_script_enabled=scripts)
    page.route("https://shop.example/**", lambda route: route.fulfill(body="<h1>Bye</h1>", content_type="text/html"))
    page.goto(ran(demo, "javascript", brand))
    expect(page).to_have_url(re.compile(r"/my/subscriptions/[^/]+/cancel$"))
    expect(page.get_by_role("navigation", name="Account")).to_have_count(0)
    past_the_offer = page.get_by_role("main").get_by_role("link", name=re.compile("cancel", re.IGNORECASE))
    if past_the_offer.count():
        past_the_offer.first.click()
    page.get_by_role("button", name=re.compile("^Cancel")).first.click()
    page.wait_for_url("https://shop.example/bye")
    expect(page.get_by_role("heading", name="Bye")).to_be_visible()
    page.context.close()


def test_the_curl_example_makes_a_configuration(demo: Demo) -> None:  # F5
    made = json.loads(ran(demo, "bash"))
    assert (made["object"], made["name"]) == ("billing_portal.configuration", "Invoices only")
    assert [name for name, each in made["features"].items() if each["enabled"]] == ["invoice_history"]


def test_whatever_is_sent_is_answered_as_the_description_says(demo: Demo) -> None:
    """No answer of 5xx, and none outside its schema."""
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks as promises

    described = schemathesis.openapi.from_path(ROOT / "docs" / "openapi.json")
    kept = (not_a_server_error, promises.status_code_conformance, promises.content_type_conformance)
    shown, statuses = {"Authorization": f"Bearer {demo.keys[BRAND]}"}, set()
    for operation in described.get_all_operations():

        @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.ok().as_strategy())
        def ask(case: Any) -> None:
            answer = case.call(base_url=demo.origin, headers=shown)
            case.validate_response(answer, checks=(*kept, promises.response_schema_conformance))
            statuses.add(answer.status_code)

        ask()
    assert {200, 400} <= statuses


def test_the_link_without_code_takes_a_flow_along(demo: Demo, browser: Browser) -> None:  # F6
    page = visitor(browser)
    page.goto(f"{demo.portals['orbit']}&flow=payment_method_update")
    page.get_by_label("Email address").press("Enter")
    expect(page.get_by_label("Passcode")).to_be_visible()
    send_code(page, demo.passcode(JENNY))
    expect(page).to_have_url(re.compile(r"/my/payment-methods/add$"))
    page.context.close()
