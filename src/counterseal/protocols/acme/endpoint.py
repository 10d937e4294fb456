"""From an HTTP request to a job for the one writer, and from its reply to a response (RFC 8555 6).

The job of a POST is one transaction, and the answer leaves when that is on disk; a POST-as-GET is a question, which
waits for no disk. The nonce is spent also where the job ends in a problem: in the memory of a process that has its
store for itself, else in the store, together with the job.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from msgspec.json import encode as encode_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from counterseal.errors import CountersealError
from counterseal.protocols.acme.exchange import Call, Reply
from counterseal.protocols.acme.problems import Problem
from counterseal.service.problems import MEDIA_TYPE as PROBLEM_TYPE
from counterseal.service.problems import RETRY_SECONDS, log_failure, status_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from counterseal.authority.parts import Authority
    from counterseal.protocols.acme.opening import Opened, Opening
    from counterseal.service.parts import Service

    Job = Callable[[Authority, Call], "T"]

T = TypeVar("T")

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Endpoint:
    """Does the jobs of opened requests and dresses answers."""

    def __init__(self, service: Service, opening: Opening) -> None:
        self._service = service
        self._opening = opening

    def resource(self, work: Callable[[Request], Awaitable[Reply]], methods: tuple[str, ...] = ("POST",)) -> ASGIApp:
        """Return what answers a route: it does ``work`` and turns all that goes wrong into a problem document."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            response = await self._respond(Request(scope, receive, send), work, methods)
            await response(scope, receive, send)

        return _Resource(answer)

    async def _respond(
        self, request: Request, work: Callable[[Request], Awaitable[Reply]], methods: tuple[str, ...]
    ) -> Response:
        if request.method not in methods:
            refused = Problem("malformed", f"this resource takes {' or '.join(methods)}", status=405)
            return self._problem(request, refused, methods)
        try:
            return self._dress(request, await work(request))
        except Problem as problem:
            request.state.log["problem"] = problem.kind
            return self._problem(request, problem, methods)
        except HTTPException as error:
            close = {name.lower(): value for name, value in (error.headers or {}).items()}
            return self._problem(request, Problem("malformed", error.detail, status=error.status_code), (), close)
        except Exception as error:  # noqa: BLE001 - a client is told in words that it knows, the log why
            failed = _failure(error)
            request.state.log["problem"] = failed.kind
            if failed.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                request.state.log["problem"] = log_failure(error, failed.status, request.state.request_id)
            return self._problem(request, failed, methods)

    async def do(
        self, opened: Opened, job: Job[T], *, durable: bool = True, undone: bool = True, together: str | None = None
    ) -> T:
        """Spend the nonce and do the job, in one transaction; raises its Problem, which undoes the job.

        With ``durable=False`` the caller waits for a later job before it tells of this one. A POST-as-GET changes
        nothing, so it reads what is committed and does not wait for the disk: should a crash forget that its nonce was
        spent, who replays it reads once more. ``undone`` is that of ``Access.write``. ``together`` is what the job
        counts of the account, "" for nothing: it may share a transaction with its like then.
        """
        call, access = opened.call, self._service.access
        if self._opening.shares_nonces:
            order = None if together is None else f"{call.owner.id} {together}"
            return await self._do_beside(opened, job, durable=durable, undone=undone, together=order)
        if call.is_get:
            return await access.ask(lambda authority: job(authority, call))
        return await access.write(lambda authority: job(acting(authority, call), call), durable=durable, undone=undone)

    async def _do_beside(self, opened: Opened, job: Job[T], *, durable: bool, undone: bool, together: str | None) -> T:
        """Do so where others share the store: a nonce that is undone with its job is spent once more, alone.

        Where the database goes away in the middle of a question, its nonce may be spent: the client comes again.
        After a refusal the account is read anew.
        """

        def step(authority: Authority) -> T:
            opened.spend(authority)
            return job(acting(authority, opened.call), opened.call)

        access = self._service.access
        try:
            if opened.call.is_get:
                return await access.ask(step)
            return await access.write(step, durable=durable, undone=undone, together=together)
        except Problem:
            self._opening.forget(opened.call.account)
            if undone and not opened.call.is_get:
                await access.write(opened.use_up)
            raise

    def _dress(self, request: Request, reply: Reply) -> Response:
        headers = {
            "Replay-Nonce": self._opening.nonce(),
            "Cache-Control": "no-store",
            **reply.headers,
        }
        if reply.text is not None:
            response = Response(reply.text, reply.status, headers, reply.media_type)
        elif reply.document is None:
            response = Response(None, reply.status, headers)
        else:
            response = Response(encode_json(reply.document), reply.status, headers, reply.media_type)
        for url, relation in ((self._opening.urls(request).directory(), "index"), *reply.links):
            response.raw_headers.append((b"link", f'<{url}>;rel="{relation}"'.encode("latin-1")))  # clients read lines
        return response

    def _problem(
        self, request: Request, problem: Problem, methods: tuple[str, ...], more: dict[str, str] | None = None
    ) -> Response:
        headers = dict(more or {})
        headers |= {"Allow": ", ".join(methods)} if problem.status == 405 else {}  # noqa: PLR2004 - RFC 9110 15.5.6
        headers |= {"Retry-After": str(problem.retry_after)} if problem.retry_after else {}
        headers |= {"Location": problem.location} if problem.location else {}
        reply = Reply(problem.document(), problem.status, headers, problem.links, media_type=PROBLEM_TYPE)
        return self._dress(request, reply)


def _failure(error: Exception) -> Problem:
    """Return what a client is told of an error that no rule of ACME foresees (RFC 8555 6.7)."""
    status = status_of(error) if isinstance(error, CountersealError) else HTTPStatus.INTERNAL_SERVER_ERROR
    if isinstance(error, CountersealError) and status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Problem("malformed", error.message, status=status)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return Problem("serverInternal", "not possible now: try again", status=503, retry_after=RETRY_SECONDS)
    return Problem("serverInternal", "a fault of this server; its log has more")


class _Resource:
    """An ASGI application, and no function: a router would wrap one in handlers of exceptions that never come."""

    def __init__(self, answer: ASGIApp) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(scope, receive, send)


def acting(authority: Authority, call: Call) -> Authority:
    """Return the authority that acts for the account of a request."""
    return replace(authority, actor=f"acme:{call.account.id}" if call.account else "acme")
