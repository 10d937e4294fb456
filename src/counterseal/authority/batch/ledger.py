"""How far a batch is, on disk: a sheet of what was issued, the files' archive, and a journal while it is unfinished.

Every chunk goes to the archive, then to the sheet, then as one line to the journal, each flushed to disk, before the
store records it. So whatever is killed and whenever: the last line of the journal speaks of a chunk that the store has,
and then all of it is here, or of one that it has not, and then sheet and archive are cut back to the line before.
The sheet stays; a name that stands in it is not issued again.
"""

from __future__ import annotations

import csv
import fcntl
import io
import os
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, Self

from counterseal.authority.batch import tape
from counterseal.errors import CountersealError, FileError, InputError, StoreError
from counterseal.files import reason_of
from counterseal.fileset import SECRET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

COLUMNS = ("name", "serial_number", "not_after", "password")
_START = "-"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a batch's files go: into ``directory``, or when that is None into the one file ``archive``."""

    directory: Path | None
    archive: Path
    sheet: Path

    @classmethod
    def in_directory(cls, directory: Path) -> Place:
        """Return the place for files in a directory; the archive is there only while the batch is unfinished."""
        return cls(directory, directory / ".issued.tar", directory / "issued.csv")

    @classmethod
    def in_archive(cls, archive: Path) -> Place:
        """Return the place for one archive; ``X.tar`` has its sheet beside it, ``X.issued.csv``."""
        return cls(None, archive, archive.with_suffix(".issued.csv"))

    @property
    def partial(self) -> Path:
        """The archive as long as it is unfinished."""
        return self.archive.with_name(f"{self.archive.name}.partial")

    @property
    def journal(self) -> Path:
        """The journal, there only while the batch is unfinished."""
        return self.archive.with_name(f".{self.archive.name.lstrip('.')}.journal")

    @property
    def is_unfinished(self) -> bool:
        """Whether a batch was begun here and not ended."""
        return self.journal.exists()


class Deposit(NamedTuple):
    """A chunk that is on disk: where its members begin and end in the archive, and how long the sheet is with it."""

    start: int
    end: int
    sheet: int


def issued_names(place: Place) -> set[str]:
    """Return the names that the sheet has, complete lines only; raises FileError, InputError ``batch.sheet``."""
    if not place.sheet.exists():
        return set()
    try:
        with place.sheet.open(newline="", encoding="utf-8") as stream:
            rows = csv.reader(stream)
            if (heading := next(rows, None)) not in (None, list(COLUMNS)):
                raise _no_sheet(place)
            return {row[0] for row in rows if len(row) == len(COLUMNS)} if heading else set()
    except OSError as error:
        raise _unusable(place.sheet, error) from error
    except (ValueError, csv.Error) as error:
        raise _no_sheet(place) from error


class Ledger:
    """Sheet, archive and journal, open for one batch; a second one for the same place is refused."""

    def __init__(self, place: Place, *, fingerprint: str, is_recorded: Callable[[int], bool]) -> None:
        self._place = place
        self._opened: list[int] = []
        try:
            self._journal = self._open(place.journal)
            self._lock()
            self.parts = self._recover(fingerprint, is_recorded)
        except OSError as error:
            self.close()
            raise _unusable(place.journal.parent, error) from error
        except CountersealError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files, and of the place."""
        while self._opened:
            os.close(self._opened.pop())

    @property
    def archive(self) -> Path:
        """Where the members are while the batch runs."""
        return self._place.partial

    def deposit(self, members: bytes, rows: Iterable[Sequence[str]], *, opening: bytes = b"") -> Deposit:
        """Append a chunk, on disk when this returns; an archive that is empty begins with ``opening``.

        A fork of this process can do it, one chunk after the other, while this one notes and records those before.
        """
        lines = io.StringIO()
        csv.writer(lines, lineterminator="\n").writerows(rows)
        try:
            start = os.lseek(self._archive, 0, os.SEEK_END)
            _append(self._archive, members if start else opening + members)
            _append(self._sheet, lines.getvalue().encode())
            return Deposit(start, os.fstat(self._archive).st_size, os.fstat(self._sheet).st_size)
        except OSError as error:
            raise _unusable(self._place.archive, error) from error

    def note(self, deposit: Deposit, *, last_serial: int) -> None:
        """Write the chunk into the journal, on disk when this returns; only then may it be recorded."""
        try:
            _append(self._journal, f"{deposit.sheet} {deposit.end} {last_serial:x}\n".encode())
        except OSError as error:
            raise _unusable(self._place.journal, error) from error

    def finish(self) -> None:
        """End the batch: everything is on disk, the archive has its name, the journal is gone."""
        try:
            if self._place.directory is None:
                _append(self._archive, tape.END)
                self._place.partial.replace(self._place.archive)
                self._place.journal.unlink()
            else:
                os.sync()  # the files were written without a flush each
                self._place.journal.unlink()
                self._place.partial.unlink()
        except OSError as error:
            raise _unusable(self._place.archive, error) from error

    def _lock(self) -> None:
        try:
            fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FileError(
                "batch.running", f"another batch is writing here: {self._place.journal.parent}", hint="wait for its end"
            ) from error

    def _recover(self, fingerprint: str, is_recorded: Callable[[int], bool]) -> list[tuple[int, int]]:
        """Open sheet and archive at the last recorded chunk, and return where the members of each chunk are."""
        try:
            head, *lines = _complete_lines(self._journal) or [""]
            positions = [_position(line) for line in lines]
        except ValueError as error:
            raise tape.damaged(self._place.journal) from error
        if head and head != fingerprint:
            raise InputError(
                "batch.options",
                f"an unfinished batch is here with other options: {head}",
                hint=f"end it with those options, or move {self._place.journal}, {self._place.sheet} and "
                f"{self._place.partial} away",
            )
        if positions:
            return self._go_on(positions, is_recorded)
        self._begin(fingerprint)
        return []

    def _begin(self, fingerprint: str) -> None:
        place = self._place
        os.truncate(self._journal, 0)
        self._sheet = self._open(place.sheet)
        if not os.fstat(self._sheet).st_size:
            _append(self._sheet, (",".join(COLUMNS) + "\n").encode())
        length = _length_without_end(place.archive)
        _append(self._journal, f"{fingerprint}\n{os.fstat(self._sheet).st_size} {length} {_START}\n".encode())
        self._open_archive(length)

    def _go_on(
        self, positions: list[tuple[int, int, str]], is_recorded: Callable[[int], bool]
    ) -> list[tuple[int, int]]:
        kept = [one for one in positions[:-1] if _holds(one, is_recorded)]
        if len(kept) < len(positions) - 1:
            raise StoreError(
                "batch.other_store",
                f"the unfinished batch was issued by another CA: {self._place.journal.parent}",
                hint="go on with the --home that it was begun with",
            )
        if _holds(positions[-1], is_recorded):
            kept = positions
        sheet, archive, _ = kept[-1]
        self._sheet = self._reopen(self._place.sheet, sheet)
        self._open_archive(archive)
        os.truncate(self._sheet, sheet)
        os.truncate(self._journal, _end_of_line(self._journal, 1 + len(kept)))
        return [(before[1], after[1]) for before, after in pairwise(kept)]

    def _open_archive(self, length: int) -> None:
        place = self._place
        if place.directory is None and place.archive.exists():  # ended before: rows were added, or it was just renamed
            place.archive.replace(place.partial)
        self._archive = self._reopen(place.partial, length)
        os.truncate(self._archive, length)

    def _reopen(self, path: Path, length: int) -> int:
        """Open a file that has so many octets already; one that is gone is not made anew."""
        if length and not path.exists():
            raise tape.damaged(path)
        descriptor = self._open(path)
        if os.fstat(descriptor).st_size < length:  # to cut it there would fill it up with zeros
            raise tape.damaged(path)
        return descriptor

    def _open(self, path: Path) -> int:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, SECRET)
        self._opened.append(descriptor)
        return descriptor


def _holds(position: tuple[int, int, str], is_recorded: Callable[[int], bool]) -> bool:
    return position[2] == _START or is_recorded(int(position[2], 16))


def _position(line: str) -> tuple[int, int, str]:
    """Return what a line of the journal says; raises ValueError."""
    sheet, archive, serial = line.split(" ")
    if serial != _START:
        int(serial, 16)
    return int(sheet), int(archive), serial


def _complete_lines(descriptor: int) -> list[str]:
    content = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    return content[: content.rfind(b"\n") + 1].decode().splitlines()


def _end_of_line(descriptor: int, number: int) -> int:
    content = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    return len(b"".join(content.splitlines(keepends=True)[:number]))


def _length_without_end(archive: Path) -> int:
    """Return how long an archive that was ended here is without its end; 0 when there is none."""
    if not archive.exists():
        return 0
    with archive.open("rb") as stream:
        length = stream.seek(max(stream.seek(0, os.SEEK_END) - len(tape.END), 0))
        if stream.read() == tape.END:
            return length
    raise FileError("batch.archive", f"not an archive that a batch ended: {archive}", hint="choose another name")


def _append(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
    os.fsync(descriptor)


def _no_sheet(place: Place) -> InputError:
    return InputError(
        "batch.sheet",
        f"not the sheet of a batch, though it has its name: {place.sheet}",
        hint="move it away, or choose another place for the files",
    )


def _unusable(path: Path, error: OSError) -> FileError:
    return FileError("file.write", f"cannot write {path}: {reason_of(error)}")
