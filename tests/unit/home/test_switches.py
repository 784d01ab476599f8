"""What the business switched off is not there: not shown, and no page of it answers."""

import pytest
from msgspec.structs import replace

from server.app import create_app
from server.brands.features import CustomerUpdate, InvoiceHistory, PaymentMethodUpdate, SubscriptionCancel
from tests.support.accounts import account, ending, invoice, keep
from tests.support.world import SETTINGS, brands

pytestmark = pytest.mark.anyio
OFF = {
    "invoice_history": InvoiceHistory(enabled=False),
    "payment_method_update": PaymentMethodUpdate(enabled=False),
    "customer_update": CustomerUpdate(enabled=False),
    "subscription_cancel": SubscriptionCancel(enabled=False),
}
FORM = {"key": "k" * 20, "customer": "cus_jenny"}


@pytest.fixture
async def browser(world, sqlite_store, clock):
    """Logged in where nothing optional is offered."""
    changed = [
        replace(each, config=replace(each.config, features=replace(each.config.features, **OFF))) for each in brands()
    ]
    world.app = create_app(SETTINGS, changed, sqlite_store, clock=clock)
    await keep(world, account(ending(), invoices=(invoice(),)))
    client = world.client()
    await world.log_in(client)
    return client


@pytest.mark.parametrize(
    "path", ["invoices", "invoices/in_1", "payment-methods", "details", "subscriptions/sub_1/cancel"]
)
async def test_its_pages_are_not_there(browser, path):
    assert (await browser.get(f"/harbour/my/{path}")).status_code == 404


@pytest.mark.parametrize("verb", ["cancel", "resume"])
async def test_its_forms_change_nothing(browser, world, verb):
    before = await world.rows("account")
    answer = await browser.post(f"/harbour/my/subscriptions/sub_1/{verb}", data=FORM)
    assert answer.status_code == 404
    assert await world.rows("account") == before


async def test_no_page_links_to_it(browser):
    for page in ("overview", "subscriptions", "subscriptions/sub_1", "history"):
        body = (await browser.get(f"/harbour/my/{page}")).text
        for path in ("/my/invoices", "/my/payment-methods", "/my/details", "/cancel", "/resume"):
            assert path not in body, f"{page} links to {path}"
