"""Errors that nobody foresaw, as errors that are told: so that what has to be done besides is still done."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from counterseal.errors import CountersealError

if TYPE_CHECKING:
    from collections.abc import Iterator


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


def as_told(error: Exception) -> CountersealError:
    """Return how an error that nobody foresaw is told."""
    if isinstance(error, OSError) and error.filename:  # the machine is not as it was thought to be: no fault of ours
        from counterseal.files import not_used  # noqa: PLC0415 - only when something failed

        return not_used(error)
    reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    hint = "this is a fault in Counterseal; run again with COUNTERSEAL_DEBUG=1 and report what it prints"
    return CountersealError("command.unexpected", f"something unexpected happened: {reason}", hint=hint)
