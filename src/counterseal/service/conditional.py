"""Answers that need not be sent again: entity tags, dates, how long a cache may keep one (RFC 9110 13, 9111 5.2)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request

    Headers = dict[str, str]


def cache_headers(tag: str, modified: datetime | None, now: datetime, *, until: datetime, longest: int) -> Headers:
    """Return the headers of something that a cache may keep for ``longest`` seconds, and never beyond ``until``.

    ``modified`` is None where what was there before may have the same date, which whole seconds do not tell apart.
    Nor is a date sent that is later than ``now``, which a clock that was ahead has written (RFC 9110 8.8.2.1).
    """
    seconds = max(0, min(longest, int((until - now).total_seconds())))
    return {
        "ETag": f'"{tag}"',
        **({} if modified is None or modified > now else {"Last-Modified": http_date(modified)}),
        "Expires": http_date(datetime.fromtimestamp(int(now.timestamp()) + seconds, UTC)),
        "Cache-Control": f"public, max-age={seconds}, no-transform, must-revalidate",
    }


def http_date(moment: datetime) -> str:
    """Return a time as HTTP writes it (RFC 9110 5.6.7)."""
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)


def answer(request: Request, content: bytes, media_type: str, headers: Headers) -> Response:
    """Return the content, or 304 where the client says that it has it."""
    if has_already(request, headers):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=media_type)


def response(content: bytes, media_type: str, headers: Headers, now: datetime) -> bytes:
    """Return a whole response as HTTP/1.1 sends it, for who answers without a framework."""
    lines = {"Date": http_date(now), "Content-Length": str(len(content)), "Content-Type": media_type, **headers}
    head = "".join(f"{name.lower()}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 200 OK\r\n{head}\r\n".encode("latin-1") + content


def has_already(request: Request, headers: Headers, *, dated: bool = True) -> bool:
    """Whether the conditions of the request say so; with a tag the date does not count (RFC 9110 13.2.2).

    A date counts only as it was sent, because what is newer may bear an earlier one, by another host's clock; and
    unless ``dated`` not even then.
    """
    tags = request.headers.get("if-none-match")
    if tags is None:
        return dated and request.headers.get("if-modified-since", "") == headers.get("Last-Modified")
    known = [tag.strip().removeprefix("W/") for tag in tags.split(",")]
    return "*" in known or headers["ETag"] in known
