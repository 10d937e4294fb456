"""``counterseal client``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from counterseal.authority.order import order_client
from counterseal.cli.common import DIRECTORY, FILE, DurationType, Run, common
from counterseal.cli.completions import complete_cas
from counterseal.cli.dry_run import dry_run_option
from counterseal.cli.issuing import Destination, Order, issue_files, refuse_early, show_issued
from counterseal.cli.packing import ALL_DEVICES, DEVICE_NAMES, device_option, pack, packing_of, rounds_option
from counterseal.cli.passphrase import PasswordSource, password_options
from counterseal.errors import shell_line
from counterseal.keystore.software import generate_key
from counterseal.moments import epoch
from counterseal.pki.keys import parse_key_spec
from counterseal.pki.shown import show_serial
from counterseal.store.records import Status

if TYPE_CHECKING:
    from datetime import timedelta

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from counterseal.authority.parts import Authority
    from counterseal.pki.policy import Asked

EPILOG = """\b
Examples:
  counterseal client alice --group ops --email alice@example.com
  counterseal client client.device --key rsa-2048 --compatible --out handout/
  counterseal client bob --ask-password
  counterseal client carol --help-device macos
  counterseal client --help-device firefox
  counterseal client backup-job --no-p12 --uri spiffe://example.com/backup
  counterseal client --batch people.csv --out handout/
  counterseal client --batch devices.jsonl --no-p12 --archive devices.tar

A batch has one client a row: CSV whose first line names the columns, or .jsonl.
Columns: name, email, uri, dns, group, lifetime, subject; all but name may be left
out. Nothing is issued when a row is wrong; run again, it goes on where it was.
For each row NAME.key.pem, NAME.fullchain.pem and NAME.p12: NAME.cert.pem and
NAME.chain.pem of a single client are the two parts of its NAME.fullchain.pem.
"""


class Options(TypedDict):
    """The options of the command, as click hands them over."""

    name: str | None
    email: tuple[str, ...]
    uri: tuple[str, ...]
    dns: tuple[str, ...]
    group: str | None
    key: str
    lifetime: timedelta | None
    subject: str | None
    issuer: str | None
    p12: bool
    compatible: bool
    p12_rounds: int | None
    password: PasswordSource
    help_device: str | None
    batch: Path | None
    archive: Path | None
    out: Path
    force: bool
    dry_run: bool


@click.command(epilog=EPILOG)
@click.argument("name", required=False)
@click.option("--email", multiple=True, help="E-mail address; may be repeated.")
@click.option("--uri", multiple=True, help="URI such as spiffe://example.com/x or a URN; may be repeated.")
@click.option("--dns", multiple=True, help="DNS name of a device; may be repeated.")
@click.option("--group", help="Group (OU) by which a site can admit it.")
@click.option("--key", default="p-256", show_default=True, help="Kind of key: p-256, rsa-2048 ...")
@click.option("--lifetime", type=DurationType(), help="How long it lives.  [default: 365d]")
@click.option("--subject", help="Subject instead of CN=NAME.")
@click.option("--issuer", shell_complete=complete_cas, help="CA that issues it.  [default: the active client CA]")
@click.option("--p12/--no-p12", default=True, help="Pack a PKCS#12 for browsers and devices.  [default: p12]")
@click.option("--compatible", is_flag=True, help="PKCS#12 for old macOS, iOS, Android < 14, Windows Server 2016.")
@rounds_option
@password_options()
@device_option("Pack what this device reads, and print its steps at the end; without NAME the steps alone.")
@click.option(
    "--batch",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Make one for each row of a CSV or JSON Lines file.",
)
@click.option(
    "--archive",
    type=FILE,
    help="With --batch: all files into one tar (0600) instead of --out.",
)
@click.option("--out", type=DIRECTORY, default=Path(), help="Directory for the files.  [default: this one]")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@dry_run_option
@common
def client(run: Run, **options: Unpack[Options]) -> None:
    """Make a client certificate, its key and a PKCS#12.

    Files: NAME.key.pem (0600), NAME.cert.pem, NAME.chain.pem (the CAs between; none under a CA of
    --single-tier, and then no file), NAME.fullchain.pem (both), ca.pem (the root), NAME.p12 (0600).
    """
    device = options["help_device"]
    if options["batch"] is not None:
        from counterseal.cli.client_batch import run_batch  # noqa: PLC0415 - only a batch needs it

        run_batch(run, options["batch"], options)
    elif options["name"] is None and device is not None:
        from counterseal.cli.device_steps import show_steps  # noqa: PLC0415 - only where it is asked for

        show_steps(run, device, None)
    elif options["name"] is None:
        what = "give the NAME of a client, or a file with --batch"
        raise click.UsageError(f"{what}\nhint: as in: counterseal client alice")
    elif options["archive"] is not None:
        raise click.UsageError("--archive is for a --batch")
    elif device == ALL_DEVICES:
        raise click.UsageError(f"--help-device behind a NAME wants a device: {', '.join(DEVICE_NAMES)}")
    else:
        _make_one(run, options["name"], options)


def _make_one(run: Run, name: str, options: Options) -> None:
    private_key = generate_key(parse_key_spec(options["key"]))
    to = Destination(options["out"], options["force"], options["dry_run"])
    with run.authority() as authority:
        asked = _ask(authority, name, private_key.public_key(), options)
        order = Order(asked, to, name, options["issuer"])
        packing = packing_of(
            options,
            lambda: asked.public_key,
            password=options["password"],
            before_asking=lambda: refuse_early(authority, order),
        )
        made = issue_files(run, authority, order, lambda issued: pack(issued, private_key, packing))
        found, now = authority.store.by_name(name), epoch(authority.clock())
    if made:
        shown, record = options["password"].to_show(packing.password if packing else None), made[0].record
        following = shell_line("counterseal", "show", name if len(found) == 1 else show_serial(record.serial_number))
        show_issued(run, *made, extra=shown, following=following, device=options["help_device"])
        before = (one for one in found if one.serial_number != record.serial_number)
        if any(one.status is Status.VALID and one.not_after > now for one in before):
            which = shell_line("counterseal", "list", "--name", name)
            run.say(f"hint: what was issued under this name before stays valid until it is revoked: {which}")


def _ask(authority: Authority, name: str, public_key: CertificatePublicKeyTypes, options: Options) -> Asked:
    names = [f"email:{text}" for text in options["email"]]
    names += [f"URI:{text}" for text in options["uri"]]
    names += [f"DNS:{text}" for text in options["dns"]]
    return order_client(
        authority.profile("client"),
        name,
        public_key,
        more_names=names,
        group=options["group"],
        subject=options["subject"],
        lifetime=options["lifetime"],
    )
