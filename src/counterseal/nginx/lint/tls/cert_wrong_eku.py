"""A client certificate in the place of a server's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.tls.pairs import another, pairs
from counterseal.pki.lint.linted import Linted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration

_FITTING = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}


def check(configuration: Configuration) -> Iterator[Found]:
    """Find server certificates whose extended key usage leaves serverAuth out."""
    for _, pair in pairs(configuration):
        usages = Linted.of(pair.end_entity, ()).value(x509.ExtendedKeyUsage) if pair.end_entity is not None else None
        if usages is not None and not _FITTING & set(usages):
            message = f"is not for servers: {pair.certificate.arguments[0]}"
            yield Found(at(pair.certificate, 0), message, another(pair), decision=_DECISION)


_DECISION = "which certificate is for this server; counterseal server NAME issues one"


RULE = Rule(
    code="tls-cert-wrong-eku",
    severity=Severity.HIGH,
    summary="A server certificate is not for servers.",
    evidence="Every client refuses, unsuitable certificate purpose (alert 43); nginx -t is silent.",
    remedy="issue it with the extended key usage serverAuth",
    reference="https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.12",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
