"""What a test or a demo may order over HTTP, under `/_standin/`. Everything is JSON.

| request | does |
|---|---|
| `GET log?operation=…` | the requests so far, and how many |
| `DELETE log` | forgets them |
| `GET violations` | requests and answers that the SDK's types do not allow |
| `GET clock`, `POST clock {"seconds": n}` or `{"to": moment}` | Stripe's time; moving it makes happen what falls due |
| `POST faults {"kind", "operation", "times", "seconds"}`, `DELETE faults` | see `faults` |
| `POST events {"lose", "double", "shuffle", "hold", "version"}` | how webhooks and the list of events misbehave; see `webhooks` |
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs

from tests.stripe.app import Answer, Request, Standin
from tests.stripe.billing.timeline import advance
from tests.stripe.faults import Fault


async def answer(standin: Standin, request: Request) -> Answer:
    try:
        told = json.loads(request.body) if request.body else {}
        return _json(200, _answer(standin, request, told))
    except (ValueError, TypeError, KeyError) as error:
        return _json(400, {"error": f"{request.verb.upper()} {request.path}: {error}"})


def _answer(standin: Standin, request: Request, told: dict[str, Any]) -> dict[str, Any]:
    match request.verb, request.path.removeprefix("/_standin/"):
        case "get", "log":
            wanted = parse_qs(request.query).get("operation", [""])[0]
            found = [asdict(each) for each in standin.log if wanted in ("", each.operation)]
            return {"count": len(found), "requests": found}
        case "delete", "log":
            standin.log.clear()
        case "get", "violations":
            return {"violations": standin.violations}
        case "get", "clock":
            return {"now": standin.world.now}
        case "post", "clock":
            world = standin.world
            advance(world, int(told["to"]) if "to" in told else world.now + int(told["seconds"]))
            return {"now": world.now}
        case "post", "faults":
            standin.faults.append(Fault(**told))
        case "delete", "faults":
            standin.faults.clear()
        case verb, path:
            raise ValueError(f"{verb} {path} is not known")
    return {"done": True}


def _json(status: int, body: dict[str, Any]) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps(body).encode())
