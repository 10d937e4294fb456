"""``counterseal completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

EPILOG = """\b
Examples:
  counterseal completion bash > ~/.local/share/bash-completion/completions/counterseal
  counterseal completion zsh > ~/.zfunc/_counterseal
  counterseal completion fish > ~/.config/fish/completions/counterseal.fish

Make the directory first where there is none (mkdir -p), and open a new shell. zsh reads
~/.zfunc when ~/.zshrc has: fpath+=~/.zfunc; autoload -Uz compinit; compinit
"""


@click.command(epilog=EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for a shell."""
    from counterseal.cli.group import main  # noqa: PLC0415 - the group imports its commands

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - the three shells are click's own
    click.echo(kind(main, {}, "counterseal", "_COUNTERSEAL_COMPLETE").source())
