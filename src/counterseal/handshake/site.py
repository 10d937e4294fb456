"""What the proof has to know: the site as it was meant, and the identities to try it with.

Both are handed in by whoever knows them (the configuration, the authority, or the command line for somebody else's
server); the proof itself reads no file of nginx and asks no store.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from counterseal.handshake.observation import STATUS_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from counterseal.handshake.observation import Endpoint, ProbeIdentity, Session, TLSVersion

ClientCertificates = Literal["none", "optional", "required"]
Revocation = Literal["crl", "map", "both"]


@dataclass(frozen=True, slots=True)
class BackendFacts:
    """How a site speaks to its TLS backends.

    ``paths`` lead to the prover as the backend, on ``socket``. ``client_serial`` is that of the certificate which nginx
    shows, None for none, and ``client_anchors`` (PEM) verify it. ``is_ours``: nginx trusts our own server CAs there.
    """

    socket: Path
    paths: tuple[str, ...]
    client_serial: int | None = None
    client_anchors: bytes | None = field(default=None, repr=False)
    is_ours: bool = True


@dataclass(frozen=True, slots=True)
class Stapling:
    """What is expected of an OCSP response to the server's own certificate.

    ``meant``: the site is set up to staple one, so that one must come; otherwise one that comes must be good. ``clock``
    tells when it comes, and has to be current: it may have been signed a moment before.
    """

    clock: Callable[[], datetime]
    meant: bool


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """A site as it was meant to be.

    ``endpoints`` speak TLS, ``plain_http`` only redirect. ``generation`` None stands for an nginx that is not rendered
    by us: then answers are read by their status and stock pages. ``has_allow`` says that only listed subjects pass,
    which a probe never is, and ``listed_paths`` the same of single paths. ``rival_server_name`` is a site on the
    same socket that admits ``Identities.other_client_ca``. ``known_only`` says that only certificates of
    the inventory pass. ``asks_responder``: nginx asks by OCSP about every client. ``resumption``: the site offers TLS
    sessions on purpose. ``prove_socket`` is where the site passes ``/.well-known/counterseal/headers`` on to.
    ``trust_anchors`` (PEM) and ``server_certificate_serial`` are what the server's own certificate is held against,
    where known. ``stapling`` None asks for no OCSP response. ``backend`` where the site has TLS backends.
    ``is_stream``: TCP behind TLS, whose backend the prover plays on ``prove_socket``; ``refused_socket`` is where an
    allow list leads a probe.
    """

    site: str
    endpoints: tuple[Endpoint, ...]
    server_name: str
    client_certificates: ClientCertificates
    tls_versions: tuple[TLSVersion, ...] = ("1.2", "1.3")
    has_allow: bool = False
    known_only: bool = False
    revocation: Revocation | None = None
    asks_responder: bool = False
    resumption: bool = False
    other_server_names: tuple[str, ...] = ()
    rival_server_name: str | None = None
    plain_http: tuple[Endpoint, ...] = ()
    protected_paths: tuple[str, ...] = ()
    listed_paths: tuple[str, ...] = ()
    identity_headers: bool = False
    prove_socket: Path | None = None
    refused_socket: Path | None = None
    generation: int | None = None
    probe_path: str | None = None
    trust_anchors: bytes | None = field(default=None, repr=False)
    server_certificate_serial: int | None = None
    stapling: Stapling | None = None
    backend: BackendFacts | None = None
    is_stream: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether the site was rendered by us and so says on each page what it decided."""
        return self.generation is not None

    @property
    def path(self) -> str:
        """Where probes ask: the status page of a site of ours, else ``probe_path`` or the root."""
        return self.probe_path or (STATUS_PATH if self.is_ours else "/")


@dataclass(frozen=True, slots=True)
class Leaver:
    """A client that was let in and then revoked, with the sessions it made before, by endpoint and TLS version.

    ``with_its_ca``: not the client itself was revoked, but the CA that issued its certificate.
    """

    identity: ProbeIdentity
    sessions: tuple[tuple[Endpoint, TLSVersion, Session | None], ...] = ()
    with_its_ca: bool = False

    def session_for(self, endpoint: Endpoint, tls_version: TLSVersion) -> Session | None:
        """Return the session made with this endpoint and version, or None where the server gave none."""
        return next((ticket for at, version, ticket in self.sessions if (at, version) == (endpoint, tls_version)), None)


@dataclass(frozen=True, slots=True)
class Backends:
    """The certificates with which the prover plays a site's TLS backend; one that is None leaves its row out."""

    good: ProbeIdentity | None = None
    foreign: ProbeIdentity | None = None
    forged: ProbeIdentity | None = None
    expired: ProbeIdentity | None = None
    other_name: ProbeIdentity | None = None
    client_purpose: ProbeIdentity | None = None
    revoked: ProbeIdentity | None = None


@dataclass(frozen=True, slots=True)
class Identities:
    """The clients to try a site with; one that is None leaves its rows out, and says so.

    ``other_client_ca`` was issued by a client CA of the same root that the site does not admit; ``unlisted`` is as good
    as ``good`` but for the list of known certificates, which leaves it out; ``revoked`` is the canary; ``revoked_cas``
    has, of each revoked CA whose clients the site would admit otherwise, one that is as good but for that, None where
    its key is not at hand to make one; ``leaver`` was revoked after it had made its sessions.
    """

    good: ProbeIdentity | None = None
    expired: ProbeIdentity | None = None
    foreign: ProbeIdentity | None = None
    server_purpose: ProbeIdentity | None = None
    other_client_ca: ProbeIdentity | None = None
    unlisted: ProbeIdentity | None = None
    revoked: ProbeIdentity | None = None
    revoked_cas: Mapping[str, ProbeIdentity | None] = field(default_factory=dict)
    leaver: Leaver | None = None
    backends: Backends = field(default_factory=Backends)
