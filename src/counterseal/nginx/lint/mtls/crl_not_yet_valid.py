"""A list from the future."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.moments import show_moment
from counterseal.nginx.lint.fix import REFRESH, Applicability
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find lists whose this update is still to come, unless the file has another one of the issuer."""
    for crl, file in configuration.client_lists:
        valid = {one.issuer for one in file.crls if one.last_update_utc <= configuration.now}
        for one in file.crls:
            if one.issuer not in valid:
                issuer = show_subject(one.issuer)
                yield Found(
                    at(crl, 0), f"list of {issuer} begins at {show_moment(one.last_update_utc)}", command=REFRESH
                )


RULE = Rule(
    code="mtls-crl-not-yet-valid",
    severity=Severity.HIGH,
    summary="A revocation list is not valid yet.",
    evidence="Every client got 400, error 11, CRL is not yet valid; nginx -t said nothing. A clock that is wrong "
    "does it.",
    remedy="set the clock of the CA or of this machine right, and publish again",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_crl",
    check=check,
    fixes=(Applicability.COMMAND,),
    command=REFRESH,
)
