"""Reading a request's body: never more than is allowed, never longer than is allowed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from counterseal.service.short_way import OCTETS

if TYPE_CHECKING:
    from starlette.requests import Request

BODY_SECONDS = 15.0
_CLOSE = {"Connection": "close"}  # the rest of the body is not waited for


async def read_body(request: Request, *, limit: int) -> bytes:
    """Return the whole body; raises HTTPException 413 when it is larger than ``limit``, 408 when it takes too long."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > limit:
        raise too_large(limit)
    if OCTETS in request.scope["state"]:  # all of it is here
        return await _gather(request, limit)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _gather(request, limit)
    except TimeoutError:
        raise HTTPException(408, f"the body did not arrive within {BODY_SECONDS:g} s", _CLOSE) from None
    except ClientDisconnect:
        raise HTTPException(400, "the connection ended inside the body", _CLOSE) from None


def too_large(limit: int) -> HTTPException:
    """Return the answer to a body over the limit."""
    return HTTPException(413, f"the body is larger than {limit} bytes", _CLOSE)


async def _gather(request: Request, limit: int) -> bytes:
    body = bytearray()
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > limit:
            raise too_large(limit)
        if not message.get("more_body", False):
            return bytes(body)
