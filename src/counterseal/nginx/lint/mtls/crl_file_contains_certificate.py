"""A revocation list that lets clients in."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, Span, at
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find certificates among the revocation lists of servers that verify clients."""
    for crl, file in configuration.client_lists:
        if file.certificates:
            names = ", ".join(show_subject(one.subject) for one in file.certificates[:3])
            message = f"certificates in the revocation list admit clients: {names}"
            yield Found(at(crl, 0), message, command=_COMMAND.format(file=shlex.quote(file.path)))


_COMMAND = "sed -i '/BEGIN .*CERTIFICATE/,/END .*CERTIFICATE/d' {file}"


RULE = Rule(
    code="mtls-crl-file-contains-certificate",
    severity=Severity.CRITICAL,
    summary="A certificate stands in the file that ssl_crl names.",
    evidence="Before 1.27.2 nginx loads certificates from that file as trust anchors: a client of the root in it "
    "got 200. Since then they are ignored, or the file is refused.",
    remedy="leave nothing but X509 CRL blocks in the file",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_crl",
    check=check,
    affected=(Span(before=(1, 27, 2)),),
    fixes=(Applicability.COMMAND,),
    command=_COMMAND.format(file="FILE"),
)
