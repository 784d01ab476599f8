"""What the operator asks: is the process alive, can it work, and how much did it do?

These three paths are for the load balancer and the monitoring, not for the public: the CDN passes none of them on.

| path | answers |
|---|---|
| `/healthz` | 200 while the process runs |
| `/readyz` | 200 while the database can be written, else 503: it writes a row and takes it back |
| `/metrics` | counters of this process and the mails that wait, in Prometheus's text format |
"""

from __future__ import annotations

from litestar import Response, get

from server import counters
from server.mail import outbox
from server.store import Store, StoreUnavailable
from server.store.cleaning import write_and_take_back
from server.web.responding import AnyRequest


@get("/healthz", sync_to_thread=False)
def healthz() -> Response[str]:
    return _text("ok\n")


@get("/readyz")
async def readyz(request: AnyRequest) -> Response[str]:
    store: Store = request.app.state.store
    try:
        await store.write(write_and_take_back)
    except StoreUnavailable:
        counters.count("store_errors")
        return _text("the database cannot be written\n", 503)
    return _text("ok\n")


@get("/metrics")
async def metrics(request: AnyRequest) -> Response[str]:
    try:
        waiting: int | None = await outbox.waiting(request.app.state.store)
    except StoreUnavailable:
        counters.count("store_errors")
        waiting = None
    return _text(counters.exposition(waiting))


def _text(body: str, status: int = 200) -> Response[str]:
    return Response(body, status_code=status, media_type="text/plain")


handlers = (healthz, readyz, metrics)
