"""The steps of `docs/stripe.md`, by the merchant's own commands: against the stand-in, as that page says it can be tried."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.billing.stripe.client import VERSION
from tests.support.client import forms_in
from tests.support.production import Mailbox, Production, Visitor
from tests.support.served import PLAIN, ROOT

BRAND, JENNY = "plain", "jenny@example.com"


class Shop(Production):
    """A merchant's server over one brand, with Stripe on a port of this machine."""

    def __init__(self, folder: Path, mailbox: Mailbox) -> None:
        super().__init__(folder, mailbox)
        shutil.copytree(ROOT / "themes" / BRAND, folder / "themes" / BRAND)
        self.toml = folder / "themes" / BRAND / "portal.toml"
        self.toml.write_text(self.toml.read_text().replace('backend = "ledger"', 'backend = "stripe"'))
        command = [sys.executable, "-m", "tests.stripe", "--port", "0", "--brand", BRAND]
        self._stripe = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._stripe.stdout
        self.base, self.key = (self._stripe.stdout.readline().split()[1] for _ in range(2))
        self.environment |= {
            "PORTAL_THEMES": str(folder / "themes"),
            "PORTAL_STRIPE_API_BASE": self.base,
            "PORTAL_STRIPE_KEY_PLAIN": self.key,
        }

    def command(self, *words: str, **environment: str) -> tuple[int, str]:
        """What it ends with, and what it says."""
        done = subprocess.run(
            [sys.executable, "-m", "server", *words],
            cwd=ROOT, env={**os.environ, **self.environment, **environment},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def at_stripe(self, path: str, **fields: str) -> Any:
        headers = {"Authorization": f"Bearer {self.key}", "Stripe-Version": VERSION}
        with httpx.Client(base_url=self.base, headers=headers, trust_env=False, timeout=60, verify=PLAIN) as client:
            answer = client.post(path, data=fields) if fields else client.get(path)
            assert answer.status_code == 200, answer.text
            return answer.json()

    def stop(self) -> None:
        super().stop()
        self._stripe.kill()
        self._stripe.communicate()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    mailbox = Mailbox()
    made = Shop(tmp_path, mailbox)
    made.mailbox = mailbox  # type: ignore[attr-defined]
    yield made
    made.stop()
    mailbox.stop()


def logged_in(shop: Shop) -> Visitor:
    visitor = Visitor(shop.port)
    action, fields = forms_in(visitor.get(f"/{BRAND}/login")[1])[0]
    status, _ = visitor.post(action, **{**fields, "email": JENNY})
    assert status == 303
    action, fields = forms_in(visitor.get(f"/{BRAND}/login/code")[1])[0]
    code = shop.mailbox.passcode(JENNY, 60)  # type: ignore[attr-defined]
    status, said = visitor.post(action, **{**fields, "code": code})
    assert status == 303, said
    return visitor


def test_a_merchant_sets_stripe_up_as_the_page_says(shop: Shop) -> None:
    code, said = shop.command("link", "activate", BRAND, "--test")
    assert code == 0, said
    assert re.search(rf"/{BRAND}/p/login/test_\w+", said), said
    code, said = shop.command("sync", BRAND)
    assert code == 0, said
    code, said = shop.command("doctor")
    assert "permission" not in said.replace("permissions", ""), said
    url = f"{shop.environment['PORTAL_ORIGIN']}/{BRAND}/webhooks/stripe"
    made = shop.at_stripe("/v1/webhook_endpoints", url=url, **{"enabled_events[]": "*"})
    shop.environment["PORTAL_STRIPE_WEBHOOK_SECRET_PLAIN"] = made["secret"]
    shop.start()
    visitor = logged_in(shop)
    assert "Jenny" in visitor.get(f"/{BRAND}/my/details")[1]

    customer = shop.at_stripe(f"/v1/customers?email={JENNY}")["data"][0]
    lost = {"kind": "refused", "operation": "event.list", "times": 1000}  # so that the webhook tells of it
    assert httpx.post(f"{shop.base}/_standin/faults", json=lost, trust_env=False, timeout=60).is_success
    shop.at_stripe(f"/v1/customers/{customer['id']}", name="Changed By The Business")
    until = time.monotonic() + 30
    while "Changed By The Business" not in (page := visitor.get(f"/{BRAND}/my/details")[1]):
        assert time.monotonic() < until, page
        time.sleep(0.2)
    assert shop.key not in shop.log.read_text()

    code, said = shop.command("serve", PORTAL_STRIPE_KEY_PLAIN="rk_live_0123456789abcdef")
    assert code != 0
    assert f"link activate {BRAND} --new" in said
    assert "rk_live_0123456789abcdef" not in said
