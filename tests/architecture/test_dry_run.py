"""Every command that writes can be rehearsed."""

from __future__ import annotations

import click

import generate_docs

PREFIX = "counterseal "
WRITE_NOTHING = {
    "acme accounts", "acme eab list", "api token list", "ca export", "ca list", "ca show", "completion", "inspect",
    "lint", "list", "log show", "log verify", "reminders show", "show", "timer print", "token list",
    "verify",
}  # fmt: skip
"""They look, or print."""

WRITE_UNASKED = {
    "doctor": "looks, and --no-proof leaves out the probes that its proof issues",
    "listen": "serves until it is stopped",
    "nginx generations": "mends what a killed deploy left, as every command that touches nginx",
    "nginx status": "the same",
    "serve": "is a service: it acts when it is asked",
}
"""What they write is not what they are called for."""


def test_every_command_that_writes_has_a_dry_run() -> None:
    """A new command has one, or says here why it needs none."""
    without = {
        path.removeprefix(PREFIX)
        for path, command, _ in generate_docs.find_commands()
        if not isinstance(command, click.Group) and not any(one.name == "dry_run" for one in command.params)
    }
    assert without == WRITE_NOTHING | set(WRITE_UNASKED)
