"""A server certificate whose time is over."""

from __future__ import annotations

import posixpath
import shlex
from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.tls.pairs import pairs
from counterseal.pki.subject import common_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography import x509

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find server certificates outside their time."""
    for _, pair in pairs(configuration):
        served = pair.end_entity
        if served is not None and not served.not_valid_before_utc <= configuration.now < served.not_valid_after_utc:
            dates = f"{served.not_valid_before_utc:%Y-%m-%d} to {served.not_valid_after_utc:%Y-%m-%d}"
            path = pair.certificate.arguments[0]
            names = {"name": shlex.quote(_name(served)), "directory": shlex.quote(posixpath.dirname(path) or ".")}
            command = _COMMAND.format(**names)
            yield Found(at(pair.certificate, 0), f"valid from {dates}: {path}", command=command)


def _name(certificate: x509.Certificate) -> str:
    """Return what Counterseal knows a certificate by; for another one without a name, its serial number."""
    return common_name(certificate.subject) or f"{certificate.serial_number:x}"


_COMMAND = "counterseal renew {name} --out {directory} --force"


RULE = Rule(
    code="tls-cert-expired",
    severity=Severity.CRITICAL,
    summary="A server certificate has expired, or is not valid yet.",
    evidence="nginx starts and reloads without a word; every client refuses, certificate has expired (alert 45).",
    remedy="renew it and reload; counterseal refresh does both in time",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_certificate",
    check=check,
    fixes=(Applicability.COMMAND,),
    command=_COMMAND.format(name="NAME", directory="DIRECTORY"),
)
