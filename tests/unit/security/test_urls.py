"""No secret stands in a URL, since htmx tells every URL in a header and browsers keep them; and the server fetches none."""

import ast
import re
from io import StringIO
from pathlib import Path

import httpx
import pytest

from server.mail.messages import _INLINER
from tests.support.accounts import account, invoice, keep, subscription
from tests.support.client import Client
from tests.support.world import BRAND, ORIGIN, ROOT, World

pytestmark = pytest.mark.anyio
MY = f"/{BRAND}/my"


def urls_of(answer: httpx.Response) -> list[str]:
    """Every URL that the answer came from, leads to, or shows."""
    found = [str(answer.request.url), answer.headers.get("location", ""), answer.headers.get("hx-redirect", "")]
    return found + re.findall(r'\s(?:href|action|src|hx-get|hx-post)="([^"]*)"', answer.text)


async def walked(world: World, browser: Client, *, fragment: bool = False) -> list[str]:
    """The URLs of a log-in with its mistakes, of every page behind it that a link leads to, and of the way out."""
    answers = [await world.ask(browser), await world.try_code(browser, "12")]
    answers.append(await world.try_code(browser, await world.wrong_code()))
    answers.append(await world.try_code(browser, await world.code(), next="invoices"))
    todo, seen = {f"{MY}/overview"}, set[str]()
    while todo:
        seen.add(url := todo.pop())
        answer = await browser.get(url, fragment=fragment)
        answers.append(answer)
        if answer.headers["content-type"].startswith("text/html"):
            todo |= {each for each in urls_of(answer) if each.startswith(f"{MY}/")} - seen
    answers.append(await browser.post(f"/{BRAND}/logout"))
    answers.append(await browser.get(f"{MY}/overview", fragment=fragment))
    return [url for answer in (*answers[0].history, *answers) for url in urls_of(answer)]


async def test_no_url_of_a_whole_visit_holds_a_secret_or_an_address(world: World, stream: StringIO) -> None:
    # threat 73
    await keep(world, account(subscription(), invoices=(invoice(),)))
    browser, secrets = world.client(), set[str]()

    async def note(request: httpx.Request) -> None:
        secrets.update(re.findall(r"__Host-[\w-]+=([^;]+)", request.headers.get("cookie", "")))

    browser.event_hooks["request"].append(note)
    urls = await walked(world, browser)
    secrets.update(await world.codes())
    assert len(secrets) == 4  # the challenge, the session, the browser's mark, the code
    assert len(set(urls)) > 10
    for url in urls:
        for secret in (*secrets, "jenny", "example.com"):
            assert secret not in url.replace(ORIGIN, "").replace("mailto:", ""), url
    for secret in secrets:
        assert secret not in stream.getvalue()


async def test_what_htmx_tells_of_the_url_stays_out_of_the_log(world: World, stream: StringIO) -> None:  # threat 73
    await keep(world, account(subscription()))
    browser = world.client()
    await world.log_in(browser)
    told = f"{ORIGIN}/{BRAND}/p/login/{world.link()}/?prefilled_email=jenny%40example.com&code=123456#secret-part"
    headers = {"hx-current-url": told, "referer": told}
    for url in (f"{MY}/overview", f"{MY}/nothing"):
        assert told not in (await browser.get(url, fragment=True, headers=headers)).text
    world.store._writer.execute("ALTER TABLE activity RENAME TO gone")  # type: ignore[attr-defined]
    assert (await browser.get(f"{MY}/history", fragment=True, headers=headers)).status_code == 500
    logged = stream.getvalue()
    assert "an unexpected error" in logged
    for part in ("secret-part", "jenny", "123456", "prefilled_email"):
        assert part not in logged


FETCHING = frozenset({"urllib.request", "http.client", "httpx", "requests", "aiohttp", "urllib3", "socket", "ssl"})
"""What opens connections. Sockets of our own: the server's, the mail's and the database's drivers have theirs."""


def test_the_server_fetches_no_url_so_nobody_can_choose_one() -> None:
    # threat 79, as far as there is anything to fetch: the ledger prints its documents itself. The proxy for the
    # provider's PDFs comes with the Stripe backend, and its test with it.
    found = {}
    for path in sorted((ROOT / "server").rglob("*.py")):
        names = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {each.name for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
        if names & FETCHING:
            found[str(Path(path).relative_to(ROOT))] = names & FETCHING
    # The demo and `serve` look whether their port is free, the operator's address is a socket of the standard library, and
    # the Stripe client opens connections to Stripe, whose address no visitor chooses. Events go to endpoints that the merchant
    # names, at public addresses only.
    assert found == {
        "server/demo/__init__.py": {"socket", "urllib.request"},  # its own stand-in for Stripe, on loopback
        "server/events/delivery.py": {"ssl"},
        "server/events/posting.py": {"socket", "ssl"},
        "server/merchant/releases/tunnel.py": {"socket"},  # to the bucket that a merchant names, at a public address
        "server/merchant/fetching.py": {"urllib.request"},  # the operator's own origin
        "server/merchant/serve.py": {"socket"},
        "server/features/operations/listener.py": {"socket"},
        "server/billing/stripe/client.py": {"httpx", "ssl"},
    }


def test_a_mail_is_made_without_fetching_what_it_links_to() -> None:  # threat 79
    html = '<link rel="stylesheet" href="http://127.0.0.1:1/x.css"><p>Hello</p>'
    assert "Hello" in _INLINER.inline(html)
