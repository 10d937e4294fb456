"""``counterseal revoke`` and ``counterseal unrevoke``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from counterseal.authority.publish import signing_cas, unlock
from counterseal.authority.record_json import certificate_to_json
from counterseal.authority.revoke import find_held, find_revocable, others_with_key, revoke_record, unrevoke_record
from counterseal.authority.revoke import revoke as revoke_certificate
from counterseal.authority.revoke import unrevoke as unrevoke_certificate
from counterseal.cli.common import Run, common
from counterseal.cli.completions import complete_certificates
from counterseal.cli.dry_run import dry_run_option, show_dry_run
from counterseal.cli.locking_out import put_in_force, rehearse_in_force
from counterseal.errors import shell_line
from counterseal.pki.crl import RevocationReason
from counterseal.pki.shown import show_serial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from click.decorators import FC

    from counterseal.authority.parts import Authority
    from counterseal.store.records import CertificateRecord

EPILOG = """\b
Examples:
  counterseal revoke alice --reason key_compromise
  counterseal revoke 01A2B3... --reason superseded
  counterseal revoke alice --reason certificate_hold      can be taken back with unrevoke
"""
_REASONS = [reason for reason in RevocationReason if reason is not RevocationReason.REMOVE_FROM_CRL]
"""RFC 5280 5.3.1: the one left out is for delta lists only."""


def reason_option(reasons: Sequence[RevocationReason]) -> Callable[[FC], FC]:
    """Return the option for one of these reasons."""
    return click.option(
        "--reason",
        metavar="REASON",
        type=click.Choice([reason.value for reason in reasons]),
        default=RevocationReason.UNSPECIFIED.value,
        show_default=True,
        help=f"As RFC 5280 5.3.1 names it: {', '.join(reason.value for reason in reasons)}.",
    )


no_deploy_option = click.option("--no-deploy", is_flag=True, help="Only publish the lists; leave nginx as it is.")


@click.command(epilog=EPILOG)
@click.argument("selector", metavar="NAME|SERIAL", shell_complete=complete_certificates)
@reason_option(_REASONS)
@no_deploy_option
@dry_run_option
@common
def revoke(run: Run, *, selector: str, reason: str, no_deploy: bool, dry_run: bool) -> None:
    """Revoke a certificate, and lock it out of nginx.

    Returns when nginx refuses: new lists are published, a generation is deployed, and the refusal is proved.
    After key_compromise no certificate is issued for its key any more.
    """
    began = time.monotonic()
    with run.authority() as authority:
        if dry_run:
            why = RevocationReason(reason)
            record = find_revocable(authority, selector, why)
            what = f"revoke (as {reason})"
            _rehearse(
                run, authority, record, what, deploy=not no_deploy, before=lambda one: revoke_record(one, record, why)
            )
            return
        find_revocable(authority, selector, RevocationReason(reason))
        unlock(authority)
        record = revoke_certificate(authority, selector, RevocationReason(reason))
        run.say(f"revoked {record.name} ({show_serial(record.serial_number)}): {reason}")
        if reason == RevocationReason.KEY_COMPROMISE.value:
            _tell_others(run, others_with_key(authority, record))
        told, shown = put_in_force(run, authority, record, "revoke", deploy=not no_deploy)
    seconds = time.monotonic() - began
    run.show(
        {"certificate": certificate_to_json(record), **shown, "seconds": seconds},
        f"{told}, {seconds:.1f} s after the command",
    )


@click.command(epilog="\b\nExamples:\n  counterseal unrevoke alice")
@click.argument("selector", metavar="NAME|SERIAL", shell_complete=complete_certificates)
@no_deploy_option
@dry_run_option
@common
def unrevoke(run: Run, *, selector: str, no_deploy: bool, dry_run: bool) -> None:
    """Take back a certificate_hold."""
    with run.authority() as authority:
        if dry_run:
            held = find_held(authority, selector)
            _rehearse(
                run, authority, held, "unrevoke", deploy=not no_deploy, before=lambda one: unrevoke_record(one, held)
            )
            return
        find_held(authority, selector)
        unlock(authority)
        record = unrevoke_certificate(authority, selector)
        run.say(f"{record.name} is valid again ({show_serial(record.serial_number)})")
        told, shown = put_in_force(run, authority, record, "unrevoke", deploy=not no_deploy)
    run.show({"certificate": certificate_to_json(record), **shown}, told)


def _tell_others(run: Run, others: Sequence[CertificateRecord]) -> None:
    """Warn of certificates that whoever has the key can still show."""
    for one in others:
        serial = show_serial(one.serial_number)
        line = shell_line("counterseal", "revoke", serial, "--reason", RevocationReason.KEY_COMPROMISE.value)
        run.warn(f"another certificate of {one.name} for the same key is still valid: {serial}", f"hint: {line}")


def _rehearse(
    run: Run,
    authority: Authority,
    record: CertificateRecord,
    what: str,
    *,
    deploy: bool,
    before: Callable[[Authority], object],
) -> None:
    acts = [f"{what} {record.name} ({show_serial(record.serial_number)}): {record.subject or ', '.join(record.names)}"]
    acts += [f"sign a new revocation list of {ca.name}" for ca in signing_cas(authority)]
    run.rehearse_opening(authority, signing_cas(authority))
    after = rehearse_in_force(run, authority, record, what.partition(" ")[0], deploy=deploy, before=before)
    document = {"certificate": certificate_to_json(record)}
    show_dry_run(run, acts=[*acts, *after.acts], files=after.files, document=document, fails=after.fails)
