"""What stands in a table beside a command's name is what the command says of itself."""

from __future__ import annotations

import click
import pytest
from click.shell_completion import BashComplete

from counterseal.cli.group import main
from counterseal.cli.lazy import LazyGroup

WHOLE = 1000
SHORTER = {"import-ca", "export", "prove", "rekey", "refresh", "backup"}
"""What these do takes more than a line of the list."""
CONTEXT = click.Context(main, info_name="counterseal", **main.context_settings)
NGINX = main.get_command(CONTEXT, "nginx")


@pytest.mark.parametrize("group", [main, NGINX], ids=lambda group: group.name)
def test_each_summary_is_the_commands_own(group: click.Command) -> None:
    """Every command can be imported, and begins as the help of its group says."""
    assert isinstance(group, LazyGroup)
    context = click.Context(group, **main.context_settings)
    commands = {name: group.get_command(context, name) for name in group.list_commands(context)}
    assert not [name for name, command in commands.items() if command is None or command.hidden]
    told = {name: command.get_short_help_str(limit=WHOLE) for name, command in commands.items() if command}
    other = {name for name, entry in group.entries.items() if entry.summary != told[name]}
    assert other == SHORTER & set(commands)
    assert all(len(group.entries[name].summary) < len(told[name]) for name in other)


def test_completion_offers_commands_and_options() -> None:
    """Names with what they do, and the group's own options after a dash."""
    offered = main.shell_complete(CONTEXT, "re")
    assert ("revoke", "Revoke a certificate, and lock it out of nginx.") in [(one.value, one.help) for one in offered]
    assert all(one.value.startswith("re") for one in offered)
    options = [one.value for one in main.shell_complete(CONTEXT, "--")]
    assert options == ["--version", "--help"]


@pytest.mark.parametrize("words", ["lst alice", "nginx statsu --js"])
def test_nothing_is_said_behind_a_word_that_is_wrong(words: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A shell asks while somebody types, and an error would stand in the middle of the line."""
    asked = BashComplete(main, {}, "counterseal", "_COUNTERSEAL_COMPLETE")
    *before, incomplete = words.split()
    assert asked.get_completions(before, incomplete) == []
    assert capfd.readouterr() == ("", "")
