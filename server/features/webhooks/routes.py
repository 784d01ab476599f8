"""What Stripe sends when something changed.

| URL | does |
|---|---|
| `POST /webhooks/stripe` | takes a signed event: what it touches is read again by the worker |

No page of ours sends it, and it has no cookie: its signature, over the body byte by byte and not older or newer than five
minutes, is its right. Before that is checked nothing is decoded and the store is not asked. A brand without a webhook
secret has no such URL. An event that says nothing to us is answered 200 too: Stripe would send it again for three days.
"""

from __future__ import annotations

import logging

import msgspec
from litestar import Response, post
from litestar.exceptions import NotFoundException

from server import telemetry
from server.billing.stripe import events, signatures
from server.portal import Portal
from server.web.forms import body_of
from server.web.responding import AnyRequest

_log = logging.getLogger(__name__)
LONGEST = 1024 * 1024
"""Bytes of one event."""


@post("/webhooks/stripe", status_code=200, request_max_body_size=LONGEST)
async def stripe_event(request: AnyRequest, portal: Portal) -> Response[str]:
    secrets = portal.settings.stripe_of(portal.name)
    if portal.brand.config.billing.backend != "stripe" or not secrets.webhook_secret:
        raise NotFoundException
    body, now = await body_of(request), portal.clock()
    if not signatures.is_genuine(request.headers.get("stripe-signature", ""), body, secrets.webhook_secret, now):
        telemetry.refused(_log, "bad_signature", "a webhook was not signed by Stripe", brand=portal.name)
        return _plain("The signature is not Stripe's, or not of these minutes.\n", 400)
    try:
        event = msgspec.json.decode(body, type=events.Event)
    except msgspec.DecodeError:
        return _plain("This is no event of Stripe's.\n", 400)
    await events.take_in(portal.store, portal.name, [event], is_live=secrets.is_live, now=now)
    return _plain("Taken.\n", 200)


def _plain(words: str, status: int) -> Response[str]:
    return Response(words, status_code=status, media_type="text/plain")


for_anybody = (stripe_event,)
