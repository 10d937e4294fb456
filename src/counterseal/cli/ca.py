"""``counterseal ca``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from counterseal.authority.create import add_ca, rehearse_ca
from counterseal.authority.parts import ROOT
from counterseal.authority.publish import publish
from counterseal.authority.record_json import ca_to_json
from counterseal.cli.common import DurationType, Run, columns, common
from counterseal.cli.dry_run import dry_run_option, show_dry_run
from counterseal.files import preview
from counterseal.fileset import FileSet
from counterseal.pki.keys import parse_key_spec
from counterseal.pki.pem import encode_certificates
from counterseal.pki.profile import Purpose
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from datetime import timedelta

EPILOG = """\b
Examples:
  counterseal ca list
  counterseal ca export > root.pem
  counterseal ca add partners --purpose client
"""


@click.group(epilog=EPILOG)
def ca() -> None:
    """Look at the CAs, or add one."""


@ca.command("list", epilog="\b\nExamples:\n  counterseal ca list")
@common
def list_cas(run: Run) -> None:
    """List the CAs."""
    with run.authority() as authority:
        cas = authority.store.cas()
        crls = {record.name: authority.store.latest_crl_times(record.name) for record in cas}
    rows = []
    for record in cas:
        certificate = x509.load_der_x509_certificate(record.certificate)
        crl = crls[record.name]
        subject, until = show_subject(certificate.subject), certificate.not_valid_after_utc
        number = str(crl.number) if crl else "none"
        rows.append((record.name, record.purpose, record.state, f"{until:%Y-%m-%d}", number, subject))
    run.show(
        {"cas": [ca_to_json(record, crls[record.name]) for record in cas]},
        columns(rows, titles=("NAME", "PURPOSE", "STATE", "UNTIL", "CRL", "SUBJECT")),
    )


@ca.command("export", epilog="\b\nExamples:\n  counterseal ca export > root.pem\n  counterseal ca export servers")
@click.argument("name", default=ROOT)
@common
def export(run: Run, *, name: str) -> None:
    """Print the certificate of a CA as PEM; of the root unless another is named, for whoever is to trust it."""
    with run.authority() as authority:
        certificate = x509.load_der_x509_certificate(authority.store.ca(name).certificate)
    pem = encode_certificates(certificate).decode()
    fingerprint = certificate.fingerprint(SHA256()).hex()
    run.say(f"{show_subject(certificate.subject)}: SHA-256 {fingerprint}")
    run.show({"name": name, "certificate": pem, "sha256": fingerprint}, pem.rstrip())


@ca.command("add", epilog="\b\nExamples:\n  counterseal ca add partners --purpose client")
@click.argument("name")
@click.option("--purpose", type=click.Choice(["client", "server"]), required=True, help="What it issues.")
@click.option("--key", default="p-256", show_default=True, help="Kind of key: p-256, rsa-4096 ...")
@click.option("--lifetime", type=DurationType(), help="How long it lives.  [default: 1825d]")
@click.option("--no-passphrase", is_flag=True, help="Keep its key unencrypted (mode 0600).")
@dry_run_option
@common
def add(
    run: Run, *, name: str, purpose: str, key: str, lifetime: timedelta | None, no_passphrase: bool, dry_run: bool
) -> None:
    """Make one more issuing CA under the root."""
    with run.authority() as authority:
        encrypt = not no_passphrase and authority.keystore.is_encrypted("root")
        if dry_run:
            planned, file = rehearse_ca(
                authority, name, Purpose(purpose), key=parse_key_spec(key), lifetime=lifetime, encrypt=encrypt
            )
            until = f"until {planned.not_valid_after_utc:%Y-%m-%d}"
            acts = [
                f"make CA {name} for {purpose} certificates: {show_subject(planned.subject)}, {until}",
                f"sign its first revocation list, and store both in {run.home}",
            ]
            show_dry_run(run, acts=acts, files=preview(run.home / "keys", FileSet((file,))))
            return
        record = add_ca(authority, name, Purpose(purpose), key=parse_key_spec(key), lifetime=lifetime, encrypt=encrypt)
        publish(authority, only={name})
    text = f"made CA {record.name} for {record.purpose} certificates\nnext: counterseal {purpose} NAME --issuer {name}"
    run.show({"name": record.name, "purpose": record.purpose}, text)
