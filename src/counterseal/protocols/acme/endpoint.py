"""From an HTTP request to a job for the one writer, and from its reply to a response (RFC 8555 6).

The job of a POST is one transaction, and the answer leaves when that is on disk. Its nonce is spent also where the
job ends in a problem: in the memory of a process that has its store for itself, else in the store, together with the
job.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, TypeVar

from msgspec.json import encode as encode_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from counterseal.errors import CountersealError
from counterseal.moments import epoch
from counterseal.protocols.acme import external, terms
from counterseal.protocols.acme.accounts import require_account
from counterseal.protocols.acme.exchange import Call, Reply
from counterseal.protocols.acme.jwk import AccountKey
from counterseal.protocols.acme.jws import MEDIA_TYPE, Envelope, read_envelope, require
from counterseal.protocols.acme.nonces import (
    OWN_BYTES,
    PROCESS_BYTES,
    Nonce,
    Numbered,
    bad_nonce,
    check_nonce,
    make_nonce,
)
from counterseal.protocols.acme.objects import URLs
from counterseal.protocols.acme.problems import Problem, malformed
from counterseal.service.body import read_body
from counterseal.service.problems import MEDIA_TYPE as PROBLEM_TYPE
from counterseal.service.problems import RETRY_SECONDS, log_failure, status_of
from counterseal.store.acme.accounts import find_account
from counterseal.store.acme.passing import NonceUse, use_nonce

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from counterseal.authority.parts import Authority
    from counterseal.protocols.acme.rules import AcmeRules
    from counterseal.service.parts import Service
    from counterseal.store.acme.records import AccountRecord

    Job = Callable[[Authority, Call], "T"]

T = TypeVar("T")

KeyWay = Literal["kid", "jwk", "either"]
BODY_LIMIT = 128 * 1024
ACCOUNTS_KEPT = 10_000
"""Accounts that are remembered at most, until all are forgotten."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Opened:
    """A request with a good signature; its nonce is ours, and not yet spent where that is the store's affair."""

    call: Call
    nonce: Nonce

    def spend(self, authority: Authority) -> None:
        """Use the nonce up; raises Problem ``badNonce`` when it was used before, or the account is not as it was read.

        So an account may be remembered: the client comes again with another nonce, and it is read anew.
        """
        nonce, account = self.nonce, self.call.account
        found = use_nonce(authority.store, nonce.text, nonce.until, account)
        if found is NonceUse.AGAIN:
            raise bad_nonce("the nonce was used before")
        if found is NonceUse.ACCOUNT_CHANGED:
            raise bad_nonce("the account was changed a moment ago")


class Endpoint:
    """Opens requests and dresses answers."""

    def __init__(self, service: Service, rules: AcmeRules) -> None:
        self._service = service
        self._rules = rules
        self._nonce_secret = service.key("acme nonces")
        self._numbered = None if service.access.is_shared else Numbered(service.random_bytes(PROCESS_BYTES))
        self._accounts: dict[str, AccountRecord] = {}
        self._external_secret = service.key(external.USE)
        self._terms_secret = service.key(terms.USE)

    def urls(self, request: Request) -> URLs:
        """Return the URLs as the client of this request sees them; worked out once for it."""
        urls: URLs | None = request.scope.get("acme_urls")
        if urls is None:
            urls = request.scope["acme_urls"] = URLs(self._service.url(request, ""))
        return urls

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
            request.state.log["problem"] = log_failure(error, failed.status, request.state.request_id)
            return self._problem(request, failed, methods)

    async def open(self, request: Request, way: KeyWay, *, remembers: bool = False) -> Opened:
        """Return the request, its form, URL, nonce, key and signature checked in this order; raises Problem.

        What ``remembers`` takes the account as it was read before, where others share the store, and is told when that
        is not so any more; what changes accounts reads them.
        """
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
            raise Problem("malformed", f"a request's body is {MEDIA_TYPE}", status=415)
        envelope = read_envelope(await read_body(request, limit=BODY_LIMIT))
        urls = self.urls(request)
        self._check_url(request, envelope, urls)
        if way != "either":
            require(envelope, way)
        at = epoch(self._service.clock())
        nonce = check_nonce(self._nonce_secret, envelope.nonce, at=at)
        key, account = await self._key_of(envelope, urls, remembers=remembers and self._numbered is None)
        if not key.verifies(envelope.algorithm, envelope.signed, envelope.signature):
            raise malformed("the signature does not verify with this key")
        if self._numbered is not None and not self._numbered.use(nonce.own):
            raise bad_nonce("the nonce was used before, or made before this service was started")
        request.state.log["account"] = account.id if account else None
        call = Call(
            urls=urls,
            rules=self._rules,
            url=envelope.url,
            key=key,
            account=account,
            payload=envelope.payload,
            at=at,
            random_bytes=self._service.random_bytes,
            external_secret=self._external_secret,
            terms_secret=self._terms_secret,
            client=request.client.host if request.client else None,
            parameters=_parameters(request),
        )
        return Opened(call, nonce)

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
        if self._numbered is None:
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
            self._forget(opened.call.account)
            if undone and not opened.call.is_get:
                await access.write(opened.spend)
            raise

    def nonce(self) -> str:
        """Return a new nonce."""
        at = epoch(self._service.clock())
        own = self._service.random_bytes(OWN_BYTES) if self._numbered is None else self._numbered.next(at)
        return make_nonce(self._nonce_secret, at=at, own=own)

    def _check_url(self, request: Request, envelope: Envelope, urls: URLs) -> None:
        query = request.scope["query_string"]
        own = urls.base + request.scope["raw_path"].decode("latin-1") + (f"?{query.decode('latin-1')}" if query else "")
        if envelope.url != own:
            raise Problem("unauthorized", f"the signed url is not that of the request: {own}", status=401)

    async def _key_of(
        self, envelope: Envelope, urls: URLs, *, remembers: bool
    ) -> tuple[AccountKey, AccountRecord | None]:
        if envelope.jwk is not None:
            return AccountKey.of(envelope.jwk), None
        identifier = urls.account_id(envelope.kid or "") or ""
        found = self._accounts.pop(identifier, None)
        if found is None or not remembers:
            found = await self._service.access.read(lambda authority: find_account(authority.store, identifier))
        account = require_account(found)
        if remembers:
            self._remember(account)
        return AccountKey(account.jwk, account.thumbprint), account

    def _forget(self, account: AccountRecord | None) -> None:
        if account is not None:
            self._accounts.pop(account.id, None)

    def _remember(self, account: AccountRecord) -> None:
        if len(self._accounts) >= ACCOUNTS_KEPT:
            self._accounts.clear()
        self._accounts[account.id] = account

    def _dress(self, request: Request, reply: Reply) -> Response:
        headers = {
            "Replay-Nonce": self.nonce(),
            "Cache-Control": "no-store",
            "Link": _links((self.urls(request).directory(), "index"), *reply.links),
            **reply.headers,
        }
        if reply.text is not None:
            return Response(reply.text, reply.status, headers, reply.media_type)
        if reply.document is None:
            return Response(None, reply.status, headers)
        return Response(encode_json(reply.document), reply.status, headers, reply.media_type)

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
    """Return what a client is told of something that failed here (RFC 8555 6.7)."""
    if isinstance(error, CountersealError) and status_of(error) == HTTPStatus.SERVICE_UNAVAILABLE:
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


def _parameters(request: Request) -> dict[str, str]:
    """Return what the path names, and the query where there is one."""
    if request.scope["query_string"]:
        return {**request.query_params, **request.path_params}
    return dict(request.path_params)


def _links(*links: tuple[str, str]) -> str:
    return ", ".join(f'<{url}>;rel="{relation}"' for url, relation in links)
