"""Half of a pair was replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.files import encode_key, public_half
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.tls.pairs import pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find pairs whose public keys differ; an encrypted key is passed over."""
    for _, pair in pairs(configuration):
        key = configuration.file(pair.key)
        own = public_half(pair.end_entity) if pair.end_entity is not None else None
        if own is None or pair.key is None or key is None or key.public_key is None:
            continue
        if encode_key(own) != key.public_key:
            yield Found(at(pair.key, 0), f"is not the key of {pair.certificate.arguments[0]}: {pair.key.arguments[0]}")


RULE = Rule(
    code="tls-key-mismatch",
    severity=Severity.CRITICAL,
    summary="The private key does not belong to the certificate.",
    evidence="nginx -t fails, key values mismatch; a reload keeps the old configuration, and the next restart or "
    "reboot serves nothing.",
    remedy="install certificate and key together: write both, switch one link, test, reload",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_certificate_key",
    check=check,
)
