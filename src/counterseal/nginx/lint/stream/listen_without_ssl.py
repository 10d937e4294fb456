"""A stream that verifies clients, and speaks no TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import append_word
from counterseal.nginx.lint.rule import Found, Rule, Span, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration

_MEANT = ("ssl_verify_client", "ssl_client_certificate", "ssl_certificate")


def check(configuration: Configuration) -> Iterator[Found]:
    """Find the listens of stream servers that are meant to verify clients, on sockets without TLS."""
    tls = {socket.name for socket in configuration.sockets if socket.kind == "stream" and socket.is_tls}
    for server in configuration.servers:
        is_meant = any(server.level.here(name) for name in _MEANT)
        if server.kind != "stream" or not server.verifies or not is_meant:
            continue
        for listen in server.listens:
            if listen.directive is not None and listen.socket not in tls:
                edit = append_word(listen.directive, "ssl")
                message = f"ssl is missing though clients are verified: {listen.socket}"
                yield Found(at(listen.directive), message, (edit,))


RULE = Rule(
    code="stream-listen-without-ssl",
    severity=Severity.CRITICAL,
    summary="The listen of a stream server lacks ssl although clients are to be verified.",
    evidence="nginx -t is silent; plain TCP is passed on without any authentication.",
    remedy="write: listen ... ssl;",
    reference="https://nginx.org/en/docs/stream/ngx_stream_ssl_module.html#ssl_verify_client",
    check=check,
    affected=(Span(since=(1, 11, 8)),),
)
