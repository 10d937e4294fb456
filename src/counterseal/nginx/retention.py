"""Which generations are kept, which one a rollback goes to, and what a killed process left half made."""

from __future__ import annotations

import secrets
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from counterseal.nginx.generations import MANIFEST, Directories, list_generations, read_current

if TYPE_CHECKING:
    from pathlib import Path

KEPT = 5


def find_previous(base: Path) -> int | None:
    """Return the generation to go back to: the proven one that was in force before the current one, or None."""
    current = read_current(base)
    proven = {found.number: found for found in list_generations(base) if found.proven}
    manifest = proven[current].manifest if current in proven else None
    if manifest and manifest.previous in proven:
        return manifest.previous
    return max((number for number in proven if current is None or number < current), default=None)


def prune(base: Path) -> tuple[int, ...]:
    """Remove old generations and return their numbers.

    Kept are the newest ``KEPT`` proven ones, the current one, the one before it, and a failed one if it is the newest
    of all, so that it can be read.
    """
    everything = list_generations(base)
    kept = {found.number for found in everything[-1:]} | {read_current(base), find_previous(base)}
    kept |= {found.number for found in [found for found in everything if found.proven][-KEPT:]}
    removed = [found for found in everything if found.number not in kept]
    for found in removed:
        hidden = found.directory.with_name(f".{found.directory.name}.{secrets.token_hex(6)}.tmp")
        with suppress(OSError):
            found.directory.rename(hidden)
            shutil.rmtree(hidden, ignore_errors=True)
    return tuple(found.number for found in removed)


def clean(base: Path) -> None:
    """Remove what a killed process left half made: hidden generations, links and temporary files. Hold the lock."""
    directories = Directories(base)
    litter = [*directories.generations.glob(".*.tmp"), *directories.generations.glob(f"*/.{MANIFEST}.*.tmp")]
    for hidden in (*litter, *base.glob(".current.*.tmp"), *base.glob(f".{directories.journal.name}.*.tmp")):
        if hidden.is_dir() and not hidden.is_symlink():
            shutil.rmtree(hidden, ignore_errors=True)
        else:
            with suppress(OSError):
                hidden.unlink()
