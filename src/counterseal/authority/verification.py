"""Whether a certificate is valid, why, and what others say: the explanation, the library, OpenSSL, and nginx.

Needs no CA; what is trusted is handed in. The verdict is that of the explanation; the other voices stand beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from counterseal.nginx.client_verification import (
    DEFAULT_VERIFY_DEPTH,
    OVER_TLS,
    ClientVerification,
    NginxAnswer,
    Request,
    VerifyClient,
    answer_client,
)
from counterseal.pki.openssl.verify import DEFAULT_DEPTH, Verification, verify
from counterseal.pki.path.explain import Explanation, explain
from counterseal.pki.path.opinion import Opinion, second_opinion

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509
    from cryptography.x509.ocsp import OCSPResponse

    from counterseal.nginx.verification_files import LoadedFile
    from counterseal.pki.path.revocation_list import RevocationList
    from counterseal.pki.profile import Purpose


@dataclass(frozen=True, slots=True)
class Given:
    """What is asked about: ``chain`` as it was sent, end entity first; ``others`` may help to build a path.

    ``trusted`` are the anchors, ``trusted_by`` says in words whose they are. ``crls`` None leaves revocation out.
    """

    chain: tuple[x509.Certificate, ...]
    trusted: tuple[x509.Certificate, ...]
    trusted_by: str
    purpose: Purpose
    at: datetime
    names: tuple[x509.GeneralName, ...] = ()
    others: tuple[x509.Certificate, ...] = ()
    crls: tuple[RevocationList, ...] | None = None
    ocsp_responses: tuple[OCSPResponse, ...] = ()
    depth: int | None = None
    strict: bool = False
    """Whether what peers only wonder at counts as a failure."""


@dataclass(frozen=True, slots=True)
class NginxFiles:
    """What nginx takes from ``ssl_client_certificate`` and ``ssl_crl``, None without one; and what else it goes by."""

    cas: LoadedFile
    crls: LoadedFile | None = None
    verify_client: VerifyClient = VerifyClient.ON
    request: Request = OVER_TLS


@dataclass(frozen=True, slots=True)
class Verified:
    """The answer, and every voice.

    ``nginx`` is None where it was not asked for, and where it does not start: then ``emerg`` says why.
    """

    given: Given
    explanation: Explanation
    opinion: Opinion
    openssl: Verification
    nginx: NginxAnswer | None = None
    emerg: str | None = None

    @property
    def valid(self) -> bool:
        """The verdict of the checks."""
        return self.explanation.valid and not (self.given.strict and self.explanation.best.warnings)

    @property
    def admitted(self) -> bool:
        """The verdict of whom it was asked: of nginx where that was, else of the checks."""
        if self.emerg is not None:
            return False
        return self.valid if self.nginx is None else self.nginx.code is None


def verify_certificate(given: Given) -> Verified:
    """Return the verdict on a certificate with every check; never raises for what certificates hold."""
    others = (*given.chain[1:], *given.others)
    explanation = explain(
        given.chain[0],
        others,
        given.trusted,
        purpose=given.purpose,
        at=given.at,
        names=given.names,
        crls=given.crls,
        depth=given.depth,
        ocsp_responses=given.ocsp_responses,
    )
    told = verify(
        given.chain[0],
        others,
        given.trusted,
        purpose=given.purpose,
        at=given.at,
        crls=None if given.crls is None else [one.crl for one in given.crls],
        depth=DEFAULT_DEPTH if given.depth is None else given.depth,
    )
    return Verified(given, explanation, second_opinion(explanation, others, given.trusted), told)


def as_nginx(verified: Verified, files: NginxFiles) -> Verified:
    """Return the same with what nginx answers the client that sends this chain, when it has these files."""
    emerg = next((file.emerg for file in (files.cas, *([files.crls] if files.crls else [])) if file.emerg), None)
    if emerg is not None:
        return replace(verified, emerg=emerg)
    given = verified.given
    site = ClientVerification(
        (*files.cas.certificates, *(files.crls.certificates if files.crls else ())),
        DEFAULT_VERIFY_DEPTH if given.depth is None else given.depth,
        files.crls.crls if files.crls else None,
        files.verify_client,
    )
    return replace(verified, nginx=answer_client(given.chain, site, at=given.at, request=files.request))
