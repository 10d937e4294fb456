"""Where nginx speaks TLS to an upstream, by which module, and by which CAs and lists it verifies it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.nginx.lint.passing import read_host
from counterseal.nginx.lint.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.files import NamedFile
    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive

_SCHEMES = {"proxy_pass": "https://", "grpc_pass": "grpcs://", "uwsgi_pass": "suwsgi://"}


@dataclass(frozen=True, slots=True, eq=False)
class Upstream:
    """One directive that hands on over TLS; ``target`` is what it names, in lower case, and may have a variable in it.

    ``kind`` is ``http`` or ``stream``, each of which has its own upstreams.
    """

    kind: str
    level: Level
    directive: Directive
    target: str

    @property
    def prefix(self) -> str:
        """What the names of the TLS directives begin with."""
        return f"{self.directive.name.removesuffix('_pass')}_ssl"

    @property
    def host(self) -> str:
        """Whom it names, without a port; it may be a group, and is empty where that is a variable."""
        return read_host(self.target)

    @property
    def certificate(self) -> str:
        """As whom nginx comes; with a variable in it each request says so."""
        return self.level.value(f"{self.prefix}_certificate")

    @property
    def trust(self) -> tuple[str, ...]:
        """Whom nginx takes for the upstream, by the names of the files; empty where it takes anybody."""
        is_verified = self.level.value(f"{self.prefix}_verify") == "on"
        names = ("trusted_certificate", "crl") if is_verified else ()
        return tuple(self.level.value(f"{self.prefix}_{name}") for name in names)

    @property
    def terms(self) -> tuple[str, ...]:
        """Both, which a connection was made under."""
        return self.certificate, *self.trust


def tls_upstreams(configuration: Configuration) -> Iterator[Upstream]:
    """Yield every one of HTTP, gRPC, uwsgi and stream."""
    for server in configuration.servers:
        yield from _of_stream(server) if server.kind == "stream" else _of_http(server)


def trusted(configuration: Configuration) -> Iterator[tuple[Upstream, Store]]:
    """Yield each verified upstream with its store, where the file could be read."""
    for one in tls_upstreams(configuration):
        directive = one.level.file(f"{one.prefix}_trusted_certificate")
        file = configuration.file(directive)
        is_verified = one.level.value(f"{one.prefix}_verify") == "on"
        if is_verified and directive is not None and file is not None and file.fault is None:
            yield one, Store(directive, file.certificates)


def upstream_lists(configuration: Configuration) -> Iterator[tuple[Directive, NamedFile]]:
    """Yield what the ``_crl`` of each of these names, and the file where it was looked at."""
    for one, _ in trusted(configuration):
        crl = one.level.file(f"{one.prefix}_crl")
        file = configuration.file(crl)
        if crl is not None and file is not None:
            yield crl, file


def _of_http(server: Server) -> Iterator[Upstream]:
    for name, scheme in _SCHEMES.items() if server.kind == "http" else ():
        for level in server.having(name):
            for one in level.here(name):
                text = one.arguments[0].lower() if one.arguments else ""
                if text.startswith(scheme):
                    yield Upstream("http", level, one, text.removeprefix(scheme).partition("/")[0])


def _of_stream(server: Server) -> Iterator[Upstream]:
    for one in server.level.here("proxy_pass") if server.level.value("proxy_ssl") == "on" else ():
        yield Upstream("stream", server.level, one, one.arguments[0].lower() if one.arguments else "")
