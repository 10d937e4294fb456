"""A list that cuts the upstream off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.moments import show_moment
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.upstream.trusted import trusted
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find lists whose next update has passed, where the upstream is verified."""
    for passing, _ in trusted(configuration):
        crl = passing.level.file(f"{passing.prefix}_crl")
        file = configuration.file(crl)
        for one in file.crls if file is not None and crl is not None else ():
            if crl is not None and one.next_update_utc is not None and one.next_update_utc <= configuration.now:
                issuer = show_subject(one.issuer)
                yield Found(at(crl, 0), f"list of {issuer} is over since {show_moment(one.next_update_utc)}")


RULE = Rule(
    code="up-crl-expired",
    severity=Severity.HIGH,
    summary="A revocation list for an upstream is past its next update.",
    evidence="502, upstream SSL certificate verify error: (12:CRL has expired); nginx -t and the reload said nothing.",
    remedy="publish a new list and reload",
    reference="https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_crl",
    check=check,
)
