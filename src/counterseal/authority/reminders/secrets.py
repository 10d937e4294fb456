"""A secret of a channel: the first line of a file that nobody else can read."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from counterseal.errors import InputError, KeyAccessError
from counterseal.files import read_first_line

if TYPE_CHECKING:
    from pathlib import Path


def read_secret(path: Path) -> str:
    """Return the secret; raises KeyAccessError ``reminder.secret_mode``, InputError, FileError."""
    secret = read_first_line(path).decode("utf-8", "replace").strip()
    if path.stat().st_mode & stat.S_IRWXO:
        raise KeyAccessError(
            "reminder.secret_mode",
            f"others can read the secret: {path} has mode {stat.S_IMODE(path.stat().st_mode):04o}",
            hint=f"chmod 600 {path}",
        )
    if not secret:
        raise InputError("reminder.secret", f"the first line of the secret's file is empty: {path}")
    return secret
