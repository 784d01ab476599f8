"""The history of an account in words."""

import pytest

from server.billing import Activity
from server.features.history import views
from tests.support.accounts import NOW, account, ending
from tests.support.rendered import renderer, words


def test_the_history_names_the_subscription_and_keeps_unknown_words():  # S15
    whole = account(ending())
    done = [
        Activity(NOW, "subscription.canceled", "sub_1", {}, "Firefox on Linux"),
        Activity(NOW, "coffee.spilled", "", {}, ""),
        Activity(NOW, "subscription.canceled", "sub_gone", {}, ""),
    ]
    first, odd, gone = views.history(whole, done).entries
    assert (first.kind, first.subscription, first.name, first.browser) == (
        "subscription.canceled",
        "sub_1",
        "House blend",
        "Firefox on Linux",
    )
    assert (odd.kind, odd.word, odd.subscription) == ("other", "coffee.spilled", "")
    assert (gone.kind, gone.subscription, gone.name) == ("subscription.canceled", "", "")


@pytest.mark.parametrize(
    ("browser", "said"), [("Firefox on Linux", "Firefox unter Linux"), ("curl", "curl"), ("", "gekündigt")]
)
def test_a_browser_is_named_in_the_language_of_the_page(browser, said):
    done = [Activity(NOW, "subscription.canceled", "sub_1", {}, browser)]
    text = words(renderer().fragment(views.history(account(ending()), done), "de"))
    assert said in text
    assert " on " not in text
