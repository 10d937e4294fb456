"""The edge where errors become words and exit codes: 0 done, 1 failed, 2 usage, 3 findings, 4 refused by policy.

``error:`` and ``hint:`` lines go to stderr; nobody ever sees a traceback unless COUNTERSEAL_DEBUG is set.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click
from click.exceptions import NoArgsIsHelpError

from counterseal.cli.exit_codes import DONE, FAILED, INTERRUPTED, REFUSED, USAGE
from counterseal.cli.group import main
from counterseal.errors import (
    AmbiguousError,
    CountersealError,
    DeployError,
    InputError,
    NginxError,
    RefusedError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


def run(args: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    words = sys.argv[1:] if args is None else list(args)
    as_json = "--json" in words
    try:
        code = main.main(args=words, prog_name="counterseal", standalone_mode=False, color=_colour())
    except click.UsageError as error:
        return _report_usage(error, words, as_json=as_json)
    except click.ClickException as error:
        return report(CountersealError("command.failed", error.format_message()), as_json=as_json)
    except (click.Abort, KeyboardInterrupt):
        _say("error: interrupted")
        return INTERRUPTED
    except CountersealError as error:
        return report(error, as_json=as_json)
    except Exception as error:  # noqa: BLE001 - the last resort, so that a person sees a sentence
        return _report_unexpected(error, as_json=as_json)
    return code if isinstance(code, int) else DONE


def _report_unexpected(error: Exception, *, as_json: bool) -> int:
    from counterseal.cli.unexpected import as_told, give_up, unwritten  # noqa: PLC0415 - only when something failed

    if stream := unwritten(error):
        give_up(stream)
        if isinstance(error, BrokenPipeError) and stream is sys.stdout:  # the reader went away, as in `| head`
            return DONE
    elif os.environ.get("COUNTERSEAL_DEBUG"):
        raise error
    return report(as_told(error), as_json=as_json)


def _colour() -> bool | None:
    """Return False where nobody wants colours (no-color.org, a dumb terminal), else None: as the stream is one."""
    return False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None


def report(error: CountersealError, *, as_json: bool = False) -> int:
    """Say what failed and what to do, with ``as_json`` as data too, and return the exit code."""
    _say(f"error: {error.message}")
    for finding in error.findings if isinstance(error, RefusedError | InputError | DeployError) else ():
        _say(f"  - {finding.place + ': ' if finding.place else ''}{finding.message}")
        if finding.hint:
            _say(f"    hint: {finding.hint}")
    for candidate in error.candidates if isinstance(error, AmbiguousError) else ():
        _say(f"  {candidate}")
    if isinstance(error, NginxError) and error.quote:
        _say(f"  nginx: {error.quote.removeprefix('nginx: ')}")
    for line in error.advice if isinstance(error, DeployError) else ():
        _say(f"  {line}")
    if error.hint and error.hint not in {finding.hint for finding in getattr(error, "findings", ())}:
        _say(f"hint: {error.hint}")
    if as_json:
        from counterseal.cli.error_json import print_error  # noqa: PLC0415 - only when something failed

        print_error(error)
    if isinstance(error, InputError):
        return USAGE
    return REFUSED if isinstance(error, RefusedError) else FAILED


def _report_usage(error: click.UsageError, words: Sequence[str], *, as_json: bool) -> int:
    from counterseal.cli.usage import context_of, usage_lines  # noqa: PLC0415 - only for words that are wrong

    if isinstance(error, NoArgsIsHelpError):
        _say(error.format_message())
        return USAGE
    if error.ctx is None:  # as of an option without its value
        error.ctx = context_of(main, words)
    _say(error.ctx.get_usage())
    message, *hints = (line.partition(": ")[2] for line in usage_lines(error))
    return report(InputError("command.usage", message, hint=next(iter(hints), None)), as_json=as_json)


def _say(line: str) -> None:
    try:
        click.echo(line, err=True)
    except OSError:  # the exit code tells it all the same
        from counterseal.cli.unexpected import give_up  # noqa: PLC0415 - only when something failed

        give_up(sys.stderr)
