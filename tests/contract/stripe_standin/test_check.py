"""The questions for a sandbox, asked of the stand-in itself."""

from __future__ import annotations

import pytest

from tests.stripe import check
from tests.stripe.app import Standin
from tests.stripe.client import sdk
from tests.stripe.world import World


def test_each_question_has_an_answer_and_the_stand_in_agrees_with_itself():
    standin = Standin(World())
    answers = list(check.compared(sdk(standin)))
    assert [name for name, theirs, ours in answers if theirs != ours] == []
    assert [theirs for _, theirs, _ in answers if isinstance(theirs, str) and "Error: " in theirs] == []
    assert next(theirs for name, theirs, _ in answers if name == "upgrade") == [-1500, 4500]


@pytest.mark.parametrize("key", ["", "sk_live_0123456789", "rk_live_0123456789", "nonsense"])
def test_a_live_key_is_refused_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch, key: str, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("STRIPE_TEST_KEY", key)
    assert check.main() == 2
    assert "nothing was sent" in capsys.readouterr().err
