"""A private key in the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.files import KEYS
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, Span, name_another

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find keys given as ``data:``, on any level."""
    for level in configuration.main.walk():
        for name in KEYS:
            for directive in level.here(name):
                if directive.arguments and directive.arguments[0].startswith("data:"):
                    message = "a private key is part of the configuration"
                    yield name_another(directive, "<server.key>", message, decision=_DECISION)


_DECISION = "which file of mode 0600 the key moves to"


RULE = Rule(
    code="tls-key-inline-data",
    severity=Severity.HIGH,
    summary="A private key stands in the configuration itself.",
    evidence="Whoever reads the configuration, a backup of it or the output of nginx -T has the key; and when it "
    "cannot be read in a handshake, the whole key is written to error.log.",
    remedy="put it into a file of mode 0600, or into a token: engine:pkcs11:...",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_certificate_key",
    check=check,
    affected=(Span(since=(1, 15, 10)),),
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
