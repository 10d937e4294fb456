"""Validation in the background: attempted challenges are tried, a few times, and their result is stored."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from counterseal.errors import CountersealError
from counterseal.protocols.acme.authorizations import settle
from counterseal.protocols.acme.exchange import rate_limited
from counterseal.protocols.acme.identifiers import combined
from counterseal.protocols.acme.problems import Failure, Subproblem
from counterseal.protocols.acme.states import AuthorizationStatus
from counterseal.protocols.acme.validation.caa import Asking, check_caa
from counterseal.protocols.acme.validation.dns01 import check_dns01
from counterseal.protocols.acme.validation.http01 import check_http01
from counterseal.protocols.acme.validation.places import Places
from counterseal.protocols.acme.validation.tlsalpn01 import check_tlsalpn01
from counterseal.service.log import log, log_error
from counterseal.service.problems import RETRY_SECONDS
from counterseal.store.acme.accounts import find_account

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from counterseal.authority.parts import Authority
    from counterseal.protocols.acme.exchange import Call
    from counterseal.protocols.acme.objects import URLs
    from counterseal.protocols.acme.rules import AcmeRules
    from counterseal.protocols.acme.validation.connect import Reach
    from counterseal.service.access import Access
    from counterseal.service.metrics import Metrics
    from counterseal.store.acme.records import AuthorizationRecord

AT_ONCE = 64
EACH_AT_ONCE = 8
"""Of one account, so that one whose hosts do not answer holds up nobody but itself."""

WAITING_EACH = 250
"""Challenges of one account that are tried or wait for it."""

PAUSES = (1.0, 3.0)
"""Between the attempts: a record or a page may take a moment to be everywhere."""


def refuse(_authority: Authority, _call: Call) -> NoReturn:
    """Raise Problem ``rateLimited``: the job of a request for which there is no place."""
    raise rate_limited(f"{WAITING_EACH} challenges of this account are being tried", RETRY_SECONDS)


class Validator:
    """Tries challenges, so many at once, few of them of one account; each stored result is final."""

    def __init__(self, access: Access, rules: AcmeRules, reach: Reach, metrics: Metrics) -> None:
        self._access = access
        self._metrics = metrics
        self._rules = rules
        self._reach = reach
        self._places = Places(AT_ONCE, EACH_AT_ONCE)
        self._tasks: dict[str, asyncio.Task[AuthorizationRecord | None]] = {}
        self._of_account: Counter[str] = Counter()

    def start(
        self, record: AuthorizationRecord, urls: URLs, thumbprint: str | None = None
    ) -> asyncio.Task[AuthorizationRecord | None]:
        """Validate the attempted challenge of an authorization, or go on; the task ends when the result is stored.

        Its own result is the authorization as it is then, None where nothing was stored. Without the ``thumbprint`` of
        the account's key it is looked up.
        """
        task = self._tasks.get(record.id)
        if task is None:
            task = self._tasks[record.id] = asyncio.create_task(self._work(record, urls, thumbprint))
            self._of_account[record.account] += 1
            task.add_done_callback(lambda _: self._end(record))
        return task

    @contextmanager
    def place(self, account: str) -> Iterator[bool]:
        """Keep a place for one more challenge of the account until it is started; say whether there is one."""
        free = self._of_account[account] < WAITING_EACH
        self._of_account[account] += free
        try:
            yield free
        finally:
            self._leave(account, free)

    def _end(self, record: AuthorizationRecord) -> None:
        del self._tasks[record.id]
        self._leave(record.account)

    def _leave(self, account: str, places: int = 1) -> None:
        self._of_account[account] -= places
        if not self._of_account[account]:
            del self._of_account[account]

    async def require_caa(self, records: Iterable[AuthorizationRecord], urls: URLs) -> None:
        """Ask CAA anew, right before issuing (RFC 8659 3), on grounds that are older than the order; raises Problem."""
        asked = [one for one in records if one.status == AuthorizationStatus.VALID]  # of others, the order says more
        failures = await asyncio.gather(*(self._caa(one, urls) for one in asked))
        refused = [
            Subproblem(failure.kind, failure.detail, {"type": one.kind, "value": one.value})
            for one, failure in zip(asked, failures, strict=True)
            if failure is not None
        ]
        if refused:
            raise combined(refused)

    async def _work(
        self, record: AuthorizationRecord, urls: URLs, thumbprint: str | None
    ) -> AuthorizationRecord | None:
        """Validate; where the store is away for long, it is left to whoever takes it up when its time is over."""
        try:
            return await self._validate(record, urls, thumbprint)
        except CountersealError as error:
            log_error("validation not stored", authorization=record.id, code=error.code, reason=error.message)
            return None

    async def _validate(
        self, record: AuthorizationRecord, urls: URLs, thumbprint: str | None
    ) -> AuthorizationRecord | None:
        async with self._places.one(record.account):
            thumbprint = thumbprint or await self._thumbprint(record)
            if thumbprint is None:
                return None
            try:
                failure = await self._try(record, f"{record.token}.{thumbprint}", urls)
            except Exception:  # noqa: BLE001 - a client waits for a result, whatever went wrong here
                log_error("validation broke", trace=True, authorization=record.id)
                failure = Failure("serverInternal", "the challenge could not be tried")
            decided = await self._access.write(
                lambda authority: settle(authority, record, failure, self._rules),
                undone=False,
                together=f"{record.account} failure",
            )
            self._metrics.validations.labels(record.attempted or "", failure.kind if failure else "valid").inc()
        log(
            "validated",
            identifier=record.value,
            challenge=record.attempted,
            account=record.account,
            problem=failure.kind if failure else None,
            detail=failure.detail if failure else None,
        )
        return decided

    async def _thumbprint(self, record: AuthorizationRecord) -> str | None:
        account = await self._access.read(lambda authority: find_account(authority.store, record.account))
        return account.thumbprint if account else None

    async def _try(self, record: AuthorizationRecord, proof: str, urls: URLs) -> Failure | None:
        failure = await self._check(record, proof)
        for pause in PAUSES[: self._rules.attempts - 1]:
            if failure is None:
                break
            await asyncio.sleep(pause)
            failure = await self._check(record, proof)
        return failure or await self._caa(record, urls)

    async def _check(self, record: AuthorizationRecord, proof: str) -> Failure | None:
        if record.attempted == "http-01":
            return await check_http01(
                self._reach, self._rules, host=record.value, token=record.token, key_authorization=proof
            )
        if record.attempted == "dns-01":
            return await check_dns01(self._reach, domain=record.value, key_authorization=proof)
        return await check_tlsalpn01(self._reach, host=record.value, port=self._rules.tls_port, key_authorization=proof)

    async def _caa(self, record: AuthorizationRecord, urls: URLs) -> Failure | None:
        if not self._rules.caa_identities or record.kind != "dns":
            return None
        asking = Asking(
            self._rules.caa_identities, record.value, record.wildcard, urls.account(record.account), record.attempted
        )
        return await check_caa(self._reach, asking)
