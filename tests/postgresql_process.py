"""A PostgreSQL of the tests' own: Debian's programs in a directory of its own, never the machine's cluster."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import suppress
from functools import cache, cached_property
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

USERS = ("postgres", "nobody")
"""Whom a test that is root becomes: PostgreSQL refuses to run as root."""

_names = count()


class Cluster:
    """A running server. Durable only when asked: most tests do not pull the plug."""

    def __init__(
        self, base: Path, *, durable: bool = False, settings: str = "", follows: Cluster | None = None
    ) -> None:
        self.base = base
        self.directory = base / "data"
        own(base)
        if follows is None:
            self._run("initdb", "--auth", "trust", "--username", "counterseal", "--encoding", "UTF8", "--no-sync")
        else:
            source = ["--host", str(follows.base), "--username", "counterseal"]
            self._run("pg_basebackup", *source, "--write-recovery-conf", "--checkpoint", "fast", "--no-sync")
        lines = [
            "listen_addresses = ''",
            f"unix_socket_directories = '{base}'",
            "max_connections = 200",
            "shared_buffers = '64MB'",
            settings,
        ]
        lines += [] if durable else ["fsync = off", "full_page_writes = off", "synchronous_commit = off"]
        with (self.directory / "postgresql.conf").open("a") as file:
            file.write("\n".join(lines) + "\n")
        self.start()

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        self._run("pg_ctl", "--wait", "--timeout", "60", "--log", str(self.base / "log"), "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop the server."""
        self._run("pg_ctl", "--wait", "--timeout", "60", "--mode", mode, "stop")

    def end(self) -> None:
        """Stop it at once if it runs."""
        if (self.directory / "postmaster.pid").exists():
            self.stop("immediate")

    def restart(self, mode: str = "fast") -> None:
        """Stop it and start it again."""
        self.stop(mode)
        self.start()

    def promote(self) -> None:
        """Make the standby the primary."""
        self._run("pg_ctl", "--wait", "--timeout", "60", "promote")

    def send(self, number: int) -> None:
        """Send a signal to every process of the server, each by its id."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        for process in [self.pid, *map(int, children)]:
            with suppress(ProcessLookupError):
                os.kill(process, number)

    @property
    def pid(self) -> int:
        """The process id of the postmaster."""
        return int((self.directory / "postmaster.pid").read_text().split("\n")[0])

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database."""
        return f"postgresql://counterseal@/{database}?host={self.base}"

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement as the owner."""
        import psycopg  # noqa: PLC0415 - most tests need no PostgreSQL

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def create(self, template: str = "template0") -> str:
        """Make a database and return its URL."""
        name = f"test_{next(_names)}"
        self.sql(f"create database {name} template {template}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database that ``create`` made, whoever still has it open."""
        self.sql(f"drop database {urlsplit(url).path.strip('/')} with (force)")

    @cached_property
    def template(self) -> str:
        """The name of a database with an empty store, to make others from."""
        from counterseal.store.postgresql import open_store  # noqa: PLC0415 - same

        open_store(self.create(), create=True).close()
        return f"test_{next(_names) - 1}"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*dropped(), str(programs() / program), "--pgdata", str(self.directory), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,  # the server would inherit a pipe
            stderr=subprocess.STDOUT,
            cwd="/",
            check=False,
        )
        log = self.base / "log"
        said = (done.stdout or b"").decode() + (log.read_text() if log.exists() else "")
        assert done.returncode == 0, f"{program} failed: {said[-2000:]}"


def programs() -> Path:
    """Return the directory of the newest PostgreSQL that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    assert found, "no PostgreSQL: apt-get install postgresql"
    return found[-1].parent


def dropped() -> list[str]:
    """Return what a command begins with to be run as somebody who is not root."""
    return ["setpriv", f"--reuid={_user().pw_uid}", f"--regid={_user().pw_gid}", "--clear-groups"] if is_root() else []


def is_root() -> bool:
    """Whether this test is root."""
    return os.geteuid() == 0


def own(directory: Path) -> None:
    """Make the directory the server's, short and reachable."""
    directory.mkdir(parents=True, exist_ok=True)
    give(directory)


def give(path: Path) -> None:
    """Make the file or directory the server's."""
    if is_root():
        os.chown(path, _user().pw_uid, _user().pw_gid)


@cache
def cluster() -> Cluster:
    """Return the server of this test session, stopped and removed at its end; its databases are made by the tests."""
    base = Path(tempfile.mkdtemp(prefix="counterseal-pg-"))
    made = Cluster(base)

    def remove() -> None:
        made.stop("immediate")
        shutil.rmtree(base, ignore_errors=True)

    atexit.register(remove)
    return made


def _user() -> pwd.struct_passwd:
    known = {user.pw_name: user for user in pwd.getpwall()}
    return next(known[name] for name in USERS if name in known)
