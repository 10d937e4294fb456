"""Whose certificates admit clients to a server: those of ``ssl_client_certificate`` and ``ssl_trusted_certificate``.

nginx puts both into one store, and OpenSSL accepts only paths that end at a self-signed certificate of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.hashes import SHA256

if TYPE_CHECKING:
    from cryptography import x509

    from counterseal.nginx.lint.files import NamedFile
    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive

_HASH = SHA256()
NAMES = ("ssl_client_certificate", "ssl_trusted_certificate")


def trust_directive(server: Server) -> Directive | None:
    """Return the directive that names the client CAs of a server."""
    return server.level.file(NAMES[0]) or server.level.file(NAMES[1])


def anchors(configuration: Configuration, server: Server) -> frozenset[str]:
    """Return something that is equal for servers which trust the same roots: their fingerprints, or the file names."""
    found: set[str] = set()
    for name in NAMES:
        directive = server.level.file(name)
        if directive is None:
            continue
        file = configuration.file(directive)
        known = file is not None and file.fault is None
        found |= {root.fingerprint(_HASH).hex() for root in roots(file)} if file and known else {directive.arguments[0]}
    return frozenset(found)


def adds_anchor(configuration: Configuration, trusted: Directive, clients: Directive) -> bool:
    """Whether the first file holds a root that the second does not; where one was not looked at, that is assumed."""
    first, second = configuration.file(trusted), configuration.file(clients)
    if first is None or second is None or first.fault or second.fault:
        return True
    return not set(roots(first)) <= set(roots(second))


def roots(file: NamedFile) -> tuple[x509.Certificate, ...]:
    """Return the certificates of the file that a path may end at: those that are their own issuer."""
    return tuple(one for one in file.certificates if one.subject == one.issuer)
