"""Stripe's SDK for Node, as `tests/node/package.json` pins it: fetched once, by `build.py test` or the first test that needs it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "node"
_QUIET = ("--no-audit", "--no-fund", "--no-package-lock", "--fetch-retries=1")


def install(say: Callable[[str], None] | None = None, folder: Path = FOLDER) -> str:
    """Fetch it where it is not here yet; empty text, or why it is not here and what to do."""
    if (folder / "node_modules" / "stripe").is_dir():
        return ""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return "The tests of the API also use Stripe's SDK for Node: install node and npm, and run this again."
    if say:
        say("Fetching Stripe's SDK for Node (once) …")
    done = subprocess.run([npm, "install", *_QUIET], cwd=folder, capture_output=True, text=True, check=False)
    if not done.returncode:
        return ""
    return (
        f"{done.stderr}\nStripe's SDK for Node is not in {folder.name}/node_modules, and npm could not fetch it; is there a "
        "network? It is needed once: run npm install --prefix tests/node where there is one."
    )
