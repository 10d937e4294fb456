"""Every command explains itself; that docs/commands.md says the same is compared by scripts/generate_docs.py."""

from __future__ import annotations

import re

import generate_docs


def test_every_command_shows_an_example() -> None:
    """The help of a command holds a line that can be typed: the command itself with arguments that make sense."""
    without = []
    for path, command, context in generate_docs.find_commands():
        lines = [line.strip().removeprefix("$ ") for line in command.get_help(context).splitlines()]
        if not any(line == path or line.startswith(f"{path} ") for line in lines):
            without.append(path)
    assert without == []


def test_help_fits_a_terminal_of_80_columns() -> None:
    """All but the examples, which are to be copied in one piece."""
    wide = []
    for path, command, context in generate_docs.find_commands():
        context.terminal_width = 80
        lines = [line for line in command.get_help(context).splitlines() if not re.match(r" {4}\S", line)]
        wide += [f"{path}: {line}" for line in lines if len(line) > 80]
    assert wide == []
