"""An error as data for ``--json``, on stdout beside the words on stderr; docs/errors.md has the codes."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from counterseal.cli.common import JSON_VERSION
from counterseal.cli.unexpected import give_up
from counterseal.errors import AmbiguousError, DeployError, InputError, NginxError, RefusedError

if TYPE_CHECKING:
    from counterseal.cli.documents import ErrorDocument, ErrorFinding
    from counterseal.errors import CountersealError
    from counterseal.findings import Finding


def print_error(error: CountersealError) -> None:
    """Print the document of a failed command."""
    document: ErrorDocument = {
        "error": {
            "code": error.code,
            "message": error.message,
            "hint": error.hint,
            "findings": [_finding(one) for one in error.findings]
            if isinstance(error, RefusedError | InputError | DeployError)
            else [],
            "candidates": list(error.candidates) if isinstance(error, AmbiguousError) else [],
            "nginx": error.quote if isinstance(error, NginxError) else None,
            "advice": list(error.advice) if isinstance(error, DeployError) else [],
        }
    }
    try:
        click.echo(json.dumps({"version": JSON_VERSION, **document}, indent=2))
    except OSError:  # stderr and the exit code have told it
        give_up(sys.stdout)


def _finding(finding: Finding) -> ErrorFinding:
    return {
        "code": finding.code,
        "where": finding.where,
        "line": finding.line,
        "message": finding.message,
        "hint": finding.hint,
    }
