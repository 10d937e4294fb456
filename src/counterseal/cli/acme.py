"""``counterseal acme``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from counterseal.cli.common import Commands, DurationType, Run, columns, common
from counterseal.cli.dry_run import done_or_rehearsed, dry_run_option, show_dry_run, unseen
from counterseal.moments import epoch, isoformat, moment

if TYPE_CHECKING:
    from datetime import timedelta


EPILOG = """\b
Examples:
  counterseal acme eab add web-team --expires 7d
  counterseal acme eab list
  counterseal acme accounts
"""


@click.group(cls=Commands, epilog=EPILOG)
def acme() -> None:
    """Keys for new ACME accounts, and the accounts there are."""


@acme.group(epilog="\b\nExamples:\n  counterseal acme eab add web-team\n  counterseal acme eab revoke KEY-ID")
def eab() -> None:
    """Keys for external account binding, which say who may make an account."""


@eab.command("add", epilog="\b\nExamples:\n  counterseal acme eab add web-team --expires 7d --reusable")
@click.argument("name")
@click.option("--expires", type=DurationType(), help="How long it can be used to make an account.  [default: for ever]")
@click.option("--reusable", is_flag=True, help="For any number of accounts, not for one.")
@dry_run_option
@common
def add(run: Run, *, name: str, expires: timedelta | None, reusable: bool, dry_run: bool) -> None:
    """Make a key for whoever NAME is, and show it this once."""
    from counterseal.authority.record_json import external_key_to_json  # noqa: PLC0415 - what the server would load stays away
    from counterseal.compose.home import service_secret, service_secret_file  # noqa: PLC0415 - same
    from counterseal.keystore.secret import FILE_BYTES, SECRET_BYTES, derive  # noqa: PLC0415 - same
    from counterseal.protocols.acme.external import USE, new_external_key  # noqa: PLC0415 - same
    from counterseal.store.acme.accounts import add_external_key  # noqa: PLC0415 - same

    kept = service_secret_file(run.home)
    files = [unseen(kept, size=FILE_BYTES)] if dry_run and not kept.exists() else []
    with run.authority() as opened, done_or_rehearsed(opened, dry_run=dry_run) as authority:
        at = epoch(authority.clock())
        record, mac_key = new_external_key(
            secret=derive(bytes(SECRET_BYTES) if files else service_secret(run.home), USE),
            random_bytes=authority.random_bytes,
            name=name,
            at=at,
            by=authority.actor,
            expires_at=None if expires is None else at + int(expires.total_seconds()),
            reusable=reusable,
        )
        add_external_key(authority.store, record)
    document = {"external_key": external_key_to_json(record)}
    if dry_run:
        accounts = "any number of ACME accounts" if reusable else "one ACME account"
        acts = [f"make an external account key for {accounts}: {name}"]
        show_dry_run(run, acts=acts, files=files, document=document)
        return
    lines = [
        f"made an external account key for {name}; its HMAC key is shown this once",
        f"  key id    {record.id}",
        f"  hmac key  {mac_key}",
        f"next: certbot register --server {run.service_url()}/acme/directory --eab-kid {record.id} --eab-hmac-key ...",
    ]
    run.show({**document, "hmac_key": mac_key}, "\n".join(lines))


@eab.command("list", epilog="\b\nExamples:\n  counterseal acme eab list")
@common
def list_keys(run: Run) -> None:
    """List the keys, used and revoked ones too; an HMAC key is never shown again."""
    from counterseal.authority.record_json import external_key_state, external_key_to_json  # noqa: PLC0415 - only here
    from counterseal.store.acme.accounts import external_keys  # noqa: PLC0415 - only here

    with run.authority() as authority:
        records, at = external_keys(authority.store), epoch(authority.clock())
    rows = [
        (one.id, one.name, external_key_state(one, at), f"{moment(one.created_at):%Y-%m-%d}", one.created_by)
        for one in records
    ]
    run.show(
        {"external_keys": [external_key_to_json(one) for one in records]},
        columns(rows, titles=("KEY ID", "NAME", "STATE", "MADE", "BY")),
    )


@eab.command("revoke", epilog="\b\nExamples:\n  counterseal acme eab revoke KEY-ID")
@click.argument("key_id", metavar="KEY-ID")
@dry_run_option
@common
def revoke(run: Run, *, key_id: str, dry_run: bool) -> None:
    """Let no further account be made with a key; accounts that it made stay."""
    from counterseal.store.acme.accounts import revoke_external_key  # noqa: PLC0415 - only here

    with run.authority() as opened, done_or_rehearsed(opened, dry_run=dry_run) as authority:
        name = revoke_external_key(authority.store, key_id, epoch(authority.clock())).name
    if dry_run:
        acts = [f"revoke the external account key {key_id} of {name}"]
        show_dry_run(run, acts=acts, document={"revoked": key_id})
        return
    run.show({"revoked": key_id}, f"revoked {key_id}")


@acme.command("accounts", epilog="\b\nExamples:\n  counterseal acme accounts --json")
@common
def list_accounts(run: Run) -> None:
    """List the accounts."""
    import json  # noqa: PLC0415 - for the contacts

    from counterseal.store.acme.accounts import accounts, external_keys  # noqa: PLC0415 - only here

    with run.authority() as authority:
        found = accounts(authority.store)
        names = {one.id: one.name for one in external_keys(authority.store)}
    documents: list[dict[str, Any]] = [
        {
            "id": one.id,
            "status": one.status,
            "contact": json.loads(one.contact),
            "external_key": one.external_key,
            "created_at": isoformat(one.created_at),
        }
        for one in found
    ]
    rows = [
        (
            one.id,
            one.status,
            f"{moment(one.created_at):%Y-%m-%d}",
            names.get(one.external_key or "", ""),
            ", ".join(json.loads(one.contact)),
        )
        for one in found
    ]
    run.show({"accounts": documents}, columns(rows, titles=("ACCOUNT", "STATUS", "MADE", "EXTERNAL KEY", "CONTACT")))
