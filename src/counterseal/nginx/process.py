"""A running nginx: found by its pid file, or a private one by its arguments; started, reloaded, stopped.

nginx answers a reload with silence: the signal is taken, and whether the master could act on it shows only in its
workers and in its error log. So both are watched here. What is served, and whether it is right, is not known here.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.errors import NginxError
from counterseal.nginx.binary import require_executable, run_nginx
from counterseal.nginx.errorlog import SERIOUS, LogTail, find_failure, parse_lines
from counterseal.nginx.proctable import children_of, every_pid, pids_started_with, read_title
from counterseal.nginx.waiting import INTERVAL, wait_until

if TYPE_CHECKING:
    from counterseal.nginx.errorlog import LogLine
    from counterseal.nginx.target import Target
    from counterseal.nginx.waiting import Clock

_SYSTEMCTL_SECONDS = 30.0
MASTER, WORKER = "nginx: master process", "nginx: worker process"
"""How the titles of its processes begin."""
_LEAVING = "nginx: worker process is shutting down"


@dataclass(frozen=True, slots=True)
class Reload:
    """A start or a reload that was carried out: the master, and the workers that take connections now."""

    master: int
    workers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NginxProcess:
    """The nginx of ``target``, whether it runs at the moment or not."""

    target: Target
    clock: Clock

    def master_pid(self) -> int | None:
        """Return the master's number from the pid file, or None when it is not found.

        A number that was left behind and now belongs to another program is none; so is, for a private nginx, one that
        was started from another configuration. A private one is found without its pid file too. None does not say that
        nothing serves: ``authority.unseen`` asks the sockets.
        """
        try:
            pid = int(self.target.pid_file.read_text("ascii", "replace"))
        except (OSError, ValueError):
            pid = 0
        if self._is_master(pid):
            return pid
        return next(filter(self._is_master, every_pid()), None) if self.target.owned else None

    def worker_pids(self) -> tuple[int, ...]:
        """Return the workers that accept connections."""
        master = self.master_pid()
        return () if master is None else tuple(pid for pid in children_of(master) if accepts(pid))

    def leaving_pids(self) -> tuple[int, ...]:
        """Return the old workers that take no new connections and still serve those that they have."""
        master = self.master_pid()
        leaving = () if master is None else children_of(master)
        return tuple(pid for pid in leaving if read_title(pid).startswith(_LEAVING))

    def starting_pids(self) -> tuple[int, ...]:
        """Return processes that are still becoming our private nginx, left by one who was killed while starting it."""
        if not self.target.owned:
            return ()
        # One look can miss a process that forks into the background just then: parent gone, child not yet listed.
        return pids_started_with(self._arguments()) or pids_started_with(self._arguments())

    def settle(self, *, within: float) -> None:
        """Wait until nothing is still becoming our private nginx; what hangs longer than ``within`` is ended."""
        if wait_until(lambda: not self.starting_pids(), within=within, clock=self.clock):
            return
        for pid in self.starting_pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def start(self, *, within: float) -> Reload:
        """Start the private nginx; it puts itself in the background. Returns when the first of its workers runs.

        Raises NginxError ``nginx.start_failed`` with its own line, ``nginx.timeout``, ``nginx.missing``.
        """
        require_executable(self.target.binary)
        tail = LogTail(self.target.error_log)
        log = ("-e", str(self.target.error_log or "stderr"))
        ran = run_nginx(self.target.binary, *self._arguments(), *log, time_limit=within)
        if ran.status != 0:
            line = _first_cause(parse_lines(ran.stderr))
            raise NginxError(
                "nginx.start_failed",
                f"nginx does not start: {self.target.conf}",
                quote=line.verbatim if line else ran.stderr.strip() or None,
            )
        if not wait_until(lambda: bool(self.worker_pids()), within=within, clock=self.clock):
            line = _first_cause(tail.read())
            raise NginxError(
                "nginx.start_failed",
                f"nginx has no worker after {within:g} s: {self.target.conf}",
                quote=line.verbatim if line else None,
            )
        return Reload(self.require_master(), self.worker_pids())

    def stop(self, *, within: float) -> None:
        """End the private nginx, at once; nothing to do when it does not run.

        Raises NginxError ``nginx.timeout`` when it still runs after ``within`` seconds.
        """
        master = self.master_pid()
        if master is None:
            return
        with suppress(ProcessLookupError):
            os.kill(master, signal.SIGTERM)
        if not wait_until(lambda: not self._is_master(master), within=within, clock=self.clock):
            raise NginxError("nginx.timeout", f"nginx still runs {within:g} s after it was told to stop: {master}")

    def reload_and_wait(self, *, within: float) -> Reload:
        """Make the master read its configuration again; return when new workers have taken over from all the old ones.

        Raises NginxError ``nginx.not_running``, ``nginx.not_permitted``, ``nginx.reload_failed`` with nginx's own line
        (the old workers go on serving), ``nginx.timeout``.
        """
        master = self.require_master()
        old = frozenset(pid for pid in children_of(master) if read_title(pid).startswith(WORKER))
        tail = LogTail(self.target.error_log)
        lines: list[LogLine] = []
        end = self.clock.monotonic() + within
        self._signal_reload(master)
        while True:
            late = self.clock.monotonic() >= end
            replaced = not any(accepts(pid) for pid in old)  # who is new stands in the table of all processes
            alive = [pid for pid in children_of(master) if pid not in old and accepts(pid)] if replaced else []
            lines += tail.read()
            self._raise_failure(master, lines, old)
            if alive:
                return Reload(master, tuple(alive))
            if late:
                raise NginxError("nginx.timeout", f"nginx has not taken over after {within:g} s: master {master}")
            self.clock.sleep(INTERVAL)

    def require_master(self) -> int:
        """Return the master's number; raises NginxError ``nginx.not_running``."""
        master = self.master_pid()
        if master is None:
            raise NginxError(
                "nginx.not_running",
                f"nginx does not run: no master in {self.target.pid_file}",
                hint=None if self.target.owned else f"start it ({self.target.start}) and run this again",
            )
        return master

    def _arguments(self) -> tuple[str, ...]:
        """Return what every nginx of this target is started with, also one that only tests the configuration."""
        return ("-c", str(self.target.conf), "-p", f"{self.target.prefix}/")

    def _is_master(self, pid: int) -> bool:
        return is_master_of(self.target, read_title(pid))

    def _raise_failure(self, master: int, lines: list[LogLine], old: frozenset[int]) -> None:
        failure = find_failure(lines, master=master, old=old)
        if failure or not self._is_master(master):
            ended = "nginx's master ended on reload" if not failure else "nginx could not reload"
            raise NginxError(
                "nginx.reload_failed", f"{ended}: master {master}", quote=failure.verbatim if failure else None
            )

    def _signal_reload(self, master: int) -> None:
        try:
            os.kill(master, signal.SIGHUP)
        except PermissionError as error:
            if not reload_unit(self.target.unit, master):
                raise NginxError(
                    "nginx.not_permitted",
                    f"may not signal nginx: master {master}",
                    hint="run this as root, or as the user who started nginx",
                ) from error
        except ProcessLookupError as error:
            raise NginxError("nginx.not_running", f"nginx ended: master {master}") from error


def is_master_of(target: Target, title: str) -> bool:
    """Whether a process of this title is the master of ``target``: of a private nginx the very one that we started."""
    return title.startswith(MASTER) and (not target.owned or f"-c {target.conf} " in f"{title} ")


def accepts(pid: int) -> bool:
    """Whether ``pid`` is a worker that takes new connections; one that is shutting down has closed its sockets."""
    title = read_title(pid)
    return title.startswith(WORKER) and not title.startswith(_LEAVING)


def reload_unit(unit: str, master: int) -> bool:
    """Ask systemd to reload ``unit``, if the unit's main process is ``master``; says whether it did."""
    systemctl = shutil.which("systemctl")
    if systemctl is None:
        return False
    try:
        shown = subprocess.run(
            [systemctl, "show", "--property=MainPID", "--value", unit],
            capture_output=True,
            text=True,
            timeout=_SYSTEMCTL_SECONDS,
            check=False,
        )
        if shown.stdout.strip() != str(master):
            return False
        asked = subprocess.run(
            [systemctl, "--no-ask-password", "reload", unit],
            capture_output=True,
            timeout=_SYSTEMCTL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def _first_cause(lines: tuple[LogLine, ...]) -> LogLine | None:
    return next((line for line in lines if line.level in SERIOUS), None)
