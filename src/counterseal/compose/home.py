"""The home of a CA: its files, store and keys, with the clock and the randomness of this machine."""

from __future__ import annotations

import os
import pwd
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.authority.parts import Authority
from counterseal.compose.place import asides, has_store, now, store_path
from counterseal.compose.stores import open_store
from counterseal.config.settings import Settings
from counterseal.errors import (
    FileError,
    InputError,
    NotFoundError,
    RefusedError,
    StoreError,
    shell_line,
)
from counterseal.keystore.file import FileKeyStore, alone_in
from counterseal.moments import moment, show_moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from counterseal.config.settings import StoreSettings
    from counterseal.store.store import Store

CLOCK_TOLERANCE = timedelta(minutes=10)
ACCEPT_CLOCK = "COUNTERSEAL_ACCEPT_CLOCK"


def open_authority(
    home: Path,
    passphrase: Callable[[], bytes | None],
    *,
    settings: Settings | None = None,
    one_thread: bool = True,
) -> Authority:
    """Open the CA that lives in ``home``; raises NotFoundError when there is none.

    ``settings`` are those of the home where they were not read before. With ``one_thread=False`` its keys can be opened
    in any thread: that looks into the store.
    """
    require_home(home)
    return _authority(home, passphrase, settings or settings_of(home), create=False, one_thread=one_thread)


def require_home(home: Path) -> None:
    """Raise NotFoundError ``home.missing`` unless there is a CA in ``home``, StoreError ``store.moved``."""
    if not has_store(home):
        settings_of(home).sound("store")  # it may have been meant to name a database
        _refuse_moved(home)
        making = shell_line("counterseal", "init", "--home", home)
        hint = f"make one: {making}; or name the right one: --home, COUNTERSEAL_HOME"
        raise NotFoundError("home.missing", f"there is no CA in {home}", hint=hint)


def _refuse_moved(home: Path) -> None:
    """Have the file that was put aside say where the store was moved to; raises StoreError ``store.moved``."""
    for aside in [*takewhile(Path.exists, asides(home))][-1:]:
        from counterseal.store import sqlite  # noqa: PLC0415 - where something is amiss

        sqlite.schema_version(aside)


@contextmanager
def new_home(
    home: Path, passphrase: Callable[[], bytes | None], *, settings: Settings | None = None
) -> Iterator[Authority]:
    """Make a home for a new CA: the directory (0711 by any umask, for nginx's workers), an empty store, no keys.

    ``settings`` are those of another home, where it is only made to be looked at.
    When the block fails, what was made is removed again; another that is being made here is waited for, and stays.
    Raises InputError ``ca.exists``, FileError ``home.leftover``.
    """
    from counterseal.nginx.generations import make_passable  # noqa: PLC0415 - only who makes one

    refuse_occupied(home)
    settings = settings or settings_of(home)
    settings.require()  # what it says goes into certificates that live for years
    make_passable(home)
    with alone_in(home):
        _refuse_occupied(home)
        try:
            with _authority(home, passphrase, settings, create=True) as authority:
                yield authority
        except BaseException:
            import shutil  # noqa: PLC0415 - only when something failed

            shutil.rmtree(home / "keys", ignore_errors=True)
            for path in home.glob(f"{store_path(home).name}*"):
                path.unlink(missing_ok=True)
            with suppress(OSError):
                home.rmdir()
            raise


def refuse_occupied(home: Path) -> None:
    """Raise what ``new_home`` raises where there is a CA already, or what is left of one that nobody is making."""
    if home.is_dir():
        with alone_in(home):
            _refuse_occupied(home)


def _refuse_occupied(home: Path) -> None:
    keys = home / "keys"
    cas = cas_in(home, settings_of(home).store)
    if cas is not None:
        if not cas and store_path(home).exists():
            left = (*sorted(home.glob(f"{store_path(home).name}*")), *((keys,) if keys.exists() else ()))
            raise FileError(
                "home.leftover",
                f"making a CA was interrupted here before there was one: {home}",
                hint=f"remove what it left, then run this again: {shell_line('rm', '-r', *left)}",
            )
        if cas:
            raise InputError(
                "ca.exists", f"there is a CA already: {home}", hint="use another --home, or: counterseal ca add"
            )
    if keys.exists() and any(keys.iterdir()):
        raise FileError(
            "home.leftover",
            f"there are keys without a store: {keys}",
            hint="bring the store back, or move the keys away",
        )


def cas_in(home: Path, settings: StoreSettings | None) -> int | None:
    """Return how many CAs the store that ``[store]`` names has, None where there is no store."""
    if settings is None and not store_path(home).exists():
        return None
    try:
        with open_store(home, settings) as store:
            return len(store.cas())
    except StoreError as error:
        if error.code == "store.missing":
            return None if settings is not None else 0  # a file is there: whoever was making it was interrupted
        raise


def service_secret(home: Path) -> bytes:
    """Return the secret that all replicas of the service share; made when there is none."""
    from counterseal.keystore.secret import shared_secret  # noqa: PLC0415 - only the service and its keys need it

    return shared_secret(service_secret_file(home), os.urandom)


def service_secret_file(home: Path) -> Path:
    """Return where that secret is kept."""
    return home / "keys" / "service.secret"


def settings_of(home: Path) -> Settings:
    """Return what counterseal.toml in the home says; what is wrong with a section is raised when that is asked for."""
    path = home / "counterseal.toml"
    if not path.exists():
        return Settings()
    from counterseal.config.load import load_settings  # noqa: PLC0415 - 30 ms that a home without a file saves

    return load_settings(path)


def _authority(
    home: Path,
    passphrase: Callable[[], bytes | None],
    settings: Settings,
    *,
    create: bool,
    one_thread: bool = True,
) -> Authority:
    store = open_store(home, settings.store, create=create, one_thread=one_thread)
    return Authority(
        store=store,
        keystore=FileKeyStore(home / "keys", passphrase, lambda: check_clock(store)),
        clock=now,
        random_bytes=os.urandom,
        actor=_actor(),
        rules=settings.rules,
    )


def _actor() -> str:
    """Return who calls, as the system knows him: what LOGNAME and USER say anybody may choose."""
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def check_clock(store: Store) -> None:
    """Refuse to sign by a clock set back, which would date certificates and CRLs before others that exist.

    Where others share the store, by one that is not the database's either: one that is ahead would stop all of them.
    """
    if store.is_shared and not os.environ.get(ACCEPT_CLOCK):
        _require_common_clock(store)
    head = store.key_use_head().sequence
    newest = next(iter(store.key_uses(after=head - 1, limit=1)), None) if head else None
    last = moment(newest.at) if newest else None
    if last is None or now() + CLOCK_TOLERANCE >= last or os.environ.get(ACCEPT_CLOCK):
        return
    raise RefusedError(
        "clock.back",
        f"the clock says {show_moment(now())}, a CA key was used at {show_moment(last)}",
        hint=f"set the clock right (timedatectl); if it is right now and was wrong then, look at counterseal log show, "
        f"and run this once more with {ACCEPT_CLOCK}=1",
    )


def _require_common_clock(store: Store) -> None:
    (seconds,) = store.row(f"select {store.clock}") or (0,)
    here, there = now(), moment(seconds)
    if abs(here - there) > CLOCK_TOLERANCE:
        raise RefusedError(
            "clock.apart",
            f"the clock says {show_moment(here)}, that of the store's database {show_moment(there)}",
            hint="set the wrong one right (timedatectl): what serves the same store on other hosts signs by theirs; "
            f"if this one is right, run this once more with {ACCEPT_CLOCK}=1",
        )
