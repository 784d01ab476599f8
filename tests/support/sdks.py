"""Stripe's official SDKs as a merchant's back end runs them: each makes the same list of calls."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import stripe

from tests.support.served import ROOT, Demo

NODE = ROOT / "tests" / "node"
Calls = list[tuple[Any, ...]]
"""A name such as `billingPortal.sessions.create`, as Node's SDK has it, and its parameters."""


def install_for_node(folder: Path = NODE) -> None:
    """Stripe's SDK for Node, as `tests/node/package.json` pins it, where it is not here yet. Fails with what to do."""
    if (folder / "node_modules" / "stripe").is_dir():
        return
    npm = shutil.which("npm")
    assert npm, "the examples for Node need node and npm, and npm is not on the path"
    quiet = ("--no-audit", "--no-fund", "--no-package-lock", "--fetch-retries=1")
    done = subprocess.run(
        [npm, "install", *quiet], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, (
        "Stripe's SDK for Node is not here, and npm could not fetch it. This is done once and needs the network: "
        f"run npm install --prefix tests/node where there is one.\n{done.stderr}"
    )


class ByPython:
    def __init__(self, demo: Demo, key: str) -> None:
        self._client = stripe.StripeClient(key, base_addresses={"api": demo.origin})

    def call(self, calls: Calls) -> list[Any]:
        return [self._made(name, parameters) for name, *parameters in calls]

    def _made(self, name: str, parameters: list[Any]) -> Any:
        found: Any = self._client.v1
        for word in name.split("."):
            found = getattr(found, re.sub("[A-Z]", lambda upper: f"_{upper[0].lower()}", word))
        try:
            return found(*parameters).to_dict()
        except stripe.StripeError as error:
            return {"raised": type(error).__name__, "code": error.code, "param": getattr(error, "param", None)}

    def close(self) -> None:
        """Nothing is open."""


class ByNode:
    def __init__(self, demo: Demo, key: str) -> None:
        install_for_node()
        self._process = subprocess.Popen(
            [shutil.which("node") or "node", "calls.js"],
            cwd=NODE,
            env={**os.environ, "POSTERN_KEY": key, "POSTERN_ORIGIN": demo.origin},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def call(self, calls: Calls) -> list[Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(calls) + "\n")
        self._process.stdin.flush()
        came: list[Any] = json.loads(self._process.stdout.readline() or '["node ended; see its words above"]')
        return came

    def close(self) -> None:
        self._process.communicate(timeout=30)
