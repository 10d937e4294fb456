"""A file that could not be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.file.named import CLOSED, DECISION, MISSING, naming_directives, placeholder
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at, name_another

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find the files that are there and could not be read."""
    for directive in naming_directives(configuration):
        file = configuration.file(directive)
        if file is not None and file.fault not in {None, MISSING}:
            message = f"cannot read {file.path}: {file.fault}"
            if file.fault == CLOSED:
                yield Found(at(directive, 0), message, command=_COMMAND)
            else:
                yield name_another(directive, placeholder(directive), message, decision=DECISION)


_COMMAND = "sudo counterseal nginx lint"


RULE = Rule(
    code="file-unreadable",
    severity=Severity.INFO,
    summary="A certificate, key or list could not be read by the linter.",
    evidence="nginx opens keys as root, and so they are often closed to everybody else; what stands in them was "
    "not judged.",
    remedy="run the linter as the user who starts nginx, or leave files alone with --no-files",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html",
    check=check,
    fixes=(Applicability.COMMAND, Applicability.HAS_PLACEHOLDERS),
    command=_COMMAND,
)
