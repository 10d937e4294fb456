"""``counterseal list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from counterseal.authority.inventory import EXPIRED, Wanted, status_of
from counterseal.authority.record_json import certificate_to_json
from counterseal.cli.common import DurationType, Run, columns, common
from counterseal.cli.completions import complete_cas, complete_certificates, complete_profiles
from counterseal.duration import show_duration
from counterseal.moments import moment
from counterseal.pki.profile import UNLISTED
from counterseal.pki.shown import show_serial
from counterseal.store.records import CA_PROFILE, Query, Status

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from counterseal.authority.parts import Authority
    from counterseal.store.records import CertificateRecord, Page

EPILOG = """\b
Examples:
  counterseal list
  counterseal list --expiring 30d
  counterseal list --name '*.example.com' --status valid
  counterseal list --profile client --limit 20 --after CURSOR
"""


@click.command("list", epilog=EPILOG)
@click.option(
    "--status",
    type=click.Choice([*(status.value for status in Status), EXPIRED]),
    help="Only this status; reserved: numbers of which no certificate came, because a command was ended.",
)
@click.option("--profile", shell_complete=complete_profiles, help="Only this profile.")
@click.option("--issuer", shell_complete=complete_cas, help="Only of this CA.")
@click.option(
    "--name",
    shell_complete=complete_certificates,
    help="Begins with this; '*.example.com' for a domain, '*part*' for anywhere.",
)
@click.option("--expiring", type=DurationType(), help="Valid ones that expire within this time, such as 30d.")
@click.option("--probes", is_flag=True, help="Also the certificates made for proofs and for OCSP responders.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Rows a page.")
@click.option("--after", help="Continue after the cursor of the page before.")
@common
def list_(
    run: Run,
    *,
    status: str | None,
    profile: str | None,
    issuer: str | None,
    name: str | None,
    expiring: timedelta | None,
    probes: bool,
    limit: int,
    after: str | None,
) -> None:
    """List certificates by status, profile, name or expiry."""
    with run.authority() as authority:
        now = authority.clock()
        wanted = Wanted(
            status=status,
            expiring=expiring,
            profile=profile,
            issuer=issuer,
            name=name,
            probes=probes,
            limit=limit,
            after=after,
        )
        page = authority.store.search(wanted.query(now))
        if not page.records:
            _check_words(authority, profile, issuer)
        revoked = {ca.name for ca in authority.store.cas() if ca.revoked_at is not None}
    text = _table(page, now)
    run.show({"certificates": [certificate_to_json(record) for record in page.records], "next": page.next}, text)
    for ca in sorted(revoked & {one.issuer for one in page.records if one.status is Status.VALID}):
        run.warn(f"CA {ca} is revoked: what it issued is worth nothing, whatever its status: counterseal ca show {ca}")
    if page.next:
        run.say(f"more: add --after {page.next}")


def _check_words(authority: Authority, profile: str | None, issuer: str | None) -> None:
    """Where nothing was found: raise NotFoundError for a CA or profile that there is not, nor was."""
    if issuer:
        authority.store.ca(issuer)
    if profile is None or profile in {*UNLISTED, CA_PROFILE}:
        return
    if not authority.store.search(Query(profile=profile, limit=1)).records:  # "imported", or one of old
        authority.profile(profile)


def _table(page: Page, now: datetime) -> str:
    if not page.records:
        return "no certificates"
    if page.records[0].status is Status.RESERVED:
        rows = [_reserved_row(record) for record in page.records]
        return columns(rows, titles=("NAME", "PROFILE", "SINCE (UTC)", "BY", "ISSUER", "SERIAL"))
    titles = ("NAME", "STATUS", "PROFILE", "UNTIL", "LEFT", "ISSUER", "SERIAL")
    return columns([_row(record, now) for record in page.records], titles=titles)


def _row(record: CertificateRecord, now: datetime) -> tuple[str, ...]:
    status = status_of(record, now)
    left = show_duration(moment(record.not_after) - now) if status == Status.VALID else ""
    return (
        record.name,
        status,
        record.profile,
        f"{moment(record.not_after):%Y-%m-%d}",
        left,
        record.issuer,
        show_serial(record.serial_number),
    )


def _reserved_row(record: CertificateRecord) -> tuple[str, ...]:
    since = f"{moment(record.created_at):%Y-%m-%d %H:%M}"
    return (record.name, record.profile, since, record.created_by, record.issuer, show_serial(record.serial_number))
