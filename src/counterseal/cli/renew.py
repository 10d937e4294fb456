"""``counterseal renew`` and ``counterseal rekey``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from counterseal.authority.credential import credential_of
from counterseal.authority.find import find
from counterseal.authority.renew import ask_again
from counterseal.authority.revoke import revoke_record
from counterseal.bundles.password import generate_password
from counterseal.bundles.pem import pem_files
from counterseal.bundles.pkcs12 import Strength, browser_key_refusal, encode
from counterseal.cli.common import DIRECTORY, FILE, DurationType, Run, common
from counterseal.cli.completions import complete_certificates
from counterseal.cli.dry_run import dry_run_option
from counterseal.cli.issuing import Destination, issue_files, show_issued
from counterseal.errors import shell_line
from counterseal.keystore.software import generate_key
from counterseal.pki.crl import RevocationReason
from counterseal.pki.keys import parse_key_spec
from counterseal.pki.shown import show_serial
from counterseal.store.records import Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from counterseal.authority.signing import Issued
    from counterseal.fileset import FileSet


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
    password_file: Path | None
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
@click.option("--password-file", type=FILE, help="With --server: make a PKCS#12 with this password.")
@click.option("--then", metavar="COMMAND", help="With --server: what the shell runs after a renewal.")
@dry_run_option
@common
def renew(run: Run, **options: Unpack[RenewOptions]) -> None:
    """Issue the same certificate again, here or by a CA elsewhere.

    Here it is for the same key.
    """
    server, selector = options["server"], options["selector"]
    if server is not None:
        _refuse_options(options, ("lifetime", "force"), "does not go with --server")
        from counterseal.cli.renew_elsewhere import Elsewhere, renew_elsewhere  # noqa: PLC0415 - TLS and HTTP

        renew_elsewhere(
            run,
            Elsewhere(
                server,
                selector,
                options["out"],
                options["if_due"],
                options["keep_key"],
                options["key"],
                options["ca"],
                options["password_file"],
                options["then"],
                options["dry_run"],
            ),
        )
        return
    _refuse_options(options, ("if_due", "keep_key", "key", "ca", "password_file", "then"), "is for --server URL")
    if selector is None:
        raise click.UsageError("give the NAME or serial number of a certificate, or the CA elsewhere with --server")
    _renew_here(run, selector, options)


def _refuse_options(options: RenewOptions, names: Sequence[str], why: str) -> None:
    for name in names:
        if options[name]:  # type: ignore[literal-required] # names of RenewOptions
            raise click.UsageError(f"--{name.replace('_', '-')} {why}")


def _renew_here(run: Run, selector: str, options: RenewOptions) -> None:
    with run.authority() as authority:
        record = find(authority, selector, statuses=(Status.VALID,))
        asked = ask_again(authority, record, lifetime=options["lifetime"])
        made = issue_files(
            run,
            authority,
            asked,
            Destination(options["out"], options["force"], options["dry_run"]),
            name=record.name,
            issuer=record.issuer,
            pack=lambda issued: pem_files(credential_of(issued, None)),
        )
    if made:
        show_issued(run, *made, extra={}, following=shell_line("counterseal", "list", "--name", record.name))


@click.command(epilog="\b\nExamples:\n  counterseal rekey alice --revoke-old --out handout/ --force")
@click.argument("selector", metavar="NAME|SERIAL", shell_complete=complete_certificates)
@click.option("--key", default="p-256", show_default=True, help="Kind of the new key.")
@click.option("--lifetime", type=DurationType(), help="How long it lives.  [default: as the one before]")
@click.option("--revoke-old", is_flag=True, help="Revoke the one before as superseded; deploy to put it in force.")
@click.option("--out", type=DIRECTORY, default=Path(), help="Directory for the files.  [default: this one]")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@dry_run_option
@common
def rekey(
    run: Run,
    *,
    selector: str,
    key: str,
    lifetime: timedelta | None,
    revoke_old: bool,
    out: Path,
    force: bool,
    dry_run: bool,
) -> None:
    """Issue the same certificate again, with a new key; a client gets a new PKCS#12 too."""
    private_key = generate_key(parse_key_spec(key))
    with run.authority() as authority:
        record = find(authority, selector, statuses=(Status.VALID,))
        asked = ask_again(authority, record, public_key=private_key.public_key(), lifetime=lifetime)
        is_for_browsers = asked.profile.purpose == "client" and not browser_key_refusal(private_key.public_key())
        password = generate_password(os.urandom) if is_for_browsers else None

        def pack(issued: Issued) -> FileSet:
            credential = credential_of(issued, private_key)
            packed = encode(credential, password, strength=Strength.MODERN) if password else None
            return pem_files(credential, pkcs12=packed)

        made = issue_files(
            run,
            authority,
            asked,
            Destination(out, force, dry_run),
            name=record.name,
            issuer=record.issuer,
            pack=pack,
            more=[f"revoke {show_serial(record.serial_number)} as superseded"] * revoke_old,
        )
        if made and revoke_old:
            revoke_record(authority, record, RevocationReason.SUPERSEDED)
    extra = {"password": password} if password else {}
    if made:
        show_issued(run, *made, extra=extra, following="counterseal nginx deploy" if revoke_old else "")
