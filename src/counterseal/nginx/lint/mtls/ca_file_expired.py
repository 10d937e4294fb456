"""A CA whose time is over locks its clients out."""

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
    """Find CAs outside their time, unless another certificate of the same CA is valid."""
    for _, store in stores(configuration):
        used = [ca for ca in store.cas if store.path(ca)]
        valid = {ca.subject for ca in used if ca.not_valid_before_utc <= configuration.now < ca.not_valid_after_utc}
        for ca in used:
            if ca.subject not in valid:
                dates = f"{ca.not_valid_before_utc:%Y-%m-%d} to {ca.not_valid_after_utc:%Y-%m-%d}"
                message = f"{show_subject(ca.subject)} was valid from {dates}"
                yield name_another(store.directive, "<client-ca.pem>", message, decision=_DECISION)


_DECISION = "where the renewed certificate of this CA is"


RULE = Rule(
    code="mtls-ca-file-expired",
    severity=Severity.HIGH,
    summary="A client CA has expired, or is not valid yet.",
    evidence="Every client below it got 400, error 10, certificate has expired; nginx starts and reloads without a "
    "word.",
    remedy="put the renewed CA certificate into the file",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_client_certificate",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
