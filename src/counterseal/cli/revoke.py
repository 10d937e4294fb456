"""``counterseal revoke`` and ``counterseal unrevoke``."""

from __future__ import annotations

import click

from counterseal.authority.find import show_serial
from counterseal.authority.publish import publish
from counterseal.authority.revoke import revoke as revoke_certificate
from counterseal.authority.revoke import unrevoke as unrevoke_certificate
from counterseal.cli.common import Run, common
from counterseal.cli.records import document
from counterseal.pki.crl import RevocationReason

EPILOG = """\b
Examples:
  counterseal revoke alice --reason key_compromise
  counterseal revoke 01A2B3... --reason superseded
  counterseal revoke alice --reason certificate_hold      can be taken back with unrevoke
"""
_REASONS = [reason.value for reason in RevocationReason]


@click.command(epilog=EPILOG)
@click.argument("selector", metavar="NAME|SERIAL")
@click.option(
    "--reason",
    type=click.Choice(_REASONS),
    default="unspecified",
    show_default=True,
    help="As RFC 5280 5.3.1 names it.",
)
@common
def revoke(run: Run, *, selector: str, reason: str) -> None:
    """Revoke a certificate, and lock it out of nginx."""
    with run.authority() as authority:
        record = revoke_certificate(authority, selector, RevocationReason(reason))
        published = publish(authority)
    numbers = {crl.issuer: crl.number for crl in published.signed}
    text = f"revoked {record.name} ({show_serial(record.serial_number)}): {reason}\n  new CRLs: {numbers}"
    run.show({"certificate": document(record), "crl_numbers": numbers}, text)


@click.command(epilog="\b\nExamples:\n  counterseal unrevoke alice")
@click.argument("selector", metavar="NAME|SERIAL")
@common
def unrevoke(run: Run, *, selector: str) -> None:
    """Take back a certificate_hold."""
    with run.authority() as authority:
        record = unrevoke_certificate(authority, selector)
        publish(authority)
    run.show({"certificate": document(record)}, f"{record.name} is valid again ({show_serial(record.serial_number)})")
