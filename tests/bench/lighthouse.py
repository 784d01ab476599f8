"""Lighthouse on the log-in page, the account page and the invoices of each brand, as its mobile run does it: slow 4G and a
slow processor. Each page is measured three times, and the run in the middle counts: what else the machine does costs points.

npm install --prefix FOLDER lighthouse
python -m tests.bench.lighthouse FOLDER [BRAND …]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from playwright.sync_api import sync_playwright

from tests.support import browsers
from tests.support.served import Demo
from tests.support.visits import Doors

TIMES = 3
WANTED = ("performance", "accessibility", "best-practices")


def main() -> int:
    node, executable = Path(sys.argv[1]) / "node_modules", browsers.find_or_install(print)
    demo = Demo()
    try:
        demo.wait()
        pages = _pages(demo, executable, sys.argv[2:])
        print("| brand | page | performance | accessibility | best practices | layout shift | largest paint |")
        print("|---|---|---|---|---|---|---|", flush=True)
        return max([_run(node, executable, *each) for each in pages], default=0)
    finally:
        demo.stop()


def _pages(demo: Demo, executable: str, named: list[str]) -> list[tuple[str, str, str, str]]:
    """Brand, page, URL and cookies of each."""
    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**browsers.launch_options(executable))  # type: ignore[arg-type]
        doors = Doors(browser, demo)
        for brand in named or sorted(demo.portals):
            cookies = "; ".join(f"{each['name']}={each['value']}" for each in doors.cookies(brand))
            found += [
                (brand, "log-in", demo.portals[brand].partition("?")[0].partition("#")[0], ""),
                (brand, "account", f"{demo.origin}/{brand}/account/", cookies),
                (brand, "invoices", f"{demo.origin}/{brand}/my/invoices", cookies),
            ]
        browser.close()
    return found


def _run(node: Path, executable: str, brand: str, name: str, url: str, cookies: str) -> int:  # noqa: PLR0917
    """Print one row, and what keeps it from 100; 1 where something does."""
    reports = sorted((_report(node, executable, url, cookies) for _ in range(TIMES)), key=_performance)
    report = reports[TIMES // 2]
    scores = {each: round(100 * (report["categories"][each]["score"] or 0)) for each in WANTED}
    shift, paint = (
        report["audits"][each]["displayValue"] for each in ("cumulative-layout-shift", "largest-contentful-paint")
    )
    print(f"| {brand} | {name} | {' | '.join(str(scores[each]) for each in WANTED)} | {shift} | {paint} |", flush=True)
    for each in WANTED:
        for part in report["categories"][each]["auditRefs"]:
            audit = report["audits"][part["id"]]
            if (
                part["weight"]
                and (audit["score"] or 0) < 1
                and audit["scoreDisplayMode"] not in ("notApplicable", "manual")
            ):
                print(f"    {part['id']}: {audit.get('displayValue') or audit['title']}", flush=True)
    return int(min(scores.values()) < 100)


def _performance(report: dict[str, Any]) -> float:
    return float(report["categories"]["performance"]["score"] or 0)


def _report(node: Path, executable: str, url: str, cookies: str) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        headers, out = Path(folder) / "headers.json", Path(folder) / "report.json"
        headers.write_text(json.dumps({"Cookie": cookies} if cookies else {}), "utf-8")
        command = ["node", str(node / "lighthouse" / "cli" / "index.js"), url, "--quiet", "--output=json"]
        command += [f"--output-path={out}", f"--extra-headers={headers}", f"--only-categories={','.join(WANTED)}"]
        command += [f"--chrome-flags=--headless=new --no-sandbox {' '.join(browsers.QUIET[:2])}"]
        subprocess.run(command, check=True, env={**os.environ, "CHROME_PATH": executable}, stdout=subprocess.DEVNULL)
        return cast("dict[str, Any]", json.loads(out.read_text("utf-8")))


if __name__ == "__main__":
    raise SystemExit(main())
