"""Rules about what the application is told about the client (id-)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.lint.identity import (
    cache_shared_between_clients,
    dn_legacy_format,
    dn_regex_unanchored,
    dn_without_issuer,
    fingerprint_format,
    header_inheritance_lost,
    header_not_overwritten,
    header_passes_open_server,
    map_default_allow,
    raw_cert_header,
    serial_format,
    trusts_request_header,
    underscore_headers,
)

if TYPE_CHECKING:
    from counterseal.nginx.lint.rule import Rule

RULES: tuple[Rule, ...] = (
    cache_shared_between_clients.RULE,
    dn_legacy_format.RULE,
    dn_regex_unanchored.RULE,
    dn_without_issuer.RULE,
    fingerprint_format.RULE,
    header_inheritance_lost.RULE,
    header_not_overwritten.RULE,
    header_passes_open_server.RULE,
    map_default_allow.RULE,
    raw_cert_header.RULE,
    serial_format.RULE,
    trusts_request_header.RULE,
    underscore_headers.RULE,
)
