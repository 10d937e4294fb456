"""Clients that send no intermediate are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, name_another
from counterseal.nginx.lint.store import stores
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find lists of a CA that no file of the configuration holds, where the client CAs are roots alone."""
    known = {one.subject for file in configuration.files.values() for one in file.certificates}
    for server, store in stores(configuration):
        crl = server.level.file("ssl_crl")
        file = configuration.file(crl)
        if file is None or crl is None or len(store.roots) != len(store.cas) or not store.cas:
            continue
        for issuer in dict.fromkeys(one.issuer for one in file.crls if one.issuer not in known):
            message = f"{show_subject(issuer)} has a revocation list, and is not among the client CAs"
            yield name_another(store.directive, "<client-ca.pem>", message, decision=_DECISION)


_DECISION = "where the root and the issuing CA stand in one file"


RULE = Rule(
    code="mtls-ca-missing-intermediate",
    severity=Severity.MEDIUM,
    summary="The client CAs hold the root, and not the issuing CA that a revocation list is from.",
    evidence="A client that sends its certificate alone got 400, error 21, unable to verify the first certificate.",
    remedy="append the issuing CA to the file of client CAs",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_client_certificate",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
