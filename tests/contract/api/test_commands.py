"""`python -m server keys` and `events`, as a merchant types them."""

import re
from pathlib import Path

import pytest

from server.__main__ import main
from tests.support.world import ROOT


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_DATABASE", f"sqlite:{tmp_path / 'portal.sqlite'}")
    monkeypatch.setenv("PORTAL_SECRETS", "a secret of the tests: 0123456789abcdef")
    monkeypatch.setenv("PORTAL_THEMES", str(ROOT / "themes"))


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(list(arguments)) == code
    captured = capsys.readouterr()
    return captured.err if code else captured.out


def test_a_key_is_made_listed_and_revoked(capsys: pytest.CaptureFixture[str]) -> None:  # F9
    assert said(capsys, "keys", "list", "harbour") == "harbour has no key.\n"
    made = said(capsys, "keys", "create", "harbour", "--test", "--may", "portal.sessions", "--may", "customers.read")
    key, id_ = made.split("\n")[0], re.search(r"key_\w+", made)
    assert re.fullmatch(r"rk_test_[0-9a-f]{48}", key)
    assert id_
    assert said(capsys, "keys", "create", "harbour").startswith("sk_live_")
    listed = said(capsys, "keys", "list", "harbour")
    assert key not in listed
    assert f"rk_test_…{key[-4:]}" in listed
    assert "portal.sessions, customers.read" in listed
    assert said(capsys, "keys", "list", "orbit") == "orbit has no key.\n"
    assert "no such key" in said(capsys, "keys", "revoke", "orbit", id_[0], code=1)
    assert "opens nothing" in said(capsys, "keys", "revoke", "harbour", id_[0])
    assert "no such key" in said(capsys, "keys", "revoke", "harbour", id_[0], code=1)
    assert "revoked" in said(capsys, "keys", "list", "harbour")


def test_events_are_listed_and_an_unknown_one_is_not_sent_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "events", "list", "harbour") == "harbour has told of nothing.\n"
    assert "no such event" in said(capsys, "events", "resend", "harbour", "evt_1", code=1)
    assert "has no [[events.endpoints]]" in said(capsys, "events", "secret", "harbour")


def test_a_key_needs_the_secrets(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTAL_SECRETS")
    assert "PORTAL_SECRETS: missing" in said(capsys, "keys", "create", "harbour", code=2)
