"""A certificate that demands a stapled OCSP response, and a server that staples none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import insert_before, replace_word
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.tls.pairs import another, pairs
from counterseal.pki.lint.linted import Linted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find certificates with must-staple where ``ssl_stapling`` is not on."""
    for server, pair in pairs(configuration):
        features = Linted.of(pair.end_entity, ()).value(x509.TLSFeature) if pair.end_entity is not None else None
        if x509.TLSFeatureType.status_request not in (features or ()):
            continue
        if server.level.value("ssl_stapling") == "on":
            continue
        switch = server.level.effective("ssl_stapling")
        on = insert_before(pair.certificate, "ssl_stapling on;") if switch is None else replace_word(switch, 0, "on")
        message = f"demands a stapled OCSP response, and ssl_stapling is off: {pair.certificate.arguments[0]}"
        mend = ((on,), _DECISION) if server.kind == "http" else (another(pair), _ANOTHER)
        yield Found(at(pair.certificate, 0), message, mend[0], decision=mend[1])


_DECISION = "whether nginx can ask: it needs the issuer in this file, and a resolver for the responder's name"
_ANOTHER = "which certificate to take instead: stream has ssl_stapling since nginx 1.27.2, mail never"


RULE = Rule(
    code="tls-must-staple-off",
    severity=Severity.MEDIUM,
    summary="A server certificate demands a stapled OCSP response (must-staple), and ssl_stapling is off.",
    evidence="nginx starts without a word and sends no response; Firefox refuses such a server, "
    "MOZILLA_PKIX_ERROR_REQUIRED_TLS_FEATURE_MISSING, others do not look.",
    remedy="add: ssl_stapling on; resolver ...; (stapling = true in counterseal.toml), or get a certificate without it",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_stapling",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT, Applicability.HAS_PLACEHOLDERS),
)
