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
from counterseal.nginx.differing import differing, in_words
from counterseal.nginx.verification_files import load_crl_file
from counterseal.pki.openssl.release import takes_deltas
from counterseal.pki.openssl.verify import DEFAULT_DEPTH, Verification, verify
from counterseal.pki.path.crl_scope import is_delta
from counterseal.pki.path.explain import Explanation, explain
from counterseal.pki.path.opinion import Opinion, second_opinion

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509
    from cryptography.x509.ocsp import OCSPResponse

    from counterseal.nginx.verification_files import LoadedFile
    from counterseal.nginx.version import NginxVersion
    from counterseal.pki.openssl.codes import Error
    from counterseal.pki.path.question import Revoked
    from counterseal.pki.path.revocation_list import RevocationList
    from counterseal.pki.profile import Purpose


@dataclass(frozen=True, slots=True)
class Given:
    """What is asked about: ``chain`` as it was sent, end entity first; ``others`` may help to build a path.

    ``trusted`` are the anchors, ``trusted_by`` says in words whose they are. ``crls`` None leaves revocation out;
    where they are not ``lists_demanded``, nobody named them: then only what stands on them counts, and ``revoked`` are
    the CAs that the home has revoked.
    """

    chain: tuple[x509.Certificate, ...]
    trusted: tuple[x509.Certificate, ...]
    trusted_by: str
    purpose: Purpose
    at: datetime
    names: tuple[x509.GeneralName, ...] = ()
    others: tuple[x509.Certificate, ...] = ()
    crls: tuple[RevocationList, ...] | None = None
    lists_demanded: bool = True
    revoked: tuple[Revoked, ...] = ()
    ocsp_responses: tuple[OCSPResponse, ...] = ()
    depth: int | None = None
    strict: bool = False
    """Whether what peers only wonder at counts as a failure."""

    @property
    def has_deltas(self) -> bool:
        """Whether one of the lists holds changes only."""
        return any(is_delta(one.crl) for one in self.crls or ())


@dataclass(frozen=True, slots=True)
class NginxGiven:
    """Which nginx is asked, what it takes from ``ssl_client_certificate``, what ``ssl_crl`` names, what else counts.

    ``lists`` are the contents of files of revocation lists as they stand; None means that there is no ``ssl_crl``.
    """

    version: NginxVersion
    cas: LoadedFile
    lists: tuple[bytes, ...] | None = None
    verify_client: VerifyClient = VerifyClient.ON
    request: Request = OVER_TLS


@dataclass(frozen=True, slots=True)
class AsNginx:
    """What one nginx does: its answer, or the line in ``emerg`` with which it does not start; ``who`` says which."""

    who: str
    answer: NginxAnswer | None
    emerg: str | None = None

    @property
    def admits(self) -> bool:
        """Whether the client is let in."""
        return self.answer is not None and self.answer.code is None

    @property
    def outcome(self) -> tuple[int | None, Error] | None:
        """Code and OpenSSL's number, by which two answers differ for a client; None where it does not start."""
        return None if self.answer is None else (self.answer.code, self.answer.error)


@dataclass(frozen=True, slots=True)
class Verified:
    """The answer, and every voice.

    ``openssl`` is the newest; ``older_openssl`` is None where older ones stop at the same error. ``nginx`` is None
    where it was not asked for; ``other_nginx`` are those that do something else with the same files.
    """

    given: Given
    explanation: Explanation
    opinion: Opinion
    openssl: Verification
    older_openssl: Verification | None = None
    nginx: AsNginx | None = None
    other_nginx: tuple[AsNginx, ...] = ()

    @property
    def valid(self) -> bool:
        """The verdict of the checks."""
        return self.explanation.valid and not (self.given.strict and self.explanation.best.warnings)

    @property
    def admitted(self) -> bool:
        """The verdict of whom it was asked: of nginx where that was, else of the checks."""
        return self.valid if self.nginx is None else self.nginx.admits


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
        lists_demanded=given.lists_demanded,
        revoked=given.revoked,
        depth=given.depth,
        ocsp_responses=given.ocsp_responses,
    )
    told = _as_openssl(given, takes_deltas=False)
    older = _as_openssl(given, takes_deltas=True) if given.has_deltas else told
    opinion = second_opinion(explanation, others, given.trusted)
    return Verified(given, explanation, opinion, told, older_openssl=None if older.first == told.first else older)


def _as_openssl(given: Given, *, takes_deltas: bool) -> Verification:
    lists = given.crls if given.lists_demanded else None
    return verify(
        given.chain[0],
        (*given.chain[1:], *given.others),
        given.trusted,
        purpose=given.purpose,
        at=given.at,
        crls=None if lists is None else [one.crl for one in lists],
        depth=DEFAULT_DEPTH if given.depth is None else given.depth,
        takes_deltas=takes_deltas,
    )


def as_nginx(verified: Verified, asked: NginxGiven) -> Verified:
    """Return the same with what nginx answers the client that sends this chain, when it has these files."""
    given = verified.given
    told = _ask(given, asked, asked.version, in_words(asked.version))
    others = [
        _ask(given, asked, other.one, other.words)
        for other in differing(asked.version, asked.lists or (), deltas=given.has_deltas)
    ]
    return replace(verified, nginx=told, other_nginx=tuple(one for one in others if one.outcome != told.outcome))


def _ask(given: Given, asked: NginxGiven, version: NginxVersion, who: str) -> AsNginx:
    lists = [load_crl_file(content, version) for content in asked.lists or ()]
    files = (asked.cas, *lists)
    emerg = next((file.emerg for file in files if file.emerg), None)
    if emerg is not None:
        return AsNginx(who, None, emerg)
    site = ClientVerification(
        tuple(one for file in files for one in file.certificates),
        DEFAULT_VERIFY_DEPTH if given.depth is None else given.depth,
        None if asked.lists is None else tuple(one for file in lists for one in file.crls),
        asked.verify_client,
        takes_deltas=takes_deltas(version.openssl),
    )
    return AsNginx(who, answer_client(given.chain, site, at=given.at, request=asked.request))
