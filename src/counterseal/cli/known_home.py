"""The CA of this machine, where there is one, as a help for commands that work without it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from counterseal.authority.known import KnownCAs
from counterseal.compose.place import has_store
from counterseal.errors import CountersealError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.cli.common import Run


@contextmanager
def known_home(run: Run) -> Iterator[KnownCAs]:
    """Open the CA of this home to look things up; without one, or with one that cannot be opened, nothing is known."""
    if not has_store(run.home):
        yield KnownCAs(None)
        return
    try:
        authority = run.authority()
    except CountersealError as error:
        run.tell(f"note: the CA in {run.home} cannot be asked: {error.message}")
        yield KnownCAs(None)
        return
    with authority:
        yield KnownCAs(authority)
