"""What sites of every kind have in common: who they are, where they listen, whom they let in, where they lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from counterseal.nginx import faults
from counterseal.nginx.choices import Admit, ClientCertificates, Revocation, TLSProfile
from counterseal.nginx.upstream import Scheme, Upstream, UpstreamTLS

if TYPE_CHECKING:
    from counterseal.nginx.listen import Listen
    from counterseal.nginx.ocsp import OCSP


@dataclass(frozen=True, slots=True)
class Allow:
    """Whom to let in: any one of these exact subjects, groups (OU) or serial numbers; empty means every client.

    A subject is RFC 4514 or slash text and is compared exactly, case included. ``CA:SUBJECT`` means that subject only
    from the client CA of that name; without it, from any CA that the site admits.
    """

    subjects: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    serial_numbers: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        faults.refuse(faults.of_allow(self), "allow")

    @property
    def restricts(self) -> bool:
        """Whether anything is named, so that not every client passes."""
        return bool(self.subjects or self.groups or self.serial_numbers)


EVERY_CLIENT = Allow()


@dataclass(frozen=True, slots=True)
class AnySite:
    """A site as far as its kind does not matter; ``schemes`` are those of its upstreams, that of a bare one first."""

    schemes: ClassVar[tuple[Scheme, ...]] = ()

    name: str
    server_names: tuple[str, ...]
    listen: tuple[Listen, ...]
    client_certificates: ClientCertificates = ClientCertificates.REQUIRED
    client_cas: tuple[str, ...] = ()
    upstream: str | None = None
    upstream_tls: UpstreamTLS | None = None
    allow: Allow = EVERY_CLIENT
    revocation: Revocation = Revocation.AUTO
    admit: Admit = Admit.VALID
    tls: TLSProfile = TLSProfile.INTERMEDIATE
    ocsp: OCSP | None = None
    stapling: bool = False
    resolver: tuple[str, ...] = ()

    @property
    def verifies(self) -> bool:
        """Whether clients are asked for a certificate."""
        return self.client_certificates is not ClientCertificates.NONE

    @property
    def sockets(self) -> tuple[Listen, ...]:
        """Every socket that it listens on."""
        return self.listen

    @property
    def allows(self) -> tuple[Allow, ...]:
        """Every list of whom to let in."""
        return (self.allow,)

    @property
    def upstream_texts(self) -> tuple[str, ...]:
        """Every upstream, as written."""
        return () if self.upstream is None else (self.upstream,)

    @property
    def upstreams(self) -> tuple[Upstream, ...]:
        """Every upstream."""
        return tuple(Upstream.parse(text, self.schemes) for text in self.upstream_texts)

    @property
    def backend_names(self) -> dict[Scheme, str]:
        """The name in the certificate of the first TLS backend of each protocol."""
        named: dict[Scheme, str] = {}
        for upstream in self.upstreams:
            name = self.upstream_tls.name_of(upstream) if self.upstream_tls and upstream.is_tls else None
            if name is not None:
                named.setdefault(upstream.scheme, name)
        return named
