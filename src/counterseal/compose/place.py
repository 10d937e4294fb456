"""Where a CA lives, and what time it is: what commands ask that need no CA, and so load none of its parts."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator


def now() -> datetime:
    """Return the current time; the one place where the clock is read."""
    return datetime.now(UTC)


def default_home() -> Path:
    """Return where the CA lives when nobody says: /var/lib/counterseal for root, else by XDG.

    A relative XDG_DATA_HOME is none, as its specification has it. Raises InputError ``home.unknown`` for a user without
    a home directory, as many in containers are.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/counterseal")
    data = Path(os.environ.get("XDG_DATA_HOME") or ".")
    try:
        return (data if data.is_absolute() else Path.home() / ".local/share") / "counterseal"
    except RuntimeError as error:
        told = f"nobody says where the CA lives: user {os.geteuid()} has no home directory"
        raise InputError("home.unknown", told, hint="name it: --home, COUNTERSEAL_HOME") from error


def store_path(home: Path) -> Path:
    """Return the path of the inventory, where it is a file."""
    return home / "store.sqlite"


def asides(home: Path) -> Iterator[Path]:
    """Yield what the inventory is called once it was moved to a database: the first time, the second ..."""
    path = store_path(home)
    for number in count(1):
        yield path.with_name(f"{path.name}.moved{number if number > 1 else ''}")


def has_store(home: Path) -> bool:
    """Whether there is an inventory: the file, or a configuration that names a database."""
    return store_path(home).is_file() or _names_database(home / "counterseal.toml")


def _names_database(path: Path) -> bool:
    if not path.is_file():
        return False
    import tomllib  # noqa: PLC0415 - only where there is no file

    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True  # whoever opens it says what is wrong with it
    try:
        return "store" in tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return "store" in text
