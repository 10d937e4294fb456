"""The key of a CA on the machine that faces the network."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.file.named import naming_directives
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find private keys in files that should hold CA certificates or lists."""
    for directive in naming_directives(configuration, _NAMES):
        file = configuration.file(directive)
        if file is not None and file.has_private_key:
            command = _COMMAND.format(file=shlex.quote(file.path))
            yield Found(at(directive, 0), f"holds a private key: {file.path}", command=command)


_COMMAND = "sed -i '/BEGIN .*PRIVATE KEY/,/END .*PRIVATE KEY/d' {file}"
_KINDS = ("ssl", "proxy_ssl", "grpc_ssl", "uwsgi_ssl")
_NAMES = ("ssl_client_certificate", *(f"{kind}_{name}" for kind in _KINDS for name in ("trusted_certificate", "crl")))


RULE = Rule(
    code="mtls-ca-file-contains-key",
    severity=Severity.CRITICAL,
    summary="A private key stands in a file of CA certificates.",
    evidence="nginx -t is silent; whoever gets hold of the server can issue clients from then on.",
    remedy="take the key out of the file, and off this machine; a key that lay there is to be replaced",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_client_certificate",
    check=check,
    fixes=(Applicability.COMMAND,),
    command=_COMMAND.format(file="FILE"),
)
