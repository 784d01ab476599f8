"""Webhook endpoints: made, listed, deleted. The secret is shown once. `webhooks` delivers to them."""

from __future__ import annotations

from hashlib import sha256

from tests.stripe.listing import paged
from tests.stripe.routing import Call, serves
from tests.stripe.updating import merged
from tests.stripe.world import Json


@serves("get", "/v1/webhook_endpoints")
def endpoints(call: Call) -> Json:
    return paged(call, call.world.tables["webhook_endpoint"].values(), "/v1/webhook_endpoints")


@serves("post", "/v1/webhook_endpoints")
def create(call: Call) -> Json:
    names = ("url", "enabled_events", "api_version", "description")
    row = call.world.add("webhook_endpoint", **{name: call.params[name] for name in names if name in call.params})
    row["_secret"] = f"whsec_{sha256(row['id'].encode()).hexdigest()[:32]}"
    row["metadata"] = dict(call.params.get("metadata") or {})
    return {**row, "secret": row["_secret"]}


@serves("post", "/v1/webhook_endpoints/{}")
def change(call: Call) -> Json:
    row = call.world.get("webhook_endpoint", call.ids[0])
    merged(row, call.params)
    if "disabled" in call.params:
        row["status"] = "disabled" if row.pop("disabled") else "enabled"
    return row


@serves("delete", "/v1/webhook_endpoints/{}")
def delete(call: Call) -> Json:
    row = call.world.get("webhook_endpoint", call.ids[0])
    call.world.drop(row)
    return {**row, "deleted": True}
