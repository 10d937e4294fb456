"""A certificate is asked for, and nobody looks whether one came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import SUGGESTED, Applicability
from counterseal.nginx.lint.guards import asks_program, client_variables
from counterseal.nginx.lint.rule import Found, Rule, Span, at
from counterseal.nginx.lint.verification import INSISTING, insisting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find optional verification in stream servers that choose nothing by it."""
    for server in configuration.guarded:
        if server.kind != "stream" or server.verify == "on":
            continue
        texts = [text for name in ("proxy_pass", "return") for one in server.level.all(name) for text in one.arguments]
        is_decided = client_variables(configuration, *texts) or asks_program(configuration, *texts)
        is_decided = is_decided or any(server.level.all(name) for name in _PROGRAMS)
        switch = server.level.effective("ssl_verify_client")
        if switch is not None and not is_decided:
            message = f"clients without a certificate get in: ssl_verify_client {server.verify}"
            decision = INSISTING if server.verify == "optional_no_ca" else ""
            yield Found(at(switch), message, insisting(server.level, switch), decision=decision)


_PROGRAMS = ("js_access", "js_preread", "preread_by_lua_block", "preread_by_lua_file", "content_by_lua_block")


RULE = Rule(
    code="stream-optional-not-enforced",
    severity=Severity.HIGH,
    summary="ssl_verify_client optional in a stream server that passes everybody on.",
    evidence="A client without a certificate reached the backend.",
    remedy="write ssl_verify_client on; or choose the target by a map of $ssl_client_verify",
    reference="https://nginx.org/en/docs/stream/ngx_stream_ssl_module.html#ssl_verify_client",
    check=check,
    affected=(Span(since=(1, 11, 8)),),
    fixes=(Applicability.MACHINE_APPLICABLE, *SUGGESTED),
)
