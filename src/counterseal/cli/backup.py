"""``counterseal backup`` and ``counterseal restore``."""

from __future__ import annotations

from pathlib import Path

import click

from counterseal.authority.backup import backup as write_backup
from counterseal.authority.backup import restore as read_backup
from counterseal.cli.common import Run, common
from counterseal.cli.passphrase import choose_passphrase, read_passphrase
from counterseal.errors import InputError

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(epilog="\b\nExamples:\n  counterseal backup /mnt/safe/ca-2026-11.backup --passphrase-file FILE")
@click.argument("target", metavar="FILE", type=_FILE)
@common
def backup(run: Run, *, target: Path) -> None:
    """Write one encrypted file with everything: store, CA keys, configuration.

    The file is sealed with the passphrase of --passphrase-file, or one that is asked for.
    """
    passphrase = choose_passphrase(run.passphrase_file)
    if passphrase is None:
        raise InputError(
            "passphrase.missing", "a passphrase to seal the backup is needed", hint="pass --passphrase-file"
        )
    with run.authority() as authority:
        size = write_backup(authority, run.home, target, passphrase)
    run.show({"file": str(target), "size": size}, f"wrote {target} ({size} bytes)\nnext: counterseal restore {target}")


@click.command(epilog="\b\nExamples:\n  counterseal restore ca-2026-11.backup --home /var/lib/counterseal")
@click.argument("source", metavar="FILE", type=_FILE)
@common
def restore(run: Run, *, source: Path) -> None:
    """Bring a backup back onto a machine that has no CA."""
    passphrase = read_passphrase(run.passphrase_file)
    if passphrase is None:
        raise InputError("passphrase.missing", "the backup's passphrase is needed", hint="pass --passphrase-file FILE")
    read_backup(source, run.home, passphrase)
    run.show({"home": str(run.home)}, f"restored into {run.home}\nnext: counterseal list, counterseal nginx deploy")
