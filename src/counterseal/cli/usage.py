"""A command line that was mistyped, in our words: what is wrong with which value, and what was probably meant."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import click
from click.exceptions import NoSuchCommand

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OF_EACH_COMMAND = ("--home", "--passphrase-file", "--json")


def usage_lines(error: click.UsageError) -> Iterator[str]:
    """Yield the ``error:`` and ``hint:`` lines for a mistyped command line."""
    help_path = f"{error.ctx.command_path} --help" if error.ctx is not None else "counterseal --help"
    if isinstance(error, click.NoSuchOption):
        yield f"error: no such option: {error.option_name!r}"
        yield f"hint: {_behind_the_command(error) or _meant(error.possibilities) or f'see: {help_path}'}"
    elif isinstance(error, NoSuchCommand):
        yield f"error: no such command: {error.command_name!r}"
        yield f"hint: {_meant(error.possibilities) or f'see: {help_path}'}"
    elif isinstance(error, click.MissingParameter):
        what = error.param.make_metavar(error.ctx) if isinstance(error.param, click.Argument) and error.ctx else None
        yield f"error: missing: {what or error.param_hint or (error.param.opts[0] if error.param else 'an argument')}"
        yield f"hint: see: {help_path}"
    else:
        message, _, hint = error.format_message().partition("\nhint: ")
        yield f"error: {message[:1].lower()}{message[1:].rstrip('.')}"
        hint = hint or _choice_meant(error)
        if hint:
            yield f"hint: {hint}"


def _behind_the_command(error: click.NoSuchOption) -> str | None:
    """Return where an option stands that each command has and no group, such as ``counterseal --home DIR list``."""
    if error.ctx is None or not isinstance(error.ctx.command, click.Group) or error.option_name not in OF_EACH_COMMAND:
        return None
    return f"it stands behind the command: {error.ctx.command_path} COMMAND {error.option_name}"


def _choice_meant(error: click.UsageError) -> str:
    """Return which of an option's words was probably meant; empty when none is near, or it was another mistake."""
    kind = error.param.type if isinstance(error, click.BadParameter) and error.param else None
    if not isinstance(kind, click.Choice):
        return ""
    given = error.message.removeprefix("'").partition("' is not one of ")[0]
    return _meant(difflib.get_close_matches(given.lower(), map(str, kind.choices), n=1)) or ""


def _meant(possibilities: Sequence[str] | None) -> str | None:
    return f"did you mean {' or '.join(map(repr, possibilities))}?" if possibilities else None
