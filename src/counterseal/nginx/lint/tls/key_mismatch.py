"""Half of a pair was replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import replace_word
from counterseal.nginx.lint.files import encode_key, public_half
from counterseal.nginx.lint.fix import Applicability
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
            message = f"is not the key of {pair.certificate.arguments[0]}: {pair.key.arguments[0]}"
            fitting = (one.path for one in configuration.files.values() if one.public_key == encode_key(own))
            edits = (replace_word(pair.key, 0, next(fitting, "<server.key>")),)
            yield Found(at(pair.key, 0), message, edits, decision=_DECISION)


_DECISION = "which of the two is meant, the certificate or the key"


RULE = Rule(
    code="tls-key-mismatch",
    severity=Severity.CRITICAL,
    summary="The private key does not belong to the certificate.",
    evidence="nginx -t fails, key values mismatch; a reload keeps the old configuration, and the next restart or "
    "reboot serves nothing.",
    remedy="install certificate and key together: write both, switch one link, test, reload",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_certificate_key",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT, Applicability.HAS_PLACEHOLDERS),
)
