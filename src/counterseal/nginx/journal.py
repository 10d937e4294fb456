"""The undo of a deploy, on disk before anything is touched and gone when it is over.

A journal that is found says that a process died in the middle. Its ``step`` alone decides: ``proven`` means that the
new generation had passed and stays, ``rested`` that it stays unproved, everything else means back to the previous one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from counterseal.errors import DeployError
from counterseal.files import not_read, sync_directory, write_file

if TYPE_CHECKING:
    from pathlib import Path


class Step(StrEnum):
    """How far nginx has come: not touched, told to take the new generation, seen to have taken it, proved.

    ``rested``: nginx does not run, and begins with the new generation when somebody starts it.
    """

    REGISTERED = "registered"
    RELOADING = "reloading"
    RELOADED = "reloaded"
    PROVEN = "proven"
    RESTED = "rested"


@dataclass(frozen=True, slots=True)
class Journal:
    """What to go back to: the previous generation (None: none), whether nginx ran, the include file made for this."""

    previous: int | None
    new: int
    running: bool
    step: Step = Step.REGISTERED
    include_file: str | None = None
    format: int = 1


def read_journal(path: Path) -> Journal | None:
    """Return the journal that was left, or None; raises DeployError ``deploy.journal_unreadable``, FileError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Journal)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise not_read(path, error) from error
    except msgspec.DecodeError as error:
        raise DeployError(
            "deploy.journal_unreadable",
            f"cannot read the journal of an unfinished deploy: {path}",
            hint="see which generation 'current' points to, set the link by hand if it is the wrong one, "
            "then remove the journal",
        ) from error


def write_journal(path: Path, journal: Journal) -> None:
    """Write the journal and flush it; raises FileError."""
    write_file(path, msgspec.json.encode(journal) + b"\n", mode=0o644)


def remove_journal(path: Path) -> None:
    """Remove the journal for good; raises OSError."""
    path.unlink(missing_ok=True)
    sync_directory(path.parent)
