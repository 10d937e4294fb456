"""nginx presents a certificate that leads nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.file.named import naming_directives
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.issued import missing_intermediate
from counterseal.nginx.lint.rule import Found, Rule, name_another
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find client certificates of nginx whose chain ends below an intermediate."""
    for directive in naming_directives(configuration, _CERTIFICATES):
        file = configuration.file(directive)
        missing = missing_intermediate(configuration, file.certificates if file is not None else ())
        if missing is not None:
            message = f"{show_subject(missing)} is not sent: {directive.arguments[0]}"
            yield name_another(directive, "<fullchain.pem>", message, decision=_DECISION)


_CERTIFICATES = ("proxy_ssl_certificate", "grpc_ssl_certificate", "uwsgi_ssl_certificate")
_DECISION = "where the certificate and every intermediate stand in one file"


RULE = Rule(
    code="up-client-cert-without-chain",
    severity=Severity.MEDIUM,
    summary="The certificate that nginx shows to an upstream is sent without the intermediate above it.",
    evidence="The upstream answered 400, The SSL certificate error, which nginx hands on: the user believes that "
    "his own is wrong.",
    remedy="put the certificate and every intermediate into one file, the certificate first",
    reference="https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_certificate",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
