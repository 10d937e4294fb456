"""``counterseal backup`` and ``counterseal restore``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from counterseal.authority.backup import backup as write_backup
from counterseal.authority.backup import (
    backup_size,
    contents,
    read_contents,
    refuse_taken,
    refuse_target,
    require_backup,
)
from counterseal.authority.backup import restore as read_backup
from counterseal.cli.common import FILE, Run, common
from counterseal.cli.dry_run import dry_run_option, show_dry_run, unseen
from counterseal.cli.passphrase import choose_passphrase, read_passphrase, would_ask
from counterseal.compose.home import refuse_occupied
from counterseal.compose.place import now
from counterseal.errors import InputError, shell_line
from counterseal.moments import show_moment

if TYPE_CHECKING:
    from pathlib import Path


@click.command(epilog="\b\nExamples:\n  counterseal backup /mnt/safe/ca-2026-11.backup --passphrase-file FILE")
@click.argument("target", metavar="FILE", type=FILE)
@dry_run_option
@common
def backup(run: Run, *, target: Path, dry_run: bool) -> None:
    """Write one encrypted file with everything: store, CA keys, configuration.

    The file is sealed with the passphrase of --passphrase-file, or one that is asked for.
    """
    with run.authority() as authority:
        refuse_target(target)  # before anybody thinks of a passphrase
        if dry_run and would_ask(run.passphrase_file):
            _rehearse_backup(run, target)
            return
        passphrase = choose_passphrase(run.passphrase_file, "the backup")
        if passphrase is None:
            raise InputError(
                "passphrase.missing", "a passphrase to seal the backup is needed", hint="pass --passphrase-file"
            )
        if dry_run:
            _rehearse_backup(run, target)
            return
        size = write_backup(authority, run.home, target, passphrase)
    run.show(
        {"file": str(target), "size": size},
        f"wrote {target} ({size} bytes)\nnext: {shell_line('counterseal', 'restore', target)}",
    )


@click.command(epilog="\b\nExamples:\n  counterseal restore ca-2026-11.backup --home /var/lib/counterseal")
@click.argument("source", metavar="FILE", type=FILE)
@dry_run_option
@common
def restore(run: Run, *, source: Path, dry_run: bool) -> None:
    """Bring a backup back onto a machine that has no CA.

    It is opened with the passphrase that it was sealed with: of --passphrase-file, or one that is asked for.
    """
    refuse_occupied(run.home)
    require_backup(source)
    passphrase = read_passphrase(run.passphrase_file, "the backup")
    if passphrase is None:
        raise InputError("passphrase.missing", "the backup's passphrase is needed", hint="pass --passphrase-file FILE")
    if dry_run:
        found = read_contents(source, passphrase)
        refuse_taken(run.home, (path for path, _, _ in found))
        files = [unseen(run.home / path, size=size, mode=mode) for path, size, mode in found]
        acts = [f"restore {source} into {run.home}"]
        show_dry_run(run, acts=acts, files=files, document={"home": str(run.home)})
        return
    made_at = show_moment(read_backup(source, run.home, passphrase, now()))
    run.warn(
        f"this CA is as it was {made_at}: who was revoked after that gets in again, and what was issued",
        "after that is not known here",
        "hint: counterseal ca import-crl FILE, with the newest list of each CA from where it was published or from",
        "nginx's ssl_crl; without one, revoke once more whom you know of",
    )
    shown = f"restored into {run.home}\nnext: counterseal list, counterseal nginx deploy"
    run.show({"home": str(run.home), "made_at": made_at}, shown)


def _rehearse_backup(run: Run, target: Path) -> None:
    found = contents(run.home)
    acts = [f"seal into it {path.relative_to(run.home)}" for path in found]
    size = None if run.settings().store else backup_size(run.home)  # what a server has is not counted
    document = {"file": str(target)}
    show_dry_run(run, acts=acts, files=[unseen(target, size=size, varies=True)], document=document)
