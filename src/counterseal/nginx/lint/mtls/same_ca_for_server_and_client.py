"""The certificate of the server opens its own door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, name_another
from counterseal.nginx.lint.store import Store, stores
from counterseal.pki.lint.linted import Linted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find stores that lead from a server certificate, which may also act as a client, to a root."""
    own = {}
    for server in configuration.servers:
        for directive in server.level.all("ssl_certificate"):
            file = configuration.file(directive)
            if file is not None and file.certificates and _may_be_client(file.certificates[0]):
                own[file.path] = file.certificates
    for _, store in stores(configuration):
        for path, (first, *sent) in own.items():
            if Store(store.directive, (*store.certificates, *sent)).path(first) and _ends_in(store, first, sent):
                message = f"also admits the holder of a server certificate: {path}"
                yield name_another(store.directive, "<client-ca.pem>", message, decision=_DECISION)


def _ends_in(store: Store, first: x509.Certificate, sent: list[x509.Certificate]) -> bool:
    """Whether the path that was sent ends at a root of the store itself, and not at one that was sent along."""
    return Store(store.directive, (*store.certificates, *sent)).path(first)[-1] in store.roots


def _may_be_client(certificate: x509.Certificate) -> bool:
    usages = Linted.of(certificate, ()).value(x509.ExtendedKeyUsage)
    return usages is None or ExtendedKeyUsageOID.CLIENT_AUTH in usages


_DECISION = "which CA issues clients, and no servers"


RULE = Rule(
    code="mtls-same-ca-for-server-and-client",
    severity=Severity.MEDIUM,
    summary="A server certificate of this configuration would be accepted as a client.",
    evidence="A server certificate for both purposes, and one without extended key usage, got 200 as clients; only "
    "one for servers alone was refused, error 26.",
    remedy="issue clients from a CA of their own, and server certificates with serverAuth alone",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_client_certificate",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
