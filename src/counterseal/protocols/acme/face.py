"""The routes of ACME, and what goes on beside them: validation, new lists after a revocation, tidying up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.routing import Route

from counterseal.authority.publish import publish
from counterseal.duration import show_duration
from counterseal.errors import CountersealError
from counterseal.moments import epoch
from counterseal.protocols.acme import accounts, authorizations, certificates, issuing, objects, orders, revoking, terms
from counterseal.protocols.acme.authorizing_ahead import new_authorization
from counterseal.protocols.acme.endpoint import METHODS, Endpoint, acting
from counterseal.protocols.acme.exchange import HOUR, Reply
from counterseal.protocols.acme.opening import Opening
from counterseal.protocols.acme.paths import Paths
from counterseal.protocols.acme.problems import malformed, not_found
from counterseal.protocols.acme.taking_up import take_up
from counterseal.protocols.acme.validation.connect import Reach
from counterseal.protocols.acme.validation.resolver import Resolver
from counterseal.protocols.acme.validation.validator import Validator, refuse
from counterseal.service.issuing import issue
from counterseal.service.log import log_error
from counterseal.service.parts import Face, Service, Upkeep
from counterseal.service.upkeep import in_steps
from counterseal.store.acme.authorizations import claim_attempted, find_authorization
from counterseal.store.acme.orders import claim_processing, is_left_behind
from counterseal.store.acme.passing import forget_authorizations, forget_nonces, forget_orders, forget_usage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from counterseal.authority.parts import Authority
    from counterseal.protocols.acme.endpoint import Job
    from counterseal.protocols.acme.opening import KeyWay, Opened
    from counterseal.protocols.acme.rules import AcmeRules
    from counterseal.service.issuing import Write
    from counterseal.store.acme.records import AuthorizationRecord
    from counterseal.store.session import Session

RESULT_SECONDS = 0.5
"""A validation that takes longer goes on while the client asks for its result."""

TIDY_SECONDS = 60.0
TAKE_OVER_SECONDS = 5.0
ORDERS_AT_ONCE = 50
"""Orders that one replica takes up at a time, well inside the time that they are claimed for."""

STEP = 500
"""Rows that one step of tidying takes away at most, so that nobody waits for it."""

KEPT_SECONDS = 7 * 24 * HOUR
"""Orders and authorizations can still be looked at for so long after their end."""


def acme_face(service: Service, rules: AcmeRules) -> Face:
    """Return the face that speaks ACME."""
    acme = Acme(service, rules)
    works = (Upkeep("tidy acme", TIDY_SECONDS, acme.tidy), Upkeep("take over acme", TAKE_OVER_SECONDS, acme.take_over))
    return Face(acme.routes(), works, acme.start, entry=("ACME", f"{objects.ROOT}/directory"))


class Acme:
    """The parts of one ACME server."""

    def __init__(self, service: Service, rules: AcmeRules) -> None:
        self._service = service
        self._rules = rules
        self._opening = Opening(service, rules)
        self._endpoint = Endpoint(service, self._opening)
        self._terms_secret = service.key(terms.USE)
        reach = Reach(Resolver(rules.resolvers), rules.allow_networks, rules.deny_networks)
        self._validator = Validator(service.access, rules, reach, service.metrics)
        self._to_publish: set[str] = set()
        self._publishing: asyncio.Task[None] | None = None

    def routes(self) -> list[Route]:
        """Return the one route; what a path takes is decided by the resource, whose refusals are problem documents."""
        post, often = self._post, self._often
        table: list[tuple[str, ASGIApp]] = [
            ("order/{id}", often(orders.order)),
            ("authz/{id}", often(authorizations.authorization)),
            ("challenge/{id}/{kind}", self._endpoint.resource(self._challenge)),
            ("new-order", often(orders.new_order, "order")),
            ("order/{id}/finalize", self._endpoint.resource(self._finalize)),
            ("certificate/{id}", often(certificates.certificate)),
            ("certificate/{id}/{chain}", often(certificates.certificate)),
            ("directory", self._open_to_all(self._directory)),
            ("new-nonce", self._open_to_all(_new_nonce)),
            ("new-account", post(accounts.new_account, "jwk")),
            ("account/{id}", post(accounts.account)),
            ("account/{id}/orders", post(orders.list_orders)),
            ("key-change", post(accounts.key_change)),
            ("terms/{account}/{code}", self._endpoint.resource(self._terms, ("GET", "HEAD", "POST"))),
            ("new-authz", post(new_authorization)),
            ("revoke-cert", post(revoking.revoke, "either")),
            ("renewal-info/{name}", self._endpoint.resource(self._renewal_information, ("GET", "HEAD"))),
        ]
        paths = Paths(objects.ROOT, table, self._endpoint.resource(_nothing, METHODS))
        return [Route(f"{objects.ROOT}/{{rest:path}}", paths, methods=list(METHODS))]

    async def start(self) -> None:
        """Take up what this process left when it ended; where others share the store, only what nobody has any more."""
        await self._take_over(everything=not self._service.access.is_shared)

    async def take_over(self) -> None:
        """Take up what another process has left, or what this one could not store."""
        if await self._service.access.read(lambda authority: is_left_behind(authority.store)):
            await self._take_over(everything=False)

    async def _take_over(self, *, everything: bool) -> None:
        """Challenges are tried again, half-finished orders are finished; each by whoever claims it."""

        def claim(authority: Authority) -> tuple[list[AuthorizationRecord | None], tuple[str, ...]]:
            claimed = claim_attempted(authority.store, everything=everything, limit=STEP)
            processing = claim_processing(authority.store, everything=everything, limit=ORDERS_AT_ONCE)
            return [find_authorization(authority.store, one) for one in claimed], processing

        attempted, processing = await self._service.access.write(claim)
        for record in attempted:
            if record is not None:
                self._validator.start(record, objects.URLs(self._service.origin.usual))
        for identifier in processing:
            await take_up(self._service.access, identifier)

    async def tidy(self) -> None:
        """Take away what is over, a few rows at a time until nothing is left of it."""
        at = epoch(self._service.clock())
        for forget, before in (
            (forget_nonces, at),
            (forget_usage, at - 2 * HOUR),
            (forget_orders, at - KEPT_SECONDS),
            (forget_authorizations, at - KEPT_SECONDS),
        ):
            await in_steps(self._service.access, _dropping(forget, before), STEP)

    def _post(self, job: Job[Reply], way: KeyWay = "kid") -> ASGIApp:
        async def work(request: Request) -> Reply:
            opened = await self._opening.open(request, way)
            reply = await self._endpoint.do(opened, job)
            self._follow(reply)
            return reply

        return self._endpoint.resource(work)

    def _open_to_all(self, work: Callable[[Request], Awaitable[Reply]]) -> ASGIApp:
        """Answer a GET, and a POST-as-GET as well (RFC 8555 6.3)."""

        async def answer(request: Request) -> Reply:
            if request.method == "POST":
                opened = await self._opening.open(request, "kid", remembers=True)
                if not opened.call.is_get:
                    raise malformed("a POST-as-GET has an empty payload")
                await self._endpoint.do(opened, lambda _authority, _call: None)
            return await work(request)

        return self._endpoint.resource(answer, ("GET", "HEAD", "POST"))

    def _often(self, job: Job[Reply], counts: str = "") -> ASGIApp:
        """Answer what every order asks for; ``job`` writes nothing before it refuses but what it ``counts``."""

        async def work(request: Request) -> Reply:
            opened = await self._opening.open(request, "kid", remembers=True)
            return await self._endpoint.do(opened, job, undone=False, together=counts)

        return self._endpoint.resource(work)

    def _follow(self, reply: Reply) -> None:
        if reply.publish is None:
            return
        self._to_publish.add(reply.publish)
        if self._publishing is None or self._publishing.done():
            self._publishing = asyncio.create_task(self._publish())

    async def _publish(self) -> None:
        """Sign new lists for the CAs of which something was revoked; what comes meanwhile is one more round."""
        while self._to_publish:
            names = frozenset(self._to_publish)
            self._to_publish.clear()
            try:
                await self._service.access.apart(lambda authority, only=names: publish(authority, only=only))  # type: ignore[misc] # bound now
            except CountersealError as error:
                log_error("list not published", code=error.code, reason=error.message, cas=sorted(names))

    async def _challenge(self, request: Request) -> Reply:
        """Answer with the result where it is there soon, which spares the client its questions for it.

        The result is durable, and with it what was written before; else the attempt is, before the answer.
        """
        opened = await self._opening.open(request, "kid", remembers=True)
        call = opened.call
        if call.is_get:
            return await self._endpoint.do(opened, authorizations.challenge)
        validation = await self._begin(opened)
        shown = call._replace(payload=b"")
        if validation is not None:
            finished, _ = await asyncio.wait([validation], timeout=RESULT_SECONDS)
            if finished and (decided := validation.result()) is not None:
                return authorizations.show_challenge(decided, shown)
        return await self._service.access.write(lambda authority: authorizations.durable_challenge(authority, shown))

    async def _begin(self, opened: Opened) -> asyncio.Task[AuthorizationRecord | None] | None:
        """Note the attempt and validate, unless it was made before; the nonce is spent also where no place is free."""
        call = opened.call
        with self._validator.place(call.owner.id) as free:
            job: Job[Reply] = authorizations.challenge if free else refuse
            reply = await self._endpoint.do(opened, job, durable=False, undone=False, together="")
            if reply.validate is None:
                return None
            return self._validator.start(reply.validate, call.urls, call.key.thumbprint)

    async def _finalize(self, request: Request) -> Reply:
        opened = await self._opening.open(request, "kid", remembers=True)
        call, finalization = opened.call, issuing.Finalization(opened.call)
        begin, write = finalization.begin, self._at_once(opened)
        if self._rules.caa_identities:
            begin, write = finalization.begin_late, None  # the nonce is spent by then
            reused = await self._endpoint.do(opened, issuing.reused_authorizations)
            await self._validator.require_caa(reused, call.urls)
        issued = await issue(
            self._service.access,
            begin,
            acting=lambda authority: acting(authority, call),
            last=finalization.complete,
            undo=finalization.give_up,
            write=write,
            joins=True,
        )
        return finalization.reply(issued)

    def _at_once(self, opened: Opened) -> Write | None:
        """Return what spends the nonce together with the first step of issuing."""
        return lambda first: self._endpoint.do(opened, lambda authority, _: first(authority), together="")

    async def _terms(self, request: Request) -> Reply:
        page = terms.Page(self._rules, self._terms_secret, **request.path_params)
        return await self._service.access.write(page.agree) if request.method == "POST" else page.show()

    async def _directory(self, request: Request) -> Reply:
        described = await self._service.access.read(self._profiles)
        return Reply(objects.directory(self._opening.urls(request), self._rules, described))

    def _profiles(self, authority: Authority) -> dict[str, str]:
        described: dict[str, str] = {}
        for name in self._rules.profiles:
            profile = authority.profile(name)
            described[name] = f"{profile.purpose} certificates, valid for {show_duration(profile.lifetime)}"
        return described

    async def _renewal_information(self, request: Request) -> Reply:
        name = request.path_params["name"]
        return await self._service.access.read(lambda authority: certificates.renewal_information(authority, name))


def _dropping(forget: Callable[[Session, int, int], int], before: int) -> Callable[[Authority], int]:
    return lambda authority: forget(authority.store, before, STEP)


async def _new_nonce(request: Request) -> Reply:
    return Reply(status=200 if request.method == "HEAD" else 204)


async def _nothing(_: Request) -> Reply:
    raise not_found("resource")
