"""``counterseal rekey``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from counterseal.authority.find import find
from counterseal.authority.renew import ask_again, key_spec_after
from counterseal.authority.revoke import revoke_record
from counterseal.bundles.pkcs12 import Strength, browser_key_refusal
from counterseal.cli.beside import pkcs12_in, strength_like
from counterseal.cli.common import DIRECTORY, DurationType, Run, common
from counterseal.cli.completions import complete_certificates
from counterseal.cli.dry_run import dry_run_option
from counterseal.cli.issuing import Destination, Order, issue_files, refuse_early, show_issued
from counterseal.cli.packing import choose_packing, pack, refuse_packing, rounds_option
from counterseal.cli.passphrase import PasswordSource, password_options
from counterseal.errors import shell_line
from counterseal.keystore.software import generate_key
from counterseal.pki.crl import RevocationReason
from counterseal.pki.keys import parse_key_spec
from counterseal.pki.profile import Purpose
from counterseal.pki.shown import show_serial
from counterseal.store.records import Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from counterseal.bundles.pkcs12 import Packing
    from counterseal.pki.policy import Asked

EPILOG = """\b
Examples:
  counterseal rekey alice --revoke-old --out handout/ --force
  counterseal rekey alice --ask-password --compatible --out new/
  counterseal rekey panel.example.com --key rsa-3072 --out new/

All but the key is as before: names, group, lifetime and CA; the kind of key too, unless --key
says otherwise. A PKCS#12 that is replaced in --out is followed by one of the same strength.
"""


class Options(TypedDict):
    """The options of the command, as click hands them over."""

    selector: str
    key: str | None
    lifetime: timedelta | None
    revoke_old: bool
    p12: bool | None
    compatible: bool | None
    p12_rounds: int | None
    password: PasswordSource
    out: Path
    force: bool
    dry_run: bool


@click.command(epilog=EPILOG)
@click.argument("selector", metavar="NAME|SERIAL", shell_complete=complete_certificates)
@click.option("--key", help="Kind of the new key: p-256, rsa-2048 ...  [default: as the one before]")
@click.option("--lifetime", type=DurationType(), help="How long it lives.  [default: as the one before]")
@click.option("--revoke-old", is_flag=True, help="Revoke the one before as superseded; deploy to put it in force.")
@click.option(
    "--p12/--no-p12",
    default=None,
    help="Pack a PKCS#12.  [default: p12 for a client whose key browsers take, and where --out has one]",
)
@click.option(
    "--compatible/--modern",
    default=None,
    help="Whether old macOS, iOS, Android < 14, Windows Server 2016 read it.  [default: like the one in --out]",
)
@rounds_option
@password_options()
@click.option("--out", type=DIRECTORY, default=Path(), help="Directory for the files.  [default: this one]")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@dry_run_option
@common
def rekey(run: Run, **options: Unpack[Options]) -> None:
    """Issue the same certificate again, with a new key; a client gets a new PKCS#12 too."""
    wanted, revoke_old = parse_key_spec(options["key"]) if options["key"] else None, options["revoke_old"]
    to = Destination(options["out"], options["force"], options["dry_run"])
    with run.authority() as authority:
        record = find(authority, options["selector"], statuses=(Status.VALID,))
        private_key = generate_key(wanted or key_spec_after(record))
        asked = ask_again(authority, record, public_key=private_key.public_key(), lifetime=options["lifetime"])
        order = Order(asked, to, record.name, record.issuer)
        packing = _packing(asked, record.name, options, lambda: refuse_early(authority, order))
        made = issue_files(
            run,
            authority,
            order,
            lambda issued: pack(issued, private_key, packing),
            more=[f"revoke {show_serial(record.serial_number)} as superseded"] * revoke_old,
        )
        if made and revoke_old:
            revoke_record(authority, record, RevocationReason.SUPERSEDED)
    if packing is None and (stale := pkcs12_in(to.out, record.name)):
        run.warn(
            f"the PKCS#12 is stale, with the key and the certificate before: {stale}",
            "hint: remove it, or leave --no-p12 out",
        )
    if made:
        shown = options["password"].to_show(packing.password if packing else None)
        before = shell_line("counterseal", "revoke", show_serial(record.serial_number), "--reason", "superseded")
        show_issued(run, *made, extra=shown, following="counterseal nginx deploy" if revoke_old else before)


def _packing(asked: Asked, name: str, options: Options, before_asking: Callable[[], None]) -> Packing | None:
    """Return how the PKCS#12 is made, None for none.

    Whatever is said of it stands for the wish to have one, and so does one in --out, which holds the key before.
    """
    password, compatible, rounds = options["password"], options["compatible"], options["p12_rounds"]
    if options["p12"] is False:
        refuse_packing(password, compatible=compatible, rounds=rounds)
        return None
    is_said = options["p12"] or password.given or compatible is not None or rounds is not None
    is_for_browsers = asked.profile.purpose is Purpose.CLIENT and not browser_key_refusal(asked.public_key)
    if not (is_said or is_for_browsers or pkcs12_in(options["out"], name)):
        return None
    strength = strength_like(options["out"], name)
    if compatible is not None:
        strength = Strength.COMPATIBLE if compatible else Strength.MODERN
    return choose_packing(asked.public_key, strength, rounds=rounds, password=password, before_asking=before_asking)
