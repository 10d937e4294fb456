"""The configuration as nginx understands it: sockets, the servers behind each, their levels, variables and files.

These are frozen values that rules look at; ``build`` makes them. A rule that needs something which is not here wants a
new field here, not a way round.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from counterseal.nginx.lint.level import grouped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from cryptography import x509

    from counterseal.nginx.lint.files import NamedFile
    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.variables import Variables
    from counterseal.nginx.tree import Directive
    from counterseal.nginx.version import NginxVersion

VERIFYING = frozenset({"on", "optional", "optional_no_ca"})


@dataclass(frozen=True, slots=True)
class Listen:
    """One ``listen`` of a server: its socket, and its parameters; ``directive`` is None for nginx's implied one."""

    socket: str
    parameters: tuple[str, ...] = ()
    directive: Directive | None = None

    @property
    def is_default(self) -> bool:
        """Whether it asks to be the default server of its socket."""
        return "default_server" in self.parameters or "default" in self.parameters

    @property
    def is_unix(self) -> bool:
        """Whether only processes of this machine can connect."""
        return self.socket.startswith("unix:")


@dataclass(frozen=True, eq=False)
class Server:
    """One server block; ``kind`` is ``http``, ``stream`` or ``mail``. Compared by identity."""

    kind: str
    level: Level
    listens: tuple[Listen, ...]
    names: tuple[str, ...]

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """The level of the server and every level inside it."""
        return tuple(self.level.walk())

    @cached_property
    def _levels_by_directive(self) -> Mapping[str, tuple[Level, ...]]:
        return grouped((name, level) for level in self.levels for name in level.own)

    def having(self, *names: str) -> tuple[Level, ...]:
        """Return those levels on which a directive of one of the names stands; one that has several, for each."""
        return tuple(level for name in names for level in self._levels_by_directive.get(name, ()))

    @cached_property
    def conditions(self) -> tuple[tuple[Level, Level], ...]:
        """Every ``if``, behind the level on which it stands."""
        return tuple((level, condition) for level in self.having("if") for condition in level.inside("if"))

    @cached_property
    def verify(self) -> str:
        """What ``ssl_verify_client`` is here; ``off`` too where every handshake is rejected."""
        return "off" if self.rejects else self.level.value("ssl_verify_client")

    @property
    def verifies(self) -> bool:
        """Whether clients are asked for a certificate."""
        return self.verify in VERIFYING

    @property
    def rejects(self) -> bool:
        """Whether no handshake gets through."""
        return self.level.value("ssl_reject_handshake") == "on"

    @cached_property
    def locations(self) -> tuple[Level, ...]:
        """Every location of the server, nested ones included."""
        return tuple(level for level in self.levels if level.name == "location")

    @cached_property
    def locations_by_match(self) -> Mapping[tuple[str, str], Level]:
        """The outer locations by modifier and path, pattern or name, which no two of a server have alike."""
        return {location.match: location for location in self.level.inside("location")}

    @property
    def block(self) -> Directive:
        """The server directive itself."""
        assert self.level.block is not None  # noqa: S101 - a server is a block; for the type checker
        return self.level.block


@dataclass(frozen=True, slots=True, eq=False)
class Socket:
    """What nginx listens on, and the servers behind it, the default one first. Compared by identity."""

    kind: str
    name: str
    is_tls: bool
    servers: tuple[Server, ...]

    @property
    def default(self) -> Server:
        """The server that answers where SNI and Host name none; its TLS settings begin every handshake."""
        return self.servers[0]


@dataclass(frozen=True, slots=True, eq=False)
class Configuration:
    """Everything a rule may look at.

    ``is_fragment``: only a part was read, so that what the levels outside say is not known. ``files`` holds what the
    configuration names, by name as written; it is empty where files were not looked at. ``neighbours`` are certificates
    that lie beside them. ``answers`` is for ``remembered`` alone.
    """

    main: Level
    servers: tuple[Server, ...]
    sockets: tuple[Socket, ...]
    variables: Variables
    version: NginxVersion
    now: datetime
    is_fragment: bool = False
    upstreams: Mapping[str, Directive] = field(default_factory=dict)
    maps: tuple[Directive, ...] = ()
    log_formats: Mapping[str, Directive] = field(default_factory=dict)
    files: Mapping[str, NamedFile] = field(default_factory=dict)
    neighbours: tuple[x509.Certificate, ...] = ()
    sockets_by_server: Mapping[Server, tuple[Socket, ...]] = field(default_factory=dict)
    answers: dict[Callable[..., object], dict[Any, Any]] = field(default_factory=dict, repr=False)

    def sockets_of(self, server: Server) -> tuple[Socket, ...]:
        """Return the sockets that a server stands behind."""
        return self.sockets_by_server.get(server, ())

    def speaks_tls(self, server: Server) -> bool:
        """Whether at least one socket of the server speaks TLS."""
        return any(socket.is_tls for socket in self.sockets_of(server))

    @property
    def guarded(self) -> Iterator[Server]:
        """The servers that ask clients for a certificate, on a socket that speaks TLS."""
        return (server for server in self.servers if server.verifies and self.speaks_tls(server))

    @property
    def client_lists(self) -> Iterator[tuple[Directive, NamedFile]]:
        """What ``ssl_crl`` of these servers names, and the file where it was looked at."""
        for server in self.guarded:
            crl = server.level.file("ssl_crl")
            file = self.file(crl)
            if crl is not None and file is not None:
                yield crl, file

    def file(self, directive: Directive | None) -> NamedFile | None:
        """Return what is known of the file that a directive names; None where it was not looked at."""
        return self.files.get(directive.arguments[0]) if directive and directive.arguments else None
