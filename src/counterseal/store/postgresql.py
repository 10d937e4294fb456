"""The store in a PostgreSQL database, which any number of hosts may share.

Durable: every method that writes returns after its commit is on the disk of the database, and of its synchronous
standby where it has one. A transaction begins with one advisory lock. The jobs of services share it: they write beside
each other, and lock the rows that they decide by. Who does not say which those are has it alone, and nothing changes
meanwhile, as in a file. docs/decisions/0006-writers-beside-each-other.md says more.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from psycopg.errors import QueryCanceled

from counterseal.errors import StoreError
from counterseal.findings import Finding, Report, Severity
from counterseal.store import sqlite
from counterseal.store.announcements import CHANNEL, MOVED
from counterseal.store.copying import copy_store
from counterseal.store.migrations import refuse_newer
from counterseal.store.postgresql_connection import Address, PostgreSQL, connect
from counterseal.store.postgresql_failures import FAULTS, postgresql_error
from counterseal.store.postgresql_listener import PostgreSQLListener
from counterseal.store.postgresql_pool import refuse_shared
from counterseal.store.postgresql_schema import LOCK, schema_version, steps, upgrade
from counterseal.store.session import Dialect
from counterseal.store.store import RETIRED, Store, too_broad

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_SECONDS = 10.0
_TOGETHER = f"begin; select pg_advisory_xact_lock_shared({LOCK})"
POSTGRESQL = Dialect(
    faults=FAULTS,
    error=postgresql_error,
    write=f"begin; select pg_advisory_xact_lock({LOCK})",
    write_together=_TOGETHER,
    write_soon=f"{_TOGETHER}; set local synchronous_commit = off",
    begin=PostgreSQL.begin,
    read="begin isolation level repeatable read read only",
    stream=PostgreSQL.stream,
    together=PostgreSQL.together,
    clock="cast(floor(extract(epoch from clock_timestamp())) as bigint)",
    lock=" for update",
    skip_locked=" for update skip locked",
)
_SIZE = "select pg_database_size(current_database())"


class PostgreSQLStore(Store):
    """The store in a database server."""

    is_shared = True

    def __init__(self, connection: PostgreSQL, address: Address) -> None:
        super().__init__(connection, str(address), POSTGRESQL)
        self._server = connection
        self._url = address.url

    def cut(self) -> None:
        """End whatever waits for the server; see ``Store``."""
        self._server.cut()

    def leave(self) -> None:
        """End whatever waits, and connect no more; see ``Store``."""
        self._server.leave()

    def wait_never(self) -> None:
        """Fail at once where another process is writing; see ``Store``."""
        self.run("select set_config('lock_timeout', '1', false)")

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """End each statement that takes longer; see ``Store``."""
        limit = "select set_config('statement_timeout', ?, false)"
        self.run(limit, (str(int(seconds * 1000)),))
        try:
            yield
        except StoreError as error:
            if isinstance(error.__cause__, QueryCanceled):
                raise too_broad(seconds) from error
            raise
        finally:
            with suppress(StoreError):  # a connection that was lost is made anew, without it
                self.run(limit, ("0",))

    def commit_soon(self) -> None:
        """Wait for no flush; see ``Store``."""
        self._server.always("select set_config('synchronous_commit', 'off', false)")

    def is_standby(self) -> bool:
        """Whether the server only follows another one; see ``Store``."""
        return self.row("select pg_is_in_recovery()") == (True,)

    def listen(self) -> PostgreSQLListener:
        """Be told on a connection of its own what changes; see ``Store``."""
        return PostgreSQLListener(self._server.again(), self.place)

    def size(self) -> int:
        """Return the size of the database."""
        row = self.row(_SIZE)
        return int(row[0]) if row else 0

    def check(self) -> Report:
        """Say what breaks the promise that what is committed stays: settings, a second primary. Pages are not ours."""
        findings = (
            Finding(
                "store.not_durable",
                Severity.CRITICAL,
                f"the database may lose what it has committed: {name} is off",
                where=self.place,
                hint=f"alter system set {name} = on; then restart the database",
            )
            for name in ("fsync", "full_page_writes")
            if self.row(f"show {name}") == ("off",)
        )
        return Report((*findings, *self._second_primary()))

    def _second_primary(self) -> Iterator[Finding]:
        from counterseal.store.postgresql_primaries import primaries  # noqa: PLC0415 - for this question alone

        found = primaries(self._url, self._server.line.info.password)
        if len(found) > 1:
            yield Finding(
                "store.two_primaries",
                Severity.CRITICAL,
                f"several hosts of the store may be written to: {', '.join(found)}",
                where=self.place,
                hint="stop the one that is the primary no more: what was revoked there the other does not know",
            )

    def retire(self, moved_to: str) -> None:
        """Mark it, tell those who listen, and refuse every change to what counts; see ``Store``."""
        self.mark_moved(moved_to)
        self.run("select pg_notify(?, ?)", (CHANNEL, MOVED + moved_to))
        told = moved_to.replace("'", "''").replace("%", "%%")
        self.run(
            "create function store_retired() returns trigger language plpgsql as $$ begin"
            f" raise exception 'this store was moved to {told}' using errcode = 'integrity_constraint_violation';"
            " end $$"
        )
        for table, event in RETIRED:
            self.run(
                f"create trigger {table}_retired_{event} before {event} on {table}"
                " for each row execute function store_retired()"
            )

    def wait_long(self) -> None:
        """Let a transaction of this connection say nothing for as long as it likes, while another store is filled."""
        self.run("select set_config('idle_in_transaction_session_timeout', '0', false)")

    def snapshot(self, destination: Path) -> None:
        """Write a consistent copy; see ``Store``. Nobody writes meanwhile."""
        sqlite.claim(destination)
        try:
            with sqlite.open_store(destination, create=True) as copy, self.transaction(), copy.transaction():
                self.wait_long()
                copy_store(self, copy)
            sqlite.finish_copy(destination)
        except BaseException:
            destination.unlink(missing_ok=True)
            raise


def open_store(
    url: str, password: str | None = None, *, create: bool = False, busy_seconds: float = BUSY_SECONDS
) -> PostgreSQLStore:
    """Open the store in the database at ``url``; ``create`` makes its tables where there are none.

    An older schema is not migrated here, because other hosts may use it: ``upgrade_store`` does. Raises StoreError:
    ``store.unreachable``, ``store.missing``, ``store.foreign``, ``store.moved``, ``store.outdated``, ``store.too_new``,
    ``store.pooled``; InputError for a wrong URL.
    """
    address = Address(url)
    connection = connect(address, password, busy_seconds=busy_seconds)
    try:
        refuse_shared(connection, str(address))
        _require_schema(connection, str(address), create=create)
    except FAULTS as error:
        connection.close()
        raise postgresql_error(error, str(address)) from error
    except BaseException:
        connection.close()
        raise
    return PostgreSQLStore(connection, address)


def upgrade_store(url: str, password: str | None = None) -> tuple[int, int]:
    """Bring an existing store to this program's schema; return the version before and after; raises StoreError."""
    address = Address(url)
    connection = connect(address, password, busy_seconds=BUSY_SECONDS)
    try:
        refuse_shared(connection, str(address))
        if not schema_version(connection, str(address)):
            raise _missing(str(address))
        return upgrade(connection, str(address))
    except FAULTS as error:
        raise postgresql_error(error, str(address)) from error
    finally:
        connection.close()


def missing_steps(url: str, password: str | None = None) -> tuple[str, ...]:
    """Return the steps that ``upgrade_store`` would take, and change nothing; raises what it raises."""
    address = Address(url)
    connection = connect(address, password, busy_seconds=BUSY_SECONDS)
    try:
        refuse_shared(connection, str(address))
        found = schema_version(connection, str(address))
        refuse_newer(str(address), found, steps()[-1].version)
    except FAULTS as error:
        raise postgresql_error(error, str(address)) from error
    finally:
        connection.close()
    if not found:
        raise _missing(str(address))
    return tuple(step.name for step in steps() if step.version > found)


def _require_schema(connection: PostgreSQL, place: str, *, create: bool) -> None:
    found, newest = schema_version(connection, place), steps()[-1].version
    refuse_newer(place, found, newest)
    if not found and not create:
        raise _missing(place)
    if not found:
        upgrade(connection, place)
    elif found < newest:
        raise StoreError(
            "store.outdated",
            f"the store was made by an older Counterseal: {place} has schema {found}, this program needs {newest}",
            hint="counterseal db upgrade, after a backup and once every host has this program: older services end then",
        )


def _missing(place: str) -> StoreError:
    return StoreError("store.missing", f"there is no store here: {place}", hint="make one with: counterseal init")
