"""A list that locks everybody out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.moments import show_moment
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cryptography import x509

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find lists whose next update has passed, unless the same file has a newer one of the issuer."""
    for crl, file in configuration.client_lists:
        current = {one.issuer for one in file.crls if not _is_over(one, configuration.now)}
        for one in file.crls:
            if one.next_update_utc is not None and one.issuer not in current:
                issuer = show_subject(one.issuer)
                yield Found(at(crl, 0), f"list of {issuer} is over since {show_moment(one.next_update_utc)}")


def _is_over(crl: x509.CertificateRevocationList, now: datetime) -> bool:
    return crl.next_update_utc is not None and crl.next_update_utc <= now


RULE = Rule(
    code="mtls-crl-expired",
    severity=Severity.HIGH,
    summary="A revocation list is past its next update.",
    evidence="Every client got 400, error 12, CRL has expired; nginx -t and the reload said nothing.",
    remedy="publish a new list and reload: counterseal refresh does both in time",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_crl",
    check=check,
)
