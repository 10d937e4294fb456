"""What relying parties fetch: ``/crl/NAME.crl`` and the certificates of the CAs, ``/ca/NAME.crt`` and ``/ca/NAME.pem``.

DER as RFC 5280 4.2.1.13 and 4.2.2.1 ask for it; the PEM file is the path from the CA to its root. A list is the newest
of the store, whoever signed it; one that is due is signed anew in the background.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding
from starlette.routing import Route

from counterseal.authority.leasing import tell_of_service
from counterseal.authority.publish import publish, stale_lists
from counterseal.errors import CountersealError, NotFoundError
from counterseal.moments import moment
from counterseal.pki.pem import encode_certificates
from counterseal.service.conditional import answer, cache_headers
from counterseal.service.log import log, log_error
from counterseal.service.parts import Face, Service, Upkeep
from counterseal.store.announcements import list_subject

if TYPE_CHECKING:
    from cryptography import x509
    from starlette.requests import Request
    from starlette.responses import Response

    from counterseal.authority.parts import Authority
    from counterseal.authority.publish import Published
    from counterseal.store.records import CRLRecord

CRL, CERTIFICATE, CHAIN = "application/pkix-crl", "application/pkix-cert", "application/pem-certificate-chain"
REFRESH_SECONDS = 30.0
LIST_SECONDS = 300
"""How long a cache may keep a list: so much later, at most, does one that asks here learn of a revocation."""

CERTIFICATE_SECONDS = 86_400


def publication_face(service: Service) -> Face:
    """Return the face that publishes lists and certificates."""
    publication = Publication(service)
    routes = [
        Route("/crl/{name}.crl", publication.crl, methods=["GET"]),
        Route("/ca/{name}.crt", publication.certificate, methods=["GET"]),
        Route("/ca/{name}.pem", publication.chain, methods=["GET"]),
    ]
    if service.access.reads_only:
        return Face(routes, (), publication.learn, public=True)
    upkeep = Upkeep("refresh lists", REFRESH_SECONDS, publication.refresh)
    return Face(routes, (upkeep,), publication.start, public=True)


def _refresh(authority: Authority) -> Published:
    published = publish(authority, only=stale_lists(authority))
    tell_of_service(authority)
    return published


class Publication:
    """The newest list of every CA, kept in memory as long as it is the newest."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lists: dict[str, tuple[CRLRecord, bool]] = {}
        self._paths: dict[str, tuple[x509.Certificate, ...]] = {}

    async def crl(self, request: Request) -> Response:
        """Answer with the newest list of a CA."""
        name = request.path_params["name"]
        access = self._service.access
        record, dated = await access.recall(list_subject(name), lambda authority: self._newest(authority, name))
        tag, now = f"{record.number}-{record.this_update}", self._service.clock()
        until = moment(record.next_update)
        modified = moment(record.this_update) if dated else None
        headers = cache_headers(tag, modified, now, until=until, longest=LIST_SECONDS)
        return answer(request, record.crl, CRL, headers)

    async def certificate(self, request: Request) -> Response:
        """Answer with the certificate of a CA in DER."""
        path = await self._path(request)
        return self._immutable(request, path[0], path[0].public_bytes(Encoding.DER), CERTIFICATE)

    async def chain(self, request: Request) -> Response:
        """Answer with the certificates from a CA to its root in PEM."""
        path = await self._path(request)
        return self._immutable(request, path[0], encode_certificates(*path), CHAIN)

    async def learn(self) -> None:
        """Read the certificates of the CAs once: they are fetched in handshakes, also while the store is away."""

        def read(authority: Authority) -> dict[str, tuple[x509.Certificate, ...]]:
            return {one.name: authority.path(one) for one in authority.store.cas()}

        self._paths |= await self._service.access.read(read)

    async def start(self) -> None:
        """Sign what is due before the first request; a list that cannot be signed does not keep the service down."""
        await self.learn()
        try:
            await self.refresh()
        except CountersealError as error:
            log_error("lists not published", code=error.code, reason=error.message)

    async def refresh(self) -> None:
        """Sign the lists that are due; apart, because a list may be long."""
        published = await self._service.access.apart(_refresh)
        if published.signed:
            log("lists published", lists={one.issuer: one.number for one in published.signed})

    def _newest(self, authority: Authority, name: str) -> tuple[CRLRecord, bool]:
        """Return the newest list, and whether its date tells it from those before."""
        kept, number = self._lists.get(name), authority.store.latest_crl_number(name)
        if kept is not None and kept[0].number == number:
            return kept
        record = authority.store.latest_crl(authority.store.ca(name).name)
        if record is None:
            raise NotFoundError("crl.none", f"no list of this CA was published yet: {name}")
        newest = record, authority.store.crls_dated(name, record.this_update) == 1
        self._lists[name] = newest
        return newest

    async def _path(self, request: Request) -> tuple[x509.Certificate, ...]:
        """Return the certificates from a CA to its root; they never change, so a store that is away is not asked."""
        name = request.path_params["name"]
        path = self._paths.get(name)
        if path is None:
            path = await self._service.access.read(lambda authority: authority.path(authority.store.ca(name)))
            self._paths[name] = path
        return path

    def _immutable(self, request: Request, ca: x509.Certificate, content: bytes, media_type: str) -> Response:
        now, tag = self._service.clock(), sha256(content).hexdigest()[:32]
        until = now + timedelta(seconds=CERTIFICATE_SECONDS)
        made = ca.not_valid_before_utc
        return answer(
            request, content, media_type, cache_headers(tag, made, now, until=until, longest=CERTIFICATE_SECONDS)
        )
