"""Whose limits a request counts for, behind proxies. What cannot be read is never somebody else."""

from ipaddress import ip_network

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.web import client_address as module
from server.web.client_address import UNREADABLE, client_address
from tests.support.world import BRAND, SETTINGS, World

pytestmark = pytest.mark.anyio
ONE, TWO = (msgspec.structs.replace(SETTINGS, trusted_proxies=number) for number in (1, 2))
PROXY = "10.0.0.1"


def xff(*values: str) -> list[tuple[bytes, bytes]]:
    return [(b"x-forwarded-for", value.encode("latin-1")) for value in values]


def forwarded(*values: str) -> list[tuple[bytes, bytes]]:
    return [(b"forwarded", value.encode("latin-1")) for value in values]


@pytest.mark.parametrize(
    "said", ["1.2.3.4", "1.2.3.4, 5.6.7.8", ", ".join(["9.9.9.9"] * 20), "2001:db8::1", "garbage", ""]
)
def test_by_default_nobody_is_believed_about_the_client(said: str) -> None:  # threat 9
    headers = [*xff(said), (b"cf-connecting-ip", b"1.2.3.4"), *forwarded("for=1.2.3.4")]
    assert client_address(headers, "203.0.113.7", SETTINGS) == "203.0.113.7"


FORMS = {
    "198.51.100.7": "198.51.100.7",
    "198.51.100.7:5000": "198.51.100.7",
    "2001:db8:1:2::3": "2001:db8:1:2::/64",
    "[2001:db8:1:2::3]": "2001:db8:1:2::/64",
    "[2001:db8:1:2::3]:5000": "2001:db8:1:2::/64",
    "2001:DB8:1:2::3%eth0": "2001:db8:1:2::/64",
    "[fe80::1%25en0]:443": "fe80::/64",
    "::ffff:198.51.100.7": "198.51.100.7",
    "[::ffff:c633:6407]:80": "198.51.100.7",
    "unknown": UNREADABLE,
    "_hidden": UNREADABLE,
    "198.51.100": UNREADABLE,
    "198.51.100.7:": UNREADABLE,
    "198.51.100.007": UNREADABLE,
    "198.51.100.7 198.51.100.8": UNREADABLE,
    "[198.51.100.7": UNREADABLE,
    "localhost": UNREADABLE,
    "": UNREADABLE,
    "\u00b9.2.3.4": UNREADABLE,
}


@pytest.mark.parametrize(("said", "who"), FORMS.items())
def test_every_form_of_an_address_is_read_or_is_nobodys(said: str, who: str) -> None:  # threat 9
    assert client_address(xff(said), PROXY, ONE) == who
    assert client_address(xff(f"6.6.6.6, {said}"), PROXY, ONE) == who
    assert client_address(xff("6.6.6.6", said), PROXY, ONE) == who
    assert client_address(xff(f"{said}, 10.9.9.9"), PROXY, TWO) == who
    assert client_address(forwarded(f'for="{said}"'), PROXY, ONE) == who
    assert client_address(forwarded(f'for=6.6.6.6, proto=https;For="{said}";by=203.0.113.43'), PROXY, ONE) == who
    assert client_address(forwarded("for=6.6.6.6", f'for="{said}"'), PROXY, ONE) == who


def test_proxies_are_counted_from_the_right() -> None:  # threat 9
    headers = xff("6.6.6.6, 1.2.3.4", "5.6.7.8")
    assert client_address(headers, PROXY, ONE) == "5.6.7.8"
    assert client_address(headers, PROXY, TWO) == "1.2.3.4"
    assert client_address(xff("5.6.7.8"), PROXY, TWO) == UNREADABLE
    assert client_address(forwarded("for=1.2.3.4, for=5.6.7.8"), PROXY, TWO) == "1.2.3.4"
    assert client_address([], PROXY, ONE) == PROXY  # the proxy asks for itself


@pytest.mark.parametrize(
    "said",
    [
        'for="1.2.3.4, for=5.6.7.8',
        'for="1.2.3.4\\", for=5.6.7.8"',
        "for=1.2.3.4, proto=https",
        "for=1.2.3.4, for=5.6.7.8;for=9.9.9.9",
        "for=1.2.3.4, 5.6.7.8",
        "for =5.6.7.8",
    ],
)
def test_a_chain_that_is_not_whole_is_nobodys(said: str) -> None:  # threat 9
    assert client_address(forwarded(said), PROXY, ONE) == UNREADABLE


def test_two_headers_must_say_the_same() -> None:  # threat 9
    assert client_address([*xff("5.6.7.8"), *forwarded("for=5.6.7.8")], PROXY, ONE) == "5.6.7.8"
    assert client_address([*xff("6.6.6.6"), *forwarded("for=5.6.7.8")], PROXY, ONE) == UNREADABLE
    assert client_address([*xff("unknown"), *forwarded("for=5.6.7.8")], PROXY, ONE) == UNREADABLE


@given(st.text(max_size=60), st.sampled_from(["for=5.6.7.8", 'for="5.6.7.8:80"']))
def test_what_a_visitor_writes_is_never_another_visitor(written: str, appended: str) -> None:  # threat 9
    """The visitor's part stands before what the proxy adds, in the same line."""
    raw = written.encode("utf-8", "ignore").decode("latin-1")
    found = {
        client_address(xff(f"{raw}, 5.6.7.8"), PROXY, ONE),
        client_address(forwarded(f"{raw}, {appended}"), PROXY, ONE),
    }
    assert found <= {"5.6.7.8", UNREADABLE}


def test_the_cdns_header_is_believed_from_the_cdn_only() -> None:  # threat 9
    settings = msgspec.structs.replace(
        SETTINGS, client_address_header="cf-connecting-ip", proxy_peers=(ip_network("10.0.0.0/8"),)
    )
    headers = [(b"cf-connecting-ip", b"1.2.3.4")]
    assert client_address(headers, "10.1.2.3", settings) == "1.2.3.4"
    assert client_address(headers, "::ffff:10.1.2.3", settings) == "1.2.3.4"
    assert client_address(headers, "203.0.113.7", settings) == "203.0.113.7"
    assert client_address([*headers, *headers], "10.1.2.3", settings) == UNREADABLE
    without_peers = msgspec.structs.replace(settings, proxy_peers=())
    assert client_address(headers, "203.0.113.7", without_peers) == "203.0.113.7"


def test_an_ipv6_network_is_one_client() -> None:
    assert client_address([], "2001:db8:1:2:3:4:5:6", SETTINGS) == "2001:db8:1:2::/64"
    assert client_address([], "::ffff:1.2.3.4", SETTINGS) == "1.2.3.4"
    assert client_address([], "", SETTINGS) == "unknown"


@pytest.mark.parametrize("header", [{"x-forwarded-for": "1.2.3.4"}, {"forwarded": "for=1.2.3.4"}])
async def test_a_proxy_that_nobody_trusts_is_said_once(sqlite_store, clock, stream, header) -> None:
    world = World(sqlite_store, clock)
    for _ in range(3):
        await world.client().get(f"/{BRAND}/login", headers=header)
    assert stream.getvalue().count("PORTAL_TRUSTED_PROXIES") == 1
    assert "1.2.3.4" not in stream.getvalue()


async def test_a_proxy_that_is_trusted_is_nothing_to_say(sqlite_store, clock, stream) -> None:
    await World(sqlite_store, clock, settings=ONE).client().get(f"/{BRAND}/login", headers={"forwarded": "for=1.2.3.4"})
    assert "PORTAL_TRUSTED_PROXIES" not in stream.getvalue()


@pytest.mark.parametrize("said", ["unknown", "1.2.3.4"])
async def test_visitors_who_share_a_budget_because_nobody_can_read_who_they_are_are_said_once(
    sqlite_store, clock, stream, said
) -> None:
    module._say_unreadable.cache_clear()
    settings = ONE if said == "unknown" else TWO  # one proxy too many is trusted
    world = World(sqlite_store, clock, settings=settings)
    for number in range(2):
        form = {"email": f"a{number}@example.com", "link": world.link(BRAND)}
        await world.client().post(f"/{BRAND}/login", data=form, headers={"x-forwarded-for": said})
    assert stream.getvalue().count("cannot be read") == 1
