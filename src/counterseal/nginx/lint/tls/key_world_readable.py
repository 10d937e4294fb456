"""A private key for everybody on the machine."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.file.named import naming_directives
from counterseal.nginx.lint.files import KEYS
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration

EVERYBODY = 0o004
_COMMAND = "chmod 0600 {file}"


def check(configuration: Configuration) -> Iterator[Found]:
    """Find files with a private key whose mode lets others read."""
    for directive in naming_directives(configuration, KEYS):
        file = configuration.file(directive)
        if file is not None and file.mode is not None and file.mode & EVERYBODY:
            message = f"mode {file.mode:04o} lets everybody read it: {file.path}"
            yield Found(at(directive, 0), message, command=_COMMAND.format(file=shlex.quote(file.path)))


RULE = Rule(
    code="tls-key-world-readable",
    severity=Severity.MEDIUM,
    summary="Everybody on the machine can read a private key.",
    evidence="nginx looks at no modes: -t is silent, and every program of the machine has the key.",
    remedy="chmod 0600 (root's): the master reads it before it gives up its rights",
    reference="https://nginx.org/en/docs/http/configuring_https_servers.html",
    check=check,
    fixes=(Applicability.COMMAND,),
    command=_COMMAND.format(file="FILE"),
)
