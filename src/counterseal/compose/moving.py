"""Moving the store of a home to another database, and bringing it to this program's schema.

Decides the order: the copy is complete, compared and durable before the old store is retired, and that is before the
configuration names the new one. So a crash leaves the old store in use, or one that says where the new one is, and the
same command goes on from there. At no moment can anybody write to both.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import monotonic, sleep
from typing import TYPE_CHECKING

from counterseal.authority.leasing import PAUSE_SECONDS, SIGNING_SECONDS, signatures_under_way
from counterseal.compose.home import cas_in, require_home, settings_of
from counterseal.compose.place import asides, now, store_path
from counterseal.compose.stores import open_store, read_password, require_driver
from counterseal.config.settings import StoreSettings
from counterseal.config.store_text import with_store
from counterseal.errors import InputError, StoreError
from counterseal.files import read_file, write_fileset
from counterseal.fileset import PUBLIC, FileSet, PlannedFile
from counterseal.pki.shown import counted
from counterseal.store.copying import contents, copy_store, not_empty, tables
from counterseal.store.migrations import migrations, refuse_newer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.config.settings import Settings
    from counterseal.store.copying import Contents
    from counterseal.store.store import Store

SQLITE = "sqlite"


@dataclass(frozen=True, slots=True)
class Moved:
    """Where the store was and is, what it holds, and the file it was in, put aside."""

    before: str
    now: str
    tables: tuple[Contents, ...]
    aside: Path | None


@dataclass(frozen=True, slots=True)
class PlannedMove:
    """Where the store is and would be, what it holds, the configuration that would say so, and the old file's name."""

    before: str
    now: str
    tables: tuple[Contents, ...]
    directory: Path
    files: FileSet
    aside: Path | None


def move(home: Path, to: str, password_file: Path | None) -> Moved:
    """Move the store of ``home`` to the database at the URL ``to``, or to a file with ``sqlite``.

    Nobody writes meanwhile. Raises StoreError ``store.not_empty``, ``store.copy_differs``, ConfigError
    ``store.unwritable`` and what opening raises; then nothing has changed but tables that may have been made in the new
    database. A move there that was killed when the old store was retired is brought to its end.
    """
    require_home(home)
    settings = settings_of(home)
    settings.require()  # the file is written anew
    store = _wanted(settings, to, password_file)
    directory, configuration = _configuration(home, store)
    held = _left(home, settings, store)
    if held is None:
        held = _move(home, settings, store)
    write_fileset(directory, configuration)
    aside = None if settings.store else _put_aside(home)
    return Moved(_place(home, settings.store), _place(home, store), held, aside)


def _move(home: Path, settings: Settings, store: StoreSettings | None) -> tuple[Contents, ...]:
    with ExitStack() as stack:
        source = stack.enter_context(open_store(home, settings.store))
        with _never_left(_place(home, store)):
            target = stack.enter_context(open_store(home, store, create=True))
        if source.is_shared:
            _wait_long(source)
        stack.enter_context(_have_alone(source))
        with target.transaction():
            held = copy_store(source, target)
        source.retire(target.place)
    return held


def plan_move(home: Path, to: str, password_file: Path | None) -> PlannedMove:
    """Return what ``move`` would do, and write nothing; raises what it raises before the copy."""
    require_home(home)
    settings = settings_of(home)
    settings.require()  # the file is written anew
    store = _wanted(settings, to, password_file)
    place = _place(home, store)
    directory, files = _configuration(home, store)
    held = _left(home, settings, store)
    if held is None:
        with _never_left(place):
            if cas_in(home, store):
                raise not_empty(place)
        with open_store(home, settings.store) as source:
            held = tuple(contents(source, table) for table in tables())
    aside = None if settings.store else _place_aside(home)
    return PlannedMove(_place(home, settings.store), place, held, directory, files, aside)


def plan_upgrade(home: Path) -> tuple[str, tuple[str, ...]]:
    """Return what the store is called, and the steps of the schema that it lacks; nothing is changed."""
    require_home(home)
    settings = settings_of(home)
    if settings.store is not None:
        require_driver()
        from counterseal.store.postgresql import missing_steps  # noqa: PLC0415 - one of two

        return settings.store.url, missing_steps(settings.store.url, read_password(settings.store))
    from counterseal.store.sqlite import schema_version  # noqa: PLC0415 - same

    path = store_path(home)
    found = schema_version(path)
    refuse_newer(str(path), found, migrations()[-1].version)
    return str(path), tuple(step.name for step in migrations() if step.version > found)


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
    open_store(home, None).close()
    return str(path), before, schema_version(path)


@contextmanager
def _have_alone(source: Store) -> Iterator[None]:
    """Have the store alone at a moment when nothing is being signed, which could not be recorded after the move.

    Raises StoreError ``store.busy`` where there is none for long.
    """
    until = monotonic() + 2 * SIGNING_SECONDS
    while True:
        with source.transaction():
            count = signatures_under_way(source, now())
            if not count:
                yield
                return
        if monotonic() > until:
            raise StoreError(
                "store.busy",
                f"something is being signed all the while: {counted(count, 'signature')} under way",
                hint="let a batch end, or stop what serves; then run the command again",
            )
        sleep(PAUSE_SECONDS)


@contextmanager
def _never_left(place: str) -> Iterator[None]:
    """Raise StoreError ``store.not_empty`` where the store to move to is one that was moved away before."""
    try:
        yield
    except StoreError as error:
        if error.code == "store.moved":
            raise not_empty(place) from error
        raise


def _wait_long(store: Store) -> None:
    from counterseal.store.postgresql import PostgreSQLStore  # noqa: PLC0415 - same

    if isinstance(store, PostgreSQLStore):
        store.wait_long()


def _wanted(settings: Settings, to: str, password_file: Path | None) -> StoreSettings | None:
    """Return where the store is to be, None for the file; raises InputError when it is there."""
    store = None if to == SQLITE else StoreSettings(to, password_file and password_file.absolute())
    if store == settings.store or (store and settings.store and store.url == settings.store.url):
        raise InputError("store.same", f"the store is there already: {to}")
    return store


def _place(home: Path, store: StoreSettings | None) -> str:
    return store.url if store else str(store_path(home))


def _configuration(home: Path, store: StoreSettings | None) -> tuple[Path, FileSet]:
    """Return the directory of counterseal.toml, which may be a link, and the file as it names the store.

    Raises ConfigError ``store.unwritable``.
    """
    path = (home / "counterseal.toml").resolve()
    text = read_file(path).decode() if path.exists() else ""
    mode = path.stat().st_mode & 0o777 if path.exists() else PUBLIC
    return path.parent, FileSet((PlannedFile(path.name, with_store(text, path, store).encode(), mode),))


def _left(home: Path, settings: Settings, store: StoreSettings | None) -> tuple[Contents, ...] | None:
    """Return what the store to move to holds, where the one that is named was moved there; None where it was not.

    So ended a move that was killed before it wrote the configuration, or one that another host has made.
    """
    try:
        open_store(home, settings.store).close()
    except StoreError as error:
        if error.code != "store.moved":
            raise
        try:
            target = open_store(home, store)
        except StoreError:
            raise error from None
        with target:
            if not error.message.endswith(f" to {target.place}"):
                raise
            return tuple(contents(target, table) for table in tables())
    return None


def _put_aside(home: Path) -> Path:
    from counterseal.store.sqlite import put_aside  # noqa: PLC0415 - one of two

    aside = _place_aside(home)
    put_aside(store_path(home), aside)
    return aside


def _place_aside(home: Path) -> Path:
    return next(path for path in asides(home) if not path.exists())
