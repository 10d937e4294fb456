"""gRPC over TLS to whoever answers."""

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
    """Find every ``grpc_pass grpcs://`` without verification, also to a variable."""
    for server in configuration.servers:
        yield from unverified(server, "grpc_pass", "grpcs://")


RULE = Rule(
    code="up-grpc-verify-off",
    severity=Severity.HIGH,
    summary="The certificate of a gRPC upstream is not verified, which is the default.",
    evidence="An impostor with a certificate of a foreign CA was used as the upstream: 200.",
    remedy="set grpc_ssl_verify on, grpc_ssl_trusted_certificate, grpc_ssl_name and grpc_ssl_server_name on",
    reference="https://nginx.org/en/docs/http/ngx_http_grpc_module.html#grpc_ssl_verify",
    check=check,
    fixes=(Applicability.MACHINE_APPLICABLE, Applicability.HAS_PLACEHOLDERS),
)
