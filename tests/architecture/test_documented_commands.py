"""Every command that a document tells somebody to type is one that there is, with options that it has."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import click
import pytest

from architecture.source_tree import ROOT
from architecture.test_documents import DOCUMENTS
from counterseal.cli.group import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GENERATED = {"commands.md", "errors.md", "CHANGELOG.md"}
PAGES = [path for path in DOCUMENTS if path.name not in GENERATED]
BLOCK = re.compile(r"^ *```(?:sh|ini)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`(?:[./\w]*/)?(counterseal [^`]+)`")
BEFORE = re.compile(r"(?:^|.*[\s(|=/])counterseal (?=[a-z])")
AFTER = re.compile(r"\s+#.*|\s*(?:[|;<>)]|&&|\d>).*")
NOT_HERE = re.compile(r"does not exist|requires an argument")
"""A file of the reader's, and an option that is spoken of without its value."""


def commands_in(text: str) -> Iterator[str]:
    """Yield what stands behind ``counterseal`` in blocks of shell and in running text."""
    for block in BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            if not line.lstrip().startswith("#") and BEFORE.match(line):
                yield AFTER.sub("", BEFORE.sub("", line, count=1))
    for command in INLINE.findall(text.replace("\n", " ")):
        yield AFTER.sub("", command.removeprefix("counterseal "))


def parse(words: list[str]) -> None:
    """Read a command line as the program would, up to where the command begins; raises click.UsageError."""
    command: click.Command = main
    context = click.Context(main, info_name="counterseal")
    while isinstance(command, click.Group):
        if not words or words[0].startswith("--"):
            return  # the group itself
        name = words.pop(0)
        if name not in command.list_commands(context):
            if "make" not in command.list_commands(context):
                raise click.UsageError(f"no such command: {name!r}")
            words.insert(0, name)
            name = "make"
        below = command.get_command(context, name)
        assert below is not None
        command, context = below, click.Context(below, info_name=name, parent=context)
    command.parse_args(context, words)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_document_says_can_be_typed(page: Path) -> None:
    """A command that is named without its arguments may lack them; every word that stands there must be right."""
    wrong = []
    for line in commands_in(page.read_text()):
        try:
            parse(shlex.split(line))
        except click.MissingParameter:
            continue
        except (click.UsageError, ValueError) as error:
            if not NOT_HERE.search(str(error)):
                wrong.append(f"{line}: {error}")
    assert wrong == []


def test_commands_are_found() -> None:
    """In blocks and in running text, without what stands before and behind them."""
    text = "Say `counterseal show NAME`.\n```sh\nssh ca counterseal token x --profile client |  # once\n  cat\n```\n"
    assert list(commands_in(text)) == ["token x --profile client", "show NAME"]
    assert sum(len(list(commands_in(page.read_text()))) for page in PAGES) > 200
    with pytest.raises(click.UsageError):
        parse(["revoke", "alice", "--raeson", "superseded"])
