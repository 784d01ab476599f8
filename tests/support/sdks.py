"""Stripe's official SDKs as a merchant's back end runs them: each makes the same list of calls."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import Any

import stripe

from tests.support import node
from tests.support.served import Demo

Calls = list[tuple[Any, ...]]
"""A name such as `billingPortal.sessions.create`, as Node's SDK has it, and its parameters."""


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
        assert not (missing := node.install()), missing
        self._process = subprocess.Popen(
            [shutil.which("node") or "node", "calls.js"],
            cwd=node.FOLDER,
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
