"""What is to be tried and what came of it, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.handshake.observation import Endpoint, ProbeIdentity, Session, TLSVersion
    from counterseal.handshake.wire.decode import Captured

DEFAULT_PROTOCOLS = ("http/1.1",)


class StartTLS(StrEnum):
    """A protocol that begins in the clear and turns to TLS on request."""

    SMTP = "smtp"
    IMAP = "imap"
    POP3 = "pop3"
    POSTGRES = "postgres"


@dataclass(frozen=True, slots=True)
class Dial:
    """One connection to be made and watched.

    ``server_name`` goes into the SNI, None sends none. ``tls_version`` None offers 1.2 and 1.3. ``path`` is asked for
    over HTTP/1.1 once the handshake is done; None asks nothing. ``timeout`` (seconds) bounds the whole connection.
    ``user`` is whom PostgreSQL is asked for, None for the one that the certificate names.
    ``keylog`` receives the session's secrets in NSS format and must exist, readable by its owner alone. ``preface`` is
    sent ahead of everything, as a load balancer does.
    """

    endpoint: Endpoint
    server_name: str | None
    host_header: str
    path: str | None = "/"
    tls_version: TLSVersion | None = None
    identity: ProbeIdentity | None = None
    protocols: tuple[str, ...] = DEFAULT_PROTOCOLS
    starttls: StartTLS | None = None
    user: str | None = None
    session: Session | None = None
    keylog: Path | None = None
    preface: bytes = b""
    timeout: float = 10.0


class Ending(StrEnum):
    """How a connection ended; everything but ``done`` and ``alert`` before TLS could say why."""

    DONE = "done"
    ALERT = "alert"
    OWN_FAULT = "own-fault"
    NOT_TLS = "not-tls"
    CLOSED = "closed"
    RESET = "reset"
    SILENT = "silent"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    UNRESOLVED = "unresolved"
    STARTTLS = "starttls"


class Stage(StrEnum):
    """How far a connection had come."""

    CONNECTING = "connecting"
    STARTTLS = "starttls"
    HANDSHAKE = "handshake"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything that was seen of one connection.

    ``opening`` is the first bytes that arrived where TLS was expected, ``fault`` OpenSSL's or the system's own words,
    ``plain`` the lines before ``starttls`` as (sent by us, text), ``question`` what was asked, ``answer`` what came.
    ``passed_over`` are the addresses of the name that took no connection, with the reason.
    ``finished_at`` (the end of the handshake) and ``ended_at`` are seconds since the start.
    """

    ending: Ending
    stage: Stage
    captured: tuple[Captured, ...] = ()
    fault: str = ""
    peer: str | None = None
    starttls: StartTLS | None = None
    passed_over: tuple[str, ...] = ()
    opening: bytes = b""
    plain: tuple[tuple[bool, str], ...] = ()
    question: str | None = None
    answer: bytes = field(default=b"", repr=False)
    protocol: str | None = None
    resumed: bool = False
    session: Session | None = field(default=None, repr=False)
    finished_at: float | None = None
    ended_at: float = 0.0

    @property
    def established(self) -> bool:
        """Whether the handshake came to its end on our side."""
        return self.finished_at is not None
