"""``counterseal show``."""

from __future__ import annotations

import click

from counterseal.authority.find import find
from counterseal.authority.inventory import show_state, status_of
from counterseal.authority.record_json import certificate_to_json
from counterseal.cli.common import Run, common
from counterseal.cli.completions import complete_certificates
from counterseal.duration import show_duration
from counterseal.errors import NotFoundError
from counterseal.moments import moment, show_moment
from counterseal.pki.pem_writer import pem_block
from counterseal.pki.shown import show_serial

EPILOG = """\b
Examples:
  counterseal show alice
  counterseal show 01A2B3...          by serial number
  counterseal show alice --pem        the certificate itself
"""


@click.command(epilog=EPILOG)
@click.argument("selector", metavar="NAME|SERIAL", shell_complete=complete_certificates)
@click.option("--pem", is_flag=True, help="Print the certificate in PEM.")
@common
def show(run: Run, *, selector: str, pem: bool) -> None:
    """Show one certificate of the inventory."""
    with run.authority() as authority:
        record, now = find(authority, selector), authority.clock()
        issuer = authority.store.ca(record.issuer)
    encoded = _pem(record.certificate)
    if pem and encoded is None:
        raise NotFoundError(
            "certificate.not_kept", f"only the serial number of this certificate is known: {selector!r}"
        )
    lines = [
        f"name     {record.name}",
        f"status   {status_of(record, now)}",
        f"subject  {record.subject}",
        f"names    {', '.join(record.names) or 'none'}",
        f"profile  {record.profile}",
        f"issuer   {record.issuer}{f', {show_state(issuer)}' if issuer.revoked_at is not None else ''}",
        f"serial   {show_serial(record.serial_number)}",
        f"from     {show_moment(moment(record.not_before))}",
        f"until    {show_moment(moment(record.not_after))} ({show_duration(moment(record.not_after) - now)})",
        f"made     {show_moment(moment(record.created_at))} by {record.created_by}",
    ]
    if record.revoked_at:
        lines.append(f"revoked  {show_moment(moment(record.revoked_at))}, {record.revocation_reason}")
    text = (encoded or "").rstrip() if pem else "\n".join(lines)
    run.show({"certificate": certificate_to_json(record), "issuer_state": issuer.state, "pem": encoded}, text)


def _pem(content: bytes | None) -> str | None:
    return pem_block("CERTIFICATE", content).decode() if content else None
