"""A list is missing, and the upstream is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.lists import without_list
from counterseal.nginx.lint.rule import Found, Rule, name_another
from counterseal.nginx.lint.upstream.trusted import trusted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find the same as ``mtls-crl-missing-for-intermediate``, where an upstream is verified."""
    for upstream, store in trusted(configuration):
        crl = upstream.level.file(f"{upstream.prefix}_crl")
        file = configuration.file(crl)
        missing = without_list(store, file) if file is not None else []
        if crl is not None and missing:
            message = f"no list of {', '.join(missing[:3])}: upstreams below are refused"
            yield name_another(crl, "<upstream-ca.crl>", message, decision=_DECISION)


_DECISION = "where the current lists of every CA above the upstream stand in one file"


RULE = Rule(
    code="up-crl-missing-for-intermediate",
    severity=Severity.HIGH,
    summary="A revocation list for an upstream lacks the list of a trusted CA.",
    evidence="nginx has OpenSSL check every certificate of the path: 502, upstream SSL certificate verify error: "
    "(3:unable to get certificate CRL); nginx -t said nothing.",
    remedy="put the current lists of the root and of every issuing CA into the file",
    reference="https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_crl",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
