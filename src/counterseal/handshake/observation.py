"""What is tried and what was seen, as values.

An attempt is one connection with one request; an observation is everything that came back. Nothing here connects: the
peer's behaviour is a value, however odd, and never an exception. Words from RFC 8446 (alert, session) and RFC 9110.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import ssl

TLSVersion = Literal["1.2", "1.3"]

STATUS_PATH = "/.well-known/counterseal"
"""Where a site rendered by us answers with its verdict on this very connection, as one line of text."""

UPSTREAM_PATHS = {"proxy": f"{STATUS_PATH}/upstream", "grpc": f"{STATUS_PATH}/upstream-grpc"}
"""Where such a site passes the request on to the prover as a TLS backend, by the directive that does it."""

HEADERS_PATH = "/.well-known/counterseal/headers"
"""Where such a site passes the request on to the prover's own socket, with the identity headers of the site."""


CONNECTING = "connecting"
"""The stage of an attempt that its error names before there is a connection."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a site listens: a host name or IP address, and a TCP port."""

    host: str
    port: int

    @property
    def host_header(self) -> str:
        """The Host header of a request over TLS: the port is left out where it is 443 (RFC 9110 4.2.2)."""
        return str(self).removesuffix(":443")

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ProbeIdentity:
    """A certificate and its key to be presented, both PEM; the chain is what is sent, end entity first.

    ``has_ended``: it was made to be let in, and its time is over.
    """

    name: str
    certificate_chain: bytes = field(repr=False)
    private_key: bytes = field(repr=False)
    has_ended: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """A TLS session to be offered again; it only works with the context, and so the identity, that it was made with."""

    context: ssl.SSLContext = field(repr=False)
    ticket: ssl.SSLSession = field(repr=False)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One connection with one request.

    ``server_name`` None sends no SNI. ``plain`` speaks HTTP without TLS. ``trust_anchors`` (PEM) makes the server's
    chain, name, dates and purpose count; without it the server is looked at and not judged. ``timeout`` is in seconds
    and bounds the whole attempt. A ``session`` brings its own identity, so ``identity`` is not looked at then.
    """

    endpoint: Endpoint
    server_name: str | None
    host_header: str
    path: str = STATUS_PATH
    tls_version: TLSVersion = "1.3"
    identity: ProbeIdentity | None = None
    headers: tuple[tuple[str, str], ...] = ()
    session: Session | None = None
    plain: bool = False
    trust_anchors: bytes | None = None
    timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class BackendSight:
    """What the prover saw of nginx while it played the backend: whether it got the request, and nginx's certificate."""

    reached: bool = False
    client_serial: int | None = None
    error: str | None = None


class StapleFault(StrEnum):
    """What is wrong with what a server stapled."""

    ABSENT = "absent"
    NOT_BELIEVED = "not-believed"
    NOT_GOOD = "not-good"


@dataclass(frozen=True, slots=True)
class Staple:
    """What came, in words, and what is wrong with it; ``demanded``: the certificate is must-staple (RFC 7633)."""

    text: str
    fault: StapleFault | None = None
    demanded: bool = False

    @property
    def came(self) -> bool:
        """Whether there was a response, whatever it is worth."""
        return self.fault is not StapleFault.ABSENT


@dataclass(frozen=True, slots=True)
class Observation:
    """What one attempt saw; None where it did not get that far or the peer did not say.

    ``page`` is the SHA-256 of the answer's body; ``alert`` is the fatal alert's name (RFC 8446 6); ``closed`` that the
    peer ended without an HTTP answer;
    ``verify`` what nginx's ``$ssl_client_verify`` was; ``code`` nginx's internal status (495, 496, 497);
    ``certificate_requested`` whether the server asked for a client certificate (None when resumed or not visible);
    ``authorities`` the CAs that it then names, as DER names; ``early_data`` how many octets a ticket offers to take;
    ``server_verify`` OpenSSL's verdict on the server's chain as (code, message), only with trust anchors; ``leaked``
    the names of headers whose forged value reached the upstream, only when the prover was the upstream; ``backend``
    what it saw, only when it was the TLS backend; ``staple`` what came as OCSP response, only when one was asked for.
    """

    status: int | None = None
    reason_phrase: str = ""
    location: str | None = None
    page: bytes | None = field(default=None, repr=False)
    alert: str | None = None
    closed: bool = False
    tls_version: str | None = None
    resumed: bool = False
    certificate_requested: bool | None = None
    authorities: tuple[bytes, ...] = field(default=(), repr=False)
    early_data: int = 0
    verify: str | None = None
    code: int | None = None
    generation: int | None = None
    decision: str | None = None
    server_certificate_serial: int | None = None
    server_verify: tuple[int, str] | None = None
    leaked: tuple[str, ...] | None = None
    backend: BackendSight | None = None
    staple: Staple | None = None
    error: str | None = None
    seconds: float = 0.0
    session: Session | None = field(default=None, repr=False)

    @property
    def never_connected(self) -> bool:
        """Whether there was not even a connection, which shows nothing of whom a server refuses."""
        return CONNECTING in (self.error or "")
