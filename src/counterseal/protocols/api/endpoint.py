"""One operation as a route: who asks, may he, does the request fit, what is answered; failures are problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from counterseal.errors import CountersealError, InputError, RefusedError
from counterseal.protocols.api.bearer import challenges_of, is_bearer
from counterseal.protocols.api.callers import caller_of
from counterseal.protocols.api.operation import JSON, Call
from counterseal.protocols.api.problems import api_status_of
from counterseal.protocols.api.reading import read_idempotency_key, read_json, read_parameters, unwanted_body
from counterseal.service.body import read_body
from counterseal.service.problems import RETRY_SECONDS, log_failure, problem, problem_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

    from counterseal.protocols.api.operation import Caller, Operation, Reply
    from counterseal.protocols.api.parts import Parts
    from counterseal.service.limits import Limits

BODY_LIMIT = 64 * 1024


class Resource:
    """All operations of one path, as an ASGI application; it knows itself what to say of any other method."""

    def __init__(self, parts: Parts, limits: Limits, operations: Mapping[str, Operation]) -> None:
        self._parts = parts
        self._limits = limits
        self._operations = operations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive, send)
        response = await self._respond(request)
        response.headers.setdefault("Cache-Control", "no-store")
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        operation = self._operations.get("GET" if request.method == "HEAD" else request.method)
        if operation is None:
            allowed = ", ".join([*self._operations, *(["HEAD"] if "GET" in self._operations else [])])
            return problem(405, "Method Not Allowed", headers={"Allow": allowed})
        try:
            return await self._answer(request, operation)
        except CountersealError as error:
            return self._failed(request, error)
        except HTTPException as error:
            return problem(error.status_code, error.detail, headers=error.headers)

    async def _answer(self, request: Request, operation: Operation) -> Response:
        caller = await caller_of(self._parts, request)
        wait = await self._limits.take(caller.identity)
        if wait:
            error = RefusedError("api.too_many_requests", f"too many requests of {caller.name}: wait {wait} s")
            request.state.log["problem"] = error.code
            return problem_of(error, status=429, headers={"Retry-After": str(wait)})
        caller.require(operation.role)
        call = await self._call(request, operation, caller)
        return _dress(request, operation, await operation.run(call))

    async def _call(self, request: Request, operation: Operation, caller: Caller) -> Call:
        parameters = read_parameters(operation.parameters, request.path_params, request.query_params.multi_items())
        content, body, key = b"", None, None
        if operation.body is not None:
            if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
                raise InputError(
                    "api.media_type", f"the body of this request must be {JSON}", hint=f"send Content-Type: {JSON}"
                )
            content = await read_body(request, limit=BODY_LIMIT)
            body = read_json(operation.body, content)
        elif _has_body(request):
            raise unwanted_body()
        if operation.idempotent:
            key = read_idempotency_key(request.headers.get("idempotency-key"))
        target = (request.scope["raw_path"], request.scope["query_string"])
        asked = b"\n".join((operation.method.encode(), b"?".join(filter(None, target)), content))
        return Call(self._parts, caller, parameters, body, key, asked)

    def _failed(self, request: Request, error: CountersealError) -> Response:
        status = api_status_of(error)
        if status >= 500:  # noqa: PLR2004 - our fault, or that of a key: the log has the reason, the client the code
            log_failure(error, status, request.state.request_id)
        request.state.log["problem"] = error.code
        retry = {"Retry-After": str(RETRY_SECONDS)} if status == 429 else {}  # noqa: PLR2004 - RFC 6585 4
        response = problem_of(error, status=status, headers=retry)
        token_shown = any(map(is_bearer, request.headers.getlist("authorization")))
        for challenge in challenges_of(error, status, token_shown=token_shown):
            response.headers.append("WWW-Authenticate", challenge)
        return response


def _dress(request: Request, operation: Operation, reply: Reply) -> Response:
    headers = dict(reply.headers)
    if reply.tag is not None:
        headers |= {"ETag": f'"{reply.tag}"', "Cache-Control": "private, no-cache"}
        if _has(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
    content = reply.content if isinstance(reply.content, bytes) else msgspec.json.encode(reply.content)
    return Response(content, reply.status or operation.status, headers, operation.media_type)


def _has_body(request: Request) -> bool:
    """Whether a body is announced (RFC 9112 6)."""
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


def _has(request: Request, tag: str) -> bool:
    """Whether the client says that it has this already (RFC 9110 13.1.2)."""
    given = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    return tag in given or "*" in given
