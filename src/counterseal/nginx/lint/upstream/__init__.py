"""Rules about TLS towards upstreams (up-)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.lint.upstream import (
    client_cert_without_chain,
    connection_of_another_certificate,
    crl_delta,
    crl_expired,
    crl_missing_for_intermediate,
    grpc_verify_off,
    name_mismatch,
    plain_http,
    session_of_another_certificate,
    sni_off,
    trusted_lacks_root,
    verify_depth_default,
    verify_off,
)

if TYPE_CHECKING:
    from counterseal.nginx.lint.rule import Rule

RULES: tuple[Rule, ...] = (
    client_cert_without_chain.RULE,
    connection_of_another_certificate.RULE,
    crl_delta.RULE,
    crl_expired.RULE,
    crl_missing_for_intermediate.RULE,
    grpc_verify_off.RULE,
    name_mismatch.RULE,
    plain_http.RULE,
    session_of_another_certificate.RULE,
    sni_off.RULE,
    trusted_lacks_root.RULE,
    verify_depth_default.RULE,
    verify_off.RULE,
)
