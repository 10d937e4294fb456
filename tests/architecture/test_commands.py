"""Every command explains itself, and docs/commands.md says the same."""

from __future__ import annotations

import generate_docs


def test_the_page_of_commands_is_current() -> None:
    """docs/commands.md is what scripts/generate_docs.py writes."""
    pages = generate_docs.write_pages()
    stale = [path.name for path, text in pages.items() if not path.exists() or path.read_text() != text]
    assert stale == [], "run scripts/generate_docs.py"


def test_every_command_shows_an_example() -> None:
    """The help of a command holds a line that can be typed: the command itself with arguments that make sense."""
    without = []
    for path, command, context in generate_docs.find_commands():
        lines = [line.strip().removeprefix("$ ") for line in command.get_help(context).splitlines()]
        if not any(line == path or line.startswith(f"{path} ") for line in lines):
            without.append(path)
    assert without == []
