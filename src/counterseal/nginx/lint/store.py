"""The CAs that admit clients to a server, as OpenSSL sees them: one store of the certificates of two files.

A path ends only at a self-signed certificate of the store; everything between must be there or be sent by the client.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.pki.lint.linted import Linted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography import x509

    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive

LONGEST = 20


@dataclass(frozen=True, slots=True)
class Store:
    """What admits clients; ``directive`` names the file with the client CAs."""

    directive: Directive
    certificates: tuple[x509.Certificate, ...]

    @property
    def cas(self) -> tuple[x509.Certificate, ...]:
        """The certificates that may issue others."""
        return tuple(one for one in self.certificates if is_ca(one))

    @property
    def roots(self) -> tuple[x509.Certificate, ...]:
        """Where a path may end."""
        return tuple(one for one in self.certificates if is_self_issued(one))

    def path(self, certificate: x509.Certificate) -> tuple[x509.Certificate, ...]:
        """Return the path from a certificate up to a root of the store, by names; empty where none leads there."""
        found = [certificate]
        while not is_self_issued(found[-1]) and len(found) < LONGEST:
            above = [one for one in self.certificates if one.subject == found[-1].issuer and one not in found]
            if not above:
                return ()
            found.append(next((one for one in above if is_self_issued(one)), above[0]))
        return tuple(found) if is_self_issued(found[-1]) else ()


def stores(configuration: Configuration) -> Iterator[tuple[Server, Store]]:
    """Yield each server that verifies clients with its store, where the files could be read."""
    for server in configuration.guarded:
        clients, trusted = (server.level.file(name) for name in ("ssl_client_certificate", "ssl_trusted_certificate"))
        named = [one for one in (clients, trusted) if one is not None]
        files = [configuration.file(one) for one in named]
        if named and all(file is not None and file.fault is None for file in files):
            certificates = (one for file in files if file is not None for one in file.certificates)
            yield server, Store(named[0], tuple(dict.fromkeys(certificates)))


def is_ca(certificate: x509.Certificate) -> bool:
    """Whether a certificate may issue others; a self-signed one without extensions (version 1) counts, too."""
    linted = Linted.of(certificate, ())
    return linted.is_ca or (is_self_issued(certificate) and not list(linted.extensions or ()))


def is_self_issued(certificate: x509.Certificate) -> bool:
    """Whether a path can end here."""
    return certificate.subject == certificate.issuer
