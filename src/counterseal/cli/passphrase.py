"""Where passphrases and passwords come from: a file, a systemd credential, or a prompt. Never an argument."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from counterseal.bundles.password import check_password, generate_password
from counterseal.errors import InputError
from counterseal.files import exposed, read_first_line

CREDENTIAL = "counterseal-passphrase"
MIN_LENGTH = 8


def read_passphrase(passphrase_file: Path | None) -> bytes | None:
    """Return the passphrase from the file, else from the systemd credentials directory, else from a prompt.

    None when there is neither and no terminal to ask on. Only the first line of a file counts.
    """
    source = passphrase_file or _credential()
    if source is not None:
        return _passphrase_in(source)
    if not sys.stdin.isatty():
        return None
    return str(click.prompt("passphrase of the CA keys", hide_input=True, err=True)).encode()


def choose_passphrase(passphrase_file: Path | None) -> bytes | None:
    """Return a passphrase for new keys; a prompt asks twice. None when there is nothing to read it from."""
    source = passphrase_file or _credential()
    if source is not None:
        passphrase = _passphrase_in(source)
    elif sys.stdin.isatty():
        prompt = "new passphrase for the CA keys"
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


def choose_password(password_file: Path | None) -> str:
    """Return the password in the file's first line, checked, or a new one."""
    if password_file is None:
        return generate_password(os.urandom)
    return check_password(read_first_line(password_file).decode(errors="replace"))
