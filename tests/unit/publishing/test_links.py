"""A link leads to a page of the build, to an asset, or to a route that paths.py names; to nothing else."""

from pathlib import Path

import pytest

from server import brands
from server.publishing import pages
from server.publishing.links import Links
from server.rendering.assets import Assets
from tests.support.brands import PORTAL, write_brand

LINK = "test_0123456789abcdefghijkl"


@pytest.fixture
def links(tmp_path: Path) -> Links:
    portal = PORTAL + f'[login_page]\nenabled = true\nlink = "{LINK}"\n'
    brand = brands.load(write_brand(tmp_path, portal=portal))
    return pages.links_of(brand, Assets.of(brand))


@pytest.mark.parametrize(
    "url",
    [
        "/harbour/",
        "/harbour/account/",
        f"/harbour/p/login/{LINK}/?prefilled_email=a%40example.com",
        "/harbour/login/code",
        "/harbour/my/subscriptions/sub_1/cancel",
        "/harbour/my/invoices?before=in_1",
        "#main",
        "https://harbour.example/terms",
        "mailto:help@harbour.example",
    ],
)
def test_these_lead_somewhere(links, url):
    assert links.resolves(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "?x=1",
        "/",
        "/harbour/acount/",
        "/harbour/account",
        "/plain/account/",
        "/harbour/p/login/another/",
        "/harbour/my/subscriptions/sub_1/delete",
        "/harbour/my/subscriptions//cancel",
        "/harbour/static/portal.js",
        "//evil.example/x",
        "javascript:alert(1)",
    ],
)
def test_these_do_not(links, url):
    assert not links.resolves(url)


def test_an_asset_is_found_under_its_hashed_name(links):
    assert links.resolves(links.assets("account.js"))
