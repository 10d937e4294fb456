"""The CAs and the lists that nginx names are not the ones that count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import remove
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration

_STORES = frozenset({"verifycafile", "verifycapath", "verifycastore"})


def check(configuration: Configuration) -> Iterator[Found]:
    """Find the commands that give OpenSSL a store of its own for verifying, where clients are verified."""
    for server in configuration.guarded:
        for command in server.level.all("ssl_conf_command"):
            name, *values = command.arguments or ("",)
            if name.lower() in _STORES and values:
                told = f"clients are verified by {values[0]} alone, and no revocation list counts"
                yield Found(at(command), told, (remove(command),))


RULE = Rule(
    code="mtls-conf-command-replaces-trust",
    severity=Severity.CRITICAL,
    summary="ssl_conf_command VerifyCAFile takes the place of ssl_client_certificate and ssl_crl.",
    evidence="OpenSSL then verifies with that store and no other: a client of a CA that only VerifyCAFile names got "
    "200 where ssl_client_certificate and ssl_crl name another CA, and one of that other CA got 400.",
    remedy="remove the command, and name the CAs with ssl_client_certificate",
    reference="https://docs.openssl.org/3.0/man3/SSL_CONF_cmd/",
    check=check,
)
