"""A long list of CA names in every handshake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import Edit
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at, name_another

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration

MOST = 50
_UNNAMED = (1, 27, 2)


def check(configuration: Configuration) -> Iterator[Found]:
    """Find files of client CAs with more than that."""
    for server in configuration.guarded:
        directive = server.level.file("ssl_client_certificate")
        file = configuration.file(directive)
        if directive is not None and file is not None and len(file.certificates) > MOST:
            message = f"{len(file.certificates)} client CAs are named in every handshake"
            if configuration.version.number < _UNNAMED or server.level.file("ssl_trusted_certificate"):
                yield name_another(directive, "<client-ca.pem>", message, decision=_DECISION)
            else:
                word = directive.words[0]
                edit = Edit(directive.file, word.line, word.column, word.raw, "ssl_trusted_certificate")
                yield Found(
                    at(directive, 0), message, (edit,), decision="whether clients choose well without the names"
                )


_DECISION = "which of the CAs issue clients"


RULE = Rule(
    code="mtls-many-client-cas",
    severity=Severity.LOW,
    summary="More than 50 client CAs.",
    evidence="The names of all client CAs go out in every handshake: 7.6 kB for 100, 65 kB for 1000, which not "
    "every client takes.",
    remedy="keep to the CAs that issue clients; since 1.27.2 ssl_trusted_certificate alone admits them without "
    "telling the names",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_client_certificate",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT, Applicability.HAS_PLACEHOLDERS),
)
