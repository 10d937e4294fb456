"""A file that the configuration names is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.file.named import DECISION, MISSING, naming_directives, placeholder
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Rule, name_another

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.lint.rule import Found


def check(configuration: Configuration) -> Iterator[Found]:
    """Find every directive whose file does not exist."""
    for directive in naming_directives(configuration):
        file = configuration.file(directive)
        if file is not None and file.fault == MISSING:
            message = f"file does not exist: {file.path}"
            yield name_another(directive, placeholder(directive), message, decision=DECISION)


RULE = Rule(
    code="file-missing",
    severity=Severity.HIGH,
    summary="A certificate, key or list that the configuration names does not exist.",
    evidence="nginx -t ends with [emerg] and a running nginx keeps its old configuration; the next restart or reboot "
    "does not start it.",
    remedy="put the file there, or name the one that is",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
