"""An issuing CA whose path ends nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, name_another
from counterseal.nginx.lint.store import is_ca, stores
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find issuing CAs from which no path leads to a self-signed certificate of the store."""
    for _, store in stores(configuration):
        by_name = {one.subject for one in store.roots}
        file = configuration.file(store.directive)
        for ca in filter(is_ca, file.certificates if file else ()):
            if ca.subject not in by_name and not store.path(ca):
                message = f"no root above {show_subject(ca.subject)}: its clients are refused"
                yield name_another(store.directive, "<client-ca.pem>", message, decision=_DECISION)


_DECISION = "where the issuing CA and its root stand in one file"


RULE = Rule(
    code="mtls-ca-file-lacks-root",
    severity=Severity.HIGH,
    summary="The client CAs hold an issuing CA without the root above it.",
    evidence="nginx does not ask OpenSSL for partial chains: with the intermediate alone every client got 400, "
    "error 2, unable to get issuer certificate.",
    remedy="append the self-signed root to the file; to admit only this issuing CA compare $ssl_client_i_dn",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_client_certificate",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
