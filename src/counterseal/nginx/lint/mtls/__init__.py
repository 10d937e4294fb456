"""Rules about who gets through the door (mtls-): verification, its trust, its revocation, and the ways round it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.lint.mtls import (
    crl_not_on_default_server,
    crl_without_verify,
    cross_ca_no_sni,
    cross_vhost_resumption,
    duplicate_server_name,
    early_data,
    error_page_forwards,
    listen_without_ssl,
    location_check_bypassed,
    nested_location_unprotected,
    ocsp_without_resolver,
    ocsp_without_verify,
    optional_no_ca_dn_auth,
    optional_not_enforced,
    other_listener_unprotected,
    plaintext_sibling_listen,
    return_skips_access_phase,
    same_backend_via_open_server,
    session_cache_survives_revocation,
    static_ticket_key,
    streams_survive_revocation,
    tickets_enabled,
    trusted_certificate_widens,
    verify_compared_to_failed,
    verify_errors_invisible,
    verify_missing,
)

if TYPE_CHECKING:
    from counterseal.nginx.lint.rule import Rule

RULES: tuple[Rule, ...] = (
    crl_not_on_default_server.RULE,
    crl_without_verify.RULE,
    cross_ca_no_sni.RULE,
    cross_vhost_resumption.RULE,
    duplicate_server_name.RULE,
    early_data.RULE,
    error_page_forwards.RULE,
    listen_without_ssl.RULE,
    location_check_bypassed.RULE,
    nested_location_unprotected.RULE,
    ocsp_without_resolver.RULE,
    ocsp_without_verify.RULE,
    optional_no_ca_dn_auth.RULE,
    optional_not_enforced.RULE,
    other_listener_unprotected.RULE,
    plaintext_sibling_listen.RULE,
    return_skips_access_phase.RULE,
    same_backend_via_open_server.RULE,
    session_cache_survives_revocation.RULE,
    static_ticket_key.RULE,
    streams_survive_revocation.RULE,
    tickets_enabled.RULE,
    trusted_certificate_widens.RULE,
    verify_compared_to_failed.RULE,
    verify_errors_invisible.RULE,
    verify_missing.RULE,
)
