"""A certificate is asked for, and nobody looks whether one came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.answers import serves_content
from counterseal.nginx.lint.fix import SUGGESTED, Applicability
from counterseal.nginx.lint.guards import uses_of_client
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.verification import INSISTING, insisting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find optional verification in HTTP servers that neither decide by it nor tell an application of it."""
    for server in configuration.guarded:
        if server.kind != "http" or server.verify == "on" or uses_of_client(configuration, server):
            continue
        switch = server.level.effective("ssl_verify_client")
        if switch is not None and serves_content(server):
            message = f"clients without a certificate get in: ssl_verify_client {server.verify}"
            is_asked = any(level.here("auth_request") for level in server.levels)
            decision = INSISTING if server.verify == "optional_no_ca" else _SUBREQUEST if is_asked else ""
            yield Found(at(switch), message, insisting(server.level, switch), decision=decision)


_SUBREQUEST = "whether the subrequest is to judge the certificate: then tell it by proxy_set_header"


RULE = Rule(
    code="mtls-optional-not-enforced",
    severity=Severity.HIGH,
    summary="ssl_verify_client optional, and nothing looks at $ssl_client_verify.",
    evidence="optional lets clients without a certificate through: verify=NONE and 200. A subrequest that was told "
    "nothing of the certificate let them through, too.",
    remedy="write ssl_verify_client on; or at server level: if ($ssl_client_verify != SUCCESS) { return 403; }",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_verify_client",
    check=check,
    fixes=(Applicability.MACHINE_APPLICABLE, *SUGGESTED),
)
