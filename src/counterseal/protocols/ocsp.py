"""``/ocsp``: the status of a certificate or of a few, by POST and by GET (RFC 6960 A.1, RFC 5019).

``/ocsp/NAME`` answers for the CA of that name, ``/ocsp`` for every CA, as the request names its issuer by hashes. What
is signed and kept, and how it is known that it still stands, is ``ocsp_answers``' matter.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.x509.ocsp import OCSPResponseStatus
from starlette.responses import Response
from starlette.routing import Route

from counterseal.errors import InputError
from counterseal.pki.ocsp import MAX_REQUEST_BYTES, read_request
from counterseal.pki.ocsp_answer import refusal
from counterseal.protocols.ocsp_answers import Answers
from counterseal.service import conditional
from counterseal.service.body import read_body
from counterseal.service.parts import Face, Service, Upkeep
from counterseal.service.short_way import TOLD_SECONDS, octets_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prometheus_client import Counter
    from starlette.requests import Request

    from counterseal.pki.ocsp import Asked, CertificateStatus
    from counterseal.pki.ocsp_answer import Answered
    from counterseal.protocols.ocsp_answers import Key, Signed
    from counterseal.protocols.ocsp_rules import OCSPRules

FACE = "ocsp"
MEDIA_TYPE = "application/ocsp-response"
RENEW_SECONDS = 5.0
AHEAD_SECONDS = 15.0
_NOT_KEPT = {"Cache-Control": "no-store"}
_SHOWN = ("good", "revoked", "unknown", "malformed_request", "try_later", "unauthorized")


def ocsp_face(service: Service, rules: OCSPRules) -> Face:
    """Return the face that answers OCSP."""
    face = OCSP(service, rules)
    routes = [
        Route("/ocsp", face.post, methods=["POST"]),
        Route("/ocsp/{rest:path}", face.get, methods=["GET"]),
        Route("/ocsp/{name}", face.post, methods=["POST"]),
    ]
    renew = Upkeep("renew responders", RENEW_SECONDS, face.answers.renew_in_time)
    ahead = Upkeep("sign ocsp answers ahead", AHEAD_SECONDS, face.answers.sign_ahead)
    tell = () if service.short_way is None else (Upkeep("tell of requests", TOLD_SECONDS, service.short_way.tell),)
    return Face(routes, (renew, ahead, *tell), face.answers.renew, public=True, entry=("OCSP", "/ocsp"))


class OCSP:
    """The responders of this process, asked by HTTP."""

    def __init__(self, service: Service, rules: OCSPRules) -> None:
        self._service = service
        self._rules = rules
        self.answers = Answers(service, rules)
        for status in _SHOWN:
            service.metrics.ocsp_answers.labels(status)  # from none on, so that Prometheus sees the first one

    async def post(self, request: Request) -> Response:
        """Answer a request in the body."""
        content = await read_body(request, limit=MAX_REQUEST_BYTES)
        name = request.path_params.get("name")
        response = await self._answer(request, content, name)
        octets, short_way = octets_of(request), self._service.short_way
        if short_way is not None and octets is not None:
            short_way.learn_head(octets, content, FACE, lambda whole: self._at_once(whole, len(content), name))
        return response

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
        return (first, after.lstrip("/")) if slash and self.answers.answers_for(first) else (None, rest.lstrip("/"))

    async def _answer(self, request: Request, content: bytes, name: str | None) -> Response:
        question = self._read(content, name)
        if isinstance(question, OCSPResponseStatus):
            return self._refused(question)
        ca, asked = question
        answered = [(one, await self.answers.status(ca, one.serial_number)) for one in asked]
        self._count(answered)
        if _is_kept(answered):
            return self._cacheable(request, ca, *answered[0])
        signed = self.answers.sign(ca, answered)
        return Response(signed.content, headers=_NOT_KEPT, media_type=MEDIA_TYPE)

    def _at_once(self, octets: bytes, size: int, name: str | None) -> bytes | None:
        """Return the response to a POST with a body of this size, or None for the usual way."""
        question = self._read(octets[-size:], name)
        if isinstance(question, OCSPResponseStatus):
            return None
        ca, asked = question
        answered = [(one, status) for one in asked if (status := self.answers.status_at_once(ca, one.serial_number))]
        if len(answered) < len(asked):
            return None
        self._count(answered)
        if _is_kept(answered):
            key, signed = self.answers.get(ca, *answered[0])
            self._learn(octets, "POST", key)
        else:
            signed = self.answers.sign(ca, answered)
        return conditional.response(signed.content, MEDIA_TYPE, _NOT_KEPT, self._service.clock())

    def _read(self, content: bytes, name: str | None) -> tuple[str, Sequence[Asked]] | OCSPResponseStatus:
        """Return which CA is asked about what, or why there is no answer."""
        try:
            asked = read_request(content)
        except InputError:
            return OCSPResponseStatus.MALFORMED_REQUEST
        ca = self.answers.ca_of(asked)
        if ca is None or name not in {None, ca}:
            return OCSPResponseStatus.UNAUTHORIZED
        if asked[0].nonce is None and self._rules.nonces == "required":
            return OCSPResponseStatus.UNAUTHORIZED
        if not self.answers.can_sign(ca):
            return OCSPResponseStatus.TRY_LATER
        if self._rules.nonces == "ignored":
            asked = tuple(replace(one, nonce=None) for one in asked)
        return ca, asked

    def _count(self, answered: Sequence[Answered]) -> None:
        for _, status in answered:
            self._service.metrics.ocsp_answers.labels(_shown(status)).inc()

    def _cacheable(self, request: Request, ca: str, asked: Asked, status: CertificateStatus) -> Response:
        key, signed = self.answers.get(ca, asked, status)
        headers = self._headers(request.method, signed)
        if request.method != "POST" and conditional.has_already(request, headers, dated=False):  # two may be of one
            return Response(status_code=304, headers=headers)
        if request.method in {"GET", "POST"}:
            self._learn(octets_of(request), request.method, key)
        return Response(signed.content, headers=headers, media_type=MEDIA_TYPE)

    def _refused(self, status: OCSPResponseStatus) -> Response:
        self._service.metrics.ocsp_answers.labels(status.name.lower()).inc()
        return Response(refusal(status), headers=_NOT_KEPT, media_type=MEDIA_TYPE)

    def _headers(self, method: str, signed: Signed) -> dict[str, str]:
        """Return what RFC 5019 6.2 has an HTTP cache know; only GET is cached."""
        if method == "POST":
            return _NOT_KEPT
        return conditional.cache_headers(
            sha256(signed.content).hexdigest()[:32],
            signed.this_update,
            self._service.clock(),
            until=signed.next_update,
            longest=int(self._rules.cached.total_seconds()),
        )

    def _learn(self, octets: bytes | None, method: str, key: Key) -> None:
        if self._service.short_way is not None and octets is not None:
            self._service.short_way.learn(octets, FACE, self._again(method, key))

    def _again(self, method: str, key: Key) -> Callable[[bytes], bytes | None]:
        """Return what answers such a request again; the response is put together anew when the second is over."""
        clock, counters = self._service.clock, self._service.metrics.ocsp_answers
        made: tuple[Signed | None, int, bytes, Counter] = (None, 0, b"", counters)

        def again(_: bytes) -> bytes | None:
            nonlocal made
            signed = self.answers.look(key)
            if signed is None:
                return None
            now = clock()
            if made[0] is not signed or made[1] != int(now.timestamp()):
                response = conditional.response(signed.content, MEDIA_TYPE, self._headers(method, signed), now)
                made = (signed, int(now.timestamp()), response, counters.labels(_shown(signed.status)))
            made[3].inc()
            return made[2]

        return again


def _is_kept(answered: Sequence[Answered]) -> bool:
    """Whether the answer is for everybody who asks this; what is unknown may be issued the next moment."""
    one, status = answered[0]
    return len(answered) == 1 and one.nonce is None and status.known


def _shown(status: CertificateStatus) -> str:
    """Return it in the words of RFC 6960 4.2.1."""
    return "revoked" if status.revoked_at is not None else "good" if status.known else "unknown"
