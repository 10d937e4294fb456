"""``counterseal renew``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from counterseal.authority.find import find
from counterseal.authority.renew import ask_again
from counterseal.bundles.pem import file_stem
from counterseal.cli.beside import open_key_file, pkcs12_in, strength_like
from counterseal.cli.common import DIRECTORY, FILE, DurationType, Run, common
from counterseal.cli.completions import complete_certificates
from counterseal.cli.dry_run import dry_run_option
from counterseal.cli.issuing import Destination, Order, issue_files, refuse_early, show_issued
from counterseal.cli.packing import choose_packing, pack
from counterseal.cli.passphrase import PasswordSource, password_options
from counterseal.errors import InputError, KeyAccessError, shell_line
from counterseal.store.records import Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

    from counterseal.pki.policy import Asked


class RenewOptions(TypedDict):
    """The options of ``renew``, as click hands them over."""

    selector: str | None
    lifetime: timedelta | None
    out: Path
    force: bool
    server: str | None
    if_due: bool
    keep_key: bool
    key: str | None
    ca: Path | None
    password: PasswordSource
    then: str | None
    dry_run: bool


RENEW_EPILOG = """\b
Examples:
  counterseal renew panel.example.com --out /etc/ssl/panel --force
  counterseal renew pump-7 --server https://ca.example.com:8443 --out /etc/pump
  counterseal renew --server https://ca:8443 --out /etc/pump --if-due --then "systemctl reload pump"

With --server the CA is elsewhere: the files of NAME in --out, made by enroll or any other
command, are replaced at one moment, with a new key unless --keep-key says otherwise.
"""


@click.command(epilog=RENEW_EPILOG)
@click.argument("selector", metavar="[NAME|SERIAL]", required=False, shell_complete=complete_certificates)
@click.option("--lifetime", type=DurationType(), help="How long it lives.  [default: as the one before]")
@click.option("--out", type=DIRECTORY, default=Path(), help="Directory for the files.  [default: this one]")
@click.option("--force", is_flag=True, help="Replace files that exist; the key file is not among them.")
@click.option("--server", metavar="URL", help="Ask the CA there, with the certificate in --out as proof.")
@click.option("--if-due", is_flag=True, help="With --server: only when a third of its life is left.")
@click.option("--keep-key", is_flag=True, help="With --server: for the same key.")
@click.option("--key", help="With --server: kind of the new key.  [default: as the one before]")
@click.option("--ca", type=FILE, help="With --server: the root to verify it with.  [default: ca.pem in --out]")
@password_options(otherwise="one is made and shown where a PKCS#12 is replaced")
@click.option("--then", metavar="COMMAND", help="With --server: what the shell runs after a renewal.")
@dry_run_option
@common
def renew(run: Run, **options: Unpack[RenewOptions]) -> None:
    """Issue the same certificate again, here or by a CA elsewhere.

    Here it is for the same key; a PKCS#12 that lies in --out is made anew with the key beside it.
    """
    server, selector = options["server"], options["selector"]
    if server is not None:
        _refuse_options(options, ("lifetime", "force"), "does not go with --server")
        from counterseal.cli.renew_elsewhere import renew_elsewhere  # noqa: PLC0415 - TLS and HTTP

        renew_elsewhere(run, server, options)
        return
    _refuse_options(options, ("if_due", "keep_key", "key", "ca", "then"), "is for --server URL")
    if selector is None:
        what = "give the NAME or serial number of a certificate, or the CA elsewhere with --server"
        raise click.UsageError(f"{what}\nhint: as in: counterseal renew panel.example.com --force")
    _renew_here(run, selector, options)


def _refuse_options(options: RenewOptions, names: Sequence[str], why: str) -> None:
    for name in names:
        if options[name]:  # type: ignore[literal-required] # names of RenewOptions
            raise click.UsageError(f"--{name.replace('_', '-')} {why}")


def _renew_here(run: Run, selector: str, options: RenewOptions) -> None:
    out, password = options["out"], options["password"]
    to = Destination(out, options["force"], options["dry_run"])
    with run.authority() as authority:
        record = find(authority, selector, statuses=(Status.VALID,))
        asked = ask_again(authority, record, lifetime=options["lifetime"])
        name, key, packing = record.name, None, None
        order = Order(asked, to, name, record.issuer, key_file=False)
        if password.given or pkcs12_in(out, name):
            key = _key_at_hand(run, out, name, asked)
            packing = choose_packing(
                asked.public_key,
                strength_like(out, name),
                rounds=None,
                password=password,
                before_asking=lambda: refuse_early(authority, order),
            )
        made = issue_files(run, authority, order, lambda issued: pack(issued, key, packing, key_file=False))
    if made:
        shown = password.to_show(packing.password if packing else None)
        show_issued(run, *made, extra=shown, following=shell_line("counterseal", "list", "--name", name))


def _key_at_hand(run: Run, out: Path, name: str, asked: Asked) -> CertificateIssuerPrivateKeyTypes:
    """Return the key for the PKCS#12, which lies beside the certificate before."""
    path = out / f"{file_stem(name)}.key.pem"
    if not path.exists():
        raise InputError(
            "renew.pkcs12_key",
            f"no private key for the PKCS#12: {path}",
            hint="choose another --out and leave the password out, or make a new key: counterseal rekey",
        )
    key = open_key_file(run, path)
    if key.public_key() != asked.public_key:
        raise KeyAccessError("key.mismatch", f"the key does not belong to the certificate beside it: {path}")
    return key
