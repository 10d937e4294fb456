"""One connection to PostgreSQL, as a session uses it: ``?`` for values, octets as octets, integers as 64 bits.

Decides what a commit promises, how long anybody waits, and that no password is ever part of what is shown.
"""

from __future__ import annotations

import os
import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper
from psycopg.waiting import wait_async

from counterseal.errors import InputError, StoreError
from counterseal.store.migrations import BEYOND
from counterseal.store.postgresql_failures import FAULTS, read_only, unreachable
from counterseal.suspension import apart, can_suspend, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager

    from psycopg.abc import PQGen

    from counterseal.store.rows import Row

T = TypeVar("T")

CONNECT_SECONDS = 10
IDLE_SECONDS = 20
"""A transaction whose client says nothing for so long is rolled back: a frozen replica holds up nobody for longer."""

WAKE_SECONDS = 0.1
"""How often who waits for the server may be interrupted, as the driver has it."""

AT_ONCE = 4096
_DEFAULTS = {
    "application_name": "counterseal",
    "target_session_attrs": "read-write",  # of several hosts the one that is the primary now
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
    "client_encoding": "UTF8",
}
_SCHEME = re.compile(r"[A-Za-z]{1,20}://")
_HOST = r"(?:\[[0-9A-Fa-f:.]+(?:%[^\]@/?#\s]+)?\]|[^\[\]:@/?#,\s]*)(?::[0-9]*)?"
_URL = re.compile(
    rf"postgres(?:ql)?://(?:[^:@/?#\s]*@)?{_HOST}(?:,{_HOST})*(?:/[^@?#\s]*)?(?:\?(?P<options>[^@?#\s=]+=[^@#\s]*))?"
)
"""A password that stands in one, with whatever signs, makes it another text: behind its user there is no ``@``."""

_PASSWORD = re.compile(r"postgres(?:ql)?://[^@]*:.*@", re.DOTALL)
_PASSWORD_OPTION = re.compile(r"password\s*=", re.IGNORECASE)
_IN_TRANSACTION = {TransactionStatus.ACTIVE, TransactionStatus.INTRANS, TransactionStatus.INERROR}


@dataclass(frozen=True, slots=True)
class Address:
    """Where the database is: ``postgresql://USER@HOST/NAME``, with several hosts and options as libpq knows them."""

    url: str

    def __post_init__(self) -> None:
        found = _URL.fullmatch(self.url)
        scheme = _SCHEME.match(self.url)
        shown = str(self) if found else f"{scheme[0] if scheme else ''}..."  # what is not read may be a password
        if _PASSWORD_OPTION.search(unquote(found["options"] or "")) if found else _PASSWORD.match(self.url):
            raise InputError(
                "store.password_in_url",
                f"a password does not belong into the store's URL: {shown}",
                hint="name a file with it: password_file in [store]; or use ~/.pgpass",
            )
        if not found:
            raise InputError(
                "store.url", f"not the URL of a store: {shown}", hint="write postgresql://user@host/counterseal"
            )

    def __str__(self) -> str:
        """Return it without its options."""
        return self.url.partition("?")[0]


class Line(psycopg.Connection["Row"]):
    """The driver's connection; whoever runs in an event loop does not hold it up."""

    def wait(self, gen: PQGen[T], interval: float = WAKE_SECONDS, timeout: float | None = None) -> T:
        """Wait for the server, as the class above does or as the driver's asynchronous one does."""
        if can_suspend():
            return wait_for(wait_async(gen, self.pgconn.socket, interval, timeout))
        return super().wait(gen, interval, timeout)

    @cached_property
    def plain(self) -> psycopg.Cursor[Row]:
        """The cursor for statements without values, in the simple protocol."""
        return self.cursor()

    @cached_property
    def binary(self) -> psycopg.Cursor[Row]:
        """The cursor for those with values: a third of a statement's time is that of a new one."""
        return self.cursor(binary=True)


class PostgreSQL:
    """A connection in autocommit, whose transactions are statements like others.

    One that was lost is made anew for the next statement, but never in the middle of a transaction.
    """

    def __init__(self, dial: Callable[[], Line]) -> None:
        self._dial = dial
        self._inner = dial()
        self._began = self._is_left = False
        self._names = count()

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, also a failed one."""
        return self._inner.info.transaction_status in _IN_TRANSACTION

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> psycopg.Cursor[Row]:
        """Run a statement; its rows are there until the next one. A commit that became a rollback raises StoreError."""
        line = self._reach(statement)
        if values:
            return line.binary.execute(_translate(statement), values)
        cursor = line.plain.execute(statement.encode())
        if statement == "commit" and cursor.statusmessage != "COMMIT":
            raise StoreError("store.rolled_back", "the store rolled back what was being written")
        return cursor

    def begin(self, statement: str) -> Row | None:
        """Begin a transaction that writes and return what ``BEYOND`` finds then, in one go to the server and back.

        Raises StoreError ``store.read_only`` before any key has signed what could not be recorded.
        """
        cursor = self.execute(f"{statement}; show transaction_read_only; {BEYOND}")
        answers = []  # each statement has one of its own
        while cursor.nextset():
            answers.append(cursor.fetchone() if cursor.description else None)
        *_, may_only_read, beyond = answers
        if may_only_read == ("on",):
            raise read_only("its transactions may not write (transaction_read_only)")
        return beyond

    def executemany(self, statement: str, rows: Iterable[Row], /) -> psycopg.Cursor[Row]:
        """Run a statement once a row, sent together."""
        cursor = self._inner.cursor()
        cursor.executemany(_translate(statement), rows)
        return cursor

    def together(self) -> AbstractContextManager[object]:
        """Send what is run inside without waiting for each answer; cursors count when the block has ended."""
        return self._inner.pipeline()

    def stream(self, statement: str, values: Sequence[Any] = (), /) -> psycopg.ServerCursor[Row]:
        """Read through a cursor of the server, which outlives a transaction and lets other statements be run."""
        cursor = self._reach(statement).cursor(f"rows_{next(self._names)}", binary=True, withhold=True)
        cursor.itersize = AT_ONCE
        cursor.execute(_translate(statement), values)
        return cursor

    def always(self, statement: str) -> None:
        """Run a statement now, and on every connection that is made in the place of this one."""
        dial = self._dial

        def dial_so() -> Line:
            line = dial()
            line.execute(statement.encode())
            return line

        self._dial = dial_so
        self.execute(statement)

    def again(self) -> PostgreSQL:
        """Return one more connection to the same database."""
        return PostgreSQL(self._dial)

    @property
    def line(self) -> Line:
        """The driver's connection as it is now, for who must know when it is lost."""
        return self._inner

    def _reach(self, statement: str) -> Line:
        begins = statement.startswith("begin")
        if self._inner.closed and (begins or not self._began):
            if self._is_left:
                raise unreachable("it is not waited for any longer")
            self._inner = apart(self._dial)
        self._began = begins or (self._began and statement not in {"commit", "rollback"})
        return self._inner

    def cut(self) -> None:
        """Give up on a server that does not answer: who waits for it gets an error. From any thread."""
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self._inner.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)

    def leave(self) -> None:
        """Do so, and make no connection anew. From any thread."""
        self._is_left = True
        self.cut()

    def close(self) -> None:
        """Close the connection; what is not committed is rolled back."""
        self._inner.close()


def connect(address: Address, password: str | None, *, busy_seconds: float) -> PostgreSQL:
    """Return a connection whose commits are durable when they return; raises StoreError ``store.unreachable``."""
    return PostgreSQL(lambda: _dial(address, password, busy_seconds))


def _dial(address: Address, password: str | None, busy_seconds: float) -> Line:
    given = parse_qs(urlsplit(address.url).query).keys()
    options = {key: value for key, value in _DEFAULTS.items() if key not in given}
    try:
        inner = Line.connect(
            make_conninfo(address.url, **options), password=password, autocommit=True, connect_timeout=CONNECT_SECONDS
        )
        inner.adapters.register_dumper(int, Int8Dumper)
        inner.adapters.register_dumper(int, Int8BinaryDumper)
        inner.execute(_SETTINGS % (int(busy_seconds * 1000) or 1, IDLE_SECONDS * 1000))
        (encoding,) = inner.execute("show server_encoding").fetchone() or ("unknown",)
    except FAULTS as error:
        raise unreachable(f"{address}: {(str(error).strip() or type(error).__name__).splitlines()[0]}") from error
    if encoding != "UTF8":
        inner.close()
        raise StoreError(
            "store.encoding",
            f"the database is not in UTF8 but {encoding}: {address}",
            hint="make it so: createdb --encoding UTF8 --template template0 counterseal",
        )
    return inner


# No question of ours is worth a second process: a plan for whatever values come would begin one for a look-up.
_SETTINGS = """
    select set_config('lock_timeout', '%d', false),
        set_config('idle_in_transaction_session_timeout', '%d', false),
        set_config('statement_timeout', '0', false),
        set_config('default_transaction_isolation', 'read committed', false),
        set_config('bytea_output', 'hex', false),
        set_config('max_parallel_workers_per_gather', '0', false),
        case when current_setting('synchronous_commit') in ('off', 'local')
            then set_config('synchronous_commit', 'on', false) end
"""


@lru_cache(maxsize=512)
def _translate(statement: str) -> bytes:
    """Return the statement with the driver's sign for a value; none of ours has a question mark in a literal."""
    return statement.replace("%", "%%").replace("?", "%s").encode()
