"""The URLs of the portal: safe whatever the ids are, and each dynamic one answered by a route."""

import inspect
import re

import pytest

from server.paths import DYNAMIC_PREFIXES, Paths
from tests.support.world import World

ODD = ("a/b", "..%2f", "ünï", "a?b#c", '"><script>', " ", "%")


@pytest.mark.parametrize("id_", ODD)
def test_an_odd_id_stays_one_segment(id_):
    url = Paths("/harbour").invoice(id_)
    assert re.fullmatch(r"/harbour/my/invoices/[A-Za-z0-9_.~%-]+", url)


def test_a_plain_id_is_written_as_it_is():
    assert Paths("").subscription_cancel("sub_1.a~b-2") == "/my/subscriptions/sub_1.a~b-2/cancel"


def dynamic(paths: Paths) -> list[str]:
    """Every URL that the server answers, by the methods of `Paths`."""
    urls = []
    for name, member in inspect.getmembers(Paths):
        if isinstance(member, property):
            urls.append(getattr(paths, name))
        elif inspect.isfunction(member) and not name.startswith("_"):
            wanted = inspect.signature(getattr(paths, name)).parameters.values()
            given = (
                "renewal_reminder" if each.name == "kind" else "x1" for each in wanted if each.default is each.empty
            )
            urls.append(getattr(paths, name)(*given))
    return [url for url in urls if url.removeprefix(paths.base).startswith(DYNAMIC_PREFIXES)]


@pytest.mark.anyio
async def test_every_dynamic_url_has_a_route(world: World):
    browser = world.client()
    urls = dynamic(Paths("/harbour"))
    assert len(urls) > 10
    for url in urls:
        assert (await browser.request("PUT", url)).status_code == 405, f"{url} has no route"
