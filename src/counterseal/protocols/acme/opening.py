"""From an HTTP request to a call whose form, URL, nonce, key and signature are good (RFC 8555 6.2 to 6.5).

A nonce is spent here where a process has its store for itself, and so its nonces in memory; else with the job, in the
store. There accounts are remembered, too: whether one is still as it was read is asked as the nonce is spent.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from counterseal.moments import epoch
from counterseal.protocols.acme import external, terms
from counterseal.protocols.acme.accounts import no_account, require_account
from counterseal.protocols.acme.exchange import Call, Parts
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
from counterseal.store.acme.accounts import find_account
from counterseal.store.acme.passing import NonceUse, use_nonce

if TYPE_CHECKING:
    from starlette.requests import Request

    from counterseal.authority.parts import Authority
    from counterseal.protocols.acme.rules import AcmeRules
    from counterseal.service.parts import Service
    from counterseal.store.acme.records import AccountRecord

KeyWay = Literal["kid", "jwk", "either"]
BODY_LIMIT = 128 * 1024
HOSTS_KEPT = 64
"""Host headers of which it is remembered what URLs they make."""

ACCOUNTS_KEPT = 10_000
"""Accounts that are remembered at most, until all are forgotten."""


class Opened(NamedTuple):
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

    def use_up(self, authority: Authority) -> None:
        """Use the nonce up, whoever used it and whatever the account is."""
        use_nonce(authority.store, self.nonce.text, self.nonce.until)


class Opening:
    """Opens requests, and makes the nonces with which they come."""

    def __init__(self, service: Service, rules: AcmeRules) -> None:
        self._service = service
        self._nonce_secret = service.key("acme nonces")
        self._numbered = None if service.access.is_shared else Numbered(service.random_bytes(PROCESS_BYTES))
        self._accounts: dict[str, AccountRecord] = {}
        self._urls_at = lru_cache(maxsize=HOSTS_KEPT)(lambda host: URLs(service.origin.of(host)))
        self._parts = Parts(rules, service.random_bytes, service.key(external.USE), service.key(terms.USE))

    @property
    def shares_nonces(self) -> bool:
        """Whether nonces are spent in the store, because other processes take them too."""
        return self._numbered is None

    def urls(self, request: Request) -> URLs:
        """Return the URLs as the client of this request sees them."""
        return self._urls_at(request.headers.get("host"))

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
        key, account = await self._signer(envelope, urls, remembers=remembers and self.shares_nonces)
        if self._numbered is not None and not self._numbered.use(nonce.own):
            raise bad_nonce("the nonce was used before, or made before this service was started")
        request.state.log["account"] = account.id if account else None
        call = Call(
            parts=self._parts,
            urls=urls,
            url=envelope.url,
            key=key,
            account=account,
            payload=envelope.payload,
            at=at,
            client=request.client.host if request.client else None,
            parameters=_parameters(request),
        )
        return Opened(call, nonce)

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

    async def _signer(
        self, envelope: Envelope, urls: URLs, *, remembers: bool
    ) -> tuple[AccountKey, AccountRecord | None]:
        """Return the key that the signature is of, and its account."""
        if envelope.jwk is not None:
            return _require_signed(envelope, AccountKey.of(envelope.jwk)), None
        identifier = urls.account_id(envelope.kid or "")
        if identifier is None:
            raise no_account()
        account, key = self._accounts.pop(identifier, None), None
        if account is not None and remembers:
            with suppress(Problem):  # it may have been given another key elsewhere
                key = _require_signed(envelope, _key_of(account))
        if account is None or key is None:
            account = require_account(await self._find_account(identifier))
            key = _require_signed(envelope, _key_of(account))
        if remembers:
            self._remember(account)
        return key, account

    async def _find_account(self, identifier: str) -> AccountRecord | None:
        """Look it up; in a file, an account that was read since the last commit is the same still."""
        access = self._service.access

        def find(authority: Authority) -> AccountRecord | None:
            return find_account(authority.store, identifier)

        if access.is_shared:
            return await access.read(find)
        return await access.recall(f"account {identifier}", find)

    def forget(self, account: AccountRecord | None) -> None:
        """Read the account anew at its next request."""
        if account is not None:
            self._accounts.pop(account.id, None)

    def _remember(self, account: AccountRecord) -> None:
        if len(self._accounts) >= ACCOUNTS_KEPT:
            self._accounts.clear()
        self._accounts[account.id] = account


def _key_of(account: AccountRecord) -> AccountKey:
    return AccountKey(account.jwk, account.thumbprint)


def _require_signed(envelope: Envelope, key: AccountKey) -> AccountKey:
    if not key.verifies(envelope.algorithm, envelope.signed, envelope.signature):
        raise malformed("the signature does not verify with this key")
    return key


def _parameters(request: Request) -> dict[str, str]:
    """Return what the path names, and the query where there is one."""
    if request.scope["query_string"]:
        return {**request.query_params, **request.path_params}
    return dict(request.path_params)
