"""``counterseal inspect``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from counterseal.authority.inspect import inspect
from counterseal.authority.inspect_json import files_to_json
from counterseal.cli.common import FILE, Run, common
from counterseal.cli.given import readable_files
from counterseal.cli.inspect_text import files_to_text
from counterseal.cli.known_home import known_home
from counterseal.cli.passphrase import read_password
from counterseal.compose.place import now

EPILOG = """\b
Examples:
  counterseal inspect alice.cert.pem
  counterseal inspect server.fullchain.pem server.key.pem      do they belong together?
  counterseal inspect alice.p12 --password-file password.txt
  counterseal inspect /etc/ssl/certs/ca-certificates.crt       a line for each
  openssl s_client -connect example.com:443 </dev/null | counterseal inspect -

Exit code 1 when a file holds nothing that is known, cannot be read (the others are shown all the same), or has another
password than the one given; what is wrong with a certificate is shown and does not count.
counterseal lint judges. Times are in UTC.
"""


@click.command("inspect", epilog=EPILOG)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--password-file",
    type=FILE,
    help="Password of encrypted keys and PKCS#12, in a file's first line.  [default: asked for on a terminal]",
)
@click.option("--full", is_flag=True, help="Every certificate in full, however many a file holds.")
@common
def inspect_(run: Run, *, files: tuple[Path, ...], password_file: Path | None, full: bool) -> int:
    """Say what certificates, CSRs, CRLs, keys and PKCS#12 files are.

    Recognised by content, in PEM or DER, one or many in a file: what each is for, who issued it, how long it lives,
    every extension, what belongs together, and what is wrong. Of a key only the public part is shown.
    """
    given, failure = readable_files(files)
    with known_home(run) as cas:
        found = inspect(
            given, at=now(), password=partial(ask_password, password_file), known=cas.describe, trusted=cas.certificates
        )
    document = {"files": files_to_json(found)} if run.json else {}
    if failure and run.json:
        raise failure  # one document: that of the error
    run.show(document, files_to_text(found, full=full))
    if failure:
        raise failure
    return 0 if all(file.is_readable for file in found) else 1


def ask_password(password_file: Path | None, place: str) -> bytes:
    """Return the password of the encrypted thing at ``place``, empty for none."""
    return read_password(password_file, prompt=f"password of {place} (empty: go without)")
