"""Where passphrases and passwords come from: a file, a systemd credential, or a prompt. Never an argument."""

from __future__ import annotations

import codecs
import os
import sys
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar

import click

from counterseal.bundles.password import MIN_CHOSEN_LENGTH, check_password, generate_password
from counterseal.cli.common import FILE
from counterseal.errors import InputError
from counterseal.files import exposed, read_first_line

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")
CREDENTIAL = "counterseal-passphrase"
MIN_LENGTH = 8


def read_passphrase(passphrase_file: Path | None, of: str = "the CA keys") -> bytes | None:
    """Return the passphrase ``of`` something: from the file, the systemd credentials directory, or else a prompt.

    None when there is neither and no terminal to ask on. Only the first line of a file counts.
    """
    source = passphrase_file or _credential()
    if source is not None:
        return _passphrase_in(source)
    if not sys.stdin.isatty():
        return None
    return str(click.prompt(f"passphrase of {of}", hide_input=True, err=True)).encode()


def would_ask(passphrase_file: Path | None) -> bool:
    """Whether a person would be asked for the passphrase, whom a rehearsal leaves alone."""
    return passphrase_file is None and _credential() is None and sys.stdin.isatty()


def choose_passphrase(passphrase_file: Path | None, what: str = "the CA keys") -> bytes | None:
    """Return a new passphrase for ``what`` is made; a prompt asks twice. None when there is nothing to read it from."""
    source = passphrase_file or _credential()
    if source is not None:
        passphrase = _passphrase_in(source)
        _require_typable(source, passphrase)
    elif sys.stdin.isatty():
        prompt = f"new passphrase for {what}"
        passphrase = str(click.prompt(prompt, hide_input=True, confirmation_prompt=True, err=True)).encode()
    else:
        return None
    if len(passphrase) < MIN_LENGTH:
        raise InputError(
            "passphrase.short",
            f"the passphrase is shorter than {MIN_LENGTH} characters",
            hint="take a few words: openssl rand -base64 24 makes one that nobody guesses",
        )
    return passphrase


def _require_typable(path: Path, passphrase: bytes) -> None:
    """Refuse what editors on Windows put around a passphrase: nobody who types it later would open the keys."""
    if passphrase.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in passphrase:
        raise InputError(
            "passphrase.encoding",
            f"the passphrase file is not plain text: {path}",
            hint="save it as UTF-8 without a byte order mark",
        )


def _credential() -> Path | None:
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    path = Path(directory) / CREDENTIAL if directory else None
    return path if path and path.is_file() else None


def _passphrase_in(path: Path) -> bytes:
    line = _first_line(path)
    if error := exposed(path):  # no refusal: what mounts a secret into a container often shows it to all in there
        click.echo(f"warning: {error.message}\nhint: {error.hint}", err=True)
    return line


def _first_line(path: Path) -> bytes:
    line = read_first_line(path)
    if not line:
        raise InputError("passphrase.empty", f"the passphrase file has an empty first line: {path}")
    return line


def read_password(password_file: Path | None, prompt: str) -> bytes:
    """Return a password from the file's first line, else from a prompt; empty where there is no terminal."""
    if password_file is not None:
        return _first_line(password_file)
    return (
        str(click.prompt(prompt, hide_input=True, default="", show_default=False, err=True)).encode()
        if (sys.stdin.isatty())
        else b""
    )


class PasswordSource(NamedTuple):
    """Where the password of a new PKCS#12 comes from: a file, the terminal, or where neither is given, chance."""

    file: Path | None
    ask: bool

    @property
    def given(self) -> bool:
        """Whether a person chooses it; one that is made has to be shown once."""
        return self.file is not None or self.ask

    def choose(self) -> str:
        """Return the password, checked; raises what ``check_password`` does, UsageError without a terminal."""
        if self.file is not None:
            return check_password(read_first_line(self.file).decode(errors="replace"))
        return _ask_new_password() if self.ask else generate_password(os.urandom)

    def to_show(self, password: str | None) -> dict[str, str]:
        """Return what has to be shown of it: nothing of a password that a person chose."""
        return {"password": password} if password is not None and not self.given else {}


def password_options(*, otherwise: str = "made and shown once") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Give a command --password-file and --ask-password, and hand them to it as a PasswordSource, ``password``.

    Their help says what happens ``otherwise``.
    """

    def decorate(command: Callable[P, R]) -> Callable[P, R]:
        @click.option(
            "--password-file", type=FILE, help=f"PKCS#12 password, a file's first line.  [default: {otherwise}]"
        )
        @click.option("--ask-password", is_flag=True, help="Type the PKCS#12 password, twice.")
        @wraps(command)
        def with_password(*args: P.args, **kwargs: P.kwargs) -> R:
            file, ask = kwargs.pop("password_file"), bool(kwargs.pop("ask_password"))
            assert file is None or isinstance(file, Path)  # noqa: S101 - click converts it; for the type checker
            if file is not None and ask:
                raise click.UsageError("--password-file and --ask-password exclude each other")
            kwargs["password"] = PasswordSource(file, ask)
            return command(*args, **kwargs)

        return with_password

    return decorate


def _ask_new_password() -> str:
    if not sys.stdin.isatty():
        raise click.UsageError("--ask-password needs a terminal to ask on\nhint: use --password-file FILE")
    return str(
        click.prompt(
            f"new password of the PKCS#12, {MIN_CHOSEN_LENGTH} characters or more",
            confirmation_prompt="the same again",
            hide_input=True,
            default="",
            show_default=False,
            value_proc=check_password,  # what is too short is not asked for twice
            err=True,
        )
    )
