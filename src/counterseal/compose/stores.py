"""Which database the store of a home is in, and how it is opened."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from counterseal.compose.extras import installing
from counterseal.compose.place import store_path
from counterseal.errors import InputError
from counterseal.files import read_secret

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.config.settings import StoreSettings
    from counterseal.store.store import Store

BUSY_SECONDS = 10.0


def open_store(
    home: Path,
    settings: StoreSettings | None,
    *,
    create: bool = False,
    one_thread: bool = True,
    busy_seconds: float = BUSY_SECONDS,
) -> Store:
    """Open the store that ``[store]`` names, else the file in ``home``; ``create`` makes it where there is none.

    Raises StoreError for each way it can be unusable, InputError ``store.extra`` without its packages.
    """
    if settings is None:
        from counterseal.store import sqlite  # noqa: PLC0415 - one of two

        return sqlite.open_store(store_path(home), create=create, busy_seconds=busy_seconds, one_thread=one_thread)
    require_driver()
    from counterseal.store import postgresql  # noqa: PLC0415 - 150 ms that only this store needs

    return postgresql.open_store(settings.url, read_password(settings), create=create, busy_seconds=busy_seconds)


def require_driver() -> None:
    """Raise InputError ``store.extra`` where the driver for PostgreSQL, or what it is suspended with, is missing."""
    missing = [name for name in ("psycopg", "greenlet") if find_spec(name) is None]
    if missing:
        raise InputError(
            "store.extra",
            f"the store is in PostgreSQL, and what it takes is not installed: {', '.join(missing)}",
            hint=installing("postgresql"),
        )


def read_password(settings: StoreSettings) -> str | None:
    """Return the first line of the password file, None without one; raises FileError when others can read it."""
    path = settings.password_file
    if path is None:
        return None
    return read_secret(path).decode(errors="replace")
