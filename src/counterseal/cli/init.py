"""``counterseal init``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from counterseal.authority.create import ROOT_LIFETIME, RootPlan, create
from counterseal.authority.publish import publish
from counterseal.cli.common import DurationType, Run, common
from counterseal.cli.dry_run import dry_run_option
from counterseal.cli.new_home import rehearse_home, say_unpublished, show_ca
from counterseal.cli.passphrase import choose_passphrase, would_ask
from counterseal.compose.home import new_home, refuse_occupied
from counterseal.errors import InputError
from counterseal.pki.constraints import constrain, free_kinds
from counterseal.pki.keys import parse_key_spec, show_spec
from counterseal.pki.shown import counted
from counterseal.pki.subject import parse_subject

if TYPE_CHECKING:
    from datetime import timedelta

    from counterseal.pki.keys import KeySpec
    from counterseal.store.records import CARecord

EPILOG = """\b
Examples:
  counterseal init
  counterseal init --subject "/C=CN/ST=shanghai/L=shanghai/O=example/OU=eng/CN=Root CA" --key rsa-4096
  counterseal init --permit corp.example --permit 10.0.0.0/8 --passphrase-file /etc/counterseal/passphrase
"""


@click.command(epilog=EPILOG)
@click.option("--subject", help='Subject of the root, as "/O=example/CN=Root CA" or "CN=Root CA,O=example".')
@click.option("--key", default="p-256", show_default=True, help="Kind of key: p-256, p-384, rsa-4096, ed25519 ...")
@click.option(
    "--lifetime", type=DurationType(), default=ROOT_LIFETIME, help="How long the root lives.  [default: 3650d]"
)
@click.option(
    "--permit",
    multiple=True,
    help="Of this kind of names only certify those in this domain or network (name constraint); may be repeated.",
)
@click.option("--single-tier", is_flag=True, help="One CA that issues everything, as in most tutorials.")
@click.option("--no-passphrase", is_flag=True, help="Keep the CA keys unencrypted (mode 0600).")
@dry_run_option
@common
def init(
    run: Run,
    *,
    subject: str | None,
    key: str,
    lifetime: timedelta,
    permit: tuple[str, ...],
    single_tier: bool,
    no_passphrase: bool,
    dry_run: bool,
) -> None:
    """Make the CA: a root and the issuing CAs under it."""
    plan = RootPlan(
        subject=parse_subject(f"CN=Counterseal Root {os.urandom(4).hex()}" if subject is None else subject),
        key=parse_key_spec(key),
        lifetime=lifetime,
        permitted=permit,
        single_tier=single_tier,
        encrypt=not no_passphrase,
    )
    refuse_occupied(run.home)  # before anybody thinks of a passphrase
    passphrase = None if no_passphrase or (dry_run and would_ask(run.passphrase_file)) else _passphrase(run)
    _warn_of_key(run, plan.key)
    _warn_of_free_kinds(run, plan.permitted)
    say_unpublished(run)
    if dry_run:
        rehearse_home(run, lambda authority: _acts(create(authority, plan)))
        return
    with new_home(run.home, lambda: passphrase) as authority:
        made = create(authority, plan)
        publish(authority)
    _show(run, made)


def _warn_of_key(run: Run, key: KeySpec) -> None:
    if key.algorithm in {"ed25519", "ed448"}:
        run.warn(
            f"neither Firefox nor Chromium takes server certificates of a CA with such a key: {show_spec(key)}",
            "hint: use --key p-256, unless no browser will connect",
        )


def _warn_of_free_kinds(run: Run, permitted: tuple[str, ...]) -> None:
    constraints = constrain(permitted)
    if constraints is not None and (free := free_kinds(constraints)):
        run.warn(
            f"--permit leaves some kinds of names free, of which this CA may certify any: {', '.join(free)}",
            "hint: a kind is bounded by what is permitted of it: 10.0.0.0/8, email:corp.example, URI:corp.example",
        )


def _passphrase(run: Run) -> bytes:
    passphrase = choose_passphrase(run.passphrase_file)
    if passphrase is None:
        raise InputError(
            "passphrase.missing",
            "a passphrase for the CA keys is needed, and there is no terminal to ask on",
            hint="pass --passphrase-file FILE, or --no-passphrase to keep the keys unencrypted",
        )
    return passphrase


def _show(run: Run, made: tuple[CARecord, ...]) -> None:
    lines = [f"made {counted(len(made), 'CA')} in {run.home}"]
    lines += [f"  {record.name:<8} {record.purpose:<7} keys/{record.key_id}.key.pem" for record in made]
    lines += ["next: counterseal server NAME, counterseal client NAME"]
    document = {
        "home": str(run.home),
        "cas": [
            {"name": record.name, "purpose": record.purpose, "key": f"keys/{record.key_id}.key.pem"} for record in made
        ],
    }
    run.show(document, "\n".join(lines))


def _acts(made: tuple[CARecord, ...]) -> list[str]:
    return [f"make CA {record.name} ({record.purpose}): {show_ca(record)}" for record in made]
