"""The terminal that a person reads on: how wide text may be."""

from __future__ import annotations

import sys

WIDEST = 110
"""Columns of running text, also into a pipe: longer lines are hard to read."""
_NARROWEST = 60


def terminal_width() -> int | None:
    """Return the columns of the terminal that reads stdout; None where it is a file or a pipe."""
    if not sys.stdout.isatty():
        return None
    from shutil import get_terminal_size  # noqa: PLC0415 - only for a person

    return max(get_terminal_size().columns, _NARROWEST)


def text_width() -> int:
    """Return the columns in which running text is broken into lines."""
    return min(terminal_width() or WIDEST, WIDEST)
