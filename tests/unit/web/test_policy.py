"""The headers of security.md section 4."""

from pathlib import Path

import pytest

from server import brands
from server.publishing import cdn
from server.rendering.assets import Assets
from server.web import policy
from tests.support.brands import write_brand


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    return Assets.of(brands.load(write_brand(tmp_path)))


def directives(headers: dict[str, str]) -> dict[str, list[str]]:
    parts = [part.split() for part in headers["Content-Security-Policy"].split(";")]
    return {name: values for name, *values in parts}


def test_scripts_are_known_by_their_hashes_alone(assets):  # threat 67
    assert directives(policy.static(assets, secure=True))["script-src"] == [
        f"'{each}'" for each in assets.script_hashes
    ]


@pytest.mark.parametrize("word", ["'self'", "'unsafe-inline'", "'unsafe-eval'", "'strict-dynamic'", "https:", "*"])
def test_nothing_else_may_run(assets, word):  # threats 66 and 67
    policies = directives(policy.page(assets, secure=True))
    assert word not in policies["script-src"]
    assert policies["default-src"] == ["'none'"]


def test_the_inline_styles_are_known_by_their_hashes_alone(assets):
    assert directives(policy.static(assets, secure=True))["style-src"] == [f"'{each}'" for each in assets.style_hashes]


def test_trusted_types_are_required(assets):  # threat 66
    policies = directives(policy.static(assets, secure=True))
    assert policies["require-trusted-types-for"] == ["'script'"]
    assert policies["trusted-types"] == ["htmx"]


@pytest.mark.parametrize("of", ["static", "page", "bare"])
def test_nothing_can_be_framed(assets, of):  # threat 61
    headers = policy.bare(secure=True) if of == "bare" else getattr(policy, of)(assets, secure=True)
    assert directives(headers)["frame-ancestors"] == ["'none'"]
    assert headers["X-Frame-Options"] == "DENY"


def test_a_bare_fragment_may_do_nothing(assets):  # threat 72
    assert directives(policy.bare(secure=True)) == {
        "default-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
        "sandbox": [],
    }


@pytest.mark.parametrize("of", ["page", "bare"])
def test_no_cache_keeps_a_dynamic_answer(assets, of):  # threat 81
    headers = policy.bare(secure=True) if of == "bare" else policy.page(assets, secure=True)
    assert headers["Cache-Control"] == "no-store"
    assert headers["CDN-Cache-Control"] == "no-store"
    assert "Cookie" in headers["Vary"]


def test_https_is_insisted_on_where_there_is_https(assets):
    for secure in (True, False):
        headers = policy.static(assets, secure=secure)
        assert ("Strict-Transport-Security" in headers) is secure
        assert ("upgrade-insecure-requests" in directives(headers)) is secure


def test_forms_of_our_pages_send_their_origin(assets):  # threat 56
    assert policy.static(assets, secure=True)["Referrer-Policy"] == "same-origin"


def test_pages_are_asked_for_again_and_hashed_files_are_not():  # threat 87
    assert policy.cache_control("/account/") == "no-cache"
    assert "immutable" in policy.cache_control("static/portal.1a2b3c4d5e.js")


def test_no_header_is_given_twice_to_one_path(assets):
    text = cdn.headers(["index.html", "static/x.js"], assets, "/harbour", secure=True)
    of_all, *others = text.split("\n/")[1:]
    names = [{line.split(":")[0].strip() for line in rule.splitlines()[1:]} for rule in (of_all, *others)]
    assert not any(names[0] & each for each in names[1:])


def test_a_line_of_the_header_file_is_not_longer_than_cdns_take(assets):
    lines = cdn.headers(["index.html"], assets, "/harbour", secure=True).splitlines()
    assert max(map(len, lines)) <= 2000


def test_dynamic_paths_are_passed_on_to_the_server_under_the_brands_name():
    text = cdn.redirects("harbour", "", "https://server.example")
    assert "/login https://server.example/harbour/login 200" in text.splitlines()
    assert "/my/* https://server.example/harbour/my/:splat 200" in text.splitlines()


def test_without_a_server_nothing_is_passed_on_and_the_file_says_so():
    lines = cdn.redirects("harbour", "", "").splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    assert rules == ["/p/login/* /link-not-active/index.html 404", "/* /404.html 404"]
    assert any("--server" in line for line in lines)
