"""Groups whose commands are imported when they are used, and by nothing else.

The one-line help of each command stands in a table beside its name, so that neither ``--help`` nor a press of TAB loads
a command; a test compares it with the command's own.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.exceptions import NoSuchCommand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from click.shell_completion import CompletionItem


class Entry(NamedTuple):
    """Where a command is, and what it does in a line."""

    target: str
    summary: str


class LazyGroup(click.Group):
    """The commands of ``sections``: for each heading of the help its commands by name, in their order."""

    def __init__(self, *, sections: Mapping[str, Mapping[str, Entry]], **settings: Any) -> None:  # noqa: ANN401 - click's
        super().__init__(**settings)
        self.sections = sections
        self.entries = {name: entry for section in sections.values() for name, entry in section.items()}

    def make_context(self, *args: Any, **settings: Any) -> click.Context:  # noqa: ANN401 - click's
        """Read the words; ``--help`` is printed here."""
        with _closed_pipes():
            return super().make_context(*args, **settings)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's signature
        """Run the command."""
        with _closed_pipes():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order of the help."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import and return the command of this name."""
        if cmd_name not in self.entries:
            return None
        module, _, attribute = self.entries[cmd_name].target.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - for the type checker; a test loads every command
        if not isinstance(command, LazyGroup):  # which has code to load still
            gc.freeze()  # code that is loaded stays: the first collection would walk through all of it
            gc.enable()
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was probably meant; a shell that completes a line is told nothing."""
        name = args[0]
        if name not in self.entries and not ctx.resilient_parsing:
            ctx.args = args[1:]  # what followed, for whoever tells what was meant
            raise NoSuchCommand(name, possibilities=self.entries, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the sections of the help without importing a command."""
        for section, entries in self.sections.items():
            with formatter.section(section):
                formatter.write_dl([(name, entry.summary) for name, entry in entries.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer the commands that begin so without importing them, and the group's own options."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - as in click: only for a press of TAB

        found = [
            CompletionItem(name, help=entry.summary)
            for name, entry in self.entries.items()
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]


@contextmanager
def _closed_pipes() -> Iterator[None]:
    """Have closed pipes pass through click, which would end with 1: it knows them by their number."""
    try:
        yield
    except BrokenPipeError as error:
        error.errno = None
        raise
