"""``counterseal ca``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from counterseal.authority.ca_json import ca_to_json
from counterseal.authority.create import add_ca, rehearse_ca
from counterseal.authority.inventory import show_state
from counterseal.authority.parts import ROOT
from counterseal.authority.publish import publish, signing_cas, unlock
from counterseal.authority.retire import check_succession, retire
from counterseal.cli.ca_import_crl import import_crl
from counterseal.cli.ca_revoke import revoke_ca_
from counterseal.cli.ca_show import show_ca
from counterseal.cli.common import Commands, DurationType, Run, columns, common
from counterseal.cli.dry_run import dry_run_option, show_dry_run
from counterseal.cli.locking_out import ground_in_force, rehearse_deploying
from counterseal.errors import CountersealError, DeployError
from counterseal.files import preview
from counterseal.fileset import FileSet
from counterseal.pki.keys import parse_key_spec
from counterseal.pki.pem import encode_certificates
from counterseal.pki.profile import Purpose
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from datetime import timedelta

    from counterseal.authority.ground import Ground
    from counterseal.authority.parts import Authority
    from counterseal.store.records import CARecord

EPILOG = """\b
Examples:
  counterseal ca list
  counterseal ca show                       the root: fingerprint, dates, key
  counterseal ca export > root.pem
  counterseal ca add partners --purpose client
  counterseal ca retire clients --successor clients-2
  counterseal ca revoke clients --reason key_compromise
  counterseal ca import-crl root.crl.pem    a list that the key of an offline root has signed
"""
RETIRE_EPILOG = """\b
Examples:
  counterseal ca add clients-2 --purpose client
  counterseal ca retire clients --successor clients-2
"""


@click.group(cls=Commands, epilog=EPILOG)
def ca() -> None:
    """Look at the CAs, add one, have one succeed another, or revoke one."""


ca.add_command(show_ca)
ca.add_command(import_crl)
ca.add_command(revoke_ca_)


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
        rows.append((record.name, record.purpose, show_state(record), f"{until:%Y-%m-%d}", number, subject))
    run.show(
        {"cas": [ca_to_json(record, crls[record.name]) for record in cas]},
        columns(rows, titles=("NAME", "PURPOSE", "STATE", "UNTIL", "CRL", "SUBJECT")),
    )


@ca.command("export", epilog="\b\nExamples:\n  counterseal ca export > root.pem\n  counterseal ca export servers")
@click.argument("name", default=ROOT)
@common
def export(run: Run, *, name: str) -> None:
    """Print the certificate of a CA as PEM.

    Of the root unless another is named, for whoever is to trust it.
    """
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
            run.rehearse_opening(authority, [authority.store.ca(ROOT)])
            acts = [
                f"make CA {name} for {purpose} certificates: {show_subject(planned.subject)}, {until}",
                f"sign its first revocation list, and store both in {run.home}",
            ]
            files = preview(run.home / "keys", FileSet((file,)))
            show_dry_run(run, acts=acts, files=files, document={"name": name, "purpose": purpose})
            return
        record = add_ca(authority, name, Purpose(purpose), key=parse_key_spec(key), lifetime=lifetime, encrypt=encrypt)
        publish(authority, only={name})
    text = f"made CA {record.name} for {record.purpose} certificates\nnext: counterseal {purpose} NAME --issuer {name}"
    run.show({"name": record.name, "purpose": record.purpose}, text)


@ca.command("retire", epilog=RETIRE_EPILOG)
@click.argument("name")
@click.option("--successor", metavar="CA", required=True, help="Who issues in its place; made by ca add.")
@click.option("--no-deploy", is_flag=True, help="Leave nginx as it is, for a deploy later.")
@dry_run_option
@common
def retire_ca(run: Run, *, name: str, successor: str, no_deploy: bool, dry_run: bool) -> None:
    """Have another CA issue in the place of one that ends, renewals included.

    What it issued stays valid, and it goes on publishing lists. Sites that admit it admit its successor.
    So do those that admitted one that was revoked, whose own certificates stay locked out.
    It locks nobody out, so that it waits for a counterseal.toml without a fault, and does nothing before; or have it
    recorded at once, with --no-deploy, and the sites admit the successor with the next deploy.
    """
    with run.authority() as authority:
        check_succession(authority, name, successor)
        ground = ground_in_force(run, run.settings(), deploy=not no_deploy)
        if dry_run:
            run.rehearse_opening(authority, () if ground is None else signing_cas(authority))
            acts = [f"retire CA {name}: {successor} issues in its place, renewals too"]
            deploying, files = rehearse_deploying(
                authority,
                run.settings(),
                ground,
                f"retire {name}",
                lambda one: retire(one, name, successor),
                locks_out=False,
            )
            show_dry_run(run, acts=[*acts, *deploying], files=files)
            return
        if ground is not None:
            unlock(authority)  # a deploy that could not sign would come after the CA is retired
        record = retire(authority, name, successor)
        shown = ca_to_json(record, authority.store.latest_crl_times(name))
        run.say(f"retired CA {name}: {successor} issues in its place, renewals too")
        lines, deployed = ([], {"generation": None}) if ground is None else _admit(run, authority, record, ground)
    stays = "stays valid until it ends or is revoked" if record.revoked_at is None else "is to be replaced"
    lines += [f"what {name} issued {stays}", f"next: counterseal list --issuer {name}"]
    run.show({"ca": shown, **deployed}, "\n".join(lines))


def _admit(run: Run, authority: Authority, old: CARecord, ground: Ground) -> tuple[list[str], dict[str, Any]]:
    from counterseal.authority.deployment import deploy_sites  # noqa: PLC0415 - nginx and TLS only where sites are
    from counterseal.cli.in_force import tell_rest  # noqa: PLC0415 - same

    try:
        sites = run.settings().sites
        deployed = deploy_sites(authority, sites, ground, reason=f"retire {old.name}", may_rest=True)
    except CountersealError as error:
        raise DeployError(
            "ca.not_admitted",
            f"nginx does not admit what {old.successor} issues: {error.message}",
            quote=getattr(error, "quote", None),
            advice=getattr(error, "advice", ()),
            hint="the store has it, nginx has not: mend what is named above, then run: counterseal nginx deploy",
        ) from error
    state, number = tell_rest(run, ground) if deployed.rests else "in force and proved", deployed.result.generation
    return [f"{state}: generation {number}"], {"generation": number, "proved": not deployed.rests}
