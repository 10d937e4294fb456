"""Problem documents (RFC 9457): what a client is told when something did not work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from counterseal.errors import (
    CountersealError,
    InputError,
    NotFoundError,
    RefusedError,
    StoreError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2


def problem(
    status: int, title: str, *, type_: str = "about:blank", headers: Mapping[str, str] | None = None, **members: object
) -> JSONResponse:
    """Return a problem document; ``members`` are added as they are (``detail``, ``code`` ...)."""
    content: dict[str, Any] = {"type": type_, "title": title, "status": status, **members}
    return JSONResponse(content, status, dict(headers or {}), MEDIA_TYPE)


def problem_of(error: CountersealError) -> JSONResponse:
    """Return one of our errors as a problem: its stable code, message and hint, and what the client may do."""
    status = status_of(error)
    findings = [{"code": one.code, "message": one.message, "hint": one.hint} for one in getattr(error, "findings", ())]
    members: dict[str, Any] = {"code": error.code, "detail": error.message}
    members |= {"hint": error.hint} if error.hint else {}
    members |= {"findings": findings} if findings else {}
    if status >= 500:  # noqa: PLR2004 - of what failed here only the code concerns a client
        members = {"code": error.code}
    headers = {"Retry-After": str(RETRY_SECONDS)} if status == 503 else None  # noqa: PLR2004 - RFC 9110 15.6.4
    return problem(status, _TITLES[status], headers=headers, **members)


def status_of(error: CountersealError) -> int:
    """Return the HTTP status of an error."""
    if isinstance(error, InputError):
        return 400
    if isinstance(error, RefusedError):
        return 403
    if isinstance(error, NotFoundError):
        return 404
    return 503 if isinstance(error, StoreError) and error.code in {"store.busy", "store.overloaded"} else 500


_TITLES = {
    400: "Bad Request",
    403: "Refused by policy",
    404: "Not Found",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
