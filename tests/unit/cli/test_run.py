"""The edge where what was raised becomes words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from errno import EACCES, EIO
from typing import TYPE_CHECKING
from unittest.mock import Mock

import click
import pytest

from command import here
from counterseal.cli.group import main
from counterseal.cli.run import report, run
from counterseal.errors import AmbiguousError, RefusedError
from counterseal.files import not_used
from counterseal.findings import Finding, Severity
from schemas import hold

if TYPE_CHECKING:
    from pathlib import Path


def test_a_path_that_the_system_refuses_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Wherever it is looked at: that is no fault of this program, so nobody is asked to report one."""
    home = tmp_path / ("a" * 300)
    assert run(["list", "--home", str(home)]) == 1
    assert capsys.readouterr().err == f"error: cannot use {home}/store.sqlite: file name too long\n"


def test_an_empty_home_is_not_this_directory(capsys: pytest.CaptureFixture[str]) -> None:
    """As ``--home "$CA"`` has it where the variable is not set: a CA would be made where one stands."""
    assert run(["list", "--home", ""]) == 2
    assert "error: invalid value for '--home': it is empty" in capsys.readouterr().err


def test_who_may_not_is_told_who_may() -> None:
    """As a stranger to the home of a CA is."""
    error = not_used(PermissionError(EACCES, "Permission denied", "/root/ca/store.sqlite"))
    assert (error.message, error.hint) == (
        "cannot use /root/ca/store.sqlite: permission denied",
        "run as the user who owns the directory, or choose another one",
    )


@pytest.mark.parametrize(
    ("words", "exit_code", "code", "message", "hint"),
    [
        (
            ["list"],
            1,
            "home.missing",
            "there is no CA in @",
            "make one: counterseal init --home @; or name the right one",
        ),
        (["handshake", "x:y"], 2, "target.syntax", "not a host with a port: 'x:y'", "write HOST, HOST:PORT or"),
        (["list", "--stats", "x"], 2, "command.usage", "no such option: '--stats'", "did you mean '--status'?"),
        (["list", "--limit", "x"], 2, "command.usage", "invalid value for '--limit': 'x' is not a whole number", None),
    ],
)
def test_an_error_is_data_too(
    words: list[str], exit_code: int, code: str, message: str, hint: str | None, tmp_path: Path
) -> None:
    """On stdout under ``--json``, as published; the words on stderr are the same."""
    home = tmp_path / "none"
    ran = here(home, *words, "--json")
    assert ran.code == exit_code
    document = json.loads(ran.stdout)
    hold("error", document)
    error = document["error"]
    assert (error["code"], error["message"]) == (code, message.replace("@", str(home)))
    assert (error["hint"] or "").startswith((hint or "").replace("@", str(home)))
    assert (error["hint"] is None) == (hint is None)
    assert f"error: {error['message']}\n" in ran.stderr
    assert here(home, *words).stdout == ""


@pytest.mark.parametrize("broken", ["/dev/full", "pipe"])
def test_an_error_that_stdout_does_not_take(broken: str, tmp_path: Path) -> None:
    """Is told on stderr and by the exit code all the same."""
    if broken == "pipe":
        reader, writer = os.pipe()
        os.close(reader)
    else:
        writer = os.open(broken, os.O_WRONLY)
    command = [sys.executable, "-m", "counterseal", "list", "--json", "--home", str(tmp_path / "none")]
    try:
        ran = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    finally:
        os.close(writer)
    assert ran.returncode == 1
    assert [line.partition(":")[0] for line in ran.stderr.splitlines()] == ["error", "hint"]


def test_every_fault_of_an_error_is_data(capsys: pytest.CaptureFixture[str]) -> None:
    """As policy and configuration have several, and an ambiguous name its candidates."""
    fault = Finding("name.none", Severity.HIGH, "no name", "alice", "give one")
    assert report(RefusedError("policy.refused", "refused: alice", findings=[fault]), as_json=True) == 4
    refused = json.loads(capsys.readouterr().out)
    hold("error", refused)
    assert refused["error"]["findings"] == [
        {"code": "name.none", "where": "alice", "line": None, "message": "no name", "hint": "give one"}
    ]
    assert report(AmbiguousError("certificate.ambiguous", "two: alice", candidates=["1", "2"]), as_json=True) == 2
    assert json.loads(capsys.readouterr().out)["error"]["candidates"] == ["1", "2"]


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (click.ClickException("no such thing"), "command.failed", "no such thing"),
        (ZeroDivisionError("/secret/path"), "command.unexpected", "something unexpected happened: ZeroDivisionError"),
        (OSError(EIO, "Input/output error"), "command.unexpected", "something unexpected happened: Input/output error"),
        (PermissionError(EACCES, "Permission denied", "/x"), "file.use", "cannot use /x: permission denied"),
    ],
)
def test_whatever_a_command_raises_is_an_error_in_words(
    error: Exception, code: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Never a traceback, nor the text of an exception that nobody meant for people."""
    monkeypatch.setattr(main, "main", Mock(side_effect=error))
    assert run(["list", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)["error"]
    assert (told["code"], told["message"]) == (code, message)


@pytest.mark.parametrize(
    ("name", "value", "colour"), [("NO_COLOR", "1", False), ("NO_COLOR", "", None), ("TERM", "dumb", False)]
)
def test_colours_can_be_refused(name: str, value: str, colour: bool | None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - pytest's parameters
    """By NO_COLOR, or a terminal that has none; otherwise click asks the stream."""
    given: dict[str, object] = {}
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)
    monkeypatch.setattr(main, "main", lambda **options: given.update(options))
    assert run([]) == 0
    assert given["color"] is colour
