"""TLS to whoever answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.passing import not_verified
from counterseal.nginx.lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.lint.rule import Found


def check(configuration: Configuration) -> Iterator[Found]:
    """Find stream servers with ``proxy_ssl on`` and without verification."""
    for server in configuration.servers:
        switch = server.level.effective("proxy_ssl")
        speaks_tls = switch is not None and switch.arguments == ("on",)
        if server.kind != "stream" or switch is None or not speaks_tls or not server.level.here("proxy_pass"):
            continue
        if server.level.value("proxy_ssl_verify") == "off":
            passing = server.level.here("proxy_pass")[0]
            yield not_verified(server.level, switch, passing, server.level.value("proxy_pass"))


RULE = Rule(
    code="stream-upstream-verify-off",
    severity=Severity.HIGH,
    summary="A stream server speaks TLS to its upstream and does not verify it, which is the default.",
    evidence="An impostor with a certificate of a foreign CA was used as the upstream.",
    remedy="set proxy_ssl_verify on, proxy_ssl_trusted_certificate, proxy_ssl_name and proxy_ssl_server_name on",
    reference="https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_ssl_verify",
    check=check,
    fixes=(Applicability.MACHINE_APPLICABLE, Applicability.HAS_PLACEHOLDERS),
)
