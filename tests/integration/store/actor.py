"""A process of its own that uses a store; started by the tests beside it, told what to do by its arguments.

It says ``ready``, waits for a line on its standard input, and then works, so that several start at the same moment.
"""

from __future__ import annotations

import resource
import sys
from mmap import mmap
from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.errors import CountersealError, StoreError
from counterseal.store.sqlite import open_store
from store_fixtures import CLIENTS, NOW, certificate, issue, key_use, reservation

if TYPE_CHECKING:
    from counterseal.store.store import Store

FILLING = b"x" * 20_000


def say(word: object) -> None:
    """Tell the test."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def create(path: Path, _: int) -> None:
    """Open a store that may not be there yet, and use it."""
    with open_store(path, create=True) as store:
        store.cas()
        say("created")


def contend(path: Path, count: int) -> None:
    """Try to issue serial numbers 1 to ``count``, as every other process does, and say which were ours."""
    with open_store(path) as store:
        for number in range(1, count + 1):
            record = certificate(number, name=f"device-{number}")
            try:
                store.reserve_many([reservation(record)])
            except StoreError as error:
                if error.code != "store.serial_taken":
                    raise
                continue
            store.record(record, key_use(record))
            say(number)


def number_crls(path: Path, count: int) -> None:
    """Take ``count`` CRL numbers and say them."""
    with open_store(path) as store:
        for _ in range(count):
            say(store.next_crl_number("clients"))


def stop_after_reserving(path: Path, number: int) -> None:
    """Reserve, and then never get further."""
    with open_store(path) as store:
        store.reserve_many([reservation(certificate(number))])
        say("reserved")
        sys.stdin.readline()


def stop_before_commit(path: Path, number: int) -> None:
    """Write certificate and log entry, and stop in the middle of the transaction."""
    with open_store(path) as store, store.transaction():
        record = certificate(number)
        store._append_key_uses([key_use(record)])
        store.run(
            "update certificate set status = 'valid', subject = '', names = '', not_before = 0, not_after = 0",
        )
        say("written")
        sys.stdin.readline()


def issue_for_ever(path: Path, start: int) -> None:
    """Issue one after the other and say each once it is recorded."""
    with open_store(path) as store:
        for number in range(start, start + 1_000_000):
            issue(store, certificate(number))
            say(number)


def fill(path: Path, limit: int) -> None:
    """Issue until something fails, with files limited to ``limit`` bytes (0: by the disk), and say how it ended."""
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    with open_store(path) as store:
        _fill(store)
        store.cas()  # the store that failed still answers


def _fill(store: Store) -> None:
    for number in range(1, 10_000):
        try:
            issue(store, certificate(number, certificate=FILLING))
        except CountersealError as error:
            say(f"{error.code} {number}")
            return


def issue_one(path: Path, number: int) -> None:
    """Issue one certificate, or say why not."""
    try:
        with open_store(path) as store:
            issue(store, certificate(number))
            say("issued")
    except CountersealError as error:
        say(error.code)


def revoke_all(path: Path, count: int) -> None:
    """Revoke serial numbers 1 to ``count``, and say in shared memory how many of them are committed.

    Now and then the log is begun anew, or put back into the database.
    """
    with open_store(path) as store, committed_beside(path) as committed:
        for number in range(1, count + 1):
            store.revoke(number, at=NOW, reason="superseded", crl_entry=b"")
            committed[0] = number
            if number % 5 == 0:
                store.rows(f"pragma wal_checkpoint({('restart', 'truncate')[number % 2]})")


def committed_beside(path: Path) -> mmap:
    """Return an octet that processes share; the file must be there."""
    with path.with_name("committed").open("r+b") as file:
        return mmap(file.fileno(), 1)


def look(path: Path, number: int) -> None:
    """Look one up, or say why not."""
    try:
        with open_store(path) as store:
            say(store.certificate(number).name)
    except CountersealError as error:
        say(error.code)


def make(path: Path, number: int) -> None:
    """Make a store with one certificate."""
    with open_store(path, create=True) as store:
        store.add_ca(CLIENTS)
        issue(store, certificate(number, created_at=NOW))
        say("made")


ACTS = (
    create,
    contend,
    number_crls,
    stop_after_reserving,
    stop_before_commit,
    issue_for_ever,
    fill,
    issue_one,
    revoke_all,
    look,
    make,
)

if __name__ == "__main__":
    act = next(act for act in ACTS if act.__name__ == sys.argv[1])
    say("ready")
    sys.stdin.readline()
    act(Path(sys.argv[2]), int(sys.argv[3]))
