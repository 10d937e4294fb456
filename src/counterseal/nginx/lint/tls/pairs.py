"""Which certificate goes with which key: nginx pairs them in the order they stand on one level."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from counterseal.nginx.lint.edit import replace_word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography import x509

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """The directives of one certificate and its key; ``end_entity`` is None where the file could not be looked at."""

    certificate: Directive
    key: Directive | None
    end_entity: x509.Certificate | None


def another(pair: Pair) -> tuple[Edit, ...]:
    """Return the edits that name another certificate and its key, which are yet to be said."""
    key = (replace_word(pair.key, 0, "<server.key>"),) if pair.key is not None else ()
    return (replace_word(pair.certificate, 0, "<fullchain.pem>"), *key)


def pairs(configuration: Configuration) -> Iterator[tuple[Server, Pair]]:
    """Yield the pairs of every server that speaks TLS and completes handshakes."""
    for server in configuration.servers:
        for pair in pairs_of(configuration, server):
            yield server, pair


def pairs_of(configuration: Configuration, server: Server) -> Iterator[Pair]:
    """Yield the pairs of one server; none where it speaks no TLS or rejects every handshake."""
    if not configuration.speaks_tls(server) or server.rejects:
        return
    certificates = [one for one in server.level.all("ssl_certificate") if one.arguments]
    for certificate, key in zip_longest(certificates, server.level.all("ssl_certificate_key")):
        if certificate is not None:
            file = configuration.file(certificate)
            end_entity = file.certificates[0] if file is not None and file.certificates else None
            yield Pair(certificate, key if key is not None and key.arguments else None, end_entity)
