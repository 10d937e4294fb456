"""The responder of a client certificate has a name that nginx cannot look up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import insert_before
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, Span, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find ``ssl_ocsp`` without ``resolver`` and without a responder of its own."""
    for server in configuration.guarded:
        switch = server.level.effective("ssl_ocsp")
        if switch is None or switch.arguments not in {("on",), ("leaf",)}:
            continue
        if not server.level.all("resolver") and server.level.file("ssl_ocsp_responder") is None:
            message = "no resolver: clients whose responder has a host name are refused"
            edits = (insert_before(switch, "resolver <address>;"),)
            yield Found(at(switch), message, edits, decision="which name server nginx is to ask")


RULE = Rule(
    code="mtls-ocsp-without-resolver",
    severity=Severity.HIGH,
    summary="ssl_ocsp is on, and there is no resolver for the host names of responders.",
    evidence="Every client whose certificate names its responder by host name got 400: no resolver defined to "
    "resolve it. nginx never lets a client in whose status it could not get.",
    remedy="add: resolver ...; or name the responder, which is then looked up at start: ssl_ocsp_responder http://...;",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_ocsp",
    check=check,
    affected=(Span(since=(1, 19, 0)),),
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
