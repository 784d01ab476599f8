"""What the API answers when it does not do what was asked: Stripe's error object, in Stripe's words.

status  type                   when
400     invalid_request_error  a parameter is missing, unknown or not allowed
400     idempotency_error      an Idempotency-Key was used before, for something else
401     invalid_request_error  no key, or one that opens nothing
403     invalid_request_error  the key has not that permission
404     invalid_request_error  there is nothing of that name for this key
429     invalid_request_error  too often; Retry-After says when to try again
503     api_error              the database or the billing side is away; nothing was done
500     api_error              our own mistake; the log has it under the request's id
"""

from __future__ import annotations

from typing import Any


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
