"""Every row of the API that a back end calls, by both official SDKs, on the ledger and with Stripe behind it; and what the URLs
open in a browser: with scripts for the one SDK's, without any for the other's.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from server.store.telling import VERSION
from tests.browser.conftest import watched
from tests.stripe.app import KEY
from tests.support.rehearsal import Rehearsal
from tests.support.sdks import ByNode, ByPython
from tests.support.served import PLAIN, Demo
from tests.support.visits import Doors, button, mistakes, reads, send_code

BRAND = "harbour"
BACK, BYE = "https://shop.example/account", "https://shop.example/bye"
SESSION, CONFIGURATION = "billingPortal.sessions", "billingPortal.configurations"
Sdk = ByPython | ByNode


class Shop:
    """A demo, and the customer whom the calls are about."""

    def __init__(self, demo: Demo, visitors: Callable[..., BrowserContext]) -> None:
        self.demo, self.address = demo, "jenny@example.com"
        self.is_ledger = not demo.stripe
        self._visitors = visitors
        self._browsers: dict[tuple[bool, int], BrowserContext] = {}

    def browsers(self, sdk: Sdk) -> tuple[Page, Page]:
        """Two visitors' browsers that were never here."""
        scripts = isinstance(sdk, ByPython)
        return self._page(scripts, 1), self._page(scripts, 2)

    def _page(self, scripts: bool, number: int) -> Page:
        if (scripts, number) not in self._browsers:
            made = self._visitors(base_url=self.demo.origin, java_script_enabled=scripts)
            self._browsers[scripts, number] = made
            made.new_page()
        visitor = self._browsers[scripts, number]
        visitor.pages[0].goto("about:blank")
        visitor.clear_cookies()
        return visitor.pages[0]

    def call(self, sdk: Sdk, *calls: tuple[Any, ...]) -> list[Any]:
        return sdk.call(list(calls))

    def customer(self, sdk: Sdk) -> tuple[str, Any]:
        """The id, and a subscription that goes on. Where Stripe bills, the portal says to ask Stripe."""
        listed = ("customers.list", {"email": self.address})
        if self.is_ledger:
            (customer,) = self.call(sdk, listed)[0]["data"]
            (subscriptions,) = self.call(sdk, ("subscriptions.list", {"customer": customer["id"], "status": "active"}))
        else:
            (refused,) = self.call(sdk, listed)
            assert refused["code"] == "not_supported"
            customer = self.at_stripe("customers", email=self.address)["data"][0]
            subscriptions = self.at_stripe("subscriptions", customer=customer["id"], status="active")
        return customer["id"], next(each for each in subscriptions["data"] if not each["cancel_at"])

    def at_stripe(self, what: str, **query: str) -> Any:
        with httpx.Client(trust_env=False, timeout=60, verify=PLAIN) as client:
            headers = {"Authorization": f"Bearer {KEY}{BRAND}", "Stripe-Version": VERSION}
            url = f"{self.demo.stripe}/v1/{what}"
            answer = client.get(url, params=query, headers=headers)
            assert answer.status_code == 200, answer.text
            return answer.json()


@pytest.fixture(scope="module")
def shops(
    browser: Browser, ledger_stage: Rehearsal, stripe_stage: Rehearsal, all_doors: dict[str, Doors]
) -> Iterator[dict[str, Shop]]:
    stages = {"ledger": ledger_stage, "stripe": stripe_stage}
    said: list[str] = []
    for each in stages.values():
        each.begin_again()
    yield {name: Shop(each, lambda **options: watched(browser, said, **options)) for name, each in stages.items()}
    all_doors.clear()  # an address that changes ends the sessions that were its own
    assert not said, said


def opens(page: Page, url: str, where: str) -> None:
    """The URL ends on this page of the customer's."""
    page.goto(url)
    expect(page).to_have_url(f"{url.partition('/p/')[0].removesuffix(f'/{BRAND}')}/{BRAND}/my/{where}")


def is_over(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.get_by_role("heading", name="This link has been used or has expired").first).to_be_visible()


@pytest.mark.parametrize("backend", ["ledger", "stripe"])
@pytest.mark.parametrize("kind", [ByPython, ByNode])
def test_every_row_by_the_sdk(
    shops: dict[str, Shop], backend: str, kind: type[Sdk]
) -> None:  # F1, F2, F3, F4, F5, F7, F8
    shop = shops[backend]
    with closing(kind(shop.demo, shop.demo.keys[BRAND])) as sdk:
        customer, subscription = shop.customer(sdk)
        sessions(shop, sdk, customer)
        flows(shop, sdk, customer, subscription)
        configurations(shop, sdk, customer)
        address(shop, sdk, customer)
        recovery(shop, sdk, customer)


def sessions(shop: Shop, sdk: Sdk, customer: str) -> None:
    """F1: the URL opens once, in one browser; what is wrong is raised as the SDK's own."""
    made, odd, nobody, key = shop.call(
        sdk,
        (f"{SESSION}.create", {"customer": customer, "return_url": BACK}),
        (f"{SESSION}.create", {"customer": customer, "flow_data": {"type": "customer_update", "x": "1"}}),
        (f"{SESSION}.create", {"customer": "cus_nobody"}),
        (f"{SESSION}.create", {"customer": customer, "on_behalf_of": "acct_1"}),
    )
    assert (odd["raised"], odd["code"], odd["param"]) in (
        (raised, "parameter_unknown", "flow_data[x]") for raised in RAISED
    )
    assert (nobody["code"], nobody["param"], key["param"]) == ("resource_missing", "customer", "on_behalf_of")
    page, other = shop.browsers(sdk)
    opens(page, made["url"], "overview")
    expect(page.get_by_role("link", name="Go back to Harbour Coffee")).to_have_attribute("href", BACK)
    is_over(page, made["url"])
    is_over(other, made["url"])


RAISED = ("InvalidRequestError", "StripeInvalidRequestError")


def flows(shop: Shop, sdk: Sdk, customer: str, subscription: Any) -> None:
    """F2, F3, F4: each leads to its page, without the rest of the navigation."""
    (default,) = shop.call(sdk, (f"{CONFIGURATION}.retrieve", "bpc_default"))
    item, id_ = subscription["items"]["data"][0], subscription["id"]
    main = next(
        each for each in default["features"]["subscription_update"]["products"] if item["price"]["id"] in each["prices"]
    )
    assert main["adjustable_quantity"]["enabled"]
    of = {"subscription": id_}
    more = {**of, "items": [{"id": item["id"], "price": item["price"]["id"], "quantity": item["quantity"] + 1}]}
    says = {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": "Thank you, Jenny"}}
    goes = {"type": "redirect", "redirect": {"return_url": BYE}}
    wanted: dict[str, dict[str, Any]] = {
        "payment-methods/add": {"type": "payment_method_update"},
        "details": {"type": "customer_update", "after_completion": says},
        f"subscriptions/{id_}/cancel": {
            "type": "subscription_cancel",
            "subscription_cancel": of,
            "after_completion": goes,
        },
        f"subscriptions/{id_}/pause": {"type": "subscription_pause", "subscription_pause": of},
        f"subscriptions/{id_}/change": {"type": "subscription_update", "subscription_update": of},
        f"subscriptions/{id_}/change/confirm": {
            "type": "subscription_update_confirm",
            "subscription_update_confirm": more,
            "after_completion": {"type": "portal_homepage"},
        },
    }
    made = shop.call(
        sdk, *((f"{SESSION}.create", {"customer": customer, "flow_data": each}) for each in wanted.values())
    )
    for session, (where, flow) in zip(made, wanted.items(), strict=True):
        assert session.get("flow"), session
        after = flow.get("after_completion", {"type": "hosted_confirmation"})["type"]
        assert (session["flow"]["type"], session["flow"]["after_completion"]["type"]) == (flow["type"], after)
        page, other = shop.browsers(sdk)
        opens(page, session["url"], where)
        expect(page.get_by_role("navigation", name="Account")).to_have_count(0)
        is_over(other, session["url"])
        if where == "details":
            page.goto(f"/{BRAND}/my/details/contact")
            page.get_by_role("textbox", name="Name or company").fill(f"Jenny {type(sdk).__name__}")
            button(page, "Save")
            reads(page, "Thank you, Jenny")
            expect(page).to_have_url(re.compile("/my/flow/done$"))


def configurations(shop: Shop, sdk: Sdk, customer: str) -> None:
    """F5: made, read, changed, listed, and in force for every page of a session."""
    features = {"invoice_history": {"enabled": True}}
    (made,) = shop.call(
        sdk, (f"{CONFIGURATION}.create", {"features": features, "name": "Invoices", "metadata": {"a": "b"}})
    )
    changed, read, listed, session, wrong = shop.call(
        sdk,
        (f"{CONFIGURATION}.update", made["id"], {"name": "Only invoices"}),
        (f"{CONFIGURATION}.retrieve", made["id"]),
        (f"{CONFIGURATION}.list", {"limit": 1}),
        (f"{SESSION}.create", {"customer": customer, "configuration": made["id"]}),
        (f"{CONFIGURATION}.create", {"features": {"subscription_cancel": {"enabled": True, "mode": "now"}}}),
    )
    assert (changed["name"], read["name"], read["metadata"], read["is_default"]) == (
        *("Only invoices", "Only invoices"),
        *({"a": "b"}, False),
    )
    assert [each["id"] for each in listed["data"]] == [made["id"]]
    assert (listed["has_more"], wrong["param"]) == (True, "features[subscription_cancel][mode]")
    page, _ = shop.browsers(sdk)
    opens(page, session["url"], "overview")
    pages = [page.goto(f"/{BRAND}/my/{each}") for each in ("invoices", "details", "payment-methods/add")]
    assert [each and each.status for each in pages] == [200, 404, 404]


def address(shop: Shop, sdk: Sdk, customer: str) -> None:
    """F8: the e-mail address changes after a code to the new one."""
    features = {"customer_update": {"enabled": True, "allowed_updates": ["email"]}}
    (made,) = shop.call(sdk, (f"{CONFIGURATION}.create", {"features": features}))
    (session,) = shop.call(sdk, (f"{SESSION}.create", {"customer": customer, "configuration": made["id"]}))
    new = f"{type(sdk).__name__.lower()}.with.a.very.long.name@subdomain.of.example.net"
    page, _ = shop.browsers(sdk)
    opens(page, session["url"], "overview")
    page.goto(f"/{BRAND}/my/details")
    page.get_by_role("link", name="Change email address").click()
    page.get_by_label("New email address").fill("jenny@")
    button(page, "Send the code")
    expect(mistakes(page)).to_contain_text("Enter an email address, such as name@example.com")
    page.get_by_label("New email address").fill(new)
    button(page, "Send the code")
    reads(page, "Enter the code", new)
    page.get_by_label("Code", exact=True).fill("000000")
    button(page, "Change email address")
    expect(mistakes(page)).to_contain_text("That code is wrong.")
    page.get_by_label("Code", exact=True).fill(shop.demo.passcode(new))
    button(page, "Change email address")
    reads(page, "Your email address is changed.", new)
    page.set_viewport_size({"width": 320, "height": 700})
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide == 0  # with the new address in the page's head
    shop.address = new
    if shop.is_ledger:
        assert shop.call(sdk, ("customers.retrieve", customer))[0]["email"] == new
    else:
        assert shop.at_stripe(f"customers/{customer}")["email"] == new


def recovery(shop: Shop, sdk: Sdk, customer: str) -> None:
    """F7: after the URL is over, whoever proves the address goes on with the same terms."""
    (session,) = shop.call(
        sdk,
        (
            f"{SESSION}.create",
            {"customer": customer, "return_url": BYE, "after_expiration": {"type": "customer_login"}},
        ),
    )
    page, later = shop.browsers(sdk)
    opens(page, session["url"], "overview")
    is_over(later, session["url"])
    later.goto(f"/{BRAND}/login?next=portal_session:{session['id']}")
    later.get_by_label("Email address").fill(shop.address)
    later.get_by_label("Email address").press("Enter")
    expect(later.get_by_label("Passcode")).to_be_visible()
    send_code(later, shop.demo.passcode(shop.address))
    expect(later.get_by_role("link", name="Go back to Harbour Coffee")).to_have_attribute("href", BYE)
