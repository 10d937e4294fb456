"""``counterseal client --batch`` on a terminal of a given width: its progress bar, and Ctrl-C typed while it runs."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from command import counterseal

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 300
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
CTRL_C = b"\x03"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a command showed on its terminal, how it ended, and whether it left the terminal as it was."""

    code: int
    text: str
    unchanged: bool

    def lines(self) -> list[str]:
        """Return what stood in a line at any time, without escape sequences."""
        return re.split(r"[\r\n]+", re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]", "", self.text))

    def bars(self) -> list[str]:
        """Return the lines with the bar."""
        return [line for line in self.lines() if line.startswith("issuing  [")]


@pytest.fixture
def batch(tmp_path: Path) -> list[str]:
    """Return the words of a batch with chunks small enough for several steps of the bar."""
    assert counterseal(tmp_path / "home", "init", "--no-passphrase").code == 0
    rows = tmp_path / "rows.csv"
    rows.write_text("".join(["name\n", *(f"device-{number:03d}\n" for number in range(ROWS))]))
    return ["client", "--batch", str(rows), "--p12-rounds", "4096", "--out", str(tmp_path / "out")]


def _on_terminal(home: Path, words: list[str], *, columns: int, interrupt: bool = False) -> Shown:
    """Run a command on a terminal of its own; with ``interrupt`` type Ctrl-C as soon as the bar has moved."""
    command = [shutil.which("setsid") or "setsid", "--ctty", sys.executable, "-m", "counterseal", *words]
    ours, theirs = pty.openpty()  # ``theirs`` stays open here, so that the terminal outlives the command
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    before, typed, text = termios.tcgetattr(theirs), False, ""
    with subprocess.Popen([*command, "--home", str(home)], stdin=theirs, stdout=theirs, stderr=theirs) as running:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            code = running.poll()  # before reading: what was shown before the end is read after it
            if select.select([ours], [], [], 0.05)[0]:
                text += os.read(ours, 4096).decode()
            elif code is not None:
                break
            if interrupt and not typed and re.search(r" [1-9][0-9]?%", text):
                os.write(ours, CTRL_C)
                typed = True
        else:
            running.kill()
    unchanged = termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)
    return Shown(running.returncode, text, unchanged)


@pytest.mark.parametrize("columns", [200, 80, 45])
def test_the_bar_is_one_line_of_the_terminal(batch: list[str], tmp_path: Path, columns: int) -> None:
    """From 0% to 100% and never wider; the cursor is there again, and what was made stands below it."""
    shown = _on_terminal(tmp_path / "home", batch, columns=columns)
    assert shown.code == 0, shown.text
    bars = shown.bars()
    assert max(map(len, bars)) < columns
    percents = [int(percent) for bar in bars for percent in re.findall(r"(\d+)%", bar)]
    assert (percents[0], percents[-1], percents) == (0, 100, sorted(percents))
    assert len(set(percents)) > 2
    after = shown.text.rpartition("100%")[2]
    assert SHOW_CURSOR in after
    assert HIDE_CURSOR not in after
    assert f"\r\nissued {ROWS} client certificates in " in after
    assert shown.unchanged


def test_where_a_line_does_not_hold_it_there_is_no_bar(batch: list[str], tmp_path: Path) -> None:
    """Nor one for JSON, though a terminal would show it; the sheet is made all the same."""
    narrow = _on_terminal(tmp_path / "home", batch, columns=30)
    assert (narrow.code, narrow.bars()) == (0, [])
    assert f"issued {ROWS} client certificates" in narrow.text
    again = [word.replace("/out", "/other") for word in batch]
    assert "issuing" not in _on_terminal(tmp_path / "home", [*again, "--json"], columns=80).text
    _check_sheet(tmp_path / "home", tmp_path / "out")


def test_a_file_gets_no_bar(batch: list[str], tmp_path: Path) -> None:
    """Neither on stdout nor on stderr."""
    ran = counterseal(tmp_path / "home", *batch)
    assert ran.code == 0, ran.stderr
    assert "issuing" not in ran.stdout + ran.stderr
    assert "\x1b" not in ran.stdout + ran.stderr


def test_ctrl_c_leaves_the_terminal_as_it_was_and_the_batch_can_go_on(batch: list[str], tmp_path: Path) -> None:
    """What is done is told, with how to go on; the same command then issues the others, each once."""
    stopped = _on_terminal(tmp_path / "home", batch, columns=80, interrupt=True)
    assert stopped.code == 130, stopped.text
    assert stopped.unchanged
    assert stopped.text.rfind(SHOW_CURSOR) > stopped.text.rfind(HIDE_CURSOR)
    lines = [line for line in stopped.lines() if line]
    assert lines[-1] == "error: interrupted"
    told = re.fullmatch(rf"stopped with (\d+) of {ROWS} handed out; run the same command again to go on", lines[-2])
    assert told is not None, stopped.text
    assert 0 < int(told[1]) < ROWS
    assert int(told[1]) <= len(list((tmp_path / "out").glob("*.p12")))
    resumed = _on_terminal(tmp_path / "home", batch, columns=80)
    assert resumed.code == 0, resumed.text
    assert "going on with the unfinished batch" in resumed.text
    assert "100%" in resumed.bars()[-1]
    _check_sheet(tmp_path / "home", tmp_path / "out")


def _check_sheet(home: Path, out: Path) -> None:
    """Check that each row has one line in the sheet, one PKCS#12, and one certificate in the store."""
    with (out / "issued.csv").open(newline="") as stream:
        names = [row["name"] for row in csv.DictReader(stream)]
    assert sorted(names) == [f"device-{number:03d}" for number in range(ROWS)]
    assert sorted(path.name for path in out.glob("*.p12")) == [f"{name}.p12" for name in sorted(names)]
    listed = counterseal(home, "list", "--issuer", "clients", "--limit", "1000", "--json")
    assert {row["name"] for row in json.loads(listed.stdout)["certificates"]} == set(names)
