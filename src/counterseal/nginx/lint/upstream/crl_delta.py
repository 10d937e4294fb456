"""A delta by which an upstream that was revoked passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.lists import deltas
from counterseal.nginx.lint.rule import Rule
from counterseal.nginx.lint.upstream.trusted import upstream_lists

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.lint.rule import Found


def check(configuration: Configuration) -> Iterator[Found]:
    """Find the same as ``mtls-crl-delta``, where an upstream is verified."""
    for crl, file in upstream_lists(configuration):
        yield from deltas(crl, file, "<upstream-ca.crl>")


RULE = Rule(
    code="up-crl-delta",
    severity=Severity.CRITICAL,
    summary="A revocation list for an upstream holds only what has changed since another one.",
    evidence="OpenSSL took the delta for a full list: an upstream that had been revoked before it was used, 200, by "
    "proxy_pass and grpc_pass, and reached by uwsgi_pass and in stream, also where the full list stood in the file "
    "beside the newer delta; with the full list alone it was refused, 23, certificate revoked (1.22.1, 1.31.3). "
    "OpenSSL 3.0.22 and 3.5.9 pass over the delta: 502 either way.",
    remedy="give nginx the full list",
    reference="https://www.rfc-editor.org/rfc/rfc5280#section-5.2.4",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
