"""The demo's own rules: it stays on this machine, and says plainly when it cannot run."""

import re
import socket
from pathlib import Path

import httpx
import pytest

from server import brands, demo
from server.demo.inbox import Inbox
from server.mail.smtp import KeepingMailer
from server.paths import Paths
from server.rendering.assets import Assets
from server.rendering.renderer import Renderer
from tests.support import mailing

THEMES = Path(__file__).resolve().parents[3] / "themes"


@pytest.mark.parametrize("host", ["::", "192.0.2.1", "example.com", ""])
def test_only_loopback_is_served(host):
    with pytest.raises(demo.DemoError, match="stays on this machine"):
        demo.run(THEMES, host=host, port=8000)


def test_a_port_that_is_taken_is_said_plainly():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(demo.DemoError, match="--port"):
        demo.run(THEMES, host="127.0.0.1", port=taken.getsockname()[1])


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_a_number_that_is_no_port_is_said_plainly(port):
    with pytest.raises(demo.DemoError, match=f"--port {port}: not a port"):
        demo.run(THEMES, host="127.0.0.1", port=port)


def test_every_brand_is_shown_on_one_origin_with_an_active_link():
    for brand in brands.load_all(THEMES):
        shown = demo.on_one_origin(brand)
        assert shown.base == f"/{brand.name}"
        assert shown.config.login_page.enabled
        assert re.fullmatch(r"(test_)?[A-Za-z0-9_-]{22,80}", shown.config.login_page.link)


def test_each_passcode_is_one_line(capsys):
    demo.print_passcode(mailing.message())
    assert capsys.readouterr().out == "passcode jenny@example.com 042817\n"


async def nothing(scope, receive, send):
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def client():
    mailer = KeepingMailer()
    await mailer.send(mailing.message(business={"name": "<script>alert(1)</script>"}))
    brand = brands.load(THEMES / "plain")
    renderer = Renderer(brand, Assets.of(brand), Paths("/plain"))
    portals = [("plain", "http://127.0.0.1:8000/plain/")]
    hosts = frozenset({"127.0.0.1:8000"})
    app = Inbox(nothing, messages=lambda: mailer.messages, renderer=renderer, portals=portals, hosts=hosts)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000") as opened:
        yield opened


@pytest.mark.anyio
async def test_the_inbox_lists_the_mails_and_the_portals(client):
    page = await client.get("/_demo/inbox")
    assert "jenny@example.com" in page.text
    assert 'href="/_demo/inbox/1"' in page.text
    assert 'href="http://127.0.0.1:8000/plain/"' in page.text


@pytest.mark.anyio
async def test_a_mail_is_shown_in_a_frame_that_may_do_nothing(client):
    page, framed = await client.get("/_demo/inbox/1"), await client.get("/_demo/inbox/1/html")
    assert re.search(r'<iframe title="[^"]+" sandbox src="/_demo/inbox/1/html">', page.text)
    assert "@portal.example #042817" in page.text
    assert "042817" in framed.text
    assert "sandbox" in framed.headers["content-security-policy"]
    assert "script-src" not in framed.headers["content-security-policy"]
    assert "<script" not in page.text + framed.text


@pytest.mark.anyio
@pytest.mark.parametrize(
    "path", ["/_demo/inbox/0", "/_demo/inbox/2", "/_demo/inbox/x", "/_demo/", "/_demo/inbox/1/html/x"]
)
async def test_there_is_nothing_else(client, path):
    assert (await client.get(path)).status_code == 404


@pytest.mark.anyio
async def test_another_name_for_this_machine_does_not_read_along(client):
    answer = await client.get("/_demo/inbox", headers={"host": "evil.example:8000"})
    assert answer.status_code == 403
    assert "jenny" not in answer.text


@pytest.mark.anyio
async def test_everything_else_is_the_applications(client):
    assert (await client.get("/plain/account/")).status_code == 299
    home = await client.get("/")
    assert (home.headers["location"], home.headers["cache-control"]) == ("/_demo/inbox", "no-store")
