"""What each host is told means what `_headers` and `_redirects` mean: read back by its own rules, for every path.

nginx and Caddy say so themselves (tests/browser/test_hosts.py); so does a browser's engine of the two scripts.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from server.brands import load
from server.publishing import publishing, sites
from server.publishing.publishing import BuildError
from server.publishing.sites import Site
from tests.support.brands import PORTAL, write_brand

LINK = "test_0123456789abcdefghijkl"
ACTIVE = PORTAL + f'[login_page]\nenabled = true\nlink = "{LINK}"\n'
OWN = ACTIVE.replace("[business]", '[site]\nurl = "https://billing.harbour.example"\n[business]', 1)
SERVER = "https://server.example"
DYNAMIC = ("/login", "/login/code", "/logout", "/my/overview", "/my/a%2Fb", "/mails/x/y", "/webhooks/stripe")
NOWHERE = ("/nothing", "/account/x", "/p/login/old/", "/my", "/loginx")


def built(folder: Path, host: str, portal: str = OWN, names: tuple[str, ...] = ("harbour",)) -> Path:
    brands = [load(write_brand(folder / "themes", name, portal=portal)) for name in names]
    publishing.build(brands, folder / "dist", server=SERVER, host=host, origin="https://portal.example")
    return folder / "dist"


def site_of(root: Path) -> Site:
    return sites.read("x", "", root, (root / "_headers").read_text(), (root / "_redirects").read_text())


def urls(root: Path) -> list[str]:
    files = [path.relative_to(root).as_posix() for path in root.rglob("*.*") if path.is_file()]
    return [
        f"/{each}".removesuffix("index.html") for each in files if not each.startswith(("_", sites.ASIDE, "vercel"))
    ]


@pytest.mark.parametrize("shared", [False, True])
def test_vercel_sends_what_headers_and_redirects_say(tmp_path, shared):
    dist = built(tmp_path, "vercel", ACTIVE if shared else OWN, ("harbour", "orbit") if shared else ("harbour",))
    root = dist if shared else dist / "harbour"
    routes, base = json.loads((root / "vercel.json").read_text())["routes"], "/harbour" if shared else ""
    site = site_of(root)
    for path in urls(root):
        assert vercel(routes, path, is_file=True) == (200, path, site.headers_of(path)), path
    for path in DYNAMIC:
        assert vercel(routes, base + path, is_file=False) == (200, f"{SERVER}/harbour{path}", {}), path
    for path in NOWHERE:
        page = f"{base}/link-not-active/index.html" if "/p/login/" in path else f"{base}/404.html"
        assert vercel(routes, base + path, is_file=False)[:2] == (404, page), path


def vercel(routes: list[dict[str, object]], path: str, *, is_file: bool) -> tuple[int, str, dict[str, str]]:
    """Status, what is shown, and the headers put on it, as Vercel's documentation of `routes` says."""
    headers: dict[str, str] = {}
    for route in routes:
        if "handle" in route:
            if is_file:
                return 200, path, headers
            continue
        found = re.search(str(route["src"]), path)
        if not found:
            continue
        headers |= route.get("headers", {})  # type: ignore[arg-type]
        if not route.get("continue"):
            return (
                int(route.get("status", 200)),
                str(route["dest"]).replace("$1", (found.groups() or ("",))[0]),
                headers,
            )  # type: ignore[call-overload]
    raise AssertionError(path)


def test_cloudflares_worker_is_asked_for_what_is_passed_on_alone(tmp_path):
    root = built(tmp_path, "cloudflare") / "harbour"
    included = json.loads((root / "_routes.json").read_text())["include"]
    for path in DYNAMIC:
        assert any(sites.fits(each, path) for each in included), path
    asked = [path for path in urls(root) if any(sites.fits(each, path) for each in included)]
    assert asked == [f"/p/login/{LINK}/"]


def test_cloudfront_has_a_behavior_for_each_path_and_the_headers_of_each_kind(tmp_path):
    dist = built(tmp_path, "cloudfront")
    resources = json.loads((dist / sites.ASIDE / "harbour.cloudfront.json").read_text())["Resources"]
    config, site = resources["Distribution"]["Properties"]["DistributionConfig"], site_of(dist / "harbour")
    assert config["Aliases"] == ["billing.harbour.example"]
    behaviors = {each["PathPattern"]: each for each in config["CacheBehaviors"]}
    assert {path for path, each in behaviors.items() if each["TargetOriginId"] == "server"} == {
        path for path, _ in site.passed
    }
    (origin,) = [each for each in config["Origins"] if each["Id"] == "server"]
    assert (origin["DomainName"], origin["OriginPath"]) == ("server.example", "/harbour")
    assert "POST" in behaviors["/login"]["AllowedMethods"]
    assert "ResponseHeadersPolicyId" not in behaviors["/my/*"]
    for policy, path in (("Pages", "/account/"), ("Kept", "/static/x")):
        assert given(resources[policy]) == site.headers_of(path)


def given(policy: dict[str, dict[str, dict[str, dict[str, object]]]]) -> dict[str, str]:
    """The headers that a policy of CloudFront puts on an answer."""
    config = policy["Properties"]["ResponseHeadersPolicyConfig"]
    security: dict[str, dict[str, str]] = config["SecurityHeadersConfig"]  # type: ignore[assignment]
    age = security["StrictTransportSecurity"]
    assert age["IncludeSubdomains"]
    headers = {
        "Content-Security-Policy": security["ContentSecurityPolicy"]["ContentSecurityPolicy"],
        "X-Content-Type-Options": "nosniff" if "ContentTypeOptions" in security else "",
        "X-Frame-Options": security["FrameOptions"]["FrameOption"],
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
        "Strict-Transport-Security": f"max-age={age['AccessControlMaxAgeSec']}; includeSubDomains",
    }
    return headers | {each["Header"]: each["Value"] for each in config["CustomHeadersConfig"]["Items"]}  # type: ignore[index]


def test_cloudfront_wants_a_domain_for_each_brand(tmp_path):
    with pytest.raises(BuildError, match="its own domain"):
        built(tmp_path, "cloudfront", ACTIVE)


def test_a_host_that_nobody_knows_is_refused_with_those_that_are(tmp_path):
    with pytest.raises(BuildError, match=r"--for 'apache': .*netlify, cloudflare, vercel, cloudfront, nginx, caddy"):
        built(tmp_path, "apache")


def test_a_host_that_is_told_needs_to_know_the_server(tmp_path):
    brand = load(write_brand(tmp_path / "themes", "harbour", portal=OWN))
    with pytest.raises(BuildError, match="--for nginx: say with --server"):
        publishing.build([brand], tmp_path / "dist", host="nginx")


def test_what_another_host_was_told_goes(tmp_path):
    for host in ("nginx", "vercel", "cloudflare", "netlify"):
        dist = built(tmp_path, host, ACTIVE)
        written = {"nginx": "_host/portal.nginx.conf", "vercel": "vercel.json", "cloudflare": "_worker.js"}
        for other, name in written.items():
            assert (dist / name).exists() is (other == host), (host, name)
