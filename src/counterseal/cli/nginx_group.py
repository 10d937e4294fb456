"""``counterseal nginx``: its commands by name, so that ``lint`` answers without loading what deploys and proves."""

from __future__ import annotations

from importlib import import_module

import click
from click.exceptions import NoSuchCommand

from counterseal.cli.common import Commands

EPILOG = """\b
Examples:
  counterseal nginx render
  counterseal nginx deploy
  counterseal nginx rollback
  counterseal nginx lint
"""


class NginxGroup(Commands):
    """The commands of ``cli.nginx``, and ``lint``, which lives alone."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in alphabetical order, as click does."""
        return sorted([*self._deploying().list_commands(ctx), "lint"])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command of this name."""
        if cmd_name == "lint":
            command = import_module("counterseal.cli.nginx_lint").lint
            assert isinstance(command, click.Command)  # noqa: S101 - for the type checker
            return command
        return self._deploying().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was probably meant."""
        names = self.list_commands(ctx) if args[0] != "lint" else ["lint"]
        if args[0] not in names:
            raise NoSuchCommand(args[0], possibilities=names, ctx=ctx)
        return super().resolve_command(ctx, args)

    def _deploying(self) -> click.Group:
        group = import_module("counterseal.cli.nginx").nginx
        assert isinstance(group, click.Group)  # noqa: S101 - for the type checker
        return group


@click.group(cls=NginxGroup, epilog=EPILOG)
def nginx() -> None:
    """Render, deploy and look after what nginx serves."""
