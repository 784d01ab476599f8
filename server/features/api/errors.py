"""What the API answers when it does not do what was asked: Stripe's error object, in Stripe's words."""

from __future__ import annotations

from typing import Any

STATUSES = {
    400: "A parameter is missing, unknown or not allowed, or an Idempotency-Key was used for something else",
    401: "No key, or one that opens nothing",
    403: "The key has not that permission",
    404: "There is nothing of that name for this key",
    408: "The body did not come to its end",
    409: "Another request changes the same object; try again",
    413: "The body is beyond 64 KiB",
    429: "Too often; Retry-After says when to try again",
    500: "Our own mistake; the log has it under the request's id",
    503: "The database or the billing side is away; nothing was done",
}


class ApiError(Exception):
    """`code` and `param` are Stripe's; `param` is written as in a form: `features[subscription_cancel][mode]`."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str = "",
        param: str = "",
        retry_after: int = 0,
    ) -> None:
        super().__init__(message)
        self.status, self.retry_after = status, retry_after
        said = {"type": kind, "message": message, "code": code, "param": param}
        self.error: dict[str, Any] = {key: value for key, value in said.items() if value}


def missing(kind: str, id_: str, param: str = "id", *, status: int = 400, elsewhere: str = "") -> ApiError:
    """`elsewhere`: `live` or `test`, where the key is for the other kind of data."""
    words = f"No such {kind}: '{id_[:100]}'"
    if elsewhere:
        other = "test" if elsewhere == "live" else "live"
        words += f"; a similar object exists in {elsewhere} mode, but a {other} mode key was used to make this request."
    return ApiError(words, status=status, code="resource_missing", param=param)
