"""Rules about mutual TLS in front of TCP (stream-)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.lint.stream import (
    listen_without_ssl,
    optional_not_enforced,
    preread_after_tls,
    upstream_verify_off,
)

if TYPE_CHECKING:
    from counterseal.nginx.lint.rule import Rule

RULES: tuple[Rule, ...] = (
    listen_without_ssl.RULE,
    optional_not_enforced.RULE,
    preread_after_tls.RULE,
    upstream_verify_off.RULE,
)
