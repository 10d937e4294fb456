"""TLS to whoever answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.passing import unverified
from counterseal.nginx.lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.lint.rule import Found


def check(configuration: Configuration) -> Iterator[Found]:
    """Find every ``proxy_pass https://`` and ``uwsgi_pass suwsgi://`` without verification, also to a variable."""
    for server in configuration.servers:
        for name, scheme in (("proxy_pass", "https://"), ("uwsgi_pass", "suwsgi://")):
            yield from unverified(server, name, scheme)


RULE = Rule(
    code="up-verify-off",
    severity=Severity.HIGH,
    summary="The certificate of an upstream behind https is not verified, which is the default.",
    evidence="Upstreams with a certificate of a foreign CA, and with one that had expired, were used without a "
    "word: 200.",
    remedy="set proxy_ssl_verify on, proxy_ssl_trusted_certificate, proxy_ssl_name and proxy_ssl_server_name on",
    reference="https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_verify",
    check=check,
    fixes=(Applicability.MACHINE_APPLICABLE, Applicability.HAS_PLACEHOLDERS),
)
