"""Protocols that are no longer safe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import Edit
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.tree import Directive

_OLD = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1")


def check(configuration: Configuration) -> Iterator[Found]:
    """Find them where a server with TLS has them."""
    for server in configuration.servers:
        switch = server.level.effective("ssl_protocols") if configuration.speaks_tls(server) else None
        old = [text for text in switch.arguments if text in _OLD] if switch is not None else []
        if switch is not None and old:
            yield Found(at(switch), f"offers {', '.join(old)}", tuple(_without(switch)))


def _without(switch: Directive) -> Iterator[Edit]:
    """Write the first word anew with what is left, and take the others away."""
    left = [text for text in switch.arguments if text not in _OLD] or ["TLSv1.2", "TLSv1.3"]
    if all(word.line == switch.line for word in switch.words):
        text = switch.words[0].raw + "".join(word.before + word.raw for word in switch.words[1:])
        yield Edit(switch.file, switch.line, switch.column, text, f"ssl_protocols {' '.join(left)}")


RULE = Rule(
    code="tls-legacy-protocols",
    severity=Severity.MEDIUM,
    summary="TLS 1.0 or 1.1 is on.",
    evidence="Debian 12 ships ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3 in nginx.conf, and so every server has them. "
    "OpenSSL 3 speaks TLS 1.0 and 1.1 at security level 0 alone: with ssl_ciphers DEFAULT:@SECLEVEL=0 a client of TLS "
    "1.0 got 200. Older ones always do.",
    remedy="write: ssl_protocols TLSv1.2 TLSv1.3;",
    reference="https://www.rfc-editor.org/rfc/rfc8996",
    check=check,
)
