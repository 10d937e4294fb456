"""What a line of the log looks like, whatever is in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from counterseal.service.log import log


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("plain", "plain"),
        (None, None),
        (1.25, 1.25),
        (Path("/srv/ca"), "/srv/ca"),
        ("größer \x1b[2J\n\u202e", "größer \x1b[2J\n\u202e"),
        ("half a pair: \udcff", "half a pair: \udcff"),
    ],
)
def test_a_line_is_one_ascii_line_of_json(value: object, read: object, capsys: pytest.CaptureFixture[str]) -> None:
    """No letter of a client moves a terminal's cursor, and none keeps the line from being written."""
    log("happened", value=value)
    line = capsys.readouterr().err
    assert line.isascii()
    assert line.endswith("\n")
    assert line.removesuffix("\n").isprintable()
    said = json.loads(line)
    assert (said["level"], said["event"], said["value"]) == ("info", "happened", read)
