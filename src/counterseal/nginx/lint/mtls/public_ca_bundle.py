"""The whole world may come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.issued import is_public
from counterseal.nginx.lint.rule import Found, Rule, name_another
from counterseal.nginx.lint.trust import NAMES, roots
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration

_BUNDLES = frozenset(
    {
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/ssl/cert.pem",
        "/etc/ssl/ca-bundle.pem",
        "/etc/pki/tls/cert.pem",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/usr/local/share/certs/ca-root-nss.crt",
        "/usr/share/ca-certificates/mozilla",
    }
)


def check(configuration: Configuration) -> Iterator[Found]:
    """Find the bundle of the operating system, and roots of well-known public CAs, among the client CAs."""
    for server in configuration.guarded:
        for name in NAMES:
            directive = server.level.file(name)
            if directive is None:
                continue
            file = configuration.file(directive)
            public = next((one for one in roots(file) if is_public(one.subject)), None) if file is not None else None
            if directive.arguments[0] in _BUNDLES:
                message = f"every public CA may issue clients: {directive.arguments[0]}"
                yield name_another(directive, "<client-ca.pem>", message, decision=_DECISION)
            elif public is not None:
                message = f"a public CA may issue clients: {show_subject(public.subject)}"
                yield name_another(directive, "<client-ca.pem>", message, decision=_DECISION)


_DECISION = "which CA of your own issues these clients"


RULE = Rule(
    code="mtls-public-ca-bundle",
    severity=Severity.CRITICAL,
    summary="A public CA is trusted to issue clients.",
    evidence="Everybody who gets a certificate from any CA of the bundle is let in (200), and 16 kB of CA names go "
    "out in every handshake.",
    remedy="use a CA of your own that issues nothing but these clients",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_client_certificate",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
