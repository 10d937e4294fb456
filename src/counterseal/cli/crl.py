"""``counterseal crl``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from counterseal.authority.publish import publish, rehearse_lists, stale_lists
from counterseal.authority.record_json import crl_to_json
from counterseal.cli.common import DIRECTORY, Run, common
from counterseal.cli.dry_run import dry_run_option, show_dry_run
from counterseal.cli.not_in_force import by_defaults, fails_by_defaults
from counterseal.files import make_directory, preview, write_fileset
from counterseal.fileset import FileSet, PlannedFile
from counterseal.moments import moment, show_moment
from counterseal.pki.crl import to_pem
from counterseal.pki.shown import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from counterseal.errors import ConfigError
    from counterseal.store.records import CRLRecord

EPILOG = """\b
Examples:
  counterseal crl                      publish new lists for every CA
  counterseal crl --if-stale           only those older than the refresh interval
  counterseal crl --out /srv/crl       write them as PEM and DER too
"""


@click.command(epilog=EPILOG)
@click.option("--if-stale", is_flag=True, help="Only lists that are missing or older than the refresh interval.")
@click.option("--out", type=DIRECTORY, help="Write NAME.crl.pem and NAME.crl here.")
@dry_run_option
@common
def crl(run: Run, *, if_stale: bool, out: Path | None, dry_run: bool) -> None:
    """Publish new revocation lists, and with --out write them to files, too."""
    wrong = run.settings().error_in("ca")
    with run.authority() as opened:
        authority = replace(opened, rules=run.settings().for_revocation().rules)
        only = stale_lists(authority) if if_stale else None
        if dry_run:
            planned = rehearse_lists(authority, only=only)
            new = {one.issuer: one for one in planned}
            run.rehearse_opening(authority, map(authority.store.ca, new))
            every = (new.get(ca.name) or authority.store.latest_crl(ca.name) for ca in authority.store.cas())
            _rehearse(run, planned, [one for one in every if one is not None], out, wrong)
            return
        published = publish(authority, only=only)
        lists = [latest for record in authority.store.cas() if (latest := authority.store.latest_crl(record.name))]
    for name in published.without_key:
        run.warn(f"the key of CA {name} is not here, its list stays as it is: counterseal ca import-crl FILE")
    paths: tuple[Path, ...] = ()
    if out is not None:
        make_directory(out)
        paths = write_fileset(out, _files(lists))
    rows = [f"{_named(one)}, until {show_moment(moment(one.next_update))}" for one in lists]
    signed = [latest.issuer for latest in published.signed]
    text = "\n".join([*rows, *(f"  file {path}" for path in paths)])
    if wrong:
        run.say(text)
        raise by_defaults(f"new lists: {', '.join(signed) or 'none'}", wrong)
    document = {
        "crls": [crl_to_json(latest) for latest in lists],
        "signed": signed,
        "files": [str(path) for path in paths],
    }
    run.show(document, text)


def _named(one: CRLRecord) -> str:
    return f"CRL {one.number} of {one.issuer}: {counted(one.entries, 'entry', 'entries')}"


def _files(lists: Sequence[CRLRecord]) -> FileSet:
    files = [PlannedFile(f"{one.issuer}.crl.pem", to_pem(one.crl)) for one in lists]
    return FileSet((*files, *(PlannedFile(f"{one.issuer}.crl", one.crl) for one in lists)))


def _rehearse(
    run: Run, lists: Sequence[CRLRecord], every: Sequence[CRLRecord], out: Path | None, wrong: ConfigError | None
) -> None:
    """Show which lists would be signed; written are those that stay as they are as well."""
    acts = [f"sign {_named(one)}" for one in lists]
    files = [
        seen._replace(varies=list_ in lists)
        for list_, seen in zip((*every, *every), preview(out, _files(every)) if out is not None else (), strict=False)
    ]
    acts = [*(acts or ["do nothing: no list is old"]), *fails_by_defaults(wrong)]
    document = {"crls": [crl_to_json(one) for one in every], "signed": [one.issuer for one in lists]}
    show_dry_run(run, acts=acts, files=files, document=document, fails=wrong is not None)
