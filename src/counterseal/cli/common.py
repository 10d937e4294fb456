"""What every command has: where the CA lives, how it is unlocked, and how answers are shown."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, NamedTuple, ParamSpec, TypeVar

import click

from counterseal.compose.place import default_home
from counterseal.duration import parse_duration
from counterseal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from counterseal.authority.parts import Authority
    from counterseal.authority.served import ServedSite
    from counterseal.config.settings import Settings
    from counterseal.store.records import CARecord

P = ParamSpec("P")
R = TypeVar("R")
JSON_VERSION = 1
_WHOLE = 1000
_DEVICES = Path("/dev")
FILE = click.Path(path_type=Path, dir_okay=False)
DIRECTORY = click.Path(path_type=Path, file_okay=False)


class HomeType(click.Path):
    """The directory of a CA; an empty word, as of a variable that is not set, is none and not the current directory."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - click's signature
        """Return the path, or fail."""
        if value == "":
            self.fail("it is empty", param, ctx)
        return super().convert(value, param, ctx)


HOME = HomeType(path_type=Path, file_okay=False)


class PictureType(click.Path):
    """A file that is replaced as a whole; a device or a pipe would be gone, /dev/null for the whole machine."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - click's signature
        """Return the path, or fail."""
        path = Path(value)
        if path.absolute().parent.resolve() == _DEVICES or (path.exists() and not path.is_file()):
            self.fail(f"{path} is no file that can be replaced: name one", param, ctx)
        return super().convert(value, param, ctx)


PICTURE = PictureType(path_type=Path, dir_okay=False)


class Run(NamedTuple):
    """The options that every command shares."""

    home: Path
    passphrase_file: Path | None
    json: bool

    def authority(self) -> Authority:
        """Open the CA of this home."""
        from counterseal.compose.home import open_authority  # noqa: PLC0415 - many commands need no CA

        return open_authority(self.home, self.ask_passphrase)

    def settings(self) -> Settings:
        """Return what counterseal.toml says."""
        from counterseal.compose.home import settings_of  # noqa: PLC0415 - same

        return settings_of(self.home)

    def sound_sites(self) -> tuple[ServedSite, ...]:
        """Return the sites with which nothing is wrong, and say so where there may be others."""
        settings = self.settings()
        if "sites" in settings.faulty and settings.error:
            self.warn(
                f"not every site is looked at: {settings.error.message}", "hint: counterseal doctor names every fault"
            )
        return settings.with_sound_sites().sites

    def service_url(self) -> str:
        """Return where the service answers, with ``HOST`` for what counterseal.toml does not say."""
        return self.settings().serve.url or "https://HOST:8443"

    def ask_passphrase(self) -> bytes | None:
        """Return the passphrase of the CA keys from a file or a prompt; called when a key is needed."""
        from counterseal.cli.passphrase import read_passphrase  # noqa: PLC0415 - only when a key is encrypted

        return read_passphrase(self.passphrase_file)

    def rehearse_opening(self, authority: Authority, cas: Iterable[CARecord]) -> None:
        """Open the keys of these CAs as the command would, in a rehearsal; not where a person would be asked for it."""
        from counterseal.cli.passphrase import would_ask  # noqa: PLC0415 - same

        asks = would_ask(self.passphrase_file)
        for ca in cas:
            if not (authority.keystore.is_encrypted(ca.key_id) and asks):
                authority.keystore.signer(ca.key_id)

    def show(self, document: Mapping[str, object], text: str) -> None:
        """Print ``document`` as JSON when asked for, else ``text``; both go to stdout."""
        try:
            click.echo(json.dumps({"version": JSON_VERSION, **document}, indent=2, default=str) if self.json else text)
        except OSError:
            if "password" in document:
                self.warn(
                    "the password of the PKCS#12 was not shown, and nobody knows it",
                    "hint: all else is made; pack it anew: counterseal export NAME --out DIR --force where the CA is, "
                    "else openssl pkcs12 -export",
                )
            raise

    def say(self, line: str) -> None:
        """Talk to the person on stderr; silent under ``--json``."""
        if not self.json:
            click.echo(line, err=True)

    @staticmethod
    def tell(*lines: str) -> None:
        """Tell on stderr what must not be lost, under ``--json`` as well, as errors are."""
        for line in lines:
            click.echo(line, err=True)

    def warn(self, message: str, *more: str) -> None:
        """Tell a warning, with its hint or more of it."""
        self.tell(f"warning: {message}", *more)


def common(command: Callable[Concatenate[Run, P], R]) -> Callable[P, R]:
    """Give a command --home, --passphrase-file and --json, and hand them to it as a Run."""

    @click.option(
        "--home",
        type=HOME,
        envvar="COUNTERSEAL_HOME",
        help="Directory of the CA.  [default: $COUNTERSEAL_HOME, else by XDG; /var/lib/counterseal for root]",
    )
    @click.option(
        "--passphrase-file",
        type=FILE,
        envvar="COUNTERSEAL_PASSPHRASE_FILE",
        help="File (mode 0600) whose first line unlocks the CA keys.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
    @wraps(command)
    def with_run(*args: P.args, **kwargs: P.kwargs) -> R:
        home = kwargs.pop("home") or default_home()
        passphrase_file = kwargs.pop("passphrase_file")
        as_json = bool(kwargs.pop("as_json"))
        assert isinstance(home, Path)  # noqa: S101 - click converts it; for the type checker
        assert passphrase_file is None or isinstance(passphrase_file, Path)  # noqa: S101 - same
        return command(Run(home, passphrase_file, as_json), *args, **kwargs)

    return with_run


class Commands(click.Group):
    """A group whose help has the whole first sentence of each command, where click cuts it off at the line's end."""

    group_class = type

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, a long sentence over two lines."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(limit=_WHOLE)) for name, one in found if one])


class DurationType(click.ParamType[timedelta]):
    """A length of time such as 90d."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:  # noqa: ANN401 - click's signature
        """Return the length, or fail with the hint."""
        if isinstance(value, timedelta):
            return value
        try:
            return parse_duration(str(value))
        except InputError as error:
            self.fail(f"{error.message}\nhint: {error.hint}" if error.hint else error.message, param, ctx)


def columns(rows: Sequence[Sequence[str]], *, titles: Sequence[str]) -> str:
    """Return rows in aligned columns under their titles."""
    table = [list(titles), *[list(row) for row in rows]]
    widths = [max(len(row[index]) for row in table) for index in range(len(titles))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    return "\n".join(lines)
