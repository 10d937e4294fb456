"""A list is missing, and the CA's clients are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.lists import without_list
from counterseal.nginx.lint.rule import Found, Rule, name_another
from counterseal.nginx.lint.store import stores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find CAs of the store that no list is from."""
    for server, store in stores(configuration):
        crl = server.level.file("ssl_crl")
        file = configuration.file(crl)
        if crl is None or file is None:
            continue
        missing = without_list(store, file)
        if missing:
            message = f"no list of {', '.join(missing[:3])}: clients below are refused"
            yield name_another(crl, "<client-ca.crl>", message, decision=_DECISION)


_DECISION = "where the current lists of every CA stand in one file"


RULE = Rule(
    code="mtls-crl-missing-for-intermediate",
    severity=Severity.HIGH,
    summary="ssl_crl lacks the list of a CA of the chain.",
    evidence="nginx has OpenSSL check every certificate of the path: without a list for each CA, the root "
    "included, all of its clients got 400, error 3, unable to get certificate CRL.",
    remedy="put the current lists of the root and of every issuing CA into the file",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_crl",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
