"""Errors that nobody foresaw, as errors that are told: so that what has to be done besides is still done."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from counterseal.errors import CountersealError, FileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO


@contextmanager
def foreseen() -> Iterator[None]:
    """Turn whatever goes wrong in the block into a CountersealError; not with COUNTERSEAL_DEBUG."""
    try:
        yield
    except (CountersealError, click.ClickException, click.Abort, BrokenPipeError):
        raise
    except Exception as error:
        if os.environ.get("COUNTERSEAL_DEBUG"):
            raise
        raise as_told(error) from error


def unwritten(error: Exception) -> TextIO | None:
    """Return stdout or stderr where it did not take what was to be said: the error is one of ``click.echo`` itself."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    if not isinstance(error, OSError) or trace is None or trace.tb_frame.f_code is not click.echo.__code__:
        return None
    return sys.stderr if trace.tb_frame.f_locals["err"] else sys.stdout


def give_up(stream: TextIO) -> None:
    """Have nothing more come of a stream: what it has not taken would fail once more when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def as_told(error: Exception) -> CountersealError:
    """Return how an error that nobody foresaw is told."""
    if isinstance(error, OSError) and (stream := unwritten(error)):
        from counterseal.files import reason_of  # noqa: PLC0415 - only when something failed

        name = "stderr" if stream is sys.stderr else "stdout"
        hint = "before you run it again, see whether what it had to do is done: counterseal list, counterseal log show"
        return FileError("output.write", f"cannot write to {name}: {reason_of(error)}", hint=hint)
    if isinstance(error, OSError) and error.filename:  # the machine is not as it was thought to be: no fault of ours
        from counterseal.files import not_used  # noqa: PLC0415 - only when something failed

        return not_used(error)
    reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    hint = "this is a fault in Counterseal; run again with COUNTERSEAL_DEBUG=1 and report what it prints"
    return CountersealError("command.unexpected", f"something unexpected happened: {reason}", hint=hint)
