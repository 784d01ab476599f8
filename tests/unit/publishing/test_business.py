"""Each key of `[business]`: where its value stands on the pages, and that nothing stands there without it."""

import pytest

from server import brands
from server.publishing import publishing
from tests.support.brands import write_brand

LINK = "test_0123456789abcdefghijkl"
LOGIN = f'[login_page]\nenabled = true\nlink = "{LINK}"\n'
LOGIN_PAGE = f"p/login/{LINK}/index.html"
KEYS = {
    "headline": ("Your coffee, your way", LOGIN_PAGE, ">Your coffee, your way<"),
    "privacy_policy_url": ("https://h.example/privacy", LOGIN_PAGE, '<a href="https://h.example/privacy">Privacy</a>'),
    "terms_of_service_url": ("https://h.example/terms", LOGIN_PAGE, '<a href="https://h.example/terms">Terms</a>'),
    "default_return_url": ("https://h.example/", "account/index.html", '<a href="https://h.example/">Our website</a>'),
    "support_url": ("https://h.example/support", "help/index.html", 'href="https://h.example/support"'),
    "support_email": ("help@h.example", "help/index.html", 'href="mailto:help@h.example"'),
    "support_phone": ("+49 40 123", "help/index.html", 'href="tel:+4940123"'),
}


def pages(folder, business):
    written = "".join(f'{key} = "{value}"\n' for key, value in business.items())
    brand = brands.load(write_brand(folder, portal=f'[business]\nname = "Harbour & Co"\n{written}{LOGIN}'))
    publishing.build([brand], folder / "dist")
    return {name: (folder / "dist/harbour" / name).read_text() for name in {each[1] for each in KEYS.values()}}


@pytest.fixture(scope="module")
def with_all(tmp_path_factory):
    return pages(tmp_path_factory.mktemp("all"), {key: value for key, (value, _, _) in KEYS.items()})


@pytest.fixture(scope="module")
def with_the_name_alone(tmp_path_factory):
    return pages(tmp_path_factory.mktemp("name"), {})


@pytest.mark.parametrize("key", KEYS)
def test_what_the_business_says_of_itself_stands_on_the_page(with_all, with_the_name_alone, key):
    _, page, shown = KEYS[key]
    assert shown in with_all[page]
    assert shown not in with_the_name_alone[page]


def test_the_name_stands_on_every_page(with_the_name_alone):
    assert all("Harbour &amp; Co" in page for page in with_the_name_alone.values())
    assert not any(word in page for page in with_the_name_alone.values() for word in (">Privacy<", ">Terms<", "tel:"))
