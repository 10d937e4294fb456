"""Moving the store of a home to another database, and bringing it to this program's schema.

Decides the order: the copy is complete, compared and durable before the configuration names it, and the old store is
retired last. So a crash leaves the old store in use, or both whole and the new one in use.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from counterseal.compose.home import require_home, settings_of
from counterseal.compose.place import store_path
from counterseal.compose.stores import open_store, read_password, require_driver
from counterseal.config.settings import StoreSettings
from counterseal.errors import InputError
from counterseal.files import read_file, write_file
from counterseal.store.copying import copy_store

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.store.copying import Contents
    from counterseal.store.store import Store

SQLITE = "sqlite"
_OURS = re.compile(r"\s*(?:\[store\]|url\b|password_file\b|$)")


@dataclass(frozen=True, slots=True)
class Moved:
    """Where the store was and is, what it holds, and the file it was in, put aside."""

    before: str
    now: str
    tables: tuple[Contents, ...]
    aside: Path | None


def move(home: Path, to: str, password_file: Path | None) -> Moved:
    """Move the store of ``home`` to the database at the URL ``to``, or to a file with ``sqlite``.

    Nobody writes meanwhile. Raises StoreError ``store.not_empty``, ``store.copy_differs`` and what opening raises;
    then nothing has changed but tables that may have been made in the new database.
    """
    require_home(home)
    settings = settings_of(home)
    store = None if to == SQLITE else StoreSettings(to, password_file and password_file.absolute())
    if store == settings.store or (store and settings.store and store.url == settings.store.url):
        raise InputError("store.same", f"the store is there already: {to}")
    with ExitStack() as stack:
        source = stack.enter_context(open_store(home, settings))
        target = stack.enter_context(open_store(home, replace(settings, store=store), create=True))
        if source.is_shared:
            _wait_long(source)
        stack.enter_context(source.transaction())
        with target.transaction():
            tables = copy_store(source, target)
        _configure(home / "counterseal.toml", store)
        source.retire(target.place)
        before, now = source.place, target.place
    return Moved(before, now, tables, None if settings.store else _put_aside(home))


def upgrade(home: Path) -> tuple[str, int, int]:
    """Bring the store to this program's schema; return what it is called, and the version before and after."""
    require_home(home)
    settings = settings_of(home)
    if settings.store is not None:
        require_driver()
        from counterseal.store.postgresql import upgrade_store  # noqa: PLC0415 - one of two

        before, now = upgrade_store(settings.store.url, read_password(settings.store))
        return settings.store.url, before, now
    from counterseal.store.sqlite import schema_version  # noqa: PLC0415 - same

    path = store_path(home)
    before = schema_version(path)
    open_store(home, settings).close()
    return str(path), before, schema_version(path)


def _wait_long(store: Store) -> None:
    from counterseal.store.postgresql import PostgreSQLStore  # noqa: PLC0415 - same

    if isinstance(store, PostgreSQLStore):
        store.wait_long()


def _configure(path: Path, store: StoreSettings | None) -> None:
    """Let the file name the store, and leave every other line of it as it is."""
    text = read_file(path).decode() if path.exists() else ""
    rest = _without_store(text)
    lines = []
    if store is not None:
        lines = ["[store]", f'url = "{store.url}"']
        lines += [f'password_file = "{store.password_file}"'] if store.password_file else []
        lines += ["", ""] if rest else [""]
    write_file(path, ("\n".join(lines) + rest).encode(), mode=path.stat().st_mode & 0o777 if path.exists() else 0o644)


def _without_store(text: str) -> str:
    """Return the configuration without the table of the store, whose comments stay."""
    kept, inside = [], False
    for line in text.splitlines(keepends=True):
        if line.lstrip().startswith("["):
            inside = line.strip().startswith("[store]")
        if not (inside and _OURS.match(line)):
            kept.append(line)
    return "".join(kept)


def _put_aside(home: Path) -> Path:
    """Rename the file that the store was in; it was closed, so its log is in it."""
    path = store_path(home)
    aside = path.with_name(f"{path.name}.moved")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.moved{number}")
    return path.rename(aside)
