"""What becomes of a command whose answer is not taken: by a full disk, or by a reader who went away."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from command import here

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-m", "counterseal"]
FULL = "error: cannot write to stdout: no space left on device\n"
UNKNOWN = "warning: the password of the PKCS#12 was not shown, and nobody knows it\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home of a CA."""
    home = tmp_path_factory.mktemp("output") / "home"
    assert here(home, "init", "--no-passphrase").code == 0
    return home


@pytest.fixture(params=["", "1"], ids=["buffered", "unbuffered"])
def env(request: pytest.FixtureRequest, home: Path) -> dict[str, str]:
    """Return an environment in which Python keeps back what a stream has not taken, or does not."""
    return {**os.environ, "COUNTERSEAL_HOME": str(home), "PYTHONUNBUFFERED": request.param}


def closed_pipe() -> int:
    """Return a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def ended(env: dict[str, str], *words: str, stdout: int, stderr: int = subprocess.PIPE) -> tuple[int, str]:
    """Return a command's exit code and what it said on stderr; closes the stream that was given."""
    try:
        ran = subprocess.run([*COMMAND, *words], env=env, stdout=stdout, stderr=stderr, text=True, check=False)
    finally:
        os.close(stdout if stdout >= 0 else stderr)
    return ran.returncode, ran.stderr


@pytest.mark.parametrize("words", ["list", "list --json", "list --help", "--help", "--version", "completion bash"])
def test_an_answer_that_is_not_taken(env: dict[str, str], words: str) -> None:
    """A full disk is an error, and no fault of ours; a reader who has seen enough is none."""
    code, told = ended(env, *words.split(), stdout=os.open("/dev/full", os.O_WRONLY))
    assert (code, told.partition("hint: ")[0]) == (1, FULL)
    assert len(told.splitlines()) == 2
    assert ended(env, *words.split(), stdout=closed_pipe()) == (0, "")


@pytest.mark.parametrize("broken", ["full", "pipe"])
def test_an_error_that_stderr_does_not_take(env: dict[str, str], broken: str) -> None:
    """Is told by the exit code."""
    stream = closed_pipe() if broken == "pipe" else os.open("/dev/full", os.O_WRONLY)
    assert ended(env, "show", "nobody", "--format", "pem", stdout=subprocess.DEVNULL, stderr=stream)[0] == 2


@pytest.mark.parametrize("stdout", ["full", "pipe"])
@pytest.mark.parametrize("as_json", [False, True])
def test_a_password_that_nobody_saw(home: Path, tmp_path: Path, stdout: str, as_json: bool) -> None:  # noqa: FBT001 - pytest's
    """Is told of, with what makes another."""
    stream = closed_pipe() if stdout == "pipe" else os.open("/dev/full", os.O_WRONLY)
    name = f"{stdout}-{as_json}"
    words = ("client", name, "--out", str(tmp_path), *(["--json"] * as_json))
    code, told = ended({**os.environ, "COUNTERSEAL_HOME": str(home)}, *words, stdout=stream)
    assert code == (1 if stdout == "full" else 0)
    assert UNKNOWN in told
    assert (FULL in told) == (stdout == "full")
    again = here(home, "export", name, "--out", str(tmp_path), "--force")
    assert again.code == 0
    assert "password" in again.stdout
