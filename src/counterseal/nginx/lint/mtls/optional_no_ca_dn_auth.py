"""A name that anybody can put into a certificate decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.guards import uses_of_client
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.verification import INSISTING, insisting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration

_FORGEABLE = frozenset({"ssl_client_s_dn", "ssl_client_i_dn", "ssl_client_serial"})
_FORGEABLE_TOO = frozenset(f"{name}_legacy" for name in ("ssl_client_s_dn", "ssl_client_i_dn"))
_CHECKABLE = frozenset(
    {"ssl_client_verify", "ssl_client_cert", "ssl_client_raw_cert", "ssl_client_escaped_cert", "ssl_client_fingerprint"}
)


def check(configuration: Configuration) -> Iterator[Found]:
    """Find servers that use a name from the certificate, and nothing that could tell whether it is true."""
    for server in configuration.guarded:
        if server.verify != "optional_no_ca":
            continue
        used = uses_of_client(configuration, server)
        forgeable = sorted(used & (_FORGEABLE | _FORGEABLE_TOO))
        switch = server.level.effective("ssl_verify_client")
        if switch is not None and forgeable and not used & _CHECKABLE:
            message = f"certificates of any issuer get in by ${forgeable[0]}"
            yield Found(at(switch), message, insisting(server.level, switch), decision=INSISTING)


RULE = Rule(
    code="mtls-optional-no-ca-dn-auth",
    severity=Severity.CRITICAL,
    summary="optional_no_ca, and authorisation by the names in the certificate instead of $ssl_client_verify.",
    evidence="optional_no_ca admits certificates of any issuer: a self-made one with the right name got 200, with "
    "verify=FAILED.",
    remedy="write ssl_verify_client optional; with a CA, and let pass only where $ssl_client_verify is SUCCESS",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_verify_client",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT, Applicability.HAS_PLACEHOLDERS),
)
