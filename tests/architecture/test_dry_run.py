"""Every command that writes can be rehearsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from counterseal.cli.group import main

if TYPE_CHECKING:
    from collections.abc import Iterator

WRITE_NOTHING = {
    "acme accounts", "acme eab list", "api token list", "ca export",
    "ca list", "completion", "inspect", "lint", "list", "log show", "log verify", "nginx render", "show", "timer print",
    "token list", "verify",
    "reminders show",
}  # fmt: skip
"""They look, or print."""

NO_FILE_OF_THE_USER = {
    "acme eab add": "writes one row, which eab revoke takes back",
    "acme eab revoke": "writes one row",
    "db move": "compares before anything is changed, and moves back in the same way",
    "db upgrade": "one transaction on a store that is of no use before",
    "enroll": "asks a service elsewhere, which alone knows what it would answer",
    "handshake": "writes the files that are named for it: key log and pictures",
    "listen": "serves until it is stopped",
    "nginx generations": "mends what a killed deploy left, as every command that touches nginx",
    "nginx lint": "changes files with --fix --write; --fix alone is the rehearsal",
    "nginx status": "the same",
    "nginx stop": "ends a process",
    "reminders test": "sends a message that says it is a test",
    "prove": "issues a probe that lives for an hour",
    "doctor": "looks; its proof issues probes, as prove does",
    "timeline": "writes the picture that is named for it",
    "token make": "writes one row, which token revoke takes back",
    "token revoke": "writes one row",
    "serve": "is a service: it acts when it is asked",
}


def leaves(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield every command that is no group, with the words that call it."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for word in command.list_commands(context):
        below = command.get_command(context, word)
        assert below is not None
        yield from leaves(below, f"{name} {word}".strip())


def test_every_command_that_writes_has_a_dry_run() -> None:
    """A new command has one, or says here why it needs none."""
    without = {
        name for name, command in leaves(main) if "dry_run" not in {parameter.name for parameter in command.params}
    }
    assert without <= WRITE_NOTHING | set(NO_FILE_OF_THE_USER)
