"""Problem documents (RFC 9457): what a client is told when something did not work."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from counterseal.errors import (
    AmbiguousError,
    CountersealError,
    FileError,
    InputError,
    KeyAccessError,
    NotFoundError,
    RefusedError,
)
from counterseal.service.log import log_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from counterseal.findings import Finding

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2


def problem(
    status: int, title: str, *, type_: str = "about:blank", headers: Mapping[str, str] | None = None, **members: object
) -> JSONResponse:
    """Return a problem document; ``members`` are added as they are (``detail``, ``code`` ...)."""
    content: dict[str, Any] = {"type": type_, "title": title, "status": status, **members}
    return JSONResponse(content, status, dict(headers or {}), MEDIA_TYPE)


def problem_of(
    error: CountersealError, *, status: int | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return one of our errors as a problem: its stable code, message and hint, and what the client may do.

    ``status`` is that of ``status_of`` unless a face knows better.
    """
    status = status_of(error) if status is None else status
    findings = [_show(one) for one in getattr(error, "findings", ())]
    members: dict[str, Any] = {"code": error.code, "detail": error.message}
    members |= {"hint": error.hint} if error.hint else {}
    members |= {"findings": findings} if findings else {}
    members |= {"candidates": list(error.candidates)} if isinstance(error, AmbiguousError) else {}
    if status >= 500:  # noqa: PLR2004 - of what failed here only the code concerns a client
        members = {"code": error.code}
    retry = {"Retry-After": str(RETRY_SECONDS)} if status == 503 else {}  # noqa: PLR2004 - RFC 9110 15.6.4
    return problem(status, _title(status), headers=retry | dict(headers or {}), **members)


def _show(finding: Finding) -> dict[str, str | None]:
    return {"code": finding.code, "message": finding.message, "where": finding.where, "hint": finding.hint}


def _title(status: int) -> str:
    return "Refused by policy" if status == 403 else HTTPStatus(status).phrase  # noqa: PLR2004 - of what role or profile says


def status_of(error: CountersealError) -> int:
    """Return the HTTP status of an error."""
    if isinstance(error, InputError):
        return 400
    if isinstance(error, RefusedError):
        return 403
    if isinstance(error, NotFoundError):
        return 404
    is_away = isinstance(error, KeyAccessError | FileError) or error.code in PASSING | LASTING
    return 503 if is_away else 500


def log_failure(error: Exception, status: int, request_id: str) -> str:
    """Log why a request failed here, and return its code; where it came from too, if nobody foresaw it."""
    code = error.code if isinstance(error, CountersealError) else type(error).__name__
    reason = {"reason": error.message} if isinstance(error, CountersealError) else {}
    log_error("failure", trace=status != 503, request_id=request_id, code=code, **reason)  # noqa: PLR2004 - foreseen
    return code


UNANSWERED = "store.unanswered"
AWAY = frozenset({"store.unreachable", "store.read_only"})
"""What a shared store is waited for, for a while; the second is a primary that has become a standby."""

PASSING = frozenset({"store.busy", "store.conflict", "store.overloaded", UNANSWERED, "store.unreachable"})
"""What may be over the next moment, so that a client tries again."""

LASTING = frozenset(
    {
        "store.full",
        "store.io",
        "store.read_only",
        "store.unreadable",
        "store.missing",
        "store.moved",
        "store.too_new",
        "store.corrupt",
        "store.rolled_back",
    }
)
"""What somebody has to mend: the disk, a right, a file. The service is as it was when that is done."""
