"""A certificate among the client CAs that issues nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, name_another
from counterseal.nginx.lint.store import is_ca, is_self_issued
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find certificates that are neither a CA nor self-signed; the latter would admit itself, which may be meant."""
    for server in configuration.guarded:
        directive = server.level.file("ssl_client_certificate")
        file = configuration.file(directive)
        for one in file.certificates if file is not None and directive is not None else ():
            if directive is not None and not is_ca(one) and not is_self_issued(one):
                yield name_another(
                    directive, "<client-ca.pem>", f"no CA: {show_subject(one.subject)}", decision=_DECISION
                )


_DECISION = "which file has the CAs of the clients, and nothing else"


RULE = Rule(
    code="mtls-ca-file-contains-leaf",
    severity=Severity.LOW,
    summary="An end-entity certificate stands among the client CAs.",
    evidence="nginx takes it without a word. It lets nobody in, but its name is told to every client as that of a CA.",
    remedy="leave nothing but CA certificates in the file",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_client_certificate",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
