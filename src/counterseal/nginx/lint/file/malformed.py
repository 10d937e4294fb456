"""A file without what nginx looks for in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.file.named import DECISION, naming_directives, placeholder
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Rule, name_another

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.lint.rule import Found


def check(configuration: Configuration) -> Iterator[Found]:
    """Find files without any block of the right kind, and blocks that cannot be decoded."""
    for directive in naming_directives(configuration):
        file = configuration.file(directive)
        if file is None or file.fault is not None:
            continue
        wanted = _wanted(directive.name)
        if file.unreadable:
            message = f"cannot decode {file.unreadable[0]} block: {file.path}"
            yield name_another(directive, placeholder(directive), message, decision=DECISION)
        elif not any(label.endswith(wanted) for label in file.labels):
            yield name_another(directive, placeholder(directive), f"no {wanted} block: {file.path}", decision=DECISION)


def _wanted(name: str) -> str:
    if name.endswith("_key"):
        return "PRIVATE KEY"
    return "X509 CRL" if name.endswith("_crl") else "CERTIFICATE"


RULE = Rule(
    code="file-malformed",
    severity=Severity.HIGH,
    summary="A file holds no PEM block of the kind that the directive needs, or a damaged one.",
    evidence="nginx -t ends with [emerg] for DER, PKCS#7, an empty file or files joined without a line feed "
    "between them.",
    remedy="write the file anew as PEM; openssl x509 -inform DER turns DER into PEM",
    reference="https://www.rfc-editor.org/rfc/rfc7468",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
