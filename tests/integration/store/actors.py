"""Starts a process of the store's tests, talks to it and ends it by its id."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Protocol

TESTS = Path(__file__).resolve().parents[2]
ACTOR = Path(__file__).with_name("actor.py")


class Actor:
    """One process that waits to be told to begin; ``through`` is a command to start it through."""

    def __init__(self, act: str, path: Path, number: int, *, through: tuple[str, ...] = ()) -> None:
        python_path = os.pathsep.join([str(TESTS.parent / "src"), str(TESTS)])
        self._child = subprocess.Popen(
            [*through, sys.executable, str(ACTOR), act, str(path), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": python_path},
        )
        assert self.hear() == "ready"

    def begin(self) -> None:
        """Let it work."""
        stdin = _stream(self._child.stdin)
        stdin.write("\n")
        stdin.flush()

    def hear(self) -> str:
        """Return the next thing it says (empty when it has ended)."""
        return _stream(self._child.stdout).readline().rstrip("\n")

    def finish(self) -> list[str]:
        """Wait for its end, which must be a good one, and return all that it said since."""
        said, _ = self._child.communicate(timeout=60)
        assert self._child.returncode == 0
        return said.split("\n")[:-1]

    def kill(self) -> list[str]:
        """End it as ``kill -9`` does and return what it had said before."""
        self._child.kill()
        said, _ = self._child.communicate(timeout=60)
        return said.split("\n")[:-1]

    def close(self) -> None:
        """End it if it still runs."""
        if self._child.poll() is None:
            self._child.kill()
        self._child.communicate(timeout=60)


def _stream(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


class Start(Protocol):
    """What starts an actor that is ended with the test."""

    def __call__(self, act: str, path: Path, number: int, *, through: tuple[str, ...] = ()) -> Actor:
        """Return it, waiting to begin."""
