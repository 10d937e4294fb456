"""The rows of a proof: who knocks, what is expected, and why.

Each kind of row is one way in which nginx has been seen to admit or to lock out the wrong client while its
configuration test passed. A row holds everything that is needed to judge it; judging happens elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterseal.handshake.observation import Attempt, Endpoint, ProbeIdentity, TLSVersion
    from counterseal.handshake.site import Stapling
    from counterseal.handshake.verdict import Verdict


class RowKind(StrEnum):
    """Who knocks, and how; the values are stable and appear in the JSON form."""

    SERVER = "server"
    STAPLE = "stapled-response"
    NO_CERTIFICATE = "no-certificate"
    GOOD = "good"
    GOOD_WITHOUT_CHAIN = "good-without-chain"
    EXPIRED = "expired"
    FOREIGN = "foreign"
    SERVER_PURPOSE = "server-purpose"
    OTHER_CLIENT_CA = "other-client-ca"
    UNLISTED = "unlisted"
    REVOKED = "revoked"
    REVOKED_CA = "revoked-ca"
    RESUMED_AFTER_REVOCATION = "resumed-after-revocation"
    RESUMPTION = "resumption"
    CROSS_SITE_RESUMPTION = "cross-site-resumption"
    EARLY_DATA = "early-data"
    NO_SNI = "no-sni"
    UNKNOWN_SNI = "unknown-sni"
    OTHER_SNI = "other-sni"
    PROTECTED_WITHOUT = "protected-path-without"
    PROTECTED_GOOD = "protected-path-good"
    FORGED_HEADERS = "forged-headers"
    RIVAL_SNI = "rival-sni"
    RIVAL_RESUMPTION = "rival-resumption"
    BACKEND_GOOD = "backend-good"
    BACKEND_FOREIGN = "backend-foreign"
    BACKEND_FORGED = "backend-forged"
    BACKEND_EXPIRED = "backend-expired"
    BACKEND_NAME = "backend-other-name"
    BACKEND_PURPOSE = "backend-client-purpose"
    BACKEND_REVOKED = "backend-revoked"
    BACKEND_SEES = "backend-sees-certificate"
    TLS_VERSION = "tls-version"
    PLAIN_ON_TLS_PORT = "plain-http-on-tls-port"
    REDIRECT = "plain-http-redirect"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must be seen: one of ``verdicts``, and where given also these.

    ``verify`` is what ``$ssl_client_verify`` must start with when the page says it; ``alert`` the alert's name;
    ``resumed`` False that the session must not have been taken up; ``generation`` the one that must answer;
    ``own_page`` that nginx itself must have answered with a page of ours; ``asked`` whether the server must, or must
    not, ask for a client certificate; ``serial`` the server certificate's; ``status`` the HTTP status. Where the prover
    is the backend, ``reached`` says whether it must have got the request, and ``client_serial`` which certificate nginx
    must have shown it. ``closed``: the handshake must have been finished, and the connection then ended. ``stapling``:
    what comes as OCSP response must be good, and where it is meant one must come. ``early_data`` False that none may be
    offered.
    """

    text: str
    verdicts: frozenset[Verdict]
    verify: str | None = None
    alert: str | None = None
    resumed: bool | None = None
    generation: int | None = None
    own_page: bool = False
    asked: bool | None = None
    serial: int | None = None
    status: int | None = None
    reached: bool | None = None
    client_serial: int | None = None
    closed: bool = False
    stapling: Stapling | None = None
    early_data: bool | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to try. ``attempt`` None means that it cannot be tried, and ``skipped`` says why.

    ``first`` is the attempt that makes the session which ``attempt`` then offers again; ``backend`` the certificate of
    the backend that the prover plays.
    """

    kind: RowKind
    site: str
    endpoint: Endpoint
    tls_version: TLSVersion | None
    title: str
    expected: Expectation
    why: str
    attempt: Attempt | None = None
    first: Attempt | None = None
    backend: ProbeIdentity | None = None
    skipped: str | None = None
    client_certificates: str = "required"
    is_stream: bool = False


@dataclass(frozen=True, slots=True)
class RowResult:
    """A row judged. ``passed`` is also True for a skipped row, whose ``skipped`` says why it was not tried."""

    row: Row
    observed: str
    passed: bool
    skipped: str | None = None
    cause: str | None = None
    fix: str | None = None
    seconds: float = 0.0

    @property
    def expected(self) -> str:
        """What was expected, in words."""
        return self.row.expected.text
