"""The files and the server behind a real nginx and a real Caddy, by what `build.py build --for …` wrote."""

from __future__ import annotations

import asyncio
import http.client
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from server.brands import load
from server.publishing import publishing, sites
from tests.support import browsers
from tests.support.brands import PORTAL, write_brand
from tests.support.crowd import BRAND, address_of, fill
from tests.support.production import Mailbox, Production
from tests.support.served import ROOT, free_port
from tests.support.visits import send_address, send_code

OWN_DOMAIN = PORTAL.replace("[business]", '[site]\nurl = "https://billing.example"\n[business]', 1)
NGINX = """\
pid {folder}/nginx.pid;
error_log stderr;
daemon off;
master_process off;
events {{ }}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/dist/_host/*.nginx.conf;
}}
"""
CADDY = "{{\n\tadmin off\n\tauto_https off\n}}\nimport {folder}/dist/_host/*.Caddyfile\n"


class Front:
    """A web server in front, with the brands' files in `folder/dist`."""

    def __init__(self, host: str, folder: Path, production: Production, port: int) -> None:
        self.port, self.folder = port, folder
        brands = [load(ROOT / "themes" / name) for name in (BRAND, "harbour")]
        publishing.build(
            brands,
            folder / "dist",
            server=f"http://127.0.0.1:{production.port}",
            secure=False,
            host=host,
            origin=f"http://127.0.0.1:{port}",
        )
        texts = [(folder / "dist" / name).read_text() for name in ("_headers", "_redirects")]
        self.site = sites.read("portal", "", folder / "dist", *texts)
        (written,) = (folder / "dist" / "_host").iterdir()
        written.write_text(written.read_text().replace("listen 80;", f"listen 127.0.0.1:{port};"))
        if host == "nginx":
            (folder / "conf").write_text(NGINX.format(folder=folder))
            command = ["nginx", "-p", str(folder), "-c", str(folder / "conf")]
        else:
            written.write_text(written.read_text().replace(f"127.0.0.1:{port} {{", f"http://127.0.0.1:{port} {{"))
            (folder / "conf").write_text(CADDY.format(folder=folder))
            command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "conf")]
        with (folder / "front.txt").open("wb") as log:
            environment = {"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)

    def wait(self) -> None:
        """Until it answers. Fails with what it printed."""
        until = time.monotonic() + 60
        while True:
            try:
                self.get("/")
            except OSError:
                assert time.monotonic() < until, (self.folder / "front.txt").read_text()
                assert self.process.poll() is None, (self.folder / "front.txt").read_text()
                time.sleep(0.05)
            else:
                return

    def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            names = [name.lower() for name, _ in answer.getheaders() if name.lower() != "vary"]
            assert len(names) == len(set(names)), f"{path}: a header comes twice: {names}"
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    kept = Mailbox()
    yield kept
    kept.stop()


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def front(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, mailbox: Mailbox
) -> Iterator[Front]:
    host: str = request.param
    if not shutil.which(host, path="/usr/sbin:/usr/bin:/sbin:/bin") and not browsers.installed_by_debian(host):
        pytest.skip(f"{host} is not here and could not be installed: on Debian and Ubuntu, apt-get install {host}")
    folder = tmp_path_factory.mktemp(host)
    production, port = Production(folder, mailbox), free_port()
    production.environment["PORTAL_HOSTS"] = f"127.0.0.1:{production.port}, 127.0.0.1:{production.operations}"
    production.environment["PORTAL_ORIGIN"] = f"http://127.0.0.1:{port}"
    filling = threading.Thread(target=lambda: asyncio.run(fill(production.environment["PORTAL_DATABASE"], 2)))
    filling.start()  # in a thread of its own: Playwright keeps an event loop in this one
    filling.join()
    running: list[Front] = []
    try:
        production.start()
        running.append(Front(host, folder, production, port))
        running[0].wait()
        yield running[0]
    finally:
        for each in running:
            each.stop()
        production.stop()


def test_every_file_has_the_headers_of_headers(front: Front) -> None:
    files = [path for path in (front.folder / "dist").rglob("*") if path.is_file()]
    paths = ["/" + path.relative_to(front.folder / "dist").as_posix() for path in files]
    served = 0
    for path in paths:
        if path.startswith("/_host/") or path.endswith(("/_headers", "/_redirects")):
            assert front.get(path)[0] == 404, path
            continue
        url = path.removesuffix("index.html")
        if url == "/robots.txt":
            continue
        status, headers, body = front.get(url)
        assert (status, body) == (200, (front.folder / "dist" / path[1:]).read_bytes()), url
        wanted = {name.lower(): value for name, value in front.site.headers_of(url).items()}
        assert {name: headers.get(name) for name in wanted} == wanted, url
        served += 1
    assert served > 20


def test_what_is_no_file_is_answered_as_on_every_host(front: Front) -> None:
    base = f"/{BRAND}"
    not_found = (front.folder / "dist" / BRAND / "404.html").read_bytes()
    inactive = (front.folder / "dist" / BRAND / "link-not-active" / "index.html").read_bytes()
    assert front.get(f"{base}/nothing/here")[::2] == (404, not_found)
    assert front.get(f"{base}/p/login/an-old-link/")[::2] == (404, inactive)
    assert "content-security-policy" in front.get(f"{base}/nothing/here")[1]
    for folder, asked in ((base, ""), (f"{base}/account", "?flow=x")):
        status, headers, _ = front.get(folder + asked)
        assert (status in (301, 308), headers["location"]) == (True, f"{folder}/{asked}"), folder
    # A host that follows the dots would send the visitor to another one.
    _, headers, _ = front.get(f"//elsewhere.example/..%2f{BRAND}/account?flow=x")
    assert not headers.get("location", "").startswith("//")
    status, headers, _ = front.get(f"{base}/my/overview")
    assert (status, headers["cache-control"]) == (401, "no-store")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_customer_logs_in_reads_and_cancels(
    front: Front, mailbox: Mailbox, new_visitor: Callable[..., BrowserContext], scripts: bool
) -> None:
    address = address_of(int(scripts))
    page = new_visitor(base_url=f"http://127.0.0.1:{front.port}", java_script_enabled=scripts).new_page()
    page.goto(f"/{BRAND}/")
    mailbox.forget(address)
    send_address(page, address)
    code = mailbox.passcode(address, 60)
    assert code
    send_code(page, code)
    expect(page.get_by_role("heading", name="Subscriptions")).to_be_visible()
    page.get_by_role("link", name="Cancel subscription").first.click()
    page.get_by_role("button", name="Cancel subscription").click()
    expect(page.get_by_text("Your subscription ends on").first).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Email address")).to_be_visible()


SCRIPTS = """async ([code, cases]) => {
  const worker = new Function(code.replace("export default", "return"))();
  const asked = [];
  globalThis.fetch = async (request) => { asked.push(request.url); return new Response("server"); };
  const ASSETS = { fetch: async (request) => {
    const path = new URL(request.url || request).pathname;
    asked.push(path);
    return new Response(path, { status: cases.files.includes(path) ? 200 : 404, headers: { "x-of": path } });
  } };
  const answers = [];
  for (const path of cases.asked) {
    asked.length = 0;
    const answer = await worker.fetch(new Request("https://billing.example" + path), { ASSETS });
    answers.push([answer.status, asked[asked.length - 1]]);
  }
  return answers;
}"""
FUNCTION = """([code, paths]) => {
  const handler = new Function(code + "; return handler")();
  return paths.map((asked) => {
    const { pathname, searchParams } = new URL(asked, "https://x");
    const querystring = {};
    for (const name of searchParams.keys()) {
      const [value, ...more] = searchParams.getAll(name).map((value) => ({ value: encodeURIComponent(value) }));
      querystring[name] = more.length ? { ...value, multiValue: [value, ...more] } : value;
    }
    const event = { context: { eventType: "viewer-request" }, request: { uri: pathname, querystring } };
    const request = handler(event);
    if (request.statusCode) return [request.statusCode, request.headers.location.value];
    const answer = { statusCode: 200 };
    return [handler({ context: { eventType: "viewer-response" }, request, response: answer }).statusCode, request.uri];
  });
}"""


def test_the_scripts_for_cloudflare_and_cloudfront_know_every_path(
    new_visitor: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    page = new_visitor().new_page()
    themes = write_brand(tmp_path / "themes", "shop", portal=OWN_DOMAIN)
    for host in ("cloudflare", "cloudfront"):
        publishing.build([load(themes)], tmp_path / host, server="https://server.example", host=host)
    page.goto("about:blank")
    old, missing = "/p/login/an-old-link/", "/nothing/here"
    worker = (tmp_path / "cloudflare" / "shop" / "_worker.js").read_text()
    files = ["/account/", "/404.html", "/link-not-active/"]
    cases = {"files": files, "asked": ["/account/", "/my/a%2Fb?x=1", "/login", "/webhooks/stripe", old, missing]}
    server = "https://server.example/shop"
    assert page.evaluate(SCRIPTS, [worker, cases]) == [
        [200, "/account/"],
        [200, f"{server}/my/a%2Fb?x=1"],
        [200, f"{server}/login"],
        [200, f"{server}/webhooks/stripe"],
        [404, "/link-not-active/"],
        [404, "/404.html"],
    ]
    template = json.loads((tmp_path / "cloudfront" / "_host" / "shop.cloudfront.json").read_text())
    function = template["Resources"]["Function"]["Properties"]["FunctionCode"]
    assert len(function.encode()) < 10_240, "CloudFront takes no longer function"
    assert page.evaluate(
        FUNCTION,
        [
            function,
            ["/", "/account/", "/account", "/account?flow=a%40b&x=1&x=2", "/static/x.css", old, missing, "/_headers"],
        ],
    ) == [
        [200, "/index.html"],
        [200, "/account/index.html"],
        [308, "/account/"],
        [308, "/account/?flow=a%40b&x=1&x=2"],
        [200, "/static/x.css"],
        [404, "/link-not-active/index.html"],
        [404, "/404.html"],
        [404, "/404.html"],
    ]
