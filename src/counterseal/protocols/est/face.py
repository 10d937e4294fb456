"""``/.well-known/est``: the operations of EST, RFC 7030 4, each also with the name of a profile before it as label.

Without a credential there are ``cacerts`` and ``csrattrs``. A certificate is issued to whoever shows the secret of a
token (HTTP Basic or Bearer): what the token says; or a certificate of ours: the same once more, for the key in the CSR.
Errors are words in plain text (RFC 7030 4.2.3).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from counterseal.authority import token as tokens
from counterseal.authority.holder import NO_GRACE, holder_of
from counterseal.authority.issue import prepare
from counterseal.authority.renew import ask_again
from counterseal.errors import CountersealError, InputError, NotFoundError, RefusedError
from counterseal.keystore.software import generate_key
from counterseal.moments import epoch
from counterseal.pki.keys import P256, key_spec_of
from counterseal.protocols.est import media
from counterseal.protocols.est.requests import possession_of, read_csr, require_plain_key, require_same_names, secret_of
from counterseal.service.issuing import issue
from counterseal.service.limits import Limits
from counterseal.service.parts import Face, Service, Upkeep
from counterseal.service.peer import peer_of
from counterseal.service.problems import status_of
from counterseal.service.upkeep import in_steps
from counterseal.store.tokens import TokenRecord, forget_tokens

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import timedelta

    from cryptography import x509
    from starlette.requests import Request

    from counterseal.authority.holder import Holder
    from counterseal.authority.parts import Authority
    from counterseal.authority.signing import Prepared
    from counterseal.pki.csr import CSR
    from counterseal.protocols.est.rules import ESTRules

    Operation = Callable[[Request], Awaitable[Response]]

ROOT = "/.well-known/est"
TIDY_SECONDS = 60.0
STEP = 500
KEPT_SECONDS = 30 * 86_400
"""For so long after its end a token is still listed."""

LARGEST_RSA = 4096
UNAUTHENTICATED = frozenset({"est.authorization", "token.unknown", "token.expired", "token.revoked", "token.used_up"})
STATUSES = {"est.media_type": 415, "key.compromised": 400}
"""Where the kind of an error does not say it: another request, for another key, is answered."""

CHALLENGES = ('Basic realm="counterseal est", charset="UTF-8"', 'Bearer realm="counterseal est"')


def est_face(service: Service, rules: ESTRules) -> Face:
    """Return the face that speaks EST."""
    est = EST(service, rules)
    table: list[tuple[str, str, Operation]] = [
        ("GET", "cacerts", est.cacerts),
        ("GET", "csrattrs", est.csrattrs),
        ("POST", "simpleenroll", est.simpleenroll),
        ("POST", "simplereenroll", est.simplereenroll),
    ]
    table += [("POST", "serverkeygen", est.serverkeygen)] if rules.server_keys else []
    routes = [
        Route(path, _in_words(operation), methods=[method])
        for method, name, operation in table
        for path in (f"{ROOT}/{name}", f"{ROOT}/{{label}}/{name}")
    ]
    return Face(routes, (Upkeep("tidy tokens", TIDY_SECONDS, est.tidy), est.limits.upkeep()), entry=("EST", ROOT))


class EST:
    """The operations."""

    def __init__(self, service: Service, rules: ESTRules) -> None:
        self._service = service
        self._rules = rules
        self.limits = Limits(service.access, "est", rules.requests_per_minute)

    async def cacerts(self, request: Request) -> Response:
        """Return the root and the CAs that issue; with a label, the path of the one for that profile (4.1)."""
        label = request.path_params.get("label")
        return media.certificates(await self._service.access.read(lambda authority: _cas(authority, label)))

    async def csrattrs(self, request: Request) -> Response:
        """Return what a request should have (4.5)."""
        await self._service.access.read(lambda authority: _check_label(authority, request, None))
        return media.csr_attributes()

    async def simpleenroll(self, request: Request) -> Response:
        """Issue for a token, or anew for the holder of a certificate (4.2.1)."""
        who = await self._who(request)
        csr = await read_csr(request)
        return media.certificates([await self._issue(who, csr)])

    async def simplereenroll(self, request: Request) -> Response:
        """Issue anew for the holder of a certificate, for the same or another key (4.2.2).

        It is shown in TLS, or where that cannot be with a proof that its key has signed the request.
        """
        grace, read = self._rules.renew_after_expiry, self._service.access.read
        proof = possession_of(request.headers.get("authorization"), epoch(self._service.clock()))
        if proof is None:
            holder = await peer_of(self._service, request, usage=None, grace=grace)
        else:
            holder = await read(lambda authority: holder_of(authority, proof.certificate, usage=None, grace=grace))
            request.state.log["peer"] = holder.name
        if holder is None:
            raise RefusedError("est.no_certificate", "show the certificate that is to be renewed, by mutual TLS")
        await self._take(request, holder.identity)
        profile = holder.record.profile
        await read(lambda authority: _check_label(authority, request, profile))
        csr = await read_csr(request, proof=proof)
        return media.certificates([await self._issue_again(holder, csr, grace)])

    async def serverkeygen(self, request: Request) -> Response:
        """Make a key of the kind that the CSR has, issue for it, and hand both over; the key is not kept (4.4)."""
        who = await self._who(request)
        csr = await read_csr(request, signed=False)
        require_plain_key(csr)
        if isinstance(who, TokenRecord):  # before a key is made, which takes longer than anything else here
            await self._service.access.read(lambda authority: tokens.ask_by_token(authority, who, csr))
        spec = key_spec_of(csr.public_key) or P256
        if (spec.bits or 0) > LARGEST_RSA:
            raise InputError("est.key_size", f"an RSA key is made with at most {LARGEST_RSA} bits, not {spec.bits}")
        key = await self._service.access.sign(lambda: generate_key(spec))
        certificate = await self._issue(who, replace(csr, public_key=key.public_key()))
        content = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return media.key_and_certificate(content, certificate, self._service.random_bytes(16).hex())

    async def tidy(self) -> None:
        """Forget what has long expired, a few rows at a time."""
        before = epoch(self._service.clock()) - KEPT_SECONDS
        access = self._service.access
        await in_steps(access, lambda authority: forget_tokens(authority.store, before, STEP), STEP)

    async def _who(self, request: Request) -> TokenRecord | Holder:
        """Return who asks; a token that is shown counts before a certificate."""
        read, secret = self._service.access.read, secret_of(request.headers.get("authorization"))
        if secret is not None:
            token = await read(lambda authority: tokens.token_of(authority, secret))
            request.state.log["token"] = token.id
            await self._take(request, f"token:{token.id}")
            await read(lambda authority: _check_label(authority, request, token.profile))
            return token
        holder = await peer_of(self._service, request, usage=None)
        if holder is None:
            raise RefusedError("token.unknown", "show the secret of a token, or a certificate of this CA")
        await self._take(request, holder.identity)
        await read(lambda authority: _check_label(authority, request, holder.record.profile))
        return holder

    async def _take(self, request: Request, identity: str) -> None:
        """Count a request of whoever was recognised; raises HTTPException 429."""
        wait = await self.limits.take(identity)
        if wait:
            request.state.log["problem"] = "est.too_many_requests"
            raise HTTPException(429, f"too many requests: wait {wait} s", {"Retry-After": str(wait)})

    async def _issue(self, who: TokenRecord | Holder, csr: CSR) -> x509.Certificate:
        if not isinstance(who, TokenRecord):
            return await self._issue_again(who, csr, NO_GRACE)
        earlier = await self._issued_before(who, csr)
        if earlier is not None:
            return earlier
        try:
            issued = await issue(
                self._service.access,
                lambda authority: tokens.prepare_by_token(authority, who, csr),
                acting=lambda authority: tokens.acting(authority, who),
                together=lambda authority: tokens.use_up(authority, who),
            )
        except RefusedError as error:
            if error.code != "token.used_up":
                raise
            earlier = await self._issued_before(replace(who, used=who.uses), csr)  # by the same request, a moment ago
            if earlier is None:
                raise
            return earlier
        return issued.certificate

    async def _issued_before(self, token: TokenRecord, csr: CSR) -> x509.Certificate | None:
        return await self._service.access.read(lambda authority: tokens.issued_before(authority, token, csr.public_key))

    async def _issue_again(self, holder: Holder, csr: CSR, grace: timedelta) -> x509.Certificate:
        require_same_names(csr, holder.certificate)
        content = holder.certificate.public_bytes(Encoding.DER)

        def begin(authority: Authority) -> Prepared:
            asked = ask_again(authority, holder.record, public_key=csr.public_key)
            asked = asked._replace(must_staple=asked.must_staple or csr.must_staple)
            return prepare(authority, asked, name=holder.name, issuer=holder.record.issuer)

        issued = await issue(
            self._service.access,
            begin,
            acting=lambda authority: replace(authority, actor=f"est:{holder.name}"),
            together=lambda authority: holder_of(authority, content, usage=None, grace=grace),
        )
        return issued.certificate


def _cas(authority: Authority, label: str | None) -> list[x509.Certificate]:
    if label is not None:
        return list(authority.issuer(authority.issuer_for(authority.profile(label).purpose)).path)
    active = [one for one in authority.store.cas() if one.state == "active"]
    return list(dict.fromkeys(certificate for one in active for certificate in authority.issuer(one.name).path))


def _check_label(authority: Authority, request: Request, profile: str | None) -> None:
    """Raise NotFoundError for a label that is no profile, RefusedError for one that is another than ``profile``."""
    label = request.path_params.get("label")
    if label is None:
        return
    authority.profile(label)
    if profile is not None and profile != label:
        raise RefusedError("est.label", f"what is shown is for profile {profile!r}, not {label!r}")


def _in_words(operation: Operation) -> Operation:
    """Return the operation with its errors as plain text."""

    async def answer(request: Request) -> Response:
        try:
            return await operation(request)
        except HTTPException as error:
            return _words(error.status_code, [error.detail], dict(error.headers or {}))
        except (InputError, RefusedError, NotFoundError) as error:
            request.state.log["problem"] = error.code
            return _refusal(error)

    return answer


def _refusal(error: CountersealError) -> Response:
    lines = [error.message, *(finding.message for finding in getattr(error, "findings", ()))]
    lines += [f"hint: {error.hint}"] if error.hint else []
    if error.code in UNAUTHENTICATED:
        response = _words(401, lines)
        for challenge in CHALLENGES:  # a line each: not every client takes a list apart
            response.headers.append("WWW-Authenticate", challenge)
        return response
    return _words(STATUSES.get(error.code) or status_of(error), lines)


def _words(status: int, lines: list[str], headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse("\n".join(lines) + "\n", status, {"Cache-Control": "no-store", **(headers or {})})
