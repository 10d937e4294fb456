"""``counterseal export``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Never

import click

from counterseal.authority.credential import credential_of, issued_before
from counterseal.authority.find import find
from counterseal.bundles.export import ExportFormat, export, refuse_password
from counterseal.bundles.pem import file_stem
from counterseal.bundles.pkcs12 import FAST_ROUNDS, Strength
from counterseal.cli.beside import open_key_file
from counterseal.cli.common import DIRECTORY, FILE, Run, common
from counterseal.cli.completions import complete_certificates
from counterseal.cli.device_steps import show_steps
from counterseal.cli.dry_run import dry_run_option, show_dry_run
from counterseal.cli.issuing import Destination, require_writable
from counterseal.cli.packing import device_option
from counterseal.cli.passphrase import PasswordSource, password_options
from counterseal.errors import FileError, NotFoundError
from counterseal.files import make_directory, preview, write_fileset
from counterseal.fileset import FileSet
from counterseal.store.records import Status

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

EPILOG = """\b
Examples:
  counterseal export alice --format mobileconfig --key-file alice.key.pem --out handout/
  counterseal export panel.example.com --format kubernetes
  counterseal export client.device --ask-password --compatible --out handout/ --force
  counterseal export alice --help-device ios
  counterseal export --help-device
"""


@click.command("export", epilog=EPILOG)
@click.argument("selector", metavar="NAME|SERIAL", required=False, shell_complete=complete_certificates)
@click.option(
    "--format",
    "kind",
    type=click.Choice([kind.value for kind in ExportFormat]),
    default="p12",
    show_default=True,
    help="What to make.",
)
@click.option(
    "--key-file",
    type=FILE,
    help="Its private key; --passphrase-file opens it if need be.  [default: NAME.key.pem in --out]",
)
@password_options()
@click.option("--compatible", is_flag=True, help="PKCS#12 for old macOS, iOS, Android < 14, Windows Server 2016.")
@device_option("Print the steps for this device, or the devices there are, and stop.")
@click.option("--out", type=DIRECTORY, default=Path(), help="Directory for the files.  [default: this one]")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@dry_run_option
@common
def export_(
    run: Run,
    *,
    selector: str | None,
    kind: str,
    key_file: Path | None,
    password: PasswordSource,
    compatible: bool,
    help_device: str | None,
    out: Path,
    force: bool,
    dry_run: bool,
) -> None:
    """Pack a certificate for a device, a Java program or Kubernetes, where its key is at hand."""
    if help_device is not None:
        show_steps(run, help_device, selector and _called(run, selector))
        return
    selector = selector or _missing_selector()
    wanted = ExportFormat(kind)
    if not wanted.needs_password:
        _refuse_packing(wanted, password, compatible=compatible)
    with run.authority() as authority:
        record = find(authority, selector, statuses=(Status.VALID,))
        key = _key_at_hand(run, key_file, out / f"{file_stem(record.name)}.key.pem", wanted)
        packed = partial(
            export,
            credential_of(issued_before(authority, record), key),
            wanted,
            strength=Strength.COMPATIBLE if compatible else None,
        )
        if password.ask:
            made_up = PasswordSource(None, ask=False).choose()
            _refuse_early(Destination(out, force, dry_run), packed(password=made_up, rounds=FAST_ROUNDS))
        chosen = password.choose() if wanted.needs_password else None
        files = packed(password=chosen)
    if dry_run:
        _rehearse(run, Destination(out, force, dry_run), files)
        return
    paths, shown = _write(out, files, force=force), password.to_show(chosen)
    lines = [*(f"wrote {path}" for path in paths), *(f"{name} {value}" for name, value in shown.items())]
    run.show({"files": paths, **shown}, "\n".join(lines))


def _missing_selector() -> Never:
    context = click.get_current_context()
    raise click.MissingParameter(ctx=context, param=context.command.params[0])


def _called(run: Run, selector: str) -> str:
    """Return the name by which the files of a certificate are called; several certificates may have it."""
    with run.authority() as authority:
        return selector if authority.store.by_name(selector) else find(authority, selector).name


def _write(out: Path, files: FileSet, *, force: bool) -> list[str]:
    """Write what is not there yet: ``ca.pem`` is where the certificate was issued. Return all paths."""
    make_directory(out)
    planned = preview(out, files)
    new = FileSet(tuple(file for file, one in zip(files, planned, strict=True) if one.change != "same"))
    write_fileset(out, new, overwrite=force)
    return [one.path for one in planned]


def _key_at_hand(
    run: Run, key_file: Path | None, path: Path, wanted: ExportFormat
) -> CertificateIssuerPrivateKeyTypes | None:
    """Return the private key; None where none lies in the usual place, and the format needs none."""
    if key_file is not None or path.exists():
        return open_key_file(run, key_file or path)
    if not wanted.needs_key:
        return None
    raise NotFoundError(
        "bundle.key_missing",
        f"no private key at hand for the format {wanted}: {path}",
        hint="keys are not kept: give its --key-file, or make a new one: counterseal rekey",
    )


def _refuse_packing(wanted: ExportFormat, password: PasswordSource, *, compatible: bool) -> None:
    """Refuse what is said of a PKCS#12 for a format that has none."""
    if password.given:
        refuse_password(wanted)
    if compatible:
        raise click.UsageError(f"--compatible is for a PKCS#12, and the format has none: {wanted}")


def _rehearse(run: Run, to: Destination, files: FileSet) -> None:
    _refuse_early(to, files)
    show_dry_run(run, files=preview(to.out, files))


def _refuse_early(to: Destination, files: FileSet) -> None:
    """Refuse what ``_write`` would, before a person types a password; ``files`` are like those that it will make."""
    require_writable(to.out, dry_run=to.dry_run)
    taken = [one.path for one in preview(to.out, files) if one.change == "changed"]
    if taken and not to.force:
        raise FileError("file.exists", f"file exists already: {taken[0]}", hint="choose another --out, or pass --force")
