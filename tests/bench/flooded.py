"""What an operator who floods the studio costs customers: their reads alone, and beside eight connections that post a form or
ask for previews as fast as they are answered. Reads and flood are measured in turns against one demo.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from tests.bench.beside import read
from tests.bench.menu import Row
from tests.bench.requests import BRAND
from tests.support.client import forms_in
from tests.support.served import ROOT, Demo

SECONDS, ROUNDS, CONNECTIONS = 3.0, 5, 8
CUSTOMER = "jenny@example.com"
_LENGTH = re.compile(rb"(?i)content-length: (\d+)")


def rows() -> Iterator[Row]:
    with TemporaryDirectory() as folder, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        shutil.copytree(ROOT / "themes", Path(folder) / "themes")
        demo = Demo(environment={"PORTAL_THEMES": f"{folder}/themes"})
        try:
            demo.wait()
            cookie, requests = _customer(demo), _requests(demo)
            read(demo.port, cookie, 1)
            for what, request in requests.items():
                alone, beside, done = [], [], Counter[int]()
                for _ in range(ROUNDS):
                    alone.append(read(demo.port, cookie, SECONDS))
                    until = time.time() + SECONDS + 0.5
                    flooded: Future[Counter[int]] = pool.submit(_flood, demo.port, request, until)
                    beside.append(read(demo.port, cookie, SECONDS))
                    done += flooded.result()
                quiet, busy = (
                    median(sorted(each)[int(len(each) * 0.99)] for each in rounds) for rounds in (alone, beside)
                )
                answered = f"{done[200]} answered, {done[429]} refused"
                yield Row(f"reads beside a flood of {what}, p99", f"{1000 * busy:.1f} ms; {answered}",
                          f"alone {1000 * quiet:.1f} ms", f"{busy / quiet:.2f}", "")  # fmt: skip
        finally:
            demo.stop()


def _customer(demo: Demo) -> str:
    with httpx.Client(base_url=demo.origin, headers={"Origin": demo.origin}, follow_redirects=True) as visitor:
        page = visitor.get(demo.portals[BRAND])
        page = _filled(visitor, page, email=CUSTOMER)
        _filled(visitor, page, code=demo.passcode(CUSTOMER))
        return "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())


def _filled(visitor: httpx.Client, page: httpx.Response, **words: str) -> httpx.Response:
    action, fields = next(each for each in forms_in(page.text) if set(words) <= set(each[1]))
    return visitor.post(action, data={**fields, **words})


def _requests(demo: Demo) -> dict[str, bytes]:
    """What is sent again and again, as an operator's browser sends it."""
    origin = demo.studio.removesuffix("/_studio/")
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
    with httpx.Client(base_url=origin, headers=headers) as operator:
        operator.post("/_studio/login", data={"email": demo.operator})
        operator.post("/_studio/login/code", data={"code": demo.passcode(demo.operator)})
        page = operator.get("/_studio/b/harbour/look").text
        action, fields = next(each for each in forms_in(page) if "brand.color" in each[1])
        headers |= {"Host": urlsplit(origin).netloc, "Sec-Fetch-Dest": "empty", "HX-Request": "true"}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in operator.cookies.items())
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        shown: Any = re.search(r'<iframe[^>]* src="([^"]+)"', page)
        body = urlencode({**fields, "brand.color": "#0a7d4f"})
        return {"forms": _request("POST", action, headers, body), "previews": _request("GET", shown[1], headers, "")}


def _request(method: str, path: str, headers: dict[str, str], body: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode()


def _flood(port: int, request: bytes, until: float) -> Counter[int]:
    async def one(done: Counter[int]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.time() < until:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length: Any = _LENGTH.search(head)
            await reader.readexactly(int(length[1]))
            done[int(head[9:12])] += 1
        writer.close()

    async def every() -> Counter[int]:
        done = Counter[int]()
        await asyncio.gather(*(one(done) for _ in range(CONNECTIONS)))
        return done

    os.nice(5)
    return asyncio.run(every())
