"""The TLS part of a server block: Mozilla server side TLS 6.0, and sessions that never outlive a revocation.

Everything is written in every server block of ours, because directives of the user's http block (Debian's has TLS 1.0)
may not be repeated there and would otherwise be inherited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.site import TLSProfile
from counterseal.nginx.version import supports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.version import NginxVersion

# https://ssl-config.mozilla.org/guidelines/6.0.json
PROTOCOLS = {TLSProfile.INTERMEDIATE: "TLSv1.2 TLSv1.3", TLSProfile.MODERN: "TLSv1.3"}
CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)
CURVES = "X25519:prime256v1:secp384r1"
HYBRID_CURVE = "X25519MLKEM768"
HSTS = 'add_header Strict-Transport-Security "max-age=63072000" always;'


def tls_lines(profile: TLSProfile, version: NginxVersion) -> Iterator[str]:
    """Yield protocols, ciphers and curves."""
    yield f"ssl_protocols {PROTOCOLS[profile]};"
    if profile is TLSProfile.INTERMEDIATE:
        yield f"ssl_ciphers {CIPHERS};"
    yield "ssl_prefer_server_ciphers off;"
    hybrid = f"{HYBRID_CURVE}:" if supports(version, "x25519mlkem768") else ""
    yield f"ssl_ecdh_curve {hybrid}{CURVES};"


def session_lines(zone: str | None) -> Iterator[str]:
    """Yield what stops resumption, or keeps it for five minutes inside a zone that no other generation has."""
    yield "ssl_session_tickets off;"
    if zone is None:
        yield "ssl_session_cache off;"
    else:
        yield f"ssl_session_cache shared:{zone}:1m;"
        yield "ssl_session_timeout 5m;"
    yield "ssl_early_data off;"


def hygiene_lines() -> Iterator[str]:
    """Yield defaults of nginx that the user's http block may have changed and on which our decisions rest."""
    yield "underscores_in_headers off;"
    yield "ignore_invalid_headers on;"
    yield "merge_slashes on;"


def listen_line(socket: str, version: NginxVersion, *, default: bool = False) -> str:
    """Return the listen directive of a TLS socket."""
    http2 = supports(version, "http2") and not supports(version, "http2_directive")
    flags = " ssl" + (" http2" if http2 else "") + (" default_server" if default else "")
    return f"listen {socket}{flags};"


def http2_lines(version: NginxVersion) -> Iterator[str]:
    """Yield ``http2 on`` where that is a directive."""
    if supports(version, "http2_directive"):
        yield "http2 on;"
