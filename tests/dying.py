"""The command line with its death built in: ``kill -9`` just before a function is called for the Nth time.

usage: dying.py MODULE ATTRIBUTE NUMBER[:SIGNAL] WORD...    ``SoftwareSigner.sign`` is an attribute, too

With ``:SIGSTOP`` it is frozen there instead.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import reduce
from importlib import import_module
from itertools import count
from typing import TYPE_CHECKING, Any

from counterseal.cli.run import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def die_before(module: str, attribute: str, number: int, by: signal.Signals = signal.SIGKILL) -> None:
    """From now on count the calls of the function, and die, or be frozen, before call ``number``."""
    *owners, name = attribute.split(".")
    owner: Any = reduce(getattr, owners, import_module(module))
    function, calls = getattr(owner, name), count(1)

    def counted(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - of any function
        if next(calls) == number:
            os.kill(os.getpid(), by)
        return function(*arguments, **options)

    setattr(owner, name, counted)


def die(home: Path, where: str, number: int, *words: str) -> None:
    """Run a command that is killed before call ``number`` of the function at ``where`` (``module:attribute``)."""
    command = [sys.executable, __file__, *where.split(":"), str(number), *words, "--home", str(home)]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environ, timeout=120)
    assert ran.returncode == -signal.SIGKILL, ran


@contextmanager
def freezing(home: Path, where: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Give a command that is frozen before the function at ``where`` is called first; SIGCONT lets it go on."""
    command = [sys.executable, __file__, *where.split(":"), "1:SIGSTOP", *words, "--home", str(home)]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ) as process:
        try:
            wait_until_frozen(process.pid)
            yield process
        finally:
            process.kill()


def wait_until_frozen(pid: int, seconds: float = 60) -> None:
    """Wait until a process is stopped by its signal."""
    deadline = time.monotonic() + seconds
    while (seen := os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT | os.WNOHANG)) is None:
        assert time.monotonic() < deadline, "never frozen"
        time.sleep(0.02)
    assert seen.si_code == os.CLD_STOPPED


if __name__ == "__main__":
    which, _, name = sys.argv[3].partition(":")
    die_before(sys.argv[1], sys.argv[2], int(which), signal.Signals[name or "SIGKILL"])
    sys.exit(run(sys.argv[4:]))
