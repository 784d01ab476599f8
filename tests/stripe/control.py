"""What a test or a demo may order over HTTP, under `/_standin/`. Everything is JSON.

| request | does |
|---|---|
| `GET log?operation=…` | the requests so far, and how many |
| `DELETE log` | forgets them |
| `GET violations` | requests and answers that the SDK's types do not allow |
| `GET clock`, `POST clock {"seconds": n}` or `{"to": moment}` | Stripe's time; moving it makes happen what falls due |
| `POST faults {"kind", "operation", "times", "seconds"}`, `DELETE faults` | see `faults` |
| `POST remember`, `POST begin-again` | keeps every object; puts back what was kept, forgets what happened since, and answers when nobody asks |
| `POST events {"lose", "double", "shuffle", "hold", "version"}` | how webhooks and the list of events misbehave; see `webhooks` |
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs

from tests.stripe.app import Answer, Request, Standin
from tests.stripe.billing.timeline import advance
from tests.stripe.faults import Fault

Told = dict[str, Any]


def answer(standin: Standin, request: Request) -> Answer:
    order = _ORDERS.get((request.verb, request.path.removeprefix("/_standin/")))
    if order is None:
        return _json(404, {"error": f"{request.verb.upper()} {request.path} is not known"})
    try:
        told = json.loads(request.body) if request.body else {}
        asked = {name: values[0] for name, values in parse_qs(request.query).items()}
        return _json(200, order(standin, told | asked) or {"done": True})
    except (ValueError, TypeError, KeyError) as error:
        return _json(400, {"error": f"{request.verb.upper()} {request.path}: {error}"})


def _log(standin: Standin, told: Told) -> Told:
    found = [asdict(each) for each in standin.log if told.get("operation", "") in ("", each.operation)]
    return {"count": len(found), "requests": found}


def _clock(standin: Standin, told: Told) -> Told:
    world = standin.world
    if told:
        advance(world, int(told["to"]) if "to" in told else world.now + int(told["seconds"]))
    return {"now": world.now}


def _fault(standin: Standin, told: Told) -> None:
    standin.faults.append(Fault(**told))


def _events(standin: Standin, told: Told) -> None:
    if unknown := told.keys() - {"lose", "double", "shuffle", "hold", "version"}:
        raise ValueError(f"{min(unknown)} is not known; allowed is one of lose, double, shuffle, hold, version")
    for name, value in told.items():
        setattr(standin.feed, name, value)


_ORDERS: dict[tuple[str, str], Callable[[Standin, Told], Told | None]] = {
    ("get", "log"): _log,
    ("delete", "log"): lambda standin, _: standin.log.clear(),
    ("get", "violations"): lambda standin, _: {"violations": standin.violations},
    ("get", "clock"): _clock,
    ("post", "clock"): _clock,
    ("post", "faults"): _fault,
    ("delete", "faults"): lambda standin, _: standin.faults.clear(),
    ("post", "events"): _events,
    ("post", "remember"): lambda standin, _: standin.remember(),
    ("post", "begin-again"): lambda standin, _: standin.begin_again(),
}


def _json(status: int, body: dict[str, Any]) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps(body).encode())
