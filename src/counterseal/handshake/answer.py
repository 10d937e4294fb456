"""Read an HTTP/1.1 answer and the one line that nginx's pages of ours carry about the connection.

Lenient on purpose: bytes come from whatever listens there. A page rendered by us holds, as text or in an HTML comment::

    counterseal: generation=7 site=panel decision=refused code=495 verify="FAILED:certificate has expired" serial=0A

Somebody else's nginx is read by the texts of its stock pages (ngx_http_special_response.c). RFC 9112.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(r"counterseal:[ \t]+([^\r\n]*)")
_FIELD = re.compile(r'([a-z_]+)=("[^"]*"|[^\s"<>]*)')
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: ([^\r\n]*))?\r?\n")
_STOCK_PAGES = (
    ("No required SSL certificate was sent", 496, "NONE"),
    ("The SSL certificate error", 495, "FAILED"),
    ("The plain HTTP request was sent to HTTPS port", 497, None),
)


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer as far as it arrived: header names in lower case, the last of a repeated header wins."""

    status: int
    reason_phrase: str
    headers: dict[str, str]
    body: bytes
    complete: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What nginx said about the connection; None where it said nothing."""

    generation: int | None = None
    decision: str | None = None
    code: int | None = None
    verify: str | None = None


def parse_response(raw: bytes) -> Response | None:
    """Return the final response in ``raw`` (1xx are passed over), or None when no status line and head arrived yet."""
    while True:
        matched = _STATUS_LINE.match(raw)
        head, separator, rest = raw.partition(b"\r\n\r\n")
        if matched is None or not separator:
            return None
        status = int(matched[1])
        if status >= 200:  # noqa: PLR2004 - RFC 9110 15.2, 1xx are interim
            break
        raw = rest
    headers = _headers(head)
    body, complete = _body(rest, headers, status=status)
    return Response(status, (matched[2] or b"").decode("latin-1"), headers, body, complete)


def parse_answer(status: int, body: str) -> Answer:
    """Return what the page says about the client certificate: by our line, else by the texts of the stock pages."""
    matched = _LINE.search(body)
    if matched is not None:
        return _from_fields({key: value.strip('"') for key, value in _FIELD.findall(matched[1])})
    for text, code, verify in _STOCK_PAGES:
        if text in body and status == 400:  # noqa: PLR2004 - nginx answers 495, 496 and 497 with 400
            return Answer(code=code, verify=verify)
    return Answer()


def _from_fields(fields: dict[str, str]) -> Answer:
    def number(key: str) -> int | None:
        return int(fields[key]) if fields.get(key, "").isdecimal() else None

    return Answer(number("generation"), fields.get("decision") or None, number("code"), fields.get("verify") or None)


def _headers(head: bytes) -> dict[str, str]:
    lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return {name.strip().lower().decode("latin-1"): value.strip().decode("latin-1") for name, _, value in lines}


def _body(rest: bytes, headers: dict[str, str], *, status: int) -> tuple[bytes, bool]:
    if status in {204, 304}:
        return b"", True
    if headers.get("transfer-encoding", "").lower().endswith("chunked"):
        return _joined_chunks(rest)
    length = headers.get("content-length", "")
    if length.isdecimal():
        return rest[: int(length)], len(rest) >= int(length)
    return rest, False


def _joined_chunks(rest: bytes) -> tuple[bytes, bool]:
    chunks: list[bytes] = []
    while True:
        size, separator, rest = rest.partition(b"\r\n")
        try:
            length = int(size.partition(b";")[0], 16)
        except ValueError:
            return b"".join(chunks), False
        if length <= 0 or not separator:
            return b"".join(chunks), length == 0
        chunks.append(rest[:length])
        rest = rest[length + 2 :]
