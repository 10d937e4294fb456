"""One sealed file with everything that makes this CA, and its way back onto an empty machine.

In it: a consistent copy of the store, the CA keys as they are kept, the sites' keys, the canaries, the configuration.
Not in it: nginx's generations, which a deploy makes again.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from typing import TYPE_CHECKING, Never

from counterseal.authority.sealed import MAGIC, seal, sealed_size, unseal
from counterseal.errors import FileError, InputError, KeyAccessError
from counterseal.files import make_directory, not_read, opened_new, reason_of
from counterseal.fileset import SECRET
from counterseal.keystore.file import FileKeyStore
from counterseal.moments import moment
from counterseal.nginx.generations import make_passable
from counterseal.store.sqlite import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime, timedelta

    from counterseal.authority.parts import Authority

STORE = "store.sqlite"
LOGS = (f"{STORE}-wal", f"{STORE}-journal")
"""What SQLite would take for a part of any store beside it, also of another one."""
_LISTS_A_SECOND = 1000
"""More than a CA can sign: each is on disk before the next."""
PARTS = ("keys", "sites", "serve", "canaries", "counterseal.toml")


def backup(authority: Authority, home: Path, target: Path, passphrase: bytes) -> int:
    """Write the sealed backup of ``home`` to ``target`` (0600), which must not exist; returns its size in bytes."""
    refuse_target(target)
    try:
        entries = _entries(home)
        with _scratch(home, ".backup-") as scratch:
            snapshot, archive = scratch / STORE, scratch / "archive.tar"
            authority.store.snapshot(snapshot)
            _pack(archive, home, snapshot, entries)
            with archive.open("rb") as source, opened_new(target, mode=SECRET, overwrite=False) as sealed:
                seal(source, sealed, passphrase, random_bytes=authority.random_bytes)
    except OSError as error:
        raise FileError("backup.write", f"cannot write the backup {target}: {reason_of(error)}") from error
    return target.stat().st_size


def refuse_target(target: Path) -> None:
    """Raise FileError where no backup can be written: a file is there, or its directory is not."""
    if target.exists():
        raise FileError("file.exists", f"file exists already: {target}", hint="choose another name")
    if not target.parent.is_dir():
        raise FileError("backup.write", f"no such directory: {target.parent}", hint="make it, or choose another one")


def contents(home: Path) -> tuple[Path, ...]:
    """Return the files of ``home`` that go into a backup."""
    return tuple(path for path in (home / STORE, *_entries(home)) if path.is_file())  # no store where a server has it


def require_backup(source: Path) -> None:
    """Raise FileError ``backup.read``, or KeyAccessError ``backup.format`` for what is no backup.

    So that it is said before its passphrase is typed.
    """
    try:
        with source.open("rb") as stream:
            begun = stream.read(len(MAGIC))
    except OSError as error:
        raise FileError("backup.read", f"cannot read {source}: {reason_of(error)}") from error
    if begun != MAGIC:
        raise KeyAccessError(
            "backup.format", f"not a backup of counterseal: {source}", hint="it begins with: counterseal backup 1"
        )


def backup_size(home: Path) -> int:
    """Return how large a backup of ``home`` with its store in a file would be, to one record of a tar file."""
    blocks = 0
    for path in (
        home / STORE,
        *_entries(home),
    ):  # a header each, and one with its body for the split seconds of its time
        blocks += 3 + (-(-path.stat().st_size // tarfile.BLOCKSIZE) if path.is_file() else 0)
    archive = (blocks + 2) * tarfile.BLOCKSIZE
    return sealed_size(-(-archive // tarfile.RECORDSIZE) * tarfile.RECORDSIZE)


def read_contents(source: Path, passphrase: bytes) -> tuple[tuple[str, int, int], ...]:
    """Return path, size and mode of what ``restore`` would bring back; raises what ``restore`` raises for a bad backup.

    It is opened into a file that has no name and is gone afterwards.
    """
    try:
        with tempfile.TemporaryFile() as opened:
            with source.open("rb") as sealed:
                unseal(sealed, opened, passphrase)
            opened.seek(0)
            with tarfile.open(fileobj=opened) as tar:
                return tuple((member.name, member.size, member.mode & 0o777) for member in tar if member.isfile())
    except (OSError, tarfile.TarError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else error
        raise FileError("backup.read", f"cannot read {source}: {reason}") from error


def restore(source: Path, home: Path, passphrase: bytes, now: datetime) -> datetime:
    """Bring a backup back into ``home``, which must hold nothing that is in it; on any failure nothing is left there.

    Return when it was made: what was issued and revoked since then is not in it. The CAs' lists go on from numbers that
    cannot have been used meanwhile, and from new ones, where the key to sign them is in the backup.
    Raises KeyAccessError (``backup.*``), FileError (``backup.taken``), StoreError when what is in it does not open.
    """
    if (home / STORE).exists():
        raise InputError("ca.exists", f"there is a CA already: {home}", hint="restore into an empty --home")
    make_passable(home)
    try:
        with _scratch(home, ".restore-", alone=True) as scratch:
            archive, unpacked = scratch / "archive.tar", scratch / "home"
            with source.open("rb") as sealed, archive.open("wb") as opened:
                unseal(sealed, opened, passphrase)
            with tarfile.open(archive) as tar:
                _unpack(tar, unpacked)
                made_at = moment(int(tar.getmember(STORE).mtime))
            _check(unpacked)
            _go_on(unpacked, now - made_at)
            _move(unpacked, home)
    except KeyError as error:
        raise FileError("backup.read", f"cannot restore {source}: no store in it") from error
    except (OSError, tarfile.TarError) as error:
        raise FileError(
            "backup.read",
            f"cannot restore {source} into {home}: {reason_of(error) if isinstance(error, OSError) else error}",
        ) from error
    return made_at


def refuse_taken(home: Path, names: Iterable[str]) -> None:
    """Raise FileError ``backup.taken`` where something is that a backup with these files would bring."""
    for path in [home / part for part in dict.fromkeys((*LOGS, *(name.partition("/")[0] for name in names)))]:
        if path.is_file() or (path.is_dir() and any(path.iterdir())):
            raise FileError(
                "backup.taken",
                f"there is something already where the backup goes: {path}",
                hint="move it away, or restore into another --home",
            )


@contextmanager
def _scratch(home: Path, prefix: str, *, alone: bool = False) -> Iterator[Path]:
    """Give a directory in ``home`` that goes away, as do those of who was killed; the lock tells who runs.

    With ``alone`` it waits for whoever makes or restores a CA there, and is waited for.
    """
    lock = os.open(home, os.O_RDONLY)
    try:
        with suppress(BlockingIOError):  # another one runs, and one of them is its
            flock(lock, LOCK_EX if alone else LOCK_EX | LOCK_NB)
            for left in home.glob(f"{prefix}*"):
                shutil.rmtree(left)
        flock(lock, LOCK_EX if alone else LOCK_SH)
        with tempfile.TemporaryDirectory(dir=home, prefix=prefix) as scratch:
            yield Path(scratch)
    finally:
        os.close(lock)


def _entries(home: Path) -> tuple[Path, ...]:
    """Return the files and directories of ``home`` that go into a backup, each directory before what is in it.

    Raises FileError ``backup.entry`` for what could not be brought back.
    """
    found = []
    for top in (home / part for part in PARTS if os.path.lexists(home / part)):
        found.append(_require_kept(top, home))
        for folder, folders, files in os.walk(top, onerror=_not_listed) if top.is_dir() else ():
            found += [_require_kept(Path(folder, name), home) for name in sorted((*folders, *files))]
    return tuple(found)


def _require_kept(path: Path, home: Path) -> Path:
    """Raise FileError for what is no file, no directory and no link to a file; a part as a whole may lie elsewhere."""
    if path.is_file() or (path.is_dir() and not path.is_symlink()):
        return path
    if path.is_dir():
        if path.parent == home and not home.resolve().is_relative_to(path.resolve()):
            return path
        what = "a link to a directory"
    else:
        what = "neither a file nor a directory" if path.exists() else "a link to nothing"
    raise FileError("backup.entry", f"{what} does not go into a backup: {path}", hint="move it out of the home")


def _not_listed(error: OSError) -> Never:
    raise not_read(Path(error.filename), error) from error


def _pack(archive: Path, home: Path, snapshot: Path, entries: Iterable[Path]) -> None:
    with tarfile.open(archive, "w", dereference=True) as tar:  # a link may lead to what another machine has not
        tar.add(snapshot, STORE)
        for path in entries:
            tar.add(path, str(path.relative_to(home)), recursive=False)


def _unpack(tar: tarfile.TarFile, target: Path) -> None:
    """Write the files and directories of a backup; by hand: the Python of Debian 12 has no filter."""
    for member in tar:
        path, content = target / member.name, tar.extractfile(member) if member.isfile() else None
        if ".." in path.parts or not path.is_relative_to(target) or not (content or member.isdir()):
            raise FileError("backup.read", f"neither a file nor a directory of a home: {member.name}")
        make_directory(path.parent, mode=0o700)
        if content is None:
            make_directory(path, mode=member.mode & 0o755 | 0o700)
            continue
        with content, opened_new(path, mode=member.mode & 0o755, overwrite=False) as stream:
            shutil.copyfileobj(content, stream)


def _check(unpacked: Path) -> None:
    with open_store(unpacked / STORE) as store:
        store.cas()
        report = store.verify_key_uses()
    if report.findings:
        raise FileError("backup.log", f"the key-use log in the backup is not intact: {report.findings[0].message}")


def _go_on(unpacked: Path, since: timedelta) -> None:
    """Leave out the numbers that lists may have had since the backup was made (RFC 5280 5.2.3), and its old lists.

    By the time that has passed, so that the same backup restored once more goes on from higher ones.
    """
    passed = max(int(since.total_seconds()), 1) * _LISTS_A_SECOND
    keystore = FileKeyStore(unpacked / "keys", lambda: None)
    with open_store(unpacked / STORE) as store, store.transaction():
        for record in store.cas():
            if keystore.has(record.key_id):
                store.raise_crl_number(record.name, store.last_crl_number(record.name) + passed)
                store.forget_crls(record.name)


def _move(unpacked: Path, home: Path) -> None:
    """Move the parts in, the store last: it is what makes a home a CA."""
    parts = [part for part in (*PARTS, STORE) if (unpacked / part).exists()]
    refuse_taken(home, parts)
    for folder in ("keys", "sites", "canaries"):
        if (unpacked / folder).is_dir():
            (unpacked / folder).chmod(0o700)
    moved: list[str] = []
    try:
        for part in parts:
            (unpacked / part).rename(home / part)
            moved.append(part)
    except OSError:
        for part in moved:
            (home / part).rename(unpacked / part)
        raise
