"""Delivers events to the webhook endpoints, signed as Stripe signs them, and as badly as a test orders it.

The list of events is always whole: what a webhook lost is found there.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, field
from random import Random

import httpx

from tests.stripe.rendering import shown
from tests.stripe.world import Json, World


@dataclass
class Feed:
    """What waits to be delivered, and how it misbehaves; chances are from 0 to 1."""

    lose: float = 0.0
    double: float = 0.0
    shuffle: bool = False
    hold: bool = False
    """Nothing is delivered until this is false again."""
    version: str = ""
    """The API version that the event says it has; empty: the right one."""
    waiting: list[Json] = field(default_factory=list)
    random: Random = field(default_factory=lambda: Random(1))

    def waiting_for(self, event: Json) -> None:
        self.waiting.append(event)

    def taken(self) -> list[Json]:
        """What is delivered now, in this order."""
        if self.hold:
            return []
        events, self.waiting = self.waiting, []
        kept = [event for event in events if self.random.random() >= self.lose]
        kept += [event for event in kept if self.random.random() < self.double]
        if self.shuffle:
            self.random.shuffle(kept)
        return kept


def signature(secret: str, body: bytes, at: int) -> str:
    """The header `Stripe-Signature`."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, "sha256").hexdigest()
    return f"t={at},v1={digest}"


async def deliver(world: World, feed: Feed, client: httpx.AsyncClient) -> list[int]:
    """Post what waits to every endpoint that wants it; returns the answers' codes, 0 for none. Nothing is tried twice."""
    codes = []
    for event in feed.taken():
        for endpoint in list(world.tables["webhook_endpoint"].values()):
            wanted = endpoint["enabled_events"]
            stands = event["id"] in world.tables["event"]  # what a refused request told was taken back
            if stands and endpoint["status"] == "enabled" and ("*" in wanted or event["type"] in wanted):
                codes.append(await _post(world, feed, client, endpoint, event))
    return codes


async def _post(world: World, feed: Feed, client: httpx.AsyncClient, endpoint: Json, event: Json) -> int:
    sent = shown(world, event) | ({"api_version": feed.version} if feed.version else {})
    body = json.dumps(sent).encode()
    headers = {"content-type": "application/json; charset=utf-8",
               "stripe-signature": signature(endpoint["_secret"], body, world.now)}  # fmt: skip
    try:
        return (await client.post(endpoint["url"], content=body, headers=headers)).status_code
    except httpx.TransportError:
        return 0
