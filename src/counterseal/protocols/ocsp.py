"""``/ocsp``: the status of one certificate, by POST and by GET (RFC 6960 A.1, RFC 5019).

``/ocsp/NAME`` answers for the CA of that name, ``/ocsp`` for every CA, as the request names its issuer by hashes. Each
answer looks into the store, which costs microseconds; signed ones are kept and used as long as the store says the same,
so a revocation by whatever process is seen with the next request.
"""

from __future__ import annotations

import base64
import binascii
from collections import OrderedDict
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.ocsp import OCSPResponseStatus
from starlette.responses import Response
from starlette.routing import Route

from counterseal.authority.responder import current_responder, ensure_responder, status_of
from counterseal.errors import CountersealError, InputError
from counterseal.pki.ocsp import MAX_REQUEST_BYTES, answer, issuer_ids, read_request, refusal
from counterseal.service import conditional
from counterseal.service.body import read_body
from counterseal.service.log import log, log_error
from counterseal.service.parts import Face, Service, Upkeep

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

    from counterseal.authority.parts import Authority
    from counterseal.authority.responder import Responder
    from counterseal.pki.ocsp import Asked, CertificateStatus
    from counterseal.protocols.ocsp_rules import OCSPRules
    from counterseal.store.records import CARecord

MEDIA_TYPE = "application/ocsp-response"
RENEW_SECONDS = 300.0
KEPT = 20_000
"""Signed answers kept in memory, each about a kilobyte; beyond that the oldest go."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed answer: DER, what it says, and its two times."""

    content: bytes
    status: CertificateStatus
    responder: Responder
    this_update: datetime
    next_update: datetime


def ocsp_face(service: Service, rules: OCSPRules) -> Face:
    """Return the face that answers OCSP."""
    face = OCSP(service, rules)
    routes = [
        Route("/ocsp", face.post, methods=["POST"]),
        Route("/ocsp/{rest:path}", face.get, methods=["GET"]),
        Route("/ocsp/{name}", face.post, methods=["POST"]),
    ]
    upkeep = Upkeep("renew responders", RENEW_SECONDS, face.renew)
    return Face(routes, (upkeep,), face.renew, public=True)


class OCSP:
    """The responders of this process and what they have signed."""

    def __init__(self, service: Service, rules: OCSPRules) -> None:
        self._service = service
        self._rules = rules
        self._issuers: dict[tuple[str, bytes, bytes], str] = {}
        self._responders: dict[str, Responder] = {}
        self._kept: OrderedDict[tuple[str, str, int], Signed] = OrderedDict()

    async def renew(self) -> None:
        """Have a responder for every CA; one that fails leaves the others.

        A CA whose key has been taken away is answered for by the responder that it certified before.
        """
        for ca in await self._service.access.read(_living):
            try:
                await self._renew(ca)
            except CountersealError as error:
                log_error("no ocsp responder", ca=ca.name, code=error.code, reason=error.message)

    async def post(self, request: Request) -> Response:
        """Answer a request in the body."""
        content = await read_body(request, limit=MAX_REQUEST_BYTES)
        return await self._answer(request, content, request.path_params.get("name"))

    async def get(self, request: Request) -> Response:
        """Answer a request in base64 at the end of the path, after the name of a CA if one is given (RFC 6960 A.1)."""
        name, encoded = self._split(request.path_params["rest"])
        try:
            content = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error):
            return self._refused(OCSPResponseStatus.MALFORMED_REQUEST)
        return await self._answer(request, content, name)

    def _split(self, rest: str) -> tuple[str | None, str]:
        first, slash, after = rest.partition("/")
        return (first, after.lstrip("/")) if slash and first in self._responders else (None, rest.lstrip("/"))

    async def _renew(self, ca: CARecord) -> None:
        access, name = self._service.access, ca.name
        responder = await access.read(lambda authority: current_responder(authority, name))
        if responder is None and await access.read(lambda authority: authority.keystore.has(ca.key_id)):
            responder = await access.apart(lambda authority: ensure_responder(authority, name))
            log("ocsp responder certified", ca=name, until=responder.certificate.not_valid_after_utc)
        if responder is not None:
            self._responders[name] = responder
            self._issuers |= dict.fromkeys(issuer_ids(x509.load_der_x509_certificate(ca.certificate)), name)

    async def _answer(self, request: Request, content: bytes, name: str | None) -> Response:
        try:
            asked = read_request(content)
        except InputError:
            return self._refused(OCSPResponseStatus.MALFORMED_REQUEST)
        ca = self._issuers.get(asked.issuer)
        if ca is None or name not in {None, ca}:
            return self._refused(OCSPResponseStatus.UNAUTHORIZED)
        if asked.nonce is None and self._rules.nonces == "required":
            return self._refused(OCSPResponseStatus.UNAUTHORIZED)
        if self._responders[ca].certificate.not_valid_after_utc <= self._service.clock():
            return self._refused(OCSPResponseStatus.TRY_LATER)  # no new one could be certified: the log says why
        status = await self._service.access.read(lambda authority: status_of(authority, ca, asked.serial_number))
        if self._rules.nonces == "ignored":
            asked = replace(asked, nonce=None)
        self._service.metrics.ocsp_answers.labels(_shown(status)).inc()
        if asked.nonce is not None or not status.known:  # what is unknown may be issued the next moment
            return Response(self._sign(ca, asked, status).content, headers=_NOT_KEPT, media_type=MEDIA_TYPE)
        return self._cacheable(request, self._signed(ca, asked, status))

    def _refused(self, status: OCSPResponseStatus) -> Response:
        self._service.metrics.ocsp_answers.labels(status.name.lower()).inc()
        return Response(refusal(status), headers=_NOT_KEPT, media_type=MEDIA_TYPE)

    def _signed(self, ca: str, asked: Asked, status: CertificateStatus) -> Signed:
        """Return a signed answer that says this: a kept one, unless half of its time is over."""
        key = (ca, asked.hash_name, asked.serial_number)
        kept = self._kept.get(key)
        if kept is not None and kept.status == status and self._is_fresh(kept, ca):
            return kept
        signed = self._sign(ca, asked, status)
        self._kept[key] = signed
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return signed

    def _is_fresh(self, kept: Signed, ca: str) -> bool:
        half = (kept.next_update - kept.this_update) / 2
        return (
            kept.responder.certificate == self._responders[ca].certificate
            and self._service.clock() < kept.this_update + half
        )

    def _sign(self, ca: str, asked: Asked, status: CertificateStatus) -> Signed:
        responder, now = self._responders[ca], self._service.clock().replace(microsecond=0)
        until = min(now + self._rules.lifetime, responder.certificate.not_valid_after_utc)
        unsigned = answer(asked, status, responder.certificate, this_update=now, next_update=until)
        return Signed(responder.signer.sign_ocsp(unsigned), status, responder, now, until)

    def _cacheable(self, request: Request, signed: Signed) -> Response:
        """Return it with what RFC 5019 6.2 has an HTTP cache know; only GET is cached."""
        if request.method == "POST":
            return Response(signed.content, headers=_NOT_KEPT, media_type=MEDIA_TYPE)
        longest = int(self._rules.cached.total_seconds())
        headers = conditional.cache_headers(
            sha256(signed.content).hexdigest()[:32],
            signed.this_update,
            self._service.clock(),
            until=signed.next_update,
            longest=longest,
        )
        return conditional.answer(request, signed.content, MEDIA_TYPE, headers)


def _living(authority: Authority) -> list[CARecord]:
    """Return the CAs that have not ended."""
    cas, now = authority.store.cas(), authority.clock()
    return [one for one in cas if x509.load_der_x509_certificate(one.certificate).not_valid_after_utc > now]


def _shown(status: CertificateStatus) -> str:
    """Return it in the words of RFC 6960 4.2.1."""
    return "unknown" if not status.known else "good" if status.revoked_at is None else "revoked"


_NOT_KEPT = {"Cache-Control": "no-store"}
