"""Whatever a visitor sends, it makes no line of the log by itself, and gives nobody's secrets away."""

import io
import json
from typing import Any

import pytest

from server.store import Store
from tests.conftest import Clock
from tests.support.accounts import Failing, account, invoice, keep, subscription
from tests.support.pages import ledger_of
from tests.support.world import BRAND, World

pytestmark = pytest.mark.anyio
INJECTED = '\r\n{"level": "error", "message": "all is lost"}\n\u2028\x1b[31m'


class Broken(Failing):
    async def invoice(self, customer_id: str, invoice_id: str) -> Any:
        raise RuntimeError(f"no invoice {invoice_id} for {customer_id}")


async def test_line_breaks_in_path_agent_and_address_stay_in_their_line(
    sqlite_store: Store, clock: Clock, stream: io.StringIO
) -> None:  # threats 16, 96
    def broken(brand: Any, store: Store) -> Broken:
        return Broken(ledger_of(store, brand.name, brand.config.features))

    world = World(sqlite_store, clock, billing=broken)
    await keep(world, account(subscription(), invoices=(invoice(),)))
    browser = world.client(**{"User-Agent": "Firefox" + INJECTED.replace("\u2028", "")})
    await world.ask(browser, f"x@example.com{INJECTED}")
    await world.log_in(browser)
    cookie = browser.cookies[f"__Host-{BRAND}-session"]
    code = (await world.codes())[0]
    answer = await browser.get(f"/{BRAND}/my/invoices/in_1%0d%0a%7B%22level%22%3A%22error%22%7D%0a{code}")
    assert answer.status_code == 500
    written = [
        line for line in stream.getvalue().splitlines() if '"logger": "httpx"' not in line
    ]  # the test's own client
    lines = [json.loads(line) for line in written]
    assert all({"at", "level", "logger", "message"} <= set(line) for line in lines)
    (error,) = [line for line in lines if line["level"] == "error"]
    assert error["message"] == "an unexpected error"
    assert "\r\n" in error["path"]  # it is there, inside its line
    logged = "\n".join(written)
    assert logged.isascii()
    for secret in (cookie, code, "jenny@example.com"):
        assert secret not in logged
        assert secret not in answer.text or secret == "jenny@example.com"  # her own page names her
