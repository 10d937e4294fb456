"""A secret of a channel: the first line of a file that nobody else can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.files import read_secret

if TYPE_CHECKING:
    from pathlib import Path


def channel_secret(path: Path) -> str:
    """Return the secret; raises InputError, FileError."""
    secret = read_secret(path).decode("utf-8", "replace").strip()
    if not secret:
        raise InputError("reminder.secret", f"the first line of the secret's file is empty: {path}")
    return secret
