"""An issuing CA whose path ends nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, name_another
from counterseal.nginx.lint.upstream.trusted import trusted
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find CAs from which no path leads to a self-signed certificate of the file."""
    for _, store in trusted(configuration):
        for ca in store.cas:
            if not store.path(ca):
                message = f"no root above {show_subject(ca.subject)}: it admits nobody"
                yield name_another(store.directive, "<upstream-ca.pem>", message, decision=_DECISION)


_DECISION = "where the issuing CA and its root stand in one file"


RULE = Rule(
    code="up-trusted-lacks-root",
    severity=Severity.HIGH,
    summary="The trusted CAs for an upstream hold an intermediate without the root above it.",
    evidence="502, upstream SSL certificate verify error: (2:unable to get issuer certificate): nginx asks OpenSSL "
    "for whole paths.",
    remedy="put the self-signed root into the file",
    reference="https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_trusted_certificate",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
