"""The official SDK, speaking to a stand-in in the same process: no socket, and no waiting."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import stripe
from tests.stripe.app import KEY, Request, Standin


class InProcess(stripe.HTTPClient):
    name = "standin"

    def __init__(self, standin: Standin) -> None:
        super().__init__()
        self.standin = standin

    def request(self, method: str, url: str, headers: Any, post_data: Any = None) -> tuple[bytes, int, dict[str, str]]:
        parts = urlsplit(url)
        lowered = {name.lower(): value for name, value in headers.items()}
        body = post_data.encode() if isinstance(post_data, str) else post_data or b""
        answer = self.standin.answer(Request(method.lower(), parts.path, parts.query, lowered, body))
        if answer.cut_after is not None:
            raise stripe.APIConnectionError("The connection was closed.")
        return answer.body, answer.status, answer.headers

    async def request_async(self, method: str, url: str, headers: Any, post_data: Any = None) -> Any:
        return self.request(method, url, headers, post_data)

    def close(self) -> None:
        pass


def sdk(standin: Standin, key: str = KEY) -> stripe.StripeClient:
    return stripe.StripeClient(key, http_client=InProcess(standin), base_addresses={"api": "https://stripe.test"})
