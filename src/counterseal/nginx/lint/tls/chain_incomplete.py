"""A certificate that leads nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.issued import missing_intermediate
from counterseal.nginx.lint.rule import Found, Rule, name_another
from counterseal.nginx.lint.tls.pairs import pairs
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find chains that end below an intermediate."""
    for _, pair in pairs(configuration):
        file = configuration.file(pair.certificate)
        missing = missing_intermediate(configuration, file.certificates if file is not None else ())
        if missing is not None:
            message = f"{show_subject(missing)} is not sent: {pair.certificate.arguments[0]}"
            yield name_another(pair.certificate, "<fullchain.pem>", message, decision=_DECISION)


_DECISION = "where the certificate and every intermediate stand in one file"


RULE = Rule(
    code="tls-chain-incomplete",
    severity=Severity.HIGH,
    summary="A server certificate is sent without the intermediate above it.",
    evidence="curl ends with 60, Python says unable to get local issuer certificate; nginx -t is silent. "
    "Intermediates that stand in ssl_trusted_certificate or ssl_client_certificate are not sent.",
    remedy="put the certificate and every intermediate into one file, the certificate first",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_certificate",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
