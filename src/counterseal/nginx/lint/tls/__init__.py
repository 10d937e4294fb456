"""Rules about the server side of TLS (tls-): its certificate, its key, its protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.lint.tls import (
    cert_expired,
    cert_name_mismatch,
    cert_variable_path,
    cert_wrong_eku,
    chain_incomplete,
    key_inline_data,
    key_mismatch,
    key_world_readable,
    legacy_protocols,
    must_staple_off,
    protocols_in_nondefault_server,
)

if TYPE_CHECKING:
    from counterseal.nginx.lint.rule import Rule

RULES: tuple[Rule, ...] = (
    cert_expired.RULE,
    cert_name_mismatch.RULE,
    cert_variable_path.RULE,
    cert_wrong_eku.RULE,
    chain_incomplete.RULE,
    key_inline_data.RULE,
    key_mismatch.RULE,
    key_world_readable.RULE,
    legacy_protocols.RULE,
    must_staple_off.RULE,
    protocols_in_nondefault_server.RULE,
)
