"""Certificates meant for stapling let clients in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import remove
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.guards import is_pinned
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.trust import adds_anchor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find a second trust file beside ``ssl_client_certificate`` that adds a root, unless the issuer is looked at."""
    for server in configuration.guarded:
        clients = server.level.file("ssl_client_certificate")
        trusted = server.level.file("ssl_trusted_certificate")
        if clients is None or trusted is None or clients.arguments == trusted.arguments:
            continue
        if adds_anchor(configuration, trusted, clients) and not is_pinned(configuration, server):
            message = f"also admits clients: {trusted.arguments[0]}"
            yield Found(at(trusted), message, (remove(trusted),), decision=_DECISION)


_DECISION = "whether stapling, or another server that this line is for, can do without it"


RULE = Rule(
    code="mtls-trusted-certificate-widens",
    severity=Severity.CRITICAL,
    summary="ssl_trusted_certificate, meant for stapling, also admits clients.",
    evidence="Its certificates are put into the same store: a client of a root that stands there alone got 200, "
    "though ssl_client_certificate holds another one.",
    remedy="leave it out where clients are verified; for stapling append the issuer to ssl_certificate instead",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_trusted_certificate",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
