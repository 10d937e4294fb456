"""``counterseal enroll``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from counterseal.agent.address import ServerAddress
from counterseal.agent.enroll import Held, Wish, enroll, names_of, rehearse
from counterseal.agent.token import MAX_TOKEN_BYTES, Token, parse_token
from counterseal.agent.trust import parse_fingerprint, show_fingerprint
from counterseal.bundles.pem import file_stem
from counterseal.cli.common import DIRECTORY, FILE, Run, common
from counterseal.cli.dry_run import dry_run_option, show_dry_run, unseen_files
from counterseal.cli.passphrase import PasswordSource, password_options
from counterseal.errors import FileError, InputError
from counterseal.files import read_file
from counterseal.moments import show_moment
from counterseal.pki.keys import parse_key_spec
from counterseal.pki.names import parse_name
from counterseal.pki.shown import show_serial
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from cryptography import x509

    from counterseal.agent.trust import Trust
    from counterseal.files import Preview

EPILOG = """\b
Examples:
  counterseal enroll https://ca.example.com:8443 --token token.txt --fingerprint SHA256
  ssh ca counterseal token pump-7 --profile client | counterseal enroll https://ca:8443 --token -
  counterseal enroll https://ca:8443 --token token.txt --ca ca.pem --name pump-7 --p12

The token is read from a file or, with -, from standard input; without either it is asked for.
What `counterseal token` prints can be given as it is: the root's fingerprint is in it.
Elsewhere `counterseal ca export` says it.
"""
_STDIN = Path("-")


@click.command("enroll", epilog=EPILOG)
@click.argument("url")
@click.option(
    "--token",
    type=click.Path(path_type=Path),
    envvar="COUNTERSEAL_TOKEN_FILE",
    metavar="FILE|-",
    help="File with the one-time token; - reads standard input.  [default: $COUNTERSEAL_TOKEN_FILE, else a prompt]",
)
@click.option("--fingerprint", metavar="SHA256", help="The CA's root must have this SHA-256.")
@click.option("--ca", type=FILE, help="Root that the server's certificate is verified with, PEM.")
@click.option("--name", help="Common name to ask for.  [default: what the token is for]")
@click.option("--san", multiple=True, help="One more name to ask for; may be repeated.")
@click.option("--key", default="p-256", show_default=True, help="Kind of key: p-256, rsa-2048 ...")
@click.option("--p12", is_flag=True, help="Pack a PKCS#12 too.")
@password_options()
@click.option("--out", type=DIRECTORY, default=Path(), help="Directory for the files.  [default: this one]")
@click.option("--force", is_flag=True, help="Replace a certificate that is there.")
@dry_run_option
@common
def enroll_(
    run: Run,
    *,
    url: str,
    token: Path | None,
    fingerprint: str | None,
    ca: Path | None,
    name: str | None,
    san: tuple[str, ...],
    key: str,
    p12: bool,
    password: PasswordSource,
    out: Path,
    force: bool,
    dry_run: bool,
) -> None:
    """Get this machine's first certificate from a CA elsewhere, for a one-time token.

    The key is made here and stays here. Nothing is sent before the CA is known to be the right one.
    """
    server = ServerAddress.parse(url)
    pinned = parse_fingerprint(fingerprint) if fingerprint is not None else None
    chosen = password.choose() if p12 or password.given else None
    wish = Wish(name, tuple(map(parse_name, san)), parse_key_spec(key), chosen)
    anchors = read_file(ca) if ca is not None else None
    given = _read_token(token)
    if dry_run:
        trusted = rehearse(server, wish, out, fingerprint=pinned or given.fingerprint, anchors=anchors, force=force)
        _show_rehearsal(run, server, wish, trusted, out)
        return
    held = enroll(
        server, wish, out, secret=given.secret, fingerprint=pinned or given.fingerprint, anchors=anchors, force=force
    )
    show_held(run, "enrolled", held, extra=password.to_show(chosen), following=_following(held, url, out))


def _show_rehearsal(run: Run, server: ServerAddress, wish: Wish, trusted: Trust, out: Path) -> None:
    """Name the files; NAME in them stands for what the token is for, which only the service knows."""
    root = f", whose root is {show_subject(trusted.pinned.subject)}" if trusted.pinned else ""
    acts = [f"make a key and ask {server}{root}, for a certificate for {wish.name or 'what the token is for'}"]
    files = planned_files(out, wish.name or "NAME", trusted, with_pkcs12=wish.password is not None)
    show_dry_run(run, acts=acts, files=files)


def planned_files(out: Path, name: str, trusted: Trust, *, with_pkcs12: bool) -> list[Preview]:
    """Return the files of a certificate that a CA elsewhere would issue."""
    return unseen_files(out, file_stem(name), with_chain=trusted.has_issuing, with_pkcs12=with_pkcs12)


def _following(held: Held, url: str, out: Path) -> str:
    command = ["counterseal", "renew", held.credential.name, "--server", url, "--out", str(out.absolute()), "--if-due"]
    return f"have a timer call: {shlex.join(command)}"


def _read_token(path: Path | None) -> Token:
    if path is None:
        if not sys.stdin.isatty():
            raise click.UsageError("give the token: --token FILE, or --token - for standard input")
        return parse_token(str(click.prompt("one-time token", hide_input=True, err=True)).encode())
    if path == _STDIN:
        return parse_token(sys.stdin.buffer.read(MAX_TOKEN_BYTES + 1))
    try:
        return parse_token(read_file(path))
    except FileError as error:
        if isinstance(error.__cause__, FileNotFoundError) and _may_be_secret(path):
            raise InputError(
                "token.argument",
                "--token takes the name of a file, and there is none of this name",
                hint="if it was the token itself: everybody here can see it now, so make a new one, and pass --token -",
            ) from None
        raise


def _may_be_secret(path: Path) -> bool:
    """Whether what was given looks less like a path than like the token itself, which is then not said again."""
    text = str(path)
    return len(text) >= 16 and "/" not in text and "." not in text  # noqa: PLR2004 - the shortest token there is


def show_held(run: Run, verb: str, held: Held, *, extra: dict[str, str], following: str) -> None:
    """Say what this machine holds now, where, until when, and what to do next."""
    credential = held.credential
    certificate, root = credential.certificate, credential.trust_anchor
    names = names_of(certificate)
    lines = [f"{verb} {credential.name}: {show_subject(certificate.subject) or ', '.join(names)}"]
    lines += [f"  names    {', '.join(names)}"] if names else []
    lines += [
        f"  serial   {show_serial(certificate.serial_number)}",
        f"  issuer   {show_subject(certificate.issuer)}",
        f"  until    {show_moment(certificate.not_valid_after_utc)}",
        f"  root     {show_subject(root.subject)}, SHA-256 {show_fingerprint(root)}",
    ]
    lines += [f"  file     {path}" for path in held.paths]
    lines += [f"  {key:<8} {value}" for key, value in extra.items()]
    lines += [f"next: {following}"] if following else []
    paths = [str(path) for path in held.paths]
    run.show(
        {"certificate": held_document(certificate), "root": show_fingerprint(root), "files": paths, **extra},
        "\n".join(lines),
    )


def held_document(certificate: x509.Certificate) -> dict[str, Any]:
    """Return a certificate as data, with the keys that other commands have for one of the inventory."""
    return {
        "serial_number": show_serial(certificate.serial_number),
        "subject": show_subject(certificate.subject),
        "names": list(names_of(certificate)),
        "issuer": show_subject(certificate.issuer),
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
    }
