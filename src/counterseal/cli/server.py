"""``counterseal server``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from counterseal.authority.credential import credential_of
from counterseal.authority.order import order_server
from counterseal.bundles.pem import pem_files
from counterseal.cli.common import DIRECTORY, DurationType, Run, common
from counterseal.cli.completions import complete_cas
from counterseal.cli.dry_run import dry_run_option
from counterseal.cli.issuing import Destination, Order, issue_files, show_issued
from counterseal.keystore.software import generate_key
from counterseal.pki.keys import parse_key_spec

if TYPE_CHECKING:
    from datetime import timedelta

EPILOG = """\b
Examples:
  counterseal server panel.example.com
  counterseal server panel.example.com --san www.example.com --san 10.0.0.7 --out /etc/ssl/panel
  counterseal server '*.example.com' --key rsa-2048 --lifetime 30d
"""


@click.command(epilog=EPILOG)
@click.argument("name")
@click.option("--san", multiple=True, help="One more name: DNS, IP:, URI:; may be repeated.")
@click.option("--key", default="p-256", show_default=True, help="Kind of key: p-256, rsa-2048 ...")
@click.option("--lifetime", type=DurationType(), help="How long it lives.  [default: 90d]")
@click.option("--subject", help="Subject instead of CN=NAME.")
@click.option("--issuer", shell_complete=complete_cas, help="CA that issues it.  [default: the active server CA]")
@click.option("--out", type=DIRECTORY, default=Path(), help="Directory for the files.  [default: this one]")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@dry_run_option
@common
def server(
    run: Run,
    *,
    name: str,
    san: tuple[str, ...],
    key: str,
    lifetime: timedelta | None,
    subject: str | None,
    issuer: str | None,
    out: Path,
    force: bool,
    dry_run: bool,
) -> None:
    """Make a server certificate and its key.

    NAME is a DNS name, a wildcard such as *.example.com, or an IP address; one of more than 64
    characters is no common name, and the subject is left empty.

    Files: NAME.key.pem (0600), NAME.cert.pem, NAME.chain.pem (the CAs between; none under a CA of
    --single-tier, and then no file), NAME.fullchain.pem (both, for nginx), ca.pem (the root). An
    international NAME goes by its A-label, ::1 as _ipv6.--1.
    """
    private_key = generate_key(parse_key_spec(key))
    with run.authority() as authority:
        profile = authority.profile("server")
        asked = order_server(
            profile, name, private_key.public_key(), more_names=san, subject=subject, lifetime=lifetime
        )
        order = Order(asked, Destination(out, force, dry_run), name.removesuffix("."), issuer)
        made = issue_files(run, authority, order, lambda issued: pem_files(credential_of(issued, private_key)))
    if made:
        show_issued(run, *made, extra={}, following="counterseal client NAME")
